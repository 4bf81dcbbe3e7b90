"""The checks queue: each message names a payment to check, or a list of payments to follow."""

import os

from payresult.bootstrap import checks_handler

handler = checks_handler(os.environ)
