"""The gateway client against servers that break HTTP, TLS and time, over real sockets."""
