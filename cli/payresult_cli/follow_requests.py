"""Reads which payIds `follow` is to send, and finds what their messages would do."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from payresult.aws.dynamodb import PaymentRepository, Stored, require_readable
from payresult.domain.payment import CheckMessage, Payment, Status
from payresult.domain.registration import can_restart, merge
from payresult.errors import InvalidInput, PayresultError
from payresult.schemas.requests import parse_pay_id, parse_registration
from payresult_cli.csv_files import read_csv, reject_line
from payresult_cli.errors import CommandError

Effect = Literal["new", "startAgain", "oneCheck", "paid", "followed"]
"""What a message does.

* new: registers the payment, or adds to its registration
* startAgain: starts the checks of one that is FAILED, EXPIRED or UNRESOLVED
* oneCheck: has the gateway asked once about one in REVIEW
* paid, followed: nothing, so it is not sent
"""

SENT: tuple[Effect, ...] = ("new", "startAgain", "oneCheck")


@dataclass(frozen=True, slots=True)
class FollowRequest:
    """One message to send: its ``body``, and the ``message`` that payresult will read in it."""

    body: str
    message: CheckMessage


@dataclass(frozen=True, slots=True)
class Classified:
    """The requests by what they would do; ``rejected`` has a reason by payId."""

    by_effect: defaultdict[Effect, list[FollowRequest]] = field(
        default_factory=lambda: defaultdict(list)
    )
    rejected: dict[str, str] = field(default_factory=dict)


def read_follow_requests(path: Path) -> list[FollowRequest]:
    """Return one request for each payId in *path*; CommandError if one of its lines is invalid."""
    found: dict[str, FollowRequest] = {}
    for row in read_csv(path, required=["payId"], header_optional=True):
        body = _body(row.fields)
        try:
            message = _parse(row.fields)
        except InvalidInput as error:
            reject_line(path, row.line_number, f"is invalid: {error}")
        pay_id = message.pay_id
        if found.setdefault(pay_id, FollowRequest(body, message)).body != body:
            reason = f"contradicts an earlier line about {pay_id}"
            reject_line(path, row.line_number, reason)
    if not found:
        raise CommandError(f"{path} contains no payId")
    return list(found.values())


def follow_request(pay_id: str) -> FollowRequest:
    """Return the request for a payment of the table, which is registered already."""
    return FollowRequest(_body({"payId": pay_id}), CheckMessage(pay_id))


def classify(
    repository: PaymentRepository, requests: Sequence[FollowRequest], found: Classified
) -> None:
    """Compare *requests* with the stored payments, and add them to *found*."""
    stored = repository.get_many(request.message.pay_id for request in requests)
    for request in requests:
        pay_id = request.message.pay_id
        try:
            effect = _effect(request.message, stored.get(pay_id))
        except PayresultError as error:
            found.rejected[pay_id] = str(error)
        else:
            found.by_effect[effect].append(request)


def _body(fields: dict[str, str]) -> str:
    return json.dumps(fields, separators=(",", ":"))


def _parse(fields: dict[str, str]) -> CheckMessage:
    registered = {name: value for name, value in fields.items() if name != "payId"}
    registration = parse_registration(json.dumps(registered))
    return CheckMessage(parse_pay_id(fields.get("payId")), registration)


def _effect(message: CheckMessage, stored: Stored | None) -> Effect:
    payment = require_readable(stored)
    if payment is None:
        return "new"
    merged = merge(payment, message.registration)
    if can_restart(payment, None):  # it is sent now, after the last change
        return "startAgain"
    return "new" if merged != payment.registration else _of_status(payment)


def _of_status(payment: Payment) -> Effect:
    if payment.status is Status.REVIEW:
        return "oneCheck"
    return "paid" if payment.settled else "followed"
