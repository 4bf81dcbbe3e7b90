"""Contract of the build: its functions run in the Lambda runtime, with nothing else to import."""

import json
import shutil
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.support.building import code_of, empty_table, make_build, started
from tests.support.runtime import Runtime
from tests.support.template import FUNCTIONS

Start = Callable[..., Runtime]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a build by `make build`."""
    return make_build(tmp_path_factory.mktemp("build") / "build")


@pytest.fixture
def start(built: Path, function_environ: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Return ``start(function, **environ)``, which runs a built function in the Lambda runtime."""
    with ExitStack() as running:

        def start(name: str, **environ: str) -> Runtime:
            paths = code_of(name, built)
            return running.enter_context(Runtime(paths, function_environ | environ, tmp_path))

        yield start


def request(route: str, pay_id: str) -> dict[str, Any]:
    """Return an HTTP API event (payload format 2.0) with the fields that the handler reads."""
    return {"version": "2.0", "routeKey": route, "pathParameters": {"payId": pay_id}}


def test_the_built_api_answers_a_bad_pay_id_with_a_problem(start: Start) -> None:
    """With the status and media type of RFC 9457, and no stack trace."""
    answer = start("Api").invoke(request("GET /payments/{payId}", "not a payId!"))
    assert answer["statusCode"] == 400
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert json.loads(answer["body"])["status"] == 400


def test_the_built_sweeper_looks_into_each_shard_and_shows_its_heartbeat(start: Start) -> None:
    """With a table that answers; the AWS clients are those of the built layer."""
    with empty_table() as aws:
        sweeper = start("Sweeper", AWS_ENDPOINT_URL=aws.address)
        assert sweeper.invoke({}) is None, sweeper.log()
        assert set(aws.operations) == {"DynamoDB_20120810.Query"}
        assert len(aws.requests) >= 16
        assert len({request.client for request in aws.requests}) == 1
        assert '"SweeperHeartbeat"' in sweeper.log()


@pytest.fixture(scope="module")
def spoilt(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the build in which executing a source file fails."""
    copy = shutil.copytree(built, tmp_path_factory.mktemp("spoilt") / "build")
    for source in copy.rglob("*.py"):
        source.write_text("raise SystemExit('a source was read')\n", encoding="utf-8")
    return copy


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_built_function_runs_from_its_byte_code(
    spoilt: Path, function_environ: dict[str, str], tmp_path: Path, function: str
) -> None:
    """From nothing else, although each source file is newer and has other content."""
    with empty_table() as aws:
        environ = function_environ | {"AWS_ENDPOINT_URL": aws.address}
        with Runtime(code_of(function, spoilt), environ, tmp_path) as runtime:
            answer = runtime.invoke({"Records": []})
            assert "errorType" not in (answer or {}), runtime.log()


@pytest.mark.parametrize(("region", "trusted"), [("eu-central-1", True), ("cn-north-1", False)])
def test_a_built_function_trusts_for_aws_whom_the_small_file_names(
    built: Path, function_environ: dict[str, str], tmp_path: Path, region: str, *, trusted: bool
) -> None:
    """And no other; in a partition with other authorities, all of botocore's root certificates."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    copy = shutil.copytree(built, tmp_path / "build")
    [roots] = copy.rglob("amazon-roots.pem")
    authority.cert_pem.write_to_path(roots)
    with empty_table(context) as aws:
        place = {"AWS_ENDPOINT_URL": aws.address, "AWS_DEFAULT_REGION": region}
        with Runtime(code_of("Sweeper", copy), function_environ | place, tmp_path) as sweeper:
            answer = sweeper.invoke({})
    assert bool(aws.requests) is trusted
    assert (answer is None) if trusted else (answer["errorType"] == "SSLError")


NEVER = {
    *("aws_xray_sdk", "requests", "asyncio", "unittest", "sqlite3"),
    *("aws_lambda_powertools.event_handler", "aws_lambda_powertools.utilities.batch"),
    *("aws_lambda_powertools.utilities.data_classes", "aws_lambda_powertools.utilities.parser"),
    *("aws_lambda_powertools.utilities.idempotency", "aws_lambda_powertools.utilities.parameters"),
}
ASKING = {
    *("payresult.gateway.client", "payresult.gateway.connection", "payresult.services.check"),
    *("payresult.services.payments", "payresult.schemas.requests"),
}
SENDING = {"payresult.services.outbox", "payresult.aws.eventbridge"}
HTTP_API = {"payresult.schemas.responses"}
NEEDLESS = {
    "Api": SENDING | {"payresult.services.check_batch", "payresult.services.sweeper"},
    "Checks": SENDING | HTTP_API | {"payresult.services.sweeper"},
    "Publisher": ASKING | HTTP_API | {"payresult.services.sweeper", "pydantic_core", "zoneinfo"},
    "Sweeper": ASKING | HTTP_API | {"payresult.services.check_batch", "pydantic_core", "zoneinfo"},
}
MOST_MODULES = {"Api": 538, "Checks": 538, "Publisher": 466, "Sweeper": 466}
"""The present number, and a few that a patch release of Python may add. A library adds some ten."""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_starts_with_what_it_needs(
    built: Path, function_environ: dict[str, str], function: str
) -> None:
    """Each further module adds to each cold start, and so does a look for garbage.

    The collector is off until the start ends, and then ignores what the start created.
    """
    state = started(code_of(function, built), function_environ)
    assert state.modules & (NEVER | NEEDLESS[function]) == set()
    assert "payresult.bootstrap" in state.modules
    assert len(state.modules) <= MOST_MODULES[function]
    assert state.looks_for_garbage == 0
    assert state.looks_from_now_on
    assert state.out_of_sight > 10_000


def test_a_second_build_is_the_same(built: Path, tmp_path: Path) -> None:
    """Byte for byte, so that a deployment of the same code changes nothing."""
    again = make_build(tmp_path / "build")
    first, second = (
        {
            path.relative_to(folder): path.read_bytes()
            for path in folder.rglob("*.*")
            if path.is_file()
        }
        for folder in (built, again)
    )
    assert first.keys() == second.keys()
    assert [path for path in first if first[path] != second[path]] == []


def test_the_layers_hold_what_ships_and_nothing_else(built: Path) -> None:
    """No remains of an installation, and none of the packages that only tests need."""
    ours = {path.name for path in (built / "PayresultLayer" / "python").iterdir()}
    assert ours == {"payresult"}
    shipped = {path.name for path in (built / "DependenciesLayer" / "python").iterdir()}
    assert {"boto3", "pydantic", "tzdata", "urllib3"} <= shipped
    unwanted = {"moto", "pytest", "ministack", "awslambdaric", "payresult", "bin"}
    assert not unwanted & shipped


def test_the_layer_fits_both_processors(built: Path) -> None:
    """Each compiled module is there for both, for the functions' version of Python."""
    kinds = {path.name.partition(".")[2] for path in built.rglob("*.so")}
    assert kinds == {f"cpython-313-{kind}-linux-gnu.so" for kind in ("aarch64", "x86_64")}
