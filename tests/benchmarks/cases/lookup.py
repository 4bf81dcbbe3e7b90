"""The look-up of many payIds by PaymentService; the api function accepts 100 at a time."""

import os

from payresult.bootstrap import build_service
from payresult.settings import Settings

service = build_service(Settings.from_env(os.environ))


def handler(event: dict[str, list[str]], _context: object) -> int:
    """Look up all payIds; return the number without an error."""
    return sum(outcome.error is None for outcome in service.look_up(event["payIds"]))
