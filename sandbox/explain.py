"""What `cli/payresult explain` says about a payment of the sandbox."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

from sandbox.credentials import REGION
from sandbox.deploy import STACK_NAME
from sandbox.packages import ROOT

if TYPE_CHECKING:
    from sandbox.credentials import Credentials

_TIMEOUT_SECONDS = 30
_NOT_STORED = "Nothing is stored: nobody registered this payment, or its message was not processed."


def explain(credentials: Credentials, pay_id: str) -> list[str]:
    """Its sentences on why the payment has its status.

    The command runs in a process of its own: nothing of the sandbox imports payresult's code.
    """
    command = [str(ROOT / "cli" / "payresult"), "explain", pay_id, "--stack", STACK_NAME, "--json"]
    user = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    environment = user | {
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_ENDPOINT_URL": credentials.endpoint,
        "AWS_REGION": REGION,
    }
    try:
        ended = subprocess.run(  # noqa: S603  a payId begins with a letter, a digit or _
            command, env=environment, capture_output=True, timeout=_TIMEOUT_SECONDS, check=False
        )
        document = json.loads(ended.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return [f"`cli/payresult explain {pay_id} --sandbox` failed: run it in a terminal."]
    found: list[str] = document.get("why", [_NOT_STORED])
    return found
