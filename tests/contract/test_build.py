"""What `make build` makes, run as Lambda runs it: nothing but the build is importable there."""

import json
import shutil
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import trustme

from tests.contract.building import code_of, make_build, started
from tests.contract.runtime import Runtime
from tests.contract.template import FUNCTIONS

Start = Callable[..., Runtime]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a build, made by `make build`."""
    return make_build(tmp_path_factory.mktemp("build") / "build")


@pytest.fixture
def start(built: Path, function_environ: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Return ``start(function, **environ)``, which gives a built function in the Lambda runtime."""
    with ExitStack() as running:

        def start(name: str, **environ: str) -> Runtime:
            paths = code_of(name, built)
            return running.enter_context(Runtime(paths, function_environ | environ, tmp_path))

        yield start


@contextmanager
def empty_table(context: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[str]]]:
    """Yield the address of an AWS whose table is empty, and the list of what was asked of it.

    With a *context* it is reached by TLS.
    """
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.headers["X-Amz-Target"])
            self.rfile.read(int(self.headers["Content-Length"]))
            body = b'{"Items": [], "Count": 0, "ScannedCount": 0}'
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        scheme = "https" if context else "http"
        yield f"{scheme}://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def request(route: str, pay_id: str) -> dict[str, Any]:
    """Return an event of the HTTP API, payload format 2.0, with what the handler looks at."""
    return {"version": "2.0", "routeKey": route, "pathParameters": {"payId": pay_id}}


def test_the_built_api_answers_a_bad_pay_id_with_a_problem(start: Start) -> None:
    """The status and the media type of RFC 9457, and no stack trace."""
    answer = start("Api").invoke(request("GET /payments/{payId}", "not a payId!"))
    assert answer["statusCode"] == 400
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert json.loads(answer["body"])["status"] == 400


def test_the_built_checks_function_names_a_malformed_message(start: Start) -> None:
    """So that SQS delivers it again, and moves it to the dead-letter queue in the end."""
    record = {"messageId": "m-1", "body": "{", "eventSource": "aws:sqs"}
    failed = start("Checks").invoke({"Records": [record]})
    assert failed == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}


def test_the_built_publisher_leaves_a_payment_without_an_event_alone(start: Start) -> None:
    """A record that no event belongs to is handled by doing nothing."""
    change = {"SequenceNumber": "1", "NewImage": {"payId": {"S": "P1"}, "status": {"S": "PENDING"}}}
    record = {"eventID": "e-1", "eventName": "INSERT", "dynamodb": change}
    assert start("Publisher").invoke({"Records": [record]}) == {"batchItemFailures": []}


def test_the_built_sweeper_looks_into_each_shard_and_shows_its_heartbeat(start: Start) -> None:
    """With a table that answers, the clients of AWS out of the built layer included."""
    with empty_table() as (address, asked):
        sweeper = start("Sweeper", AWS_ENDPOINT_URL=address)
        assert sweeper.invoke({}) is None, sweeper.log()
        assert set(asked) == {"DynamoDB_20120810.Query"}
        assert len(asked) >= 8
        assert '"SweeperHeartbeat"' in sweeper.log()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_built_function_refuses_an_environment_that_names_no_partner(
    start: Start, function: str
) -> None:
    """At its start, with an error that names the variable."""
    failed = start(function, PARTNER_CODE="").invoke({})
    assert failed["errorType"].endswith("InvalidInput"), failed
    assert "PARTNER_CODE" in failed["errorMessage"]


@pytest.fixture(scope="module")
def spoilt(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the build in which whoever reads a source comes to grief."""
    copy = shutil.copytree(built, tmp_path_factory.mktemp("spoilt") / "build")
    for source in copy.rglob("*.py"):
        source.write_text("raise SystemExit('a source was read')\n", encoding="utf-8")
    return copy


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_built_function_runs_from_its_byte_code(
    spoilt: Path, function_environ: dict[str, str], tmp_path: Path, function: str
) -> None:
    """From nothing else, though each source is newer and another than the one it was made from."""
    with empty_table() as (address, _):
        environ = function_environ | {"AWS_ENDPOINT_URL": address}
        with Runtime(code_of(function, spoilt), environ, tmp_path) as runtime:
            answer = runtime.invoke({"Records": []})
            assert "errorType" not in (answer or {}), runtime.log()


@pytest.mark.parametrize(("region", "trusted"), [("eu-central-1", True), ("cn-north-1", False)])
def test_a_built_function_trusts_for_aws_whom_the_small_file_names(
    built: Path, function_environ: dict[str, str], tmp_path: Path, region: str, *, trusted: bool
) -> None:
    """And nobody else; but where another authority may sign for AWS, all of botocore's roots."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    copy = shutil.copytree(built, tmp_path / "build")
    [roots] = copy.rglob("amazon-roots.pem")
    authority.cert_pem.write_to_path(roots)
    with empty_table(context) as (address, asked):
        place = {"AWS_ENDPOINT_URL": address, "AWS_DEFAULT_REGION": region}
        with Runtime(code_of("Sweeper", copy), function_environ | place, tmp_path) as sweeper:
            answer = sweeper.invoke({})
    assert bool(asked) is trusted
    assert (answer is None) if trusted else (answer["errorType"] == "SSLError")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nobody_looks_for_garbage_while_a_function_starts(
    built: Path, function_environ: dict[str, str], function: str
) -> None:
    """There is none. Afterwards it is looked for, but not among what the start has made."""
    state = started(code_of(function, built), function_environ)
    assert state.looks_for_garbage == 0
    assert state.looks_from_now_on
    assert state.out_of_sight > 10_000


def test_a_second_build_is_the_same(built: Path, tmp_path: Path) -> None:
    """To the byte, so that a deployment of the same code changes nothing."""
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
    """No leftovers of an installation, and none of the packages that only tests need."""
    ours = {path.name for path in (built / "PayresultLayer" / "python").iterdir()}
    assert ours == {"payresult"}
    shipped = {path.name for path in (built / "DependenciesLayer" / "python").iterdir()}
    assert {"boto3", "pydantic", "pydantic_core", "tzdata", "urllib3"} <= shipped
    assert not {"moto", "pytest", "ministack", "awslambdaric", "payresult", "bin"} & shipped


def test_the_layer_fits_both_processors(built: Path) -> None:
    """What is compiled is there twice, and of the Python of the functions."""
    kinds = {path.name.partition(".")[2] for path in built.rglob("*.so")}
    assert kinds == {f"cpython-313-{kind}-linux-gnu.so" for kind in ("aarch64", "x86_64")}
