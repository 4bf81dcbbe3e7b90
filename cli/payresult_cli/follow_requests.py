"""Reads the file of `follow`, and finds which of its payments are not followed yet."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from payresult.aws.dynamodb import PaymentRepository, Stored, require_readable
from payresult.domain.payment import CheckMessage
from payresult.domain.registration import can_restart, merge
from payresult.errors import InvalidInput, PayresultError
from payresult.schemas.requests import parse_pay_id, parse_registration
from payresult_cli.csv_files import read_csv, reject_line
from payresult_cli.errors import CommandError


@dataclass(frozen=True, slots=True)
class FollowRequest:
    """One message to send: its ``body``, and the ``message`` that payresult will read in it."""

    body: str
    message: CheckMessage


@dataclass(frozen=True, slots=True)
class Classified:
    """``new`` requests are to be sent; ``rejected`` has a reason by payId; the others are followed.

    ``followed`` is how many need no message.
    """

    new: list[FollowRequest]
    rejected: dict[str, str]
    followed: int


def read_follow_requests(path: Path) -> list[FollowRequest]:
    """Return one request for each payId in *path*; CommandError if one of its lines is invalid."""
    found: dict[str, FollowRequest] = {}
    for row in read_csv(path, required=["payId"], header_optional=True):
        body = json.dumps(row.fields, separators=(",", ":"))
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


def classify(repository: PaymentRepository, requests: Sequence[FollowRequest]) -> Classified:
    """Compare *requests* with the stored payments."""
    stored = repository.get_many(request.message.pay_id for request in requests)
    new: list[FollowRequest] = []
    rejected: dict[str, str] = {}
    for request in requests:
        pay_id = request.message.pay_id
        try:
            if _is_new(request.message, stored.get(pay_id)):
                new.append(request)
        except PayresultError as error:
            rejected[pay_id] = str(error)
    return Classified(new, rejected, len(requests) - len(new) - len(rejected))


def _parse(fields: dict[str, str]) -> CheckMessage:
    registered = {name: value for name, value in fields.items() if name != "payId"}
    registration = parse_registration(json.dumps(registered))
    return CheckMessage(parse_pay_id(fields.get("payId")), registration)


def _is_new(message: CheckMessage, stored: Stored | None) -> bool:
    """Return whether the message starts checks, starts them again, or adds to the registration."""
    payment = require_readable(stored)
    if payment is None:
        return True
    return can_restart(payment) or merge(payment, message.registration) != payment.registration
