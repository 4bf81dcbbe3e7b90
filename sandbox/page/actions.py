"""What a user can do on the page: start a payment, query it, play a reply, switch a fault."""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sandbox.gateway_control import ALL
from sandbox.replies import InvalidPlayedReply, reply_of_document
from sandbox.scenarios import ANSWERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.client import Client
    from sandbox.gateway import SimulatedGateway
    from sandbox.page.duplicate_delivery import DuplicateDelivery

SCENARIOS = ("paid", "later", "never", *(each for each in ANSWERS if each != "pending"))
PAID_LATER = ("later", "failing", "busy", "refusing", "slow", "nonsense", "unclear")
"""Those that take the number of the check that is answered as paid."""

_PAY_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._:~-]{0,127}")

MAX_CHECK_NUMBER = 9
_REGISTERED_AMOUNT = {"expectedAmount": "19.99", "currency": "USD"}
"""The amount of each payment of the simulated gateway; an external one has its own amounts."""

FIRST_NUMBER = 5001
WAIT_SECONDS = 20

ActionResult = dict[str, Any]


class ActionRefused(Exception):
    """The page sent a value that is not allowed; the message names it."""


class Actions:
    """One method for each action; each returns what the page shows as the result."""

    def __init__(
        self, client: Client, gateway: SimulatedGateway | None, duplicates: DuplicateDelivery
    ) -> None:
        self._client = client
        self._gateway = gateway
        self._duplicates = duplicates
        self._numbers = itertools.count(FIRST_NUMBER)
        self.stream_stopped = False
        self.stream_was_stopped = False

    def faults(self) -> ActionResult:
        """Which faults are on; an external gateway cannot be switched, so it is left out."""
        known = {
            "gateway": self._gateway and self._gateway.down,
            "maintenance": self._gateway and self._gateway.maintenance,
            "stream": self.stream_stopped,
            "duplicates": self._duplicates.on,
        }
        return {name: on for name, on in known.items() if on is not None}

    def switch(self, fault: str, on: object) -> ActionResult:
        """Switch a fault on or off; all faults."""
        if fault not in self.faults() or not isinstance(on, bool):
            raise ActionRefused("PUT true or false to one of the faults")
        if fault == "gateway" and self._gateway:
            self._gateway.down = on
        elif fault == "maintenance" and self._gateway:
            self._gateway.maintenance = on
        elif fault == "stream":
            self._client.switch_stream(on=not on)
            self.stream_stopped = on
            self.stream_was_stopped |= on
        else:
            self._duplicates.switch(on=on)
        return self.faults()

    def start(self, body: object) -> ActionResult:
        """Register a new payment by `http` or `sqs`: `{"scenario", "check"?, "channel"}`.

        The scenario becomes part of its payId (see `scenarios`). With an external gateway the
        payId is given: `{"payId", "channel"}`.
        """
        wanted = body if isinstance(body, dict) else {}
        pay_id, channel = self._new_pay_id(wanted), wanted.get("channel")
        if channel == "http":
            return self._register(pay_id)
        if channel != "sqs":
            raise ActionRefused("channel: must be http or sqs")
        message = {"payId": pay_id} | self._order(pay_id)
        self._client.send(message)
        if self._duplicates.on:
            self._duplicates.copy_first(pay_id, json.dumps(message))
        sent = f"message {json.dumps(message)}"
        return {"payId": pay_id, "sent": sent, "got": "sent to the queue"}

    def play(self, body: object) -> ActionResult:
        """Play a reply `{"to", "payId"?, "status"?, "headers"?, "body"?}` (see `replies`).

        `to` is `all`, for every payment, or `new` or `one` (payId): that payment is registered.
        """
        wanted = dict(body) if isinstance(body, dict) else {}
        to, pay_id = wanted.pop("to", None), wanted.pop("payId", None)
        if self._gateway is None or to not in ("new", "one", "all"):
            raise ActionRefused("to: must be new, one or all; the simulated gateway only")
        try:
            reply = reply_of_document(wanted)
        except InvalidPlayedReply as error:
            raise ActionRefused(str(error)) from None
        if to == "all":
            self._gateway.play(ALL, reply)
            return {"sent": "for every payment", "got": "played until it is cleared"}
        pay_id = f"own-{next(self._numbers)}" if to == "new" else valid_pay_id(pay_id)
        self._gateway.play(pay_id, reply)
        return self._register(pay_id)

    def clear(self, pay_id: object) -> ActionResult:
        """Play the reply of a payment, or the one for all, no longer."""
        if self._gateway and isinstance(pay_id, str):
            self._gateway.clear(pay_id)
        return {"got": "cleared"}

    def query(self, pay_id: object) -> ActionResult:
        """GET the payment, as an app does."""
        pay_id = valid_pay_id(pay_id)
        response = self._client.get(pay_id)
        return {"sent": f"GET /payments/{pay_id}", "status": response.status, "body": response.body}

    def wait(self, pay_id: object) -> ActionResult:
        """GET the payment, and wait for its result, as an app does."""
        path = f"/payments/{valid_pay_id(pay_id)}/wait?seconds={WAIT_SECONDS}"
        response = self._client.call("GET", path)
        return {"sent": f"GET {path}", "status": response.status, "body": response.body}

    def sweep(self, pay_id: object) -> ActionResult:
        """Run the sweeper now, with the payment made due."""
        pay_id = valid_pay_id(pay_id)
        try:
            self._client.make_due(pay_id)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return {"got": "the sweeper has nothing to do for this payment"}
        self._client.sweep()
        return {"got": "the sweeper has run"}

    def _register(self, pay_id: str) -> ActionResult:
        order = self._order(pay_id)
        response = self._client.put(pay_id, **order)
        sent = f"PUT /payments/{pay_id} {json.dumps(order)}"
        return {"payId": pay_id, "sent": sent, "got": f"HTTP {response.status}"}

    def _order(self, pay_id: str) -> dict[str, str]:
        return {"orderId": f"page-{pay_id}"} | (_REGISTERED_AMOUNT if self._gateway else {})

    def _new_pay_id(self, wanted: Mapping[str, Any]) -> str:
        if self._gateway is None:
            return valid_pay_id(wanted.get("payId"))
        scenario, check = wanted.get("scenario"), wanted.get("check")
        if scenario not in SCENARIOS:
            raise ActionRefused(f"scenario: must be one of {', '.join(SCENARIOS)}")
        if scenario not in PAID_LATER:
            return f"{scenario}-{next(self._numbers)}"
        if type(check) is not int or not 1 < check <= MAX_CHECK_NUMBER:
            raise ActionRefused(f"check: must be a whole number from 2 to {MAX_CHECK_NUMBER}")
        return f"{scenario}{check}-{next(self._numbers)}"


def valid_pay_id(pay_id: object) -> str:
    """*pay_id*, if it is valid; ActionRefused otherwise."""
    if not isinstance(pay_id, str) or not _PAY_ID.fullmatch(pay_id):
        raise ActionRefused("payId: must be 1 to 128 of A-Z a-z 0-9 _ . : ~ - (not . : ~ - first)")
    return pay_id
