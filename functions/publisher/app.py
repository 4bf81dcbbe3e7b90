"""The table's stream: each record is a payment whose event is unsent.

The handler is in ``payresult.handlers``. A deployment replaces code and layers one after the other,
so this file uses one name of the layer, which never changes.
"""

import os

from payresult.bootstrap import publisher_handler

handler = publisher_handler(os.environ)
