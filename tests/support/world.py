"""The whole layer on a virtual clock, with small stand-ins for the three edges of ours.

The table is real code on moto. The queue holds messages back by their DelaySeconds and
delivers what failed again, the sweeper runs at each full minute that has work for it, and the
gateway counts who asked when.
"""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from payresult.aws.dynamodb import PaymentRepository
from payresult.aws.eventbridge import EventPublisher
from payresult.aws.sqs import CheckQueue
from payresult.domain.decision import Rules
from payresult.domain.outcome import Outcome
from payresult.domain.payment import CheckMessage, Registration
from payresult.domain.reply import Reply
from payresult.domain.schedule import Schedule
from payresult.errors import GatewayUnavailable, InvalidInput, InvalidReply
from payresult.schemas.requests import parse_message
from payresult.services.check import Checker
from payresult.services.check_batch import CheckBatchProcessor
from payresult.services.outbox import Outbox
from payresult.services.payments import PaymentService
from payresult.services.sweeper import Sweeper, SweepResult
from tests.support.factories import DELAYS, MINUTE, NOW, PARTNER, PAY_ID, reply
from tests.support.tables import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient

    from payresult.gateway.client import GatewayClient

VISIBILITY = 120_000
RECEIVES = 5
NEVER = 1 << 60

Said = Reply | GatewayUnavailable | InvalidReply


class Crash(BaseException):
    """The end of an invocation, wherever it was."""


class Inline(Executor):
    """A pool that does the work at once, so that every run is the same."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do it; a Crash goes through, as it takes the process with it."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - what a pool does
            future.set_exception(error)
        return future


@dataclass(eq=False)
class Message:
    """A message of the queue."""

    body: str
    visible_at: int
    receives: int = 0


class Edge:
    """A boto3 client in front of which *before* is told the name of each call."""

    def __init__(self, client: object, before: Callable[[str], None]) -> None:
        self._client = client
        self._before = before

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._client, name)

        def told(*args: Any, **kwargs: Any) -> Any:
            self._before(name)
            return call(*args, **kwargs)

        return told


class World:
    """Everything that follows a payment, from NOW on."""

    def __init__(
        self,
        table: Table,
        *,
        delays: Sequence[int] = DELAYS,
        random_fraction: float = 0.5,
        require_registration: bool = False,
    ) -> None:
        self.table = table
        self.now = NOW
        self.says: Callable[[str], Said] = lambda pay_id: reply("wait", payId=pay_id)
        self.asked: list[tuple[str, int]] = []
        self.messages: list[Message] = []
        self.copies = 1
        self.dead: list[str] = []
        self.bus: list[dict[str, Any]] = []
        self.puts: list[list[str]] = []
        self.refuses_message: Callable[[dict[str, Any]], bool] = lambda _: False
        self.refuses_event: Callable[[str], str | None] = lambda _: None
        self.before: Callable[[str], None] = lambda _: None
        self.outcomes: list[Outcome] = []
        self.swept: list[SweepResult] = []
        self.shards: set[str | None] = set()

        def clock() -> float:
            return self.now / 1000

        def told(name: str) -> None:
            self.before(name)

        pool = Inline()
        rules = Rules(Schedule(delays), "prod", ("fail",))
        client = cast("DynamoDBClient", Edge(_Dynamo(self), told))
        store = PaymentRepository(client, table.name, PARTNER)
        queue = CheckQueue(cast("SQSClient", Edge(_Sqs(self), told)), "queue")
        publisher = EventPublisher(cast("EventBridgeClient", Edge(_Bus(self), told)), "bus")
        gateway = cast("GatewayClient", Edge(_Gateway(self), told))
        checker = Checker(
            gateway, store, rules, clock=clock, random_fraction=lambda: random_fraction
        )
        self.service = PaymentService(
            checker, store, queue, pool=pool, require_registration=require_registration
        )
        self.processor = CheckBatchProcessor(self.service, checker, store, queue, pool=pool)
        self.outbox = Outbox(store, publisher, pool=pool, clock=clock)
        self.sweeper = Sweeper(store, queue, self.outbox, pool=pool, clock=clock)

    # What people do

    def order(self, pay_id: str = PAY_ID, **fields: str) -> None:
        """Send a message as an order service does."""
        self.send({"payId": pay_id} | fields)

    def send(self, body: dict[str, Any]) -> None:
        """Send any message."""
        self.enqueue(json.dumps(body), 0)

    def enqueue(self, body: str, delay: int) -> None:
        """Put a message into the queue, as often as SQS happens to deliver it."""
        at = self.now + delay * 1000
        self.messages += [Message(body, at) for _ in range(self.copies)]

    def follow(self, *messages: CheckMessage) -> list[Outcome]:
        """Have a batch followed, without the queue."""
        return self.processor.process(messages)

    def register(self, pay_id: str = PAY_ID, **fields: str) -> None:
        """Register as the HTTP API does."""
        self.service.register(pay_id, Registration(**fields))

    def get(self, *pay_ids: str) -> list[Outcome]:
        """Ask as the HTTP API does; PAY_ID by default."""
        return self.service.look_up(pay_ids or [PAY_ID])

    # What time brings

    def run(self, duration: int) -> None:
        """Let *duration* milliseconds pass: messages are delivered and sweeps made in time."""
        end = self.now + duration
        while (at := min(self._next_message(), self._next_sweep())) <= end:
            self.now = max(at, self.now)
            if self._next_message() <= self.now:
                self.deliver()
            else:
                self.sweep()
        self.now = end

    def sweep(self) -> None:
        """Sweep once; a crash leaves it to the next minute."""
        self.shards = {item.get("workShard") for item in self.table.scan()}
        with suppress(Crash):
            self.swept.append(self.sweeper.sweep())

    def deliver(self) -> None:
        """Deliver what is visible, ten at most; a crash leaves it to be delivered again."""
        batch = [message for message in self.messages if message.visible_at <= self.now][:10]
        for message in batch:
            message.visible_at = self.now + VISIBILITY
            message.receives += 1
        try:
            failed = self._handle(batch)
            self.before("delete_message_batch")
        except Crash:
            failed = batch
        for message in batch:
            if message not in failed:
                self.messages.remove(message)
            elif message.receives >= RECEIVES:
                self.messages.remove(message)
                self.dead.append(message.body)

    def _handle(self, batch: Sequence[Message]) -> list[Message]:
        """Do as the checks function does, and return the failed ones."""
        failed, checks = [], []
        for message in batch:
            try:
                asks = parse_message(message.body)
            except InvalidInput:
                failed.append(message)
                continue
            if isinstance(asks, list):
                failed += [] if self.processor.fan_out(asks) else [message]
            else:
                checks.append((message, asks))
        outcomes = self.processor.process([asks for _, asks in checks])
        self.outcomes += outcomes
        pairs = zip(checks, outcomes, strict=True)
        return failed + [message for (message, _), outcome in pairs if outcome.error]

    def _next_message(self) -> int:
        return min((message.visible_at for message in self.messages), default=NEVER)

    def _next_sweep(self) -> int:
        """The first full minute that has work for the sweeper; it is idle in the others."""
        due = [item["workAt"] for item in self.table.scan() if "workAt" in item]
        return -(-max(min(due, default=NEVER), self.now + 1) // MINUTE) * MINUTE


class _Dynamo:
    """The table's client; moto is slow, so it is not asked about shards that are empty."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world.table.client, name)

    def query(self, **arguments: Any) -> Any:
        shard = arguments["ExpressionAttributeValues"][":shard"]["S"]
        if shard not in self._world.shards:
            return {"Items": []}
        return self._world.table.client.query(**arguments)


