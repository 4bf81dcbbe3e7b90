"""A payment and its parts. Pure.

Times are whole milliseconds since 1970 (UTC). Values of the gateway are kept as received.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal


class Status(StrEnum):
    """What is known of a payment. A reply may only raise the rank; SUCCEEDED is terminal.

    EXPIRED: the last planned check was answered, and no answer was a success. UNRESOLVED: the
    end came without that answer, so nobody knows.
    """

    PENDING = "PENDING"
    UNRESOLVED = "UNRESOLVED"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"
    REVIEW = "REVIEW"
    SUCCEEDED = "SUCCEEDED"

    @property
    def rank(self) -> int:
        """The order of the statuses: 10 to 30."""
        return _RANKS[self]


_RANKS = {
    Status.PENDING: 10,
    Status.UNRESOLVED: 15,
    Status.EXPIRED: 16,
    Status.FAILED: 20,
    Status.REVIEW: 25,
    Status.SUCCEEDED: 30,
}

ATTENTION_STATUSES = frozenset({Status.UNRESOLVED, Status.REVIEW})
"""A payment that gets one of these waits for a person."""

DUPLICATE = "DUPLICATE"
"""Why a payment that has succeeded waits for a person: its order has another paid payment."""

FailureKind = Literal[
    "timeout", "connection", "tls", "http", "not_json", "not_a_reply", "other_payment"
]
"""How the gateway failed to say anything about a payment.

No answer in time; no connection, or it broke; TLS refused; a status other than 200; text that is
no JSON; JSON that is no reply; a reply about another payment or partner code.
"""

Trigger = Literal["api", "queue", "sweeper", "operator"]
"""What caused a change of status."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What an order service registered about a payment. None: not registered."""

    order_id: str | None = None
    expected_amount: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class CheckError:
    """Why the last check brought no reply, when, and how many in a row did not, since when.

    ``how`` is None in an item that an earlier version wrote.
    """

    kind: Literal["unavailable", "bad_reply"]
    at: int
    tries: int
    since: int
    how: FailureKind | None = None
    http_status: int | None = None


@dataclass(frozen=True, slots=True)
class StatusChange:
    """An entry of the history: a change of status, or an operator's action.

    ``reason``, ``amount_from`` and ``amount_to`` ("19.99 USD") belong to an operator's action.
    """

    at: int
    from_status: Status | None
    to_status: Status
    trigger: Trigger
    pay_rst: str | None = None
    reason: str | None = None
    amount_from: str | None = None
    amount_to: str | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as it is stored.

    ``checks`` counts all checks, ``attempt`` the answered ones of the schedule, ``step`` the
    messages that were handled. ``work_shard`` and ``work_at`` place it in the index ``work``,
    ``attention`` and ``attention_since`` in the index ``attention``: it waits for a person.
    ``accepted_amount`` is the ``payAmount`` that an operator accepted, as stored text;
    ``accepted_absent`` says that none was accepted. ``expires_at`` (seconds since 1970) is when
    DynamoDB may delete the item.
    """

    partner_code: str
    pay_id: str
    status: Status
    registration: Registration
    created_at: int
    give_up_at: int
    checks: int = 0
    attempt: int = 0
    step: int = 0
    reply: Mapping[str, str] = field(default_factory=dict)
    last_checked_at: int | None = None
    last_answered_at: int | None = None
    last_unanswered_at: int | None = None
    next_check_at: int | None = None
    last_error: CheckError | None = None
    history: tuple[StatusChange, ...] = ()
    event_id: str | None = None
    event: str | None = None
    event_state: Literal["PENDING", "SENT"] | None = None
    event_sent_at: int | None = None
    work_shard: str | None = None
    work_at: int | None = None
    accepted_amount: str | None = None
    accepted_absent: bool = False
    attention: str | None = None
    attention_since: int | None = None
    expires_at: int | None = None

    @property
    def settled(self) -> bool:
        """True if no reply can change the status any more."""
        return self.status is Status.SUCCEEDED

    @property
    def stale(self) -> bool:
        """True if the gateway was asked after its last reply, and did not say anything."""
        asked_in_vain = self.last_unanswered_at or 0
        return not self.settled and asked_in_vain > (self.last_answered_at or 0)

    @property
    def changed_at(self) -> int:
        """When the status changed last."""
        changes = (each.at for each in reversed(self.history) if each.from_status != each.to_status)
        return next(changes, self.created_at)


@dataclass(frozen=True, slots=True)
class CheckMessage:
    """One payId from the queue: an order's message (``step`` None) or a follow-up of ours.

    ``sent_at`` is when it was sent, in milliseconds since 1970; a redelivery keeps it.
    """

    pay_id: str
    registration: Registration = Registration()
    step: int | None = None
    sent_at: int = 0


def to_iso8601(at: int) -> str:
    """Return *at*, milliseconds since 1970, as ISO 8601 in UTC: "2026-11-22T10:00:00.123Z"."""
    text = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
