"""In-memory SQS and EventBridge, and the description of a call that a campaign can intercept."""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

VISIBILITY_TIMEOUT_MS = 120_000
MAX_RECEIVES = 5
NEVER = 1 << 60

Request = dict[str, Any]


class Crash(BaseException):
    """Ends an invocation at the current call, as the death of its process does."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function to a dependency, immediately before it is made or after.

    ``when``: "before" or "after". ``kind``: see ``operation_kind``.
    """

    function: str
    when: str
    kind: str
    pay_id: str = ""

    def __str__(self) -> str:
        return f"{self.function}: {self.when} {self.kind}"


def operation_kind(operation: str, request: Request) -> str:
    """Return the kind of a call: its operation, and for UpdateItem the kind of write.

    The kind of write is derived from the attributes that the request names.
    """
    if operation != "update_item":
        return operation
    names = set(request["ExpressionAttributeNames"].values())
    if pay_id_of(operation, request).startswith("order#"):
        return "expire order" if "pk" in names else "claim order"
    if "pk" in names and "step" in names:
        return "register"
    for attribute, kind in _KINDS:
        if attribute in names:
            return kind
    return "claim"


def pay_id_of(operation: str, request: Request) -> str:
    """Return the payId of a written item, "order#" and orderId of a marker, "" for other calls."""
    pk: str = request["Key"]["pk"]["S"] if operation in {"update_item", "delete_item"} else ""
    return pk.partition("#")[2]


_KINDS = (
    ("eventSentAt", "mark"),
    ("event", "succeed"),
    ("eventId", "postpone"),
    ("step", "record"),
    ("reply", "live"),
    ("giveUpAt", "give up"),
)


@dataclass(order=True, slots=True)
class Message:
    """A message of the queue. It becomes visible at *visible_at* (milliseconds).

    *sent_at* is its SentTimestamp, in milliseconds: a redelivery keeps it.
    """

    visible_at: int
    number: int
    body: str = field(compare=False)
    sent_at: int = field(compare=False)
    receive_count: int = field(default=0, compare=False)


class Queue:
    """SQS: delays, visibility timeout, and a dead-letter queue after five receives.

    ``redeliver_after`` returns the delays, in milliseconds, of additional deliveries of a message.
    ``rejects`` decides whether SendMessageBatch reports an entry as failed. ``batch_size`` is the
    most messages of one receive. ``waiting`` is a heap of the messages, the next one first.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self.redeliver_after: Callable[[], list[int]] = list
        self.rejects: Callable[[Request], bool] = lambda _: False
        self.batch_size = 10
        self.dead_letters: list[str] = []
        self._clock = clock
        self.waiting: list[Message] = []
        self._numbers = count(1)

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        """SendMessageBatch, with the limits of SQS."""
        entries = request["Entries"]
        if not 1 <= len(entries) <= 10 or len({entry["Id"] for entry in entries}) < len(entries):
            raise ClientError({"Error": {"Code": "BatchEntryIds"}}, "SendMessageBatch")
        if not all(0 <= entry["DelaySeconds"] <= 900 for entry in entries):
            raise ClientError({"Error": {"Code": "InvalidParameterValue"}}, "SendMessageBatch")
        failed = [entry["Id"] for entry in entries if self.rejects(entry)]
        for entry in entries:
            if entry["Id"] not in failed:
                self.put(entry["MessageBody"], entry["DelaySeconds"])
        return {"Failed": [{"Id": each} for each in failed]} if failed else {}

    def delete_message_batch(self, **_: Any) -> None:
        """Do nothing: the simulation removes delivered messages itself."""

    def put(self, body: str, delay: int = 0) -> None:
        """Send a message, with *delay* in seconds, and its additional deliveries."""
        for extra in [0, *self.redeliver_after()]:
            at = self._clock() + delay * 1000 + extra
            heappush(self.waiting, Message(at, next(self._numbers), body, self._clock()))

    def receive(self) -> list[Message]:
        """Take up to ``batch_size`` visible messages out of the queue."""
        batch: list[Message] = []
        while len(batch) < self.batch_size and self.next_visible_at() <= self._clock():
            batch.append(heappop(self.waiting))
        return batch

    def return_failed(self, message: Message) -> None:
        """Return a message that was not deleted, to the queue or to the dead-letter queue."""
        message.receive_count += 1
        message.visible_at = self._clock() + VISIBILITY_TIMEOUT_MS
        if message.receive_count < MAX_RECEIVES:
            heappush(self.waiting, message)
        else:
            self.dead_letters.append(message.body)

    def redrive(self) -> None:
        """Move all dead letters back to the queue, as `StartMessageMoveTask` does.

        They are new messages then, with a new SentTimestamp (AWS, "Learn how to configure a
        dead-letter queue redrive in Amazon SQS").
        """
        moved, self.dead_letters = self.dead_letters, []
        for body in moved:
            self.put(body)

    def next_visible_at(self) -> int:
        """Return when the next message becomes visible, NEVER if there is none."""
        return self.waiting[0].visible_at if self.waiting else NEVER


class Bus:
    """EventBridge. ``log`` has each accepted event, in order, as (milliseconds, detail).

    ``entries`` are the accepted entries as they were sent, ``calls`` the details of each call.

    ``entry_error`` returns the error code for an entry, or None; the code "poison" makes the whole
    call fail. ``call_error`` returns the error code for a whole call, or None; with the code
    "timeout" the call is accepted, but the client does not get the response.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self.log: list[tuple[int, str]] = []
        self.entries: list[Request] = []
        self.calls: list[list[str]] = []
        self.entry_error: Callable[[str], str | None] = lambda _: None
        self.call_error: Callable[[], str | None] = lambda: None
        self._clock = clock

    def put_events(self, **request: Any) -> dict[str, Any]:
        """PutEvents: a result for each entry, or an error for the whole call."""
        entries = request["Entries"]
        if not 1 <= len(entries) <= 10:
            raise ClientError({"Error": {"Code": "ValidationException"}}, "PutEvents")
        self.calls.append([entry["Detail"] for entry in entries])
        error = self.call_error()
        if error not in {None, "timeout"}:
            raise ClientError({"Error": {"Code": str(error)}}, "PutEvents")
        codes = [self.entry_error(entry["Detail"]) for entry in entries]
        if "poison" in codes:  # the service rejects the request because of one entry
            raise ClientError({"Error": {"Code": "ValidationException"}}, "PutEvents")
        results = [self._put(*pair) for pair in zip(entries, codes, strict=True)]
        if error == "timeout":
            raise ReadTimeoutError(endpoint_url="https://events.invalid")
        failed = sum("ErrorCode" in result for result in results)
        return {"Entries": results, "FailedEntryCount": failed}

    def _put(self, entry: Request, code: str | None) -> dict[str, str]:
        if code is not None:
            return {"ErrorCode": code}
        self.log.append((self._clock(), entry["Detail"]))
        self.entries.append(entry)
        return {"EventId": str(len(self.log))}
