"""P7 at the start of a function: clients can connect, and pause before they ask again."""

from pathlib import Path
from types import ModuleType

import boto3
import botocore
import pytest
from botocore.client import BaseClient

from payresult.aws.dynamodb import PAUSES

ROOTS = Path(botocore.__file__).with_name("amazon-roots.pem")


@pytest.fixture
def bootstrap() -> ModuleType:
    """The module; its import holds garbage collection."""
    from payresult import bootstrap  # noqa: PLC0415 - see above

    return bootstrap


@pytest.mark.parametrize(
    ("region", "shipped", "expected"),
    [
        ("eu-central-1", True, str(ROOTS)),
        ("eu-central-1", False, None),
        ("cn-north-1", True, None),
        ("us-gov-west-1", True, None),
    ],
)
def test_amazons_roots_are_used_where_they_are_enough(
    bootstrap: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    region: str,
    expected: str | None,
    *,
    shipped: bool,
) -> None:
    """Without the file, or in a partition that may need others, botocore's own are used."""
    session = boto3.Session(region_name=region)
    monkeypatch.setattr(Path, "exists", lambda path: shipped and path == ROOTS)
    assert bootstrap._roots(session) == expected  # noqa: SLF001 - the build's test has the outside


def test_a_pause_is_random(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that functions that were throttled together do not come back together."""
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    for _ in range(20):
        bootstrap.pause(0.4)
    assert all(0 <= each < 0.4 for each in slept)
    assert len(set(slept)) == 20


def test_a_function_waits_before_it_asks_for_the_same_keys_again(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repository by itself does not wait, and DynamoDB would hold them back again."""
    keys = {"table": {"Keys": [{"pk": {"S": "P000818#a"}}]}}
    held_back = {"Responses": {}, "UnprocessedKeys": keys}
    monkeypatch.setattr(BaseClient, "_make_api_call", lambda *_: held_back)
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    environ = dict.fromkeys(("TABLE_NAME", "QUEUE_URL", "EVENT_BUS_NAME"), "table")
    handler = bootstrap.publisher_handler(environ | {"PARTNER_CODE": "P000818"})
    assert handler.outbox.publish(["a"]).unread.keys() == {"a"}
    assert len(slept) == len(PAUSES)