class _Gateway:
    def __init__(self, world: World) -> None:
        self._world = world

    def query(self, pay_id: str) -> Said:
        self._world.asked.append((pay_id, self._world.now))
        said = self._world.says(pay_id)
        if isinstance(said, Exception):
            raise said
        return said


class _Sqs:
    def __init__(self, world: World) -> None:
        self._world = world

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - AWS
        assert QueueUrl == "queue"
        assert 1 <= len(Entries) <= 10
        assert all(0 <= entry["DelaySeconds"] <= 900 for entry in Entries)
        refused = [entry for entry in Entries if self._world.refuses_message(entry)]
        for entry in Entries:
            if entry not in refused:
                self._world.enqueue(entry["MessageBody"], entry["DelaySeconds"])
        return {"Failed": [{"Id": entry["Id"]} for entry in refused]} if refused else {}


class _Bus:
    def __init__(self, world: World) -> None:
        self._world = world

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - AWS
        assert 1 <= len(Entries) <= 10
        self._world.puts.append([entry["Detail"] for entry in Entries])
        answers: list[dict[str, str]] = []
        for entry in Entries:
            code = self._world.refuses_event(entry["Detail"])
            if code and code.startswith("whole call: "):
                fails = {"Error": {"Code": code.removeprefix("whole call: ")}}
                raise ClientError(fails, "PutEvents")  # type: ignore[arg-type]  # fewer keys than AWS sends
            answers.append({"ErrorCode": code} if code else {"EventId": "x"})
            if not code:
                self._world.bus.append(entry)
        return {"Entries": answers, "FailedEntryCount": sum("ErrorCode" in a for a in answers)}
