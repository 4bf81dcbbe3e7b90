"""C18: whatever a stranger sends, nothing of it is told to a log, a metric or another caller."""

import io
import json
import logging
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from random import Random
from types import ModuleType
from typing import Any
from unittest import mock

from tests.contract.documents.world import World, running
from tests.fault_injection.log_leak_marks import blind_spots, hits, mark
from tests.fault_injection.log_leak_paths import PLACE, Call, calls
from tests.fault_injection.oracle import Verdict
from tests.fault_injection.results import Outcome, Tick
from tests.support.fault_server import FaultServer, Line

FUNCTIONS = ("api", "checks", "publisher", "sweeper")
KEYS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")

Handler = Callable[[dict[str, Any], object], Any]
Wrap = Callable[[Handler], Handler]


def ours(handler: Handler) -> Handler:
    """Leave a handler as it is."""
    return handler


def chatty(handler: Handler) -> Handler:
    """Log what comes in: a control."""

    def told(event: dict[str, Any], context: object) -> Any:
        logging.getLogger("chatty").warning("got %s", json.dumps(event))
        return handler(event, context)

    return told


class _Runtime:
    """The functions as Lambda runs them: *said* is what would be in their logs."""

    def __init__(self, world: World, server: FaultServer, wrap: Wrap, number: int) -> None:
        self.said = io.StringIO()
        self._wrap = wrap
        environ = {
            "GATEWAY_BASE_URL": f"http://127.0.0.1:{server.port}",
            "POWERTOOLS_LOG_LEVEL": "DEBUG",
            "POWERTOOLS_LOGGER_LOG_EVENT": "true",
            "POWERTOOLS_METRICS_DISABLED": "false",
            "POWERTOOLS_SERVICE_NAME": f"canary-{number}",  # a name's logger keeps its first stream
        }
        with self._listening():
            self._apps = {name: world.app(name, **environ) for name in FUNCTIONS}

    def invoke(self, call: Call) -> Any:
        """Return the answer; an error that gets out is logged whole, as the runtime does."""
        with self._listening():
            app: ModuleType = self._apps[call.function]
            try:
                return self._wrap(app.handler)(call.event, None)
            except Exception:  # noqa: BLE001 - as the runtime does
                traceback.print_exc()
                return None

    @contextmanager
    def _listening(self) -> Iterator[None]:
        handler = logging.StreamHandler(self.said)
        logging.getLogger().addHandler(handler)  # at WARNING, as Lambda's
        try:
            with redirect_stdout(self.said), redirect_stderr(self.said):
                yield
        finally:
            logging.getLogger().removeHandler(handler)


def leaks(size: int, dice: Random, tick: Tick, wrap: Wrap = ours) -> Outcome:
    """Take *size* marked texts along every way; *false* are those that were told."""
    verdict, tries = Verdict(), 0
    for number in range(size):
        for name, told in _round(dice, wrap, number):
            tries += 1
            verdict.false.extend([f"{name}: {told}"] if told else [])
        tick(number / size)
    return Outcome(tries, 0, verdict, tuple(f"cannot be seen: {way}" for way in blind_spots()))


def _round(dice: Random, wrap: Wrap, number: int) -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each call of a round, and what it told."""
    text, key = mark(dice), mark(dice).partition('"')[0]
    script = _Script()
    with ExitStack() as stack:
        server = stack.enter_context(FaultServer(script))
        world = stack.enter_context(running())
        stack.enter_context(mock.patch.dict(os.environ, dict.fromkeys(KEYS, key)))
        runtime = _Runtime(world, server, wrap, number)
        _spoil(world, text)
        for call in calls(text):
            script.reply = call.reply
            answer = runtime.invoke(call)
            signs = [json.loads(request.body)["sign"] for request in server.requests]
            open_text = runtime.said.getvalue() + _shown(call, answer)
            yield call.name, hits(open_text, [text, key, *signs])
            runtime.said.seek(0)
            runtime.said.truncate()
            world.now += 10_000
        if not _reached(world, text):
            yield "the mark", ["is in no event: it did not come far enough to be told"]


def _reached(world: World, text: str) -> bool:
    """Say whether the customer's text came to where it belongs: into an event that was sent."""
    items = world.table.scan(TableName=world.environ["TABLE_NAME"])["Items"]
    sent = [each["event"]["S"] for each in items if each.get("eventState") == {"S": "SENT"}]
    return any(hits(event, [text]) for event in sent)


def _shown(call: Call, answer: Any) -> str:
    """What of an answer may hold nothing of it: all but a payment, and the name of a field."""
    if call.function != "api":
        return json.dumps(answer)
    told = json.loads(answer["body"])
    if "results" in told:
        told = [each.get("problem") for each in told["results"]]
    elif answer["statusCode"] < 400:
        told = None
    return json.dumps([answer["headers"], told])


def _spoil(world: World, text: str) -> None:
    """Put two items into the table that nobody of ours wrote."""
    odd = {"schemaVersion": {"N": "1"}, "status": {"S": text}, "createdAt": {"S": text}}
    event = {"eventState": {"S": "PENDING"}, "event": {"S": text}, "eventId": {"S": text}}
    for pay_id in ("unreadable", "unsendable"):
        item: Any = {"pk": {"S": f"P000818#{pay_id}"}, "payId": {"S": pay_id}} | odd | event
        item |= {"workShard": {"S": "EVENT#0"}, "workAt": {"N": "0"}}
        world.table.put_item(TableName=world.environ["TABLE_NAME"], Item=item)


class _Script:
    """The gateway: sends *reply*, with the payId that was asked for, and closes the line."""

    reply = b""

    def __call__(self, line: Line) -> None:
        request = line.request()
        assert request is not None
        pay_id = json.loads(request.body)["payId"]
        line.send(self.reply.replace(PLACE.encode(), pay_id.encode()))
