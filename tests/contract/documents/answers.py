"""What the api handler really answers, call by call: the examples of the OpenAPI document."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from tests.support.moto_deployment import Deployment, running
from tests.support.samples import GET, PUT, QUERY, SAMPLES, sample

PAY_ID, OTHER, WRONG, ODD = "20190321192436", "20190321192437", "20190321192438", "20190321192439"
ORDER = {"orderId": "A-17", "expectedAmount": "19.99", "currency": "USD"}
WAITING = (200, {"payRst": "waiting"})
DOWN = (500, {"message": "internal error"})
NONSENSE = (404, {"message": "not found"})


@dataclass(frozen=True, slots=True)
class Example:
    """An answer to one call: *body* is its parsed JSON."""

    route: str
    name: str
    summary: str
    status: int
    headers: dict[str, str]
    body: dict[str, Any]


def request(route: str, pay_id: str | None = None, body: object = None) -> dict[str, Any]:
    """Return what API Gateway sends for a call of *route*: the sample, changed where told."""
    event = sample(SAMPLES[route])
    if pay_id is not None:
        event["pathParameters"] = {"payId": pay_id}
    return event if body is None else event | {"body": json.dumps(body)}


def examples() -> list[Example]:
    """Return an answer of each kind."""
    with running() as world:
        return [*_life_of_a_payment(world), *_lists(world), *_troubles(world)]


def _call(app: ModuleType, name: str, summary: str, event: dict[str, Any]) -> Example:
    answer = app.handler(event, None)
    return Example(
        event["routeKey"],
        name,
        summary,
        answer["statusCode"],
        answer["headers"],
        json.loads(answer["body"]),
    )


def _life_of_a_payment(world: Deployment) -> Iterator[Example]:
    app, checks = world.app("api"), world.app("checks")
    get = request(GET, PAY_ID)
    world.gateway.answers[PAY_ID] = WAITING
    yield _call(app, "registered", "Registered, and followed from now on", request(PUT, PAY_ID))
    _check(checks, PAY_ID)
    world.now += 3000
    yield _call(app, "pending", "Not paid yet", get)
    world.now += 3000
    world.gateway.answers[PAY_ID] = DOWN
    yield _call(app, "stale", "The gateway is down: what was known before", get)
    world.now += 3000
    del world.gateway.answers[PAY_ID]
    yield _call(app, "settled", "Paid", get)
    other = {"expectedAmount": "9.99"}
    conflict = request(PUT, PAY_ID, other)
    yield _call(app, "registration-conflict", "Registered with another amount", conflict)
    app.handler(request(PUT, WRONG, ORDER | {"expectedAmount": "29.99"}), None)
    _check(checks, WRONG)
    yield _call(app, "review", "Paid, but another amount", request(GET, WRONG))


def _check(checks: ModuleType, pay_id: str) -> None:
    message = {"messageId": "1", "body": json.dumps({"payId": pay_id})}
    assert checks.handler({"Records": [message]}, None) == {"batchItemFailures": []}


def _lists(world: Deployment) -> Iterator[Example]:
    app = world.app("api")
    world.gateway.answers[OTHER] = DOWN
    event = request(QUERY, body={"payIds": [PAY_ID, OTHER]})
    yield _call(app, "results", "One is paid, of the other nothing is known", event)


def _troubles(world: Deployment) -> Iterator[Example]:
    app = world.app("api")
    for route, event in (
        (GET, request(GET, "2019 0321")),
        (PUT, request(PUT, body={"expectedAmount": "19.999"})),
        (QUERY, request(QUERY, body={"payIds": []})),
    ):
        name = f"invalid-{SAMPLES[route].removeprefix('api-')}"
        yield _call(app, name, "A value breaks a rule", event)
    world.gateway.answers |= {OTHER: DOWN, ODD: NONSENSE}
    yield _call(app, "gateway-unavailable", "The gateway is down", request(GET, OTHER))
    yield _call(app, "gateway-bad-reply", "The gateway answers nonsense", request(GET, ODD))
    strict = world.app("api", REQUIRE_REGISTRATION="true")
    yield _call(strict, "not-registered", "Nobody registered it", request(GET, OTHER))
    unreadable: Any = {"pk": {"S": f"P000818#{ODD}"}, "schemaVersion": {"N": "2"}}
    world.table.put_item(TableName=world.environ["TABLE_NAME"], Item=unreadable)
    yield _call(app, "try-again", "Not at the moment", request(GET, ODD))
    broken = world.app("api", TABLE_NAME="not-there")
    yield _call(broken, "internal-error", "Something broke on our side", request(GET))
