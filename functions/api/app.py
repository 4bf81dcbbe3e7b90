"""The HTTP API: look up one payment or many, wait for one, and register one."""

import os

from payresult.bootstrap import api_handler

handler = api_handler(os.environ)
