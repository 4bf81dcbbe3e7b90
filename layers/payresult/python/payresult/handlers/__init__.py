"""The handlers of the four functions: an event of Lambda in, its response out."""
