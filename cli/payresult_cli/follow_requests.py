"""The file of a `follow`: what each line asks for, and which lines ask for nothing new."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from payresult.aws.dynamodb import PaymentRepository, Stored, require_readable
from payresult.domain.payment import CheckMessage
from payresult.domain.registration import can_restart, merge
from payresult.errors import InvalidInput, PayresultError
from payresult.schemas.requests import parse_pay_id, parse_registration
from payresult_cli.csv_files import rows, wrong
from payresult_cli.errors import CommandError


@dataclass(frozen=True, slots=True)
class FollowRequest:
    """A message to send: ``body`` as the queue gets it, ``asks`` as payresult reads it."""

    body: str
    asks: CheckMessage


def read(path: Path) -> list[FollowRequest]:
    """Return what the lines of *path* ask for, once each; Refused if one of them is wrong."""
    found: dict[str, FollowRequest] = {}
    for row in rows(path, needs=["payId"], bare=True):
        body = json.dumps(row.fields, separators=(",", ":"))
        try:
            asks = _parse(row.fields)
        except InvalidInput as error:
            wrong(path, row.line, f"is no order: {error}")
        if found.setdefault(asks.pay_id, FollowRequest(body, asks)).body != body:
            wrong(path, row.line, f"says something else about {asks.pay_id} than a line before")
    if not found:
        raise CommandError(f"{path} names no payId")
    return list(found.values())


def _parse(fields: dict[str, str]) -> CheckMessage:
    given = {name: value for name, value in fields.items() if name != "payId"}
    registration = parse_registration(json.dumps(given))
    return CheckMessage(parse_pay_id(fields.get("payId")), registration)


@dataclass(frozen=True, slots=True)
class Classified:
    """What the table says of orders: ``new`` are to be sent, ``refused`` never would be taken."""

    new: list[FollowRequest]
    refused: dict[str, str]
    followed: int


def classify(store: PaymentRepository, orders: Sequence[FollowRequest]) -> Classified:
    """Return which of *orders* are new, which are followed already, and which contradict it."""
    found = store.get_many(order.asks.pay_id for order in orders)
    new: list[FollowRequest] = []
    refused: dict[str, str] = {}
    for order in orders:
        try:
            if _is_new(order.asks, found.get(order.asks.pay_id)):
                new.append(order)
        except PayresultError as error:
            refused[order.asks.pay_id] = str(error)
    return Classified(new, refused, len(orders) - len(new) - len(refused))


def _is_new(asks: CheckMessage, stored: Stored | None) -> bool:
    payment = require_readable(stored)
    if payment is None:
        return True
    return can_restart(payment) or merge(payment, asks.registration) != payment.registration
