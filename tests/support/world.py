"""The services on a virtual clock, with simple fakes of SQS, EventBridge and the gateway.

The table is on moto or in memory. The queue delays messages by their DelaySeconds and delivers
failed ones again, the sweeper runs at each full minute that has work for it, and the gateway
records each query with its time.
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
    """Ends an invocation at any point."""


class Inline(Executor):
    """A pool without threads, so that every run is the same."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run *fn* at once; a Crash is not caught, since it ends the process."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as a pool does
            future.set_exception(error)
        return future


@dataclass(eq=False)
class Message:
    """A message of the queue."""

    body: str
    visible_at: int
    receives: int = 0


class Edge:
    """A client that calls *before* with the name of each call, before the call."""

    def __init__(self, client: object, before: Callable[[str], None]) -> None:
        self._client = client
        self._before = before

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._client, name)

        def announced(*args: Any, **kwargs: Any) -> Any:
            self._before(name)
            return call(*args, **kwargs)

        return announced


class World:
    """The whole system, from NOW on.

    A test sets what happens:

    ``says``             the answer of the gateway, by payId
    ``copies``           how often SQS delivers each message
    ``refuses_message``  whether SQS refuses an entry
    ``refuses_event``    the code with which the bus refuses an event; None accepts it
    ``before``           is called before each AWS or gateway call

    and reads what happened: ``asked`` (payId and time of each query), ``messages`` (the queue),
    ``dead`` (the dead-letter queue), ``bus`` (accepted events), ``puts`` (the events of each
    PutEvents), ``outcomes`` (of the queued checks) and ``swept`` (the result of each sweep).
    """

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

        def before(name: str) -> None:
            self.before(name)

        pool = Inline()
        rules = Rules(Schedule(delays), "prod", ("fail",))
        client = cast("DynamoDBClient", Edge(_Dynamo(self), before))
        payments = PaymentRepository(client, table.name, PARTNER)
        queue = CheckQueue(cast("SQSClient", Edge(_Sqs(self), before)), "queue")
        publisher = EventPublisher(cast("EventBridgeClient", Edge(_Bus(self), before)), "bus")
        gateway = cast("GatewayClient", Edge(_Gateway(self), before))
        checker = Checker(
            gateway, payments, rules, clock=clock, random_fraction=lambda: random_fraction
        )
        self.service = PaymentService(
            checker, payments, queue, pool=pool, require_registration=require_registration
        )
        self.processor = CheckBatchProcessor(self.service, checker, payments, queue, pool=pool)
        self.outbox = Outbox(payments, publisher, pool=pool, clock=clock)
        self.sweeper = Sweeper(payments, queue, self.outbox, pool=pool, clock=clock)

    # Inputs

    def order(self, pay_id: str = PAY_ID, **fields: str) -> None:
        """Send a message as an order service does."""
        self.send({"payId": pay_id} | fields)

    def send(self, body: dict[str, Any]) -> None:
        """Send a message with this body."""
        self.enqueue(json.dumps(body), 0)

    def enqueue(self, body: str, delay: int) -> None:
        """Put a message into the queue, ``copies`` times."""
        at = self.now + delay * 1000
        self.messages += [Message(body, at) for _ in range(self.copies)]

    def follow(self, *messages: CheckMessage) -> list[Outcome]:
        """Process a batch of messages, without the queue."""
        return self.processor.process(messages)

    def register(self, pay_id: str = PAY_ID, **fields: str) -> None:
        """Register as the HTTP API does."""
        self.service.register(pay_id, Registration(**fields))

    def get(self, *pay_ids: str) -> list[Outcome]:
        """Look up as the HTTP API does; PAY_ID by default."""
        return self.service.look_up(pay_ids or [PAY_ID])

    # Time

    def run(self, duration: int) -> None:
        """Let *duration* milliseconds pass, with deliveries and sweeps at their times."""
        end = self.now + duration
        while (at := min(self._next_message(), self._next_sweep())) <= end:
            self.now = max(at, self.now)
            if self._next_message() <= self.now:
                self.deliver()
            else:
                self.sweep()
        self.now = end

    def sweep(self) -> None:
        """Sweep once; after a crash the next sweep comes in the next minute."""
        self.shards = {item.get("workShard") for item in self.table.scan()}
        with suppress(Crash):
            self.swept.append(self.sweeper.sweep())

    def deliver(self) -> None:
        """Deliver at most ten visible messages; after a crash all of them are delivered again."""
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
        """Handle messages as the checks function does, and return the failed ones."""
        failed, checks = [], []
        for message in batch:
            try:
                parsed = parse_message(message.body)
            except InvalidInput:
                failed.append(message)
                continue
            if isinstance(parsed, list):
                failed += [] if self.processor.fan_out(parsed) else [message]
            else:
                checks.append((message, parsed))
        outcomes = self.processor.process([check for _, check in checks])
        self.outcomes += outcomes
        pairs = zip(checks, outcomes, strict=True)
        return failed + [message for (message, _), outcome in pairs if outcome.error]

    def _next_message(self) -> int:
        return min((message.visible_at for message in self.messages), default=NEVER)

    def _next_sweep(self) -> int:
        """The first full minute that has work for the sweeper."""
        due = [item["workAt"] for item in self.table.scan() if "workAt" in item]
        return -(-max(min(due, default=NEVER), self.now + 1) // MINUTE) * MINUTE


class _Dynamo:
    """The table's client; it does not query empty shards, since moto is slow."""

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
                body = {"Error": {"Code": code.removeprefix("whole call: ")}}
                raise ClientError(body, "PutEvents")  # type: ignore[arg-type]  # fewer keys than AWS sends
            answers.append({"ErrorCode": code} if code else {"EventId": "x"})
            if not code:
                self._world.bus.append(entry)
        return {"Entries": answers, "FailedEntryCount": sum("ErrorCode" in a for a in answers)}
