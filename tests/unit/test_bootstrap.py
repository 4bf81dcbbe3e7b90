"""What the wiring does to a client: answers are the same, and sooner there."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from payresult import bootstrap
from payresult.aws import updates
from payresult.aws.dynamodb import PaymentRepository
from payresult.bootstrap import take_json
from payresult.domain.registration import new_payment
from payresult.errors import PaymentChanged
from payresult.settings import Settings
from tests.support.factories import NOW, PARTNER, PAY_ID, payment
from tests.support.tables import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def quick(table: Table) -> "DynamoDBClient":
    """A client as the wiring has it, of the DynamoDB that *table* is in, with a payment."""
    fresh = new_payment(PARTNER, PAY_ID, payment().registration, NOW)
    table.store.write(PAY_ID, updates.create(fresh, "queue"))
    client = boto3.client("dynamodb")
    take_json(client)
    return client


def read(client: "DynamoDBClient", name: str) -> Any:
    """Read the payment."""
    asked: Any = {name: {"Keys": [{"pk": {"S": f"{PARTNER}#{PAY_ID}"}}]}}
    return client.batch_get_item(RequestItems=asked)


def test_an_answer_is_what_botocore_makes_of_it(table: Table, quick: "DynamoDBClient") -> None:
    """All of an item, and nothing besides."""
    ours, botocores = read(quick, table.name), read(table.client, table.name)
    assert ours["Responses"] == botocores["Responses"] != {table.name: []}
    assert ours.keys() == botocores.keys()


@pytest.mark.parametrize("build", ["service", "follower", "outbox", "sweeper"])
def test_each_function_has_it(
    monkeypatch: pytest.MonkeyPatch, function_environ: Mapping[str, str], build: str
) -> None:
    """For its one client of DynamoDB."""
    taken: list[Any] = []
    monkeypatch.setattr(bootstrap, "take_json", taken.append)
    getattr(bootstrap, f"build_{build}")(Settings.from_env(function_environ))
    assert [client.meta.service_model.service_name for client in taken] == ["dynamodb"]


@pytest.mark.parametrize(
    ("status", "taken", "left"), [(200, {"Count": 1}, b""), (400, {}, b'{"Count": 1}')]
)
def test_botocore_is_left_nothing_to_read_but_errors(
    quick: "DynamoDBClient", status: int, taken: dict[str, Any], left: bytes
) -> None:
    """Else it would do all the work once more."""
    response = {"status_code": status, "body": b'{"Count": 1}'}
    answer: dict[str, Any] = {}
    quick.meta.events.emit(
        "before-parse.dynamodb.Query", response_dict=response, customized_response_dict=answer
    )
    assert (answer, response["body"]) == (taken, left)


def test_a_refused_write_tells_what_is_there(table: Table, quick: "DynamoDBClient") -> None:
    """As errors are botocore's to read."""
    store = PaymentRepository(quick, table.name, PARTNER)
    after = store.write(PAY_ID, updates.claim_live(payment(last_checked_at=None), NOW))
    with pytest.raises(PaymentChanged) as stale:
        store.write(PAY_ID, updates.claim_live(payment(last_checked_at=5), NOW))
    assert stale.value.current == after


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"Responses": {"pay'])
def test_half_an_answer_is_none(quick: "DynamoDBClient", table: Table, body: bytes) -> None:
    """A payment that could not be read is not one that is not stored."""
    quick.meta.events.register_first("before-send.dynamodb", _answering(body))
    with pytest.raises(KeyError, match="Responses"):
        PaymentRepository(quick, table.name, PARTNER).get_many([PAY_ID])


def _answering(body: bytes) -> Callable[..., Any]:
    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        raw = SimpleNamespace(stream=lambda: iter([body]))
        return AWSResponse(request.url, 200, HTTPHeaders(), raw)

    return answer
