"""One module for each command, which it defines as ``command``."""
