"""What somebody does by the page: start a payment, ask for it, sweep, switch a fault."""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sandbox.scenarios import ANSWERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.client import Client
    from sandbox.gateway import SimulatedGateway
    from sandbox.page.duplicate_delivery import Doubling

FATES = ("paid", "later", "never", *(each for each in ANSWERS if each != "pending"))
LASTING = ("later", "failing", "busy", "refusing", "slow", "nonsense")
"""Those that end: with the check of the number that the visitor chose, which says paid."""

_PAY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

MOST_CHECKS = 9
_PRICE = {"expectedAmount": "19.99", "currency": "USD"}
"""What each payment of the simulated gateway costs; another gateway has prices of its own."""

FIRST_NUMBER = 5001

Told = dict[str, Any]


class ActionRefused(Exception):
    """The page asked for something that there is not; the message says what."""


class Actions:
    """Each method does one thing, and gives what the page is to be told of it."""

    def __init__(
        self, visitor: Client, gateway: SimulatedGateway | None, doubling: Doubling
    ) -> None:
        self._visitor = visitor
        self._gateway = gateway
        self._doubling = doubling
        self._numbers = itertools.count(FIRST_NUMBER)
        self.stream_stopped = False
        self.stream_was_stopped = False

    def faults(self) -> Told:
        """Which faults are on; without a simulated gateway, that cannot be switched."""
        known = {
            "gateway": self._gateway and self._gateway.down,
            "stream": self.stream_stopped,
            "doubling": self._doubling.on,
        }
        return {name: on for name, on in known.items() if on is not None}

    def switch(self, fault: str, on: object) -> Told:
        """Switch a fault."""
        if fault not in self.faults() or not isinstance(on, bool):
            raise ActionRefused("PUT true or false to one of the faults")
        if fault == "gateway" and self._gateway:
            self._gateway.down = on
        elif fault == "stream":
            self._visitor.switch_stream(on=not on)
            self.stream_stopped = on
            self.stream_was_stopped |= on
        else:
            self._doubling.switch(on=on)
        return self.faults()

    def start(self, wish: object) -> Told:
        """Put a new payment in, by `http` or by `sqs`: `{"fate", "check"?, "way"}`.

        The fate is part of the payId that it gets, as for everybody else (see `fates`). Another
        gateway knows its own payments: `{"payId", "way"}`.
        """
        wished = wish if isinstance(wish, dict) else {}
        pay_id, way = self._new_pay_id(wished), wished.get("way")
        order = {"orderId": f"page-{pay_id}"} | (_PRICE if self._gateway else {})
        if way == "http":
            answer = self._visitor.put(pay_id, **order)
            sent = f"PUT /payments/{pay_id} {json.dumps(order)}"
            return {"payId": pay_id, "sent": sent, "got": f"HTTP {answer.status}"}
        if way != "sqs":
            raise ActionRefused("way: must be http or sqs")
        message = {"payId": pay_id} | order
        for _ in range(2 if self._doubling.on else 1):
            self._visitor.send(message)
        sent = f"message {json.dumps(message)}"
        return {"payId": pay_id, "sent": sent, "got": "the queue took it"}

    def ask(self, pay_id: object) -> Told:
        """GET the payment, as an app does."""
        pay_id = valid(pay_id)
        answer = self._visitor.get(pay_id)
        return {"sent": f"GET /payments/{pay_id}", "status": answer.status, "body": answer.body}

    def sweep(self, pay_id: object) -> Told:
        """Run the sweeper now, without the time that it leaves to stream and queue."""
        pay_id = valid(pay_id)
        try:
            self._visitor.end_grace(pay_id)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return {"got": "the sweeper has nothing to do for this payment"}
        self._visitor.sweep()
        return {"got": "the sweeper has run"}

    def _new_pay_id(self, wished: Mapping[str, Any]) -> str:
        if self._gateway is None:
            return valid(wished.get("payId"))
        fate, check = wished.get("fate"), wished.get("check")
        if fate not in FATES:
            raise ActionRefused(f"fate: must be one of {', '.join(FATES)}")
        if fate not in LASTING:
            return f"{fate}-{next(self._numbers)}"
        if type(check) is not int or not 1 < check <= MOST_CHECKS:
            raise ActionRefused(f"check: must be a whole number from 2 to {MOST_CHECKS}")
        return f"{fate}{check}-{next(self._numbers)}"


def valid(pay_id: object) -> str:
    """*pay_id*, if it is one; Refused otherwise."""
    if not isinstance(pay_id, str) or not _PAY_ID.fullmatch(pay_id):
        raise ActionRefused("payId: must be 1 to 64 letters, digits, hyphens or underscores")
    return pay_id
