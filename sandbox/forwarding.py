"""Posts each PaymentSucceeded to a program of the user's own, at least once.

The events come from the bus, by a rule and a queue of their own. The body is the envelope as SQS
received it, byte for byte: an SQS target gets the same, and so does an API destination without an
input transformer, in a POST with this content type and five seconds for the answer
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html). A program that
works here works behind both.
"""

from __future__ import annotations

import http.client
import json
import re
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.event_queue import create_event_queue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

    from sandbox.console import Console
    from sandbox.environment import Sandbox

RESOURCE_NAME = "payresult-sandbox-forwarding"
MAX_TRIES = 15
MAX_DELAY_SECONDS = 30
"""1 + 2 + 4 + 8 + 16 + 9 * 30 = 301 s from the first to the last try."""

_POST_SECONDS = 5
_BATCH = 10
_VISIBILITY_SECONDS = _BATCH * _POST_SECONDS + 10
"""Longer than a whole batch takes."""

_URL = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?(/[!-~]*)?", re.ASCII)
_HEADERS = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "payresult-sandbox"}


class Destination(NamedTuple):
    """Where events are posted."""

    host: str
    port: int
    target: str


class InvalidDestination(ValueError):
    """The URL is not one of a program on this machine; the message says what it must be."""


def parse_destination(url: str) -> Destination:
    """The destination that *url* names; InvalidDestination if it is not `http` on loopback.

    Only loopback: the events are those of a trial, and nothing that the sandbox does leaves the
    machine unasked.
    """
    parts = urlsplit(url) if _URL.fullmatch(url) and "#" not in url else None
    try:
        port = parts and (80 if parts.port is None else parts.port)
    except ValueError:  # above 65535
        port = None
    if not parts or not port:
        raise InvalidDestination(
            "FORWARD_TO: must be like http://127.0.0.1:3000/hook (or localhost, or [::1]),"
            f" not {url!r}"
        )
    query = f"?{parts.query}" if parts.query else ""
    return Destination(str(parts.hostname), port, (parts.path or "/") + query)


class Forwarder:
    """Posts events to *url* until `close`, and prints on *console* what it does.

    An event is tried *max_tries* times, and then given up.
    """

    def __init__(
        self, sandbox: Sandbox, url: str, console: Console, *, max_tries: int = MAX_TRIES
    ) -> None:
        self._url = url
        self._max_tries = max_tries
        self._destination = parse_destination(url)
        self._console = console
        self._sqs: SQSClient = sandbox.credentials.client("sqs")
        self._queue_url = create_event_queue(sandbox, RESOURCE_NAME)
        self._trouble: str | None = None
        self._closing = Event()
        self._thread = Thread(target=self._run, name="forwarding", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End; the events that were not posted are lost with the sandbox."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                batch = self._sqs.receive_message(
                    QueueUrl=self._queue_url,
                    MaxNumberOfMessages=_BATCH,
                    VisibilityTimeout=_VISIBILITY_SECONDS,
                    WaitTimeSeconds=1,
                    AttributeNames=["ApproximateReceiveCount"],
                ).get("Messages", [])
                self._forward(batch)
            except (BotoCoreError, ClientError):  # the emulator is busy; the events come again
                self._closing.wait(1)

    def _forward(self, batch: list[MessageTypeDef]) -> None:
        posted = []
        for message in batch:
            trouble = self._post(message["Body"])
            if trouble:
                self._repeat(message, trouble)
            else:
                self._delete(message)
                posted.append(_pay_id(message["Body"]))
            self._show(trouble)
        if posted:
            self._console.line("forward", f"posted {', '.join(posted)}")

    def _post(self, body: str) -> str | None:
        """Post *body*; why it did not succeed, None if it did."""
        host, port, target = self._destination
        connection = http.client.HTTPConnection(host, port, timeout=_POST_SECONDS)
        try:
            connection.request("POST", target, body.encode(), _HEADERS | {"Connection": "close"})
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return f"does not answer ({type(error).__name__})"
        finally:
            connection.close()
        return None if 200 <= status < 300 else f"answers HTTP {status}"

    def _repeat(self, message: MessageTypeDef, trouble: str) -> None:
        tries = int(message["Attributes"]["ApproximateReceiveCount"])
        if tries < self._max_tries:
            self._sqs.change_message_visibility(
                QueueUrl=self._queue_url,
                ReceiptHandle=message["ReceiptHandle"],
                VisibilityTimeout=retry_delay(tries),
            )
            return
        self._delete(message)
        pay_id = _pay_id(message["Body"])
        self._console.line(
            "forward", f"gave up {pay_id} after {tries} tries: {self._url} {trouble}"
        )
        again = f"cli/payresult republish {pay_id} --sandbox"
        self._console.line("", f"to have its event sent again: {again}")

    def _delete(self, message: MessageTypeDef) -> None:
        self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"])

    def _show(self, trouble: str | None) -> None:
        """Print *trouble* when it begins, changes or ends, and not at each of many tries."""
        if trouble != self._trouble:
            limit = f"each event is tried up to {self._max_tries} times in some five minutes"
            text = f"{trouble}; {limit}" if trouble else "answers 2xx again"
            self._console.line("forward", f"{self._url} {text}")
        self._trouble = trouble


def retry_delay(tries: int) -> int:
    """Seconds until the next try, after *tries* in vain."""
    return min(1 << (tries - 1), MAX_DELAY_SECONDS)


def _pay_id(body: str) -> str:
    envelope: Any = json.loads(body)
    try:
        return str(envelope["detail"]["data"]["payId"])
    except (KeyError, TypeError):  # another sender's event on the bus
        return "an event without a payId"
