"""P8, discreet: C18 untrusted text is in no log, no metric, and no response to another caller."""

import base64
import io
import json
import logging
import os
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from itertools import count
from random import Random
from types import ModuleType
from typing import Any
from unittest import mock
from urllib.parse import quote

from tests.fault_injection.log_leak_paths import PAY_ID_PLACEHOLDER, Invocation, invocations
from tests.fault_injection.results import Run
from tests.support.fault_server import FaultServer, Line
from tests.support.functions import CONTEXT
from tests.support.moto_deployment import Deployment, running

FUNCTIONS = ("api", "checks", "publisher", "sweeper")
SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
LETTERS = "bcdfghjkmnpqrstvwxz"
"""No vowels, so that no word contains a marker by chance."""

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


def leaks(run: Run) -> None:
    """Send markers along every path; ``false`` are the invocations that leaked one."""
    run.tries = 0
    for _ in run.numbers():
        for name, leaked in _round(run.rng, run.design or unwrapped):
            run.tries += 1
            run.verdict.false.extend([f"{name}: {leaked}"] if leaked else [])
            if leaked and run.design:  # of a control one is enough
                return
    run.problems += [f"not found: {each}" for each in blind_spots()]


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


# Random marker texts, and a search for them that covers the usual encodings.


def mark(rng: Random) -> str:
    """Return a new marker, with characters that JSON and URLs encode."""
    return "".join(rng.choices(LETTERS, k=12)) + '"é ' + "".join(rng.choices(LETTERS, k=12))


def hits(text: str, marks: Iterable[str]) -> list[str]:
    """Return those of *marks* that *text* contains, whole or half, in any encoding."""
    lowered = text.lower()
    return [each for each in marks if any(coded in lowered for coded in _encodings(each))]


@cache
def _encodings(text: str) -> tuple[str, ...]:
    return tuple(_encoded(text))


def _encoded(text: str) -> Iterator[str]:
    for part in (text, *(half for half in text.split('"é ') if len(half) >= 12)):
        yield part.lower()
        yield json.dumps(part)[1:-1].lower()
        yield json.dumps(json.dumps(part))[3:-3].lower()
        yield quote(part).lower()
        yield part.encode().hex()
        for shift in range(3):  # base64 depends on the position within a group of three bytes
            coded = base64.b64encode(b"\0" * shift + part.encode())
            yield coded[4 if shift else 0 : -4].decode().lower()


def blind_spots() -> list[str]:
    """Return the encodings in which the search misses a marker; must be empty."""
    marker = mark(Random(1))  # noqa: S311 - any will do
    half = marker[:12]
    encoded = {
        "plain": f"x {marker} y",
        "half of it": f"x {half} y",
        "JSON": json.dumps({"a": marker}),
        "JSON in JSON": json.dumps({"a": json.dumps({"b": marker})}),
        "URL": quote(marker),
        "hexadecimal": marker.encode().hex(),
        "repr of bytes": repr(marker.encode()),
        "upper case": half.upper(),
    }
    encoded |= {
        f"base64, shifted by {shift}": base64.b64encode(b"x" * shift + marker.encode()).decode()
        for shift in range(3)
    }
    missed = [name for name, text in encoded.items() if not hits(text, [marker])]
    return missed + (["a false hit"] if hits("nothing to see here", [marker]) else [])
