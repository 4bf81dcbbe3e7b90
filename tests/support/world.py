"""The simulation as unit tests use it: services instead of handlers, replies instead of HTTP.

The table is on moto or in memory. There is no stream: unsent events wait for the sweeper.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import count
from random import Random
from typing import Any

from botocore.exceptions import EndpointConnectionError

from payresult.domain.outcome import Outcome
from payresult.domain.payment import CheckMessage, Registration
from payresult.domain.reply import Reply
from payresult.errors import GatewayUnavailable, InvalidInput, InvalidReply
from payresult.schemas.requests import parse_message
from payresult.services.sweeper import SweepResult
from tests.support.factories import DELAYS, NOW, PAY_ID, reply
from tests.support.fake_aws import Crash, Message
from tests.support.fake_gateway import UNAVAILABLE
from tests.support.functions import Client, Services
from tests.support.simulation import Simulation
from tests.support.tables import Table

UNREACHABLE = EndpointConnectionError(endpoint_url="https://aws.invalid")

Said = Reply | GatewayUnavailable | InvalidReply


class World(Simulation):
    """The whole system, from NOW on.

    ``says`` is the answer of the gateway, by payId; ``before`` is called with the name of each AWS
    or gateway call, before the call. ``remaining_ms`` is the time that each sweep has. ``asked``
    are the payId and time of each query, ``outcomes`` those of the queued checks, ``swept`` the
    result of each sweep.
    """

    def __init__(
        self,
        table: Table,
        *,
        delays: Sequence[int] = DELAYS,
        random_fraction: float = 0.5,
        require_registration: bool = False,
    ) -> None:
        super().__init__(lambda *_: UNAVAILABLE, Random(0), table=lambda _: table.client)  # noqa: S311 - never asked
        self.table = table
        self.now = NOW
        self.says: Callable[[str], Said] = lambda pay_id: reply("wait", payId=pay_id)
        self.before: Callable[[str], None] = lambda _: None
        self.remaining_ms: Callable[[], int] = lambda: 50_000
        self.asked: list[tuple[str, int]] = []
        self.outcomes: list[Outcome] = []
        self.swept: list[SweepResult] = []
        services = Services(
            self._client,
            lambda: self.now / 1000,
            lambda: random_fraction,
            delays,
            sleep=self.sleep,
            table_name=table.name,
            require_registration=require_registration,
        )
        self.service = services.service
        self.processor = services.processor
        self.outbox = services.outbox
        self.sweeper = services.sweeper

    def order(self, pay_id: str = PAY_ID, **fields: str) -> None:
        """Send a message as an order service does."""
        self.send_order(pay_id, **fields)

    def follow(self, *messages: CheckMessage) -> list[Outcome]:
        """Process a batch of messages, without the queue."""
        return self.processor.process(messages)

    def register(self, pay_id: str = PAY_ID, **fields: str) -> None:
        """Register as the HTTP API does."""
        self.service.register(pay_id, Registration(**fields))

    def pay(self, *pay_ids: str) -> None:
        """Let the gateway say that all is paid; *pay_ids* are checked, their events unsent."""
        self.says = lambda pay_id: reply(payId=pay_id)
        self.follow(*(CheckMessage(pay_id) for pay_id in pay_ids))

    def get(self, *pay_ids: str) -> list[Outcome]:
        """Look up as the HTTP API does; PAY_ID by default."""
        return self.service.look_up(pay_ids or [PAY_ID])

    def once(self, operation: str, action: Callable[[], object]) -> None:
        """Call *action* before the next call of *operation*, and nothing before later ones."""

        def before(name: str) -> None:
            if name == operation:
                self.before = lambda _: None
                action()

        self.before = before

    def fail(self, operation: str, *numbers: int, error: Exception = UNREACHABLE) -> None:
        """Let the calls of *operation* raise *error*: all, or those with these *numbers*."""
        made = count(1)

        def before(name: str) -> None:
            if name == operation and (not numbers or next(made) in numbers):
                raise error

        self.before = before

    def recorded(self) -> list[str]:
        """Return a list to which each call adds its name from now on."""
        calls: list[str] = []
        self.before = calls.append
        return calls

    def query(self, pay_id: str) -> Said:
        """Answer a query, as the gateway's client does."""
        self.before("query")
        self.asked.append((pay_id, self.now))
        said = self.says(pay_id)
        if isinstance(said, Exception):
            raise said
        return said

    def call(self, function: str, dependency: str, operation: str, request: dict[str, Any]) -> Any:
        """Make a call, after ``before``."""
        assert request.get("QueueUrl", "queue") == "queue"
        self.before(operation)
        return super().call(function, dependency, operation, request)

    def run(self, duration: int) -> None:
        """Let *duration* milliseconds pass, with deliveries and sweeps at their times."""
        end = self.now + duration
        super().run(duration)
        self.now = max(end, self.now)

    def sweep(self) -> None:
        """Sweep once; after a crash the next sweep comes in the next minute."""
        with suppress(Crash):
            self.swept.append(self.sweeper.sweep(self.remaining_ms))

    def handle(self, batch: list[Message]) -> list[Message]:
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
                checks.append((message, replace(parsed, sent_at=message.sent_at)))
        outcomes = self.processor.process([check for _, check in checks])
        self.outcomes += outcomes
        pairs = zip(checks, outcomes, strict=True)
        return failed + [message for (message, _), outcome in pairs if outcome.error]

    def next_due(self) -> int:
        """Return the smallest ``workAt`` in the table, NEVER if there is none."""
        return self.table.next_due()

    def _client(self, dependency: str) -> Client:
        return self if dependency == "gateway" else self.connect("", dependency)
