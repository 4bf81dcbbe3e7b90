"""What stands around the system: a queue, a bus, and the calls' way through a campaign's hands."""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

VISIBILITY = 120_000
RECEIVES = 5
NEVER = 1 << 60

Request = dict[str, Any]


class Crash(BaseException):
    """The end of an invocation, wherever it was."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a function to an edge, before it is made or after."""

    role: str
    when: str
    kind: str
    pay_id: str = ""

    def __str__(self) -> str:
        return f"{self.role}: {self.when} {self.kind}"


def kind_of(operation: str, request: Request) -> str:
    """Name a call; an UpdateItem by the attributes it is about, the table's public face."""
    if operation != "update_item":
        return operation
    names = set(request["ExpressionAttributeNames"].values())
    if "pk" in names and "step" in names:
        return "register"
    for attribute, kind in _KINDS:
        if attribute in names:
            return kind
    return "claim"


def pay_id_of(operation: str, request: Request) -> str:
    """The payment that an UpdateItem is about, "" for other calls."""
    pk: str = request["Key"]["pk"]["S"] if operation == "update_item" else ""
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
    """A message of the queue; it is seen again at *visible_at*, unless it is deleted before."""

    visible_at: int
    number: int
    body: str = field(compare=False)
    receives: int = field(default=0, compare=False)


class Queue:
    """SQS: delays, redelivery, five receives and then the dead-letter queue."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.echoes: Callable[[], list[int]] = list
        self.refuses: Callable[[Request], bool] = lambda _: False
        self.batch = 10
        self.dead: list[str] = []
        self._clock = clock
        self._waiting: list[Message] = []
        self._numbers = count(1)

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        """SendMessageBatch, within SQS's limits."""
        entries = request["Entries"]
        if not 1 <= len(entries) <= 10 or len({entry["Id"] for entry in entries}) < len(entries):
            raise ClientError({"Error": {"Code": "BatchEntryIds"}}, "SendMessageBatch")
        if not all(0 <= entry["DelaySeconds"] <= 900 for entry in entries):
            raise ClientError({"Error": {"Code": "InvalidParameterValue"}}, "SendMessageBatch")
        failed = [entry["Id"] for entry in entries if self.refuses(entry)]
        for entry in entries:
            if entry["Id"] not in failed:
                self.put(entry["MessageBody"], entry["DelaySeconds"])
        return {"Failed": [{"Id": each} for each in failed]} if failed else {}

    def delete_message_batch(self, **_: Any) -> None:
        """What the poller of Lambda does; the stage takes the messages away itself."""

    def put(self, body: str, delay: int = 0) -> None:
        """Put a message in; it may be delivered again, some milliseconds later each."""
        for late in [0, *self.echoes()]:
            at = self._clock() + delay * 1000 + late
            heappush(self._waiting, Message(at, next(self._numbers), body))

    def receive(self) -> list[Message]:
        """Visible messages, *batch* at most; they hide for a while."""
        batch: list[Message] = []
        while len(batch) < self.batch and self.next_at() <= self._clock():
            batch.append(heappop(self._waiting))
        return batch

    def give_back(self, message: Message) -> None:
        """Show a message that was not deleted again, or bury it."""
        message.receives += 1
        message.visible_at = self._clock() + VISIBILITY
        if message.receives < RECEIVES:
            heappush(self._waiting, message)
        else:
            self.dead.append(message.body)

    def redrive(self) -> None:
        """What an operator does once the cause is mended: `StartMessageMoveTask`."""
        dead, self.dead = self.dead, []
        for body in dead:
            self.put(body)

    def next_at(self) -> int:
        """When the next message is seen, NEVER without one."""
        return self._waiting[0].visible_at if self._waiting else NEVER


class Bus:
    """EventBridge: *log* has what it took, in order, as (milliseconds, detail)."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.log: list[tuple[int, str]] = []
        self.refuses: Callable[[str], str | None] = lambda _: None
        self.fails: Callable[[], str | None] = lambda: None
        self._clock = clock

    def put_events(self, **request: Any) -> dict[str, Any]:
        """PutEvents: each entry has a result of its own, and the whole may fail before or after."""
        entries = request["Entries"]
        if not 1 <= len(entries) <= 10:
            raise ClientError({"Error": {"Code": "ValidationException"}}, "PutEvents")
        fails = self.fails()
        if fails not in {None, "timeout"}:
            raise ClientError({"Error": {"Code": str(fails)}}, "PutEvents")
        codes = [self.refuses(entry["Detail"]) for entry in entries]
        if "poison" in codes:  # one entry that the service takes for no entry at all
            raise ClientError({"Error": {"Code": "ValidationException"}}, "PutEvents")
        results = [self._put(*pair) for pair in zip(entries, codes, strict=True)]
        if fails == "timeout":
            raise ReadTimeoutError(endpoint_url="https://events.invalid")
        failed = sum("ErrorCode" in result for result in results)
        return {"Entries": results, "FailedEntryCount": failed}

    def _put(self, entry: Request, code: str | None) -> dict[str, str]:
        if code is not None:
            return {"ErrorCode": code}
        self.log.append((self._clock(), entry["Detail"]))
        return {"EventId": str(len(self.log))}
