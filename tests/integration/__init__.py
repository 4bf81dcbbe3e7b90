"""Real sockets, on this machine only."""
