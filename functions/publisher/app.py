"""The table's stream: each record is a payment whose event is unsent."""

import os

from payresult.bootstrap import publisher_handler

handler = publisher_handler(os.environ)
