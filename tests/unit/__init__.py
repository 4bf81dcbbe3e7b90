"""Pure modules and handlers, without a socket."""
