"""The look-up of many payIds by what is under the api function, which takes 100 at a time."""

import os

from payresult.bootstrap import build_service
from payresult.settings import Settings

service = build_service(Settings.from_env(os.environ))


def handler(event: dict[str, list[str]], _context: object) -> int:
    """Look all of them up; return of how many something is known."""
    return sum(outcome.error is None for outcome in service.look_up(event["payIds"]))
