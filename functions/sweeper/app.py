"""Every minute: overdue checks, unsent events, and payments to give up.

The handler is in ``payresult.handlers``. A deployment replaces code and layers one after the other,
so this file uses one name of the layer, which never changes.
"""

import os

from payresult.bootstrap import sweeper_handler

handler = sweeper_handler(os.environ)
