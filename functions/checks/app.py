"""The checks queue: each message names a payment to check, or a list of payments to follow.

The handler is in ``payresult.handlers``. A deployment replaces code and layers one after the other,
so this file uses one name of the layer, which never changes.
"""

import os

from payresult.bootstrap import checks_handler

handler = checks_handler(os.environ)
