"""Contract of the build: the trimmed data of botocore has the same effect as all of it."""

import ast
import json
import re
import shutil
import ssl
from collections.abc import Iterator
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import boto3
import botocore
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader
from botocore.session import Session

from layers.build import AMAZON_ROOTS, SERVICES, BuildFailed, add_amazon_roots, trim
from payresult.aws import updates
from payresult.aws.dynamodb import PaymentRepository
from payresult.aws.eventbridge import EventPublisher
from payresult.aws.sqs import CheckQueue, QueuedCheck
from payresult.domain.event import Event
from payresult.errors import PaymentChanged
from tests.support.factories import payment
from tests.support.template import ROOT

BOTOCORE = Path(botocore.__file__).parent

ANSWERS: dict[str, dict[str, Any]] = {
    "BatchGetItem": {"Responses": {}, "UnprocessedKeys": {}},
    "UpdateItem": {"__type": "ConditionalCheckFailedException"},
    "Query": {"Items": [], "Count": 0},
    "SendMessageBatch": {"Successful": [], "Failed": []},
    "PutEvents": {"Entries": [{"EventId": "1"}], "FailedEntryCount": 0},
}
"""The smallest answer to each call that payresult makes."""

REGIONS = [
    *("eu-central-1", "us-east-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1"),
    *("us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1", "eusc-de-east-1"),
]
"""At least one of each partition."""

Sent = tuple[str, str, bytes]
"""URL and operation of a request, its signing scope, and its body."""


@pytest.fixture(scope="module")
def trimmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return botocore's data as the layer has it."""
    data = tmp_path_factory.mktemp("botocore") / "data"
    shutil.copytree(BOTOCORE / "data", data)
    trim(data)
    return data


class Aws:
    """AWS clients that read *data*; their requests are not sent but stored in ``sent``."""

    def __init__(self, data: Path) -> None:
        loader = Loader(extra_search_paths=[str(data)], include_default_search_paths=False)
        session = Session()
        session.register_component("data_loader", loader)
        session.register("before-send", self._answer)
        self._session = boto3.Session(botocore_session=session)
        self.sent: list[Sent] = []

    def client(self, service: str, region: str, config: Config) -> Any:
        """Return a client, as ``bootstrap`` creates it."""
        make: Any = self._session.client
        return make(service, region_name=region, config=config)

    def regions(self) -> set[tuple[str, str]]:
        """Return the regions of each used service that botocore knows."""
        regions: Any = self._session.get_available_regions
        return {
            (service, region)
            for service, partition in product(SERVICES, self._session.get_available_partitions())
            for region in regions(service, partition)
        }

    def _answer(self, **event: Any) -> Any:
        request = event["request"]
        headers = {name: request.headers[name] for name in ("X-Amz-Target", "Authorization")}
        target = headers["X-Amz-Target"].decode()
        scope = re.search(r"/([^/]+/[^/]+/aws4_request)", headers["Authorization"].decode())
        assert scope
        self.sent.append((f"{request.url} {target}", scope[1], request.body))
        answer = ANSWERS[target.rpartition(".")[2]]
        status = 400 if "__type" in answer else 200
        body: Any = _Body(json.dumps(answer).encode())
        return AWSResponse(request.url, status, HTTPHeaders(), body)


class _Body:
    """The body of an answer, as botocore reads it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        yield self._content


def call_all(aws: Aws, region: str, config: Config) -> list[Sent]:
    """Make each AWS call that payresult makes."""
    aws.sent.clear()
    clients = {service: aws.client(service, region, config) for service in SERVICES}
    store = PaymentRepository(clients["dynamodb"], "payments", "P1")
    store.get_many(["1", "2"])
    with suppress(PaymentChanged):
        store.write("1", updates.create(payment(), "queue"))
    list(store.indexes.due("CHECK", 1))
    store.indexes.count_followed()
    CheckQueue(clients["sqs"], "https://sqs.invalid/1/checks").send([QueuedCheck("1", 2, 3)])
    EventPublisher(clients["events"], "bus").put([Event("1", "id", "{}")])
    return list(aws.sent)


@pytest.mark.parametrize("region", REGIONS[:5])
def test_each_call_says_the_same_with_the_trimmed_data(trimmed: Path, region: str) -> None:
    """Byte for byte, to the same URL, signed for the same region and service."""
    calls = [call_all(Aws(data), region, Config()) for data in (trimmed, BOTOCORE / "data")]
    assert calls[0] == calls[1]
    targets = {whom.rpartition(".")[2] for whom, _, _ in calls[0]}
    assert targets == set(ANSWERS)


def test_each_partition_has_the_same_addresses(trimmed: Path) -> None:
    """Standard, FIPS and dual-stack; where one does not exist, both raise the same error."""
    few, all_ = Aws(trimmed), Aws(BOTOCORE / "data")
    assert few.regions() == all_.regions()
    session = boto3.Session()
    partitions = {session.get_partition_for_region(region) for region in REGIONS}
    assert partitions == {*session.get_available_partitions()}
    ways = [Config(), Config(use_fips_endpoint=True), Config(use_dualstack_endpoint=True)]
    for service, region, config in product(SERVICES, REGIONS, ways):
        assert _address(few, service, region, config) == _address(all_, service, region, config)


def test_what_is_kept_of_the_regions_is_unchanged(trimmed: Path) -> None:
    """Each partition with all its regions, and each region of the services that are called."""
    few, all_ = (
        json.loads((data / "endpoints.json").read_text(encoding="utf-8"))
        for data in (trimmed, BOTOCORE / "data")
    )
    for partition in all_["partitions"]:
        partition["services"] = {name: partition["services"][name] for name in SERVICES}
    assert few == all_


def _address(aws: Aws, service: str, region: str, config: Config) -> str:
    try:
        meta = aws.client(service, region, config).meta
    except BotoCoreError as error:
        return str(error)
    return f"{meta.endpoint_url} {meta.partition}"


def test_the_data_is_that_of_what_the_functions_call(trimmed: Path) -> None:
    """Of no other service: the first client of a process reads the list of all of them."""
    assert {path.name for path in trimmed.iterdir() if path.is_dir()} == set(SERVICES)
    bootstrap = ROOT / "layers/payresult/python/payresult/bootstrap.py"
    made = {
        ast.literal_eval(node.args[1])
        for node in ast.walk(ast.parse(bootstrap.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "_client"
    }
    assert made == set(SERVICES)


def test_amazon_s_roots_are_found_among_botocore_s(tmp_path: Path) -> None:
    """These five, by the names in the certificates and not only by their labels."""
    shutil.copy(BOTOCORE / "cacert.pem", tmp_path)
    add_amazon_roots(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(tmp_path / "amazon-roots.pem")
    roots: list[Any] = context.get_ca_certs()
    names = [value for root in roots for [(kind, value)] in root["subject"] if kind == "commonName"]
    assert sorted(names) == sorted(AMAZON_ROOTS)


def test_a_root_that_botocore_drops_is_missed_by_the_build(tmp_path: Path) -> None:
    """By name."""
    bundle = (BOTOCORE / "cacert.pem").read_text(encoding="utf-8")
    (tmp_path / "cacert.pem").write_text(bundle.replace("Root CA 3", "Root CA 9"), encoding="utf-8")
    with pytest.raises(BuildFailed, match=r"no Amazon Root CA 3$"):
        add_amazon_roots(tmp_path)
