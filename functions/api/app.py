"""The HTTP API: look up one payment or many, and register one.

The handler is in ``payresult.handlers``. A deployment replaces code and layers one after the other,
so this file uses one name of the layer, which never changes.
"""

import os

from payresult.bootstrap import api_handler

handler = api_handler(os.environ)
