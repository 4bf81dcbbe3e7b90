"""The start of a function: imported before all else, and ended by ``done``.

Nothing made in between is garbage, and looking for it took a quarter of the time. ``done`` puts
it out of sight for good, so that no look during an invocation goes through it either.
"""

import gc

gc.disable()


def done() -> None:
    """Look for garbage from now on, among what is made from now on."""
    gc.freeze()
    gc.enable()
