"""A gateway on loopback that says what it is told to, payId by payId."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.support.json_server import Request, json_server

PAID = {
    "orderPeriod": "1",
    "packageType": "2",
    "payAmount": "$19.99",
    "payResultDate": "2020-09-17 18:11:10",
    "payRst": "success",
    "servicePlanShowName": "Singapore 2G 30-Days",
}
"""What it says of a payment unless told otherwise: the provider's example, with a readable plan."""


@dataclass
class Gateway:
    """*answers* are HTTP status and fields by payId; to the latter it adds what it was asked."""

    url: str = ""
    answers: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@contextmanager
def running() -> Iterator[Gateway]:
    """A gateway that listens until the end of the block."""
    gateway = Gateway()

    def answer(request: Request) -> tuple[int, dict[str, str]]:
        asked = json.loads(request.body)
        gateway.asked.append(asked["payId"])
        status, fields = gateway.answers.get(asked["payId"], (200, PAID))
        return status, {name: asked[name] for name in ("partnerCode", "payId")} | fields

    with json_server(answer) as gateway.url:
        yield gateway
