"""C18: untrusted text appears in no log, no metric, and no response to another caller."""

import io
import json
import logging
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from itertools import count
from random import Random
from types import ModuleType
from typing import Any
from unittest import mock

from tests.fault_injection.log_leak_marks import blind_spots, hits, mark
from tests.fault_injection.log_leak_paths import PAY_ID_PLACEHOLDER, Invocation, invocations
from tests.fault_injection.results import CampaignRun, OnProgress
from tests.support.fault_server import FaultServer, Line
from tests.support.functions import CONTEXT
from tests.support.moto_deployment import Deployment, running
from tests.support.oracle import Verdict

FUNCTIONS = ("api", "checks", "publisher", "sweeper")
SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")

Handler = Callable[[dict[str, Any], object], Any]
HandlerWrapper = Callable[[Handler], Handler]

_numbers = count(1)


def unwrapped(handler: Handler) -> Handler:
    """Return *handler* as it is."""
    return handler


def log_input(handler: Handler) -> Handler:
    """Return a handler that logs its event: a control."""

    def logging_handler(event: dict[str, Any], context: object) -> Any:
        logging.getLogger("control").warning("event: %s", json.dumps(event))
        return handler(event, context)

    return logging_handler


class _Runtime:
    """The functions as Lambda runs them; ``logs`` is what they write to their logs."""

    def __init__(self, world: Deployment, server: FaultServer, wrap: HandlerWrapper) -> None:
        self.logs = io.StringIO()
        self._wrap = wrap
        environ = {
            "GATEWAY_BASE_URL": f"http://127.0.0.1:{server.port}",
            "POWERTOOLS_LOG_LEVEL": "DEBUG",
            "POWERTOOLS_LOGGER_LOG_EVENT": "true",
            "POWERTOOLS_METRICS_DISABLED": "false",
            # the logger of a service keeps its first stream, so each runtime has its own service
            "POWERTOOLS_SERVICE_NAME": f"log-leaks-{next(_numbers)}",
        }
        with self._captured():
            self._apps = {name: world.app(name, **environ) for name in FUNCTIONS}

    def invoke(self, invocation: Invocation) -> Any:
        """Return the response, None after an exception; its traceback is logged as by Lambda."""
        with self._captured():
            app: ModuleType = self._apps[invocation.function]
            try:
                return self._wrap(app.handler)(invocation.event, CONTEXT)
            except Exception:  # noqa: BLE001 - as Lambda does
                traceback.print_exc()
                return None

    @contextmanager
    def _captured(self) -> Iterator[None]:
        handler = logging.StreamHandler(self.logs)
        logging.getLogger().addHandler(handler)  # the root logger is at WARNING, as in Lambda
        try:
            with redirect_stdout(self.logs), redirect_stderr(self.logs):
                yield
        finally:
            logging.getLogger().removeHandler(handler)


def leaks(
    size: int, rng: Random, on_progress: OnProgress, wrap: HandlerWrapper = unwrapped
) -> CampaignRun:
    """Send *size* markers along every path; ``false`` are the invocations that leaked one."""
    verdict, tries = Verdict(), 0
    for number in range(size):
        for name, leaked in _round(rng, wrap):
            tries += 1
            verdict.false.extend([f"{name}: {leaked}"] if leaked else [])
        on_progress(number / size)
    return CampaignRun(tries, 0, verdict, tuple(f"not found: {each}" for each in blind_spots()))


def _round(rng: Random, wrap: HandlerWrapper) -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each invocation of a round, and the texts that it leaked."""
    text, secret = mark(rng), mark(rng).partition('"')[0]
    script = _Script()
    with ExitStack() as stack:
        server = stack.enter_context(FaultServer(script))
        world = stack.enter_context(running())
        stack.enter_context(mock.patch.dict(os.environ, dict.fromkeys(SECRETS, secret)))
        runtime = _Runtime(world, server, wrap)
        _put_unreadable_items(world, text)
        for invocation in invocations(text):
            script.reply = invocation.reply
            response = runtime.invoke(invocation)
            signs = [json.loads(request.body)["sign"] for request in server.requests]
            visible = runtime.logs.getvalue() + _public_part(invocation, response)
            yield invocation.name, hits(visible, [text, secret, *signs])
            runtime.logs.seek(0)
            runtime.logs.truncate()
            world.now += 10_000
        if not _is_in_an_event(world, text):
            yield "the marker", ["is in no event, so the paths were not followed to their end"]


def _is_in_an_event(world: Deployment, text: str) -> bool:
    """Say whether an event that was sent has the customer's text, as it should."""
    items = world.table.scan(TableName=world.environ["TABLE_NAME"])["Items"]
    sent = [each["event"]["S"] for each in items if each.get("eventState") == {"S": "SENT"}]
    return any(hits(event, [text]) for event in sent)


def _public_part(invocation: Invocation, response: Any) -> str:
    """Return the part of a response that must not have the marker: everything but payments."""
    if invocation.function != "api":
        return json.dumps(response)
    body = json.loads(response["body"])
    if "results" in body:
        body = [each.get("problem") for each in body["results"]]
    elif response["statusCode"] < 400:
        body = None
    return json.dumps([response["headers"], body])


def _put_unreadable_items(world: Deployment, text: str) -> None:
    """Put two items into the table that payresult cannot read."""
    odd = {"schemaVersion": {"N": "1"}, "status": {"S": text}, "createdAt": {"S": text}}
    event = {"eventState": {"S": "PENDING"}, "event": {"S": text}, "eventId": {"S": text}}
    for pay_id in ("unreadable", "unsendable"):
        item: Any = {"pk": {"S": f"P000818#{pay_id}"}, "payId": {"S": pay_id}} | odd | event
        item |= {"workShard": {"S": "EVENT#0"}, "workAt": {"N": "0"}}
        world.table.put_item(TableName=world.environ["TABLE_NAME"], Item=item)


class _Script:
    """The gateway: sends ``reply`` with the payId of the query, and closes the connection."""

    reply = b""

    def __call__(self, line: Line) -> None:
        request = line.request()
        assert request is not None
        pay_id = json.loads(request.body)["payId"]
        line.send(self.reply.replace(PAY_ID_PLACEHOLDER.encode(), pay_id.encode()))
