"""An in-memory payment gateway with a script, its log of queries, and random payment scenarios."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

PARTNER = "P000818"
PRICE = "$19.99"

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class GatewayResponse(NamedTuple):
    """An HTTP response of the gateway."""

    status: int
    body: bytes
    content_type: str = "application/json;charset=UTF-8"
    retry_after: str = ""


class Query(NamedTuple):
    """A query that the gateway received, at *at* (milliseconds), and its response."""

    at: int
    pay_id: str
    response: GatewayResponse


def json_response(pay_id: str, pay_rst: str, **fields: Any) -> GatewayResponse:
    """Return the documented response, with *fields* changed."""
    document = {
        "orderPeriod": "1",
        "packageType": "2",
        "partnerCode": PARTNER,
        "payAmount": PRICE,
        "payId": pay_id,
        "payResultDate": "2020-09-17 18:11:10",
        "payRst": pay_rst,
        "servicePlanShowName": "Singapore 2G 30-Days",
    }
    return GatewayResponse(200, json.dumps(document | fields).encode())


HTML_PAGE = GatewayResponse(200, b"<html>under maintenance</html>", "text/html")
TRUNCATED_JSON = GatewayResponse(200, b'{"payRst":"success","payId":')
TOO_MANY_REQUESTS = GatewayResponse(429, b"{}")
UNAVAILABLE = GatewayResponse(503, b"")
SILENCE = GatewayResponse(0, b"")
"""No answer in time."""

Script = Callable[[str, int, int], GatewayResponse]
"""Returns the response for (payId, number of earlier queries, milliseconds since 1970)."""


@dataclass
class Gateway:
    """A gateway that responds as its *script* says, and logs each query."""

    script: Script
    clock: Callable[[], int]
    log: list[Query] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def query(self, pay_id: str) -> GatewayResponse:
        """Return the response to a query."""
        earlier_queries = self.counts.get(pay_id, 0)
        self.counts[pay_id] = earlier_queries + 1
        response = self.script(pay_id, earlier_queries, self.clock())
        self.log.append(Query(self.clock(), pay_id, response))
        return response


@dataclass(frozen=True, slots=True)
class Scenario:
    """When a payment is paid (None: never), with which amount, and the result until then.

    ``noise`` is the share of responses that are replaced with a random other one.
    """

    paid_at: int | None
    amount: str = PRICE
    noise: float = 0.0
    result_before: str = "waiting"


def random_scenarios(
    pay_ids: list[str], start: int, rng: Random, noise: float
) -> dict[str, Scenario]:
    """Return a scenario for each payment: most are paid, some never or with a wrong amount."""
    delays = (0, 0, 20 * SECOND, 4 * MINUTE, 3 * HOUR, 2 * DAY)
    scenarios = {}
    for pay_id in pay_ids:
        kind = rng.random()
        paid_at = start + rng.choice(delays) if kind < 0.85 else None
        amount = "$1.00" if 0.8 <= kind < 0.85 else PRICE
        scenarios[pay_id] = Scenario(paid_at, amount, noise, rng.choice(("waiting", "fail")))
    return scenarios


def script_for(scenarios: dict[str, Scenario], rng: Random) -> Script:
    """Return a script that follows *scenarios*, with their share of noise.

    Noise is an outdated or invalid response, an error, or a response about another payment.
    """

    def script(pay_id: str, _earlier_queries: int, now: int) -> GatewayResponse:
        scenario = scenarios[pay_id]
        if rng.random() < scenario.noise:
            noise = [
                *(HTML_PAGE, TRUNCATED_JSON, UNAVAILABLE, TOO_MANY_REQUESTS),
                json_response("other", "success"),
            ]
            # An outdated result at the last late check of a failed payment would be final.
            outdated = [json_response(pay_id, "waiting")]
            return rng.choice(noise + (outdated if scenario.result_before == "waiting" else []))
        if scenario.paid_at is not None and scenario.paid_at <= now:
            return json_response(pay_id, "success", payAmount=scenario.amount)
        return json_response(pay_id, scenario.result_before)

    return script


def expected_paid(scenarios: dict[str, Scenario]) -> set[str]:
    """Return the payIds that need an event: paid, with the right amount, never reported failed.

    A failed payment gets two late checks only. A payment after the second one is not detected.
    """
    paid = {key for key, each in scenarios.items() if each.paid_at is not None}
    return {
        key
        for key in paid
        if scenarios[key].amount == PRICE and scenarios[key].result_before == "waiting"
    }
