"""The operators' command line tool: explains payments and acts on them.

``app`` is the entry point and ``commands`` has one module for each command. ``context`` is what a
command gets to work with, ``stack`` finds the deployment, and ``errors`` turns an error into one
line. Rules about payments are the layer's own code.
"""
