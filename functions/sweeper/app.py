"""Every minute: overdue checks, unsent events, and payments to give up."""

import os

from payresult.bootstrap import sweeper_handler

handler = sweeper_handler(os.environ)
