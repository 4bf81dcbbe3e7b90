"""Contract of the HTTP API: the OpenAPI document agrees with what the code answers."""

import json
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payresult.domain.payment import Payment, Registration, Status
from payresult.errors import PayresultError
from payresult.gateway.protocol import REPLY_FIELDS
from payresult.schemas.fields import Outgoing
from payresult.schemas.responses import payment_response, problem_of
from tests.contract.recorded import examples
from tests.support.moto_deployment import running
from tests.support.schemas import Schema, closed, errors, load
from tests.support.template import of_type, walk

DOCUMENT = load("openapi.json")
EXAMPLES = DOCUMENT["components"]["examples"]
OPERATIONS: dict[str, dict[str, Any]] = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


def schema_of(name: str) -> Schema:
    """Return the schema of the component *name*; it refuses fields that it does not describe."""
    components: Schema = closed(DOCUMENT["components"]["schemas"])
    return {"$ref": f"#/components/schemas/{name}", "components": {"schemas": components}}


def sent(document: Outgoing) -> dict[str, Any]:
    """Return *document* as callers get it."""
    body: dict[str, Any] = json.loads(document.model_dump_json(exclude_none=True))
    return body


def test_describes_the_routes_that_there_are() -> None:
    """Those of the handler and of the template."""
    with running() as world:
        assert set(world.app("api").handler.routes) == set(OPERATIONS)
    routes = of_type("AWS::ApiGatewayV2::Route").values()
    assert {route["RouteKey"] for route in routes} == set(OPERATIONS)


def test_each_reference_leads_somewhere() -> None:
    """Each reference is to a node of the document."""
    for node in walk(DOCUMENT):
        if isinstance(node, dict) and "$ref" in node:
            found = DOCUMENT
            for step in node["$ref"].removeprefix("#/").split("/"):
                found = found[step]


@pytest.mark.parametrize("route", OPERATIONS)
def test_each_example_of_an_answer_fits_its_schema(route: str) -> None:
    """The examples are what the handler answers now: ``test_events`` compares the document."""
    for response in OPERATIONS[route]["responses"].values():
        for content in response.get("content", {}).values():
            shape = schema_of(content["schema"]["$ref"].rpartition("/")[2])
            assert content["examples"]
            for name in content["examples"]:
                assert errors(shape, EXAMPLES[name]["value"]) == []


def test_each_body_that_is_asked_for_has_an_example_that_fits_it() -> None:
    """The examples are the samples in events/."""
    contents = [
        operation["requestBody"]["content"]["application/json"]
        for operation in OPERATIONS.values()
        if "requestBody" in operation
    ]
    shapes = [content["schema"]["$ref"].rpartition("/")[2] for content in contents]
    assert shapes == ["RegistrationBody", "PayIdsBody"]
    for shape, content in zip(shapes, contents, strict=True):
        assert errors(schema_of(shape), content["example"]) == []


@pytest.mark.parametrize("name", ["pending", "stale", "gateway-unavailable", "try-again"])
def test_who_should_ask_again_is_told_when(name: str) -> None:
    """``Retry-After`` while a payment is PENDING, and with each 503."""
    [told] = [each.headers for each in examples() if each.name == name]
    schema = DOCUMENT["components"]["headers"]["Retry-After"]["schema"]
    assert errors(schema, json.loads(told["Retry-After"])) == []


def _problems() -> Iterator[dict[str, Any]]:
    """Yield the problem of each error class, and of an unexpected error."""
    kinds: list[type[BaseException]] = [PayresultError, RuntimeError]
    for kind in kinds:
        kinds += kind.__subclasses__() if issubclass(kind, PayresultError) else []
        # Made without its arguments: only its kind matters.
        yield sent(problem_of(kind.__new__(kind)))


def test_each_problem_has_an_example() -> None:
    """Compared by type, title and status, on which clients decide."""
    keys = ("type", "title", "status")
    shown = [each["value"] for each in EXAMPLES.values() if "type" in each["value"]]
    exemplified = {tuple(each[key] for key in keys) for each in shown}
    assert exemplified == {tuple(problem[key] for key in keys) for problem in _problems()}


def test_each_problem_fits_its_schema() -> None:
    """Also problems without an example."""
    for problem in _problems():
        assert errors(schema_of("Problem"), problem) == []


RAW = st.text(max_size=8)
TIMES = st.none() | st.integers(0, 253_402_300_799_999)
REPLIES = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(REPLY_FIELDS, RAW)
    | {
        "payAmount": RAW | st.sampled_from(["$19.99", "USD 1,234.50", "€5"]),
        "payResultDate": RAW | st.datetimes().map(lambda at: at.isoformat(" ", "seconds")),
        "packageType": st.sampled_from("01234567"),
    },
)
PAYMENTS = st.builds(
    Payment,
    partner_code=st.just("P000818"),
    pay_id=st.just("20190321192436"),
    status=st.sampled_from(Status),
    registration=st.builds(
        Registration, st.none() | st.just("A-17"), st.none() | st.just("19.99"), st.none()
    ),
    created_at=st.integers(0, 253_402_300_799_999),
    give_up_at=st.just(0),
    checks=st.integers(0, 100),
    reply=REPLIES,
    last_checked_at=TIMES,
    next_check_at=TIMES,
    last_answered_at=TIMES,
    last_unanswered_at=TIMES,
)


@given(PAYMENTS, st.booleans())
def test_each_payment_fits_its_schema(payment: Payment, stored: bool) -> None:  # noqa: FBT001 - hypothesis fills it in by place
    """With any combination of known fields."""
    zone = ZoneInfo("Asia/Shanghai")
    shown = sent(payment_response(payment, zone=zone, stored=stored))
    assert errors(schema_of("PaymentResponse"), shown) == []


def test_each_status_is_described() -> None:
    """In the description of the field ``status``."""
    status = DOCUMENT["components"]["schemas"]["PaymentResponse"]["properties"]["status"]
    assert [each for each in Status if each not in status["description"]] == []
