"""The deployed system on the emulator, and its parts on real sockets; loopback only."""
