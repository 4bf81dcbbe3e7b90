"""The result of one check or look-up. Pure."""

from dataclasses import dataclass

from payresult.domain.decision import GatewayResult
from payresult.domain.payment import Payment, Status
from payresult.domain.reply import Reply


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The result of one query: the answer, when it came, and its latency, in milliseconds.

    ``random_fraction`` in [0, 1) is drawn once, so that deciding again plans the same time.
    """

    answer: GatewayResult
    at: int
    latency: int
    random_fraction: float

    @property
    def reply(self) -> Reply | None:
        """The answer if it is a reply."""
        return self.answer if isinstance(self.answer, Reply) else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done for one payId.

    ``result``      None where the gateway was not asked: settled, repeated, or asked just now
    ``new_status``  the status that this check led to; None where it changed nothing
    ``unpaid``      half an hour after it was stored, the payment is not paid; once a payment
    ``unknown``     the reply has a ``payRst`` whose meaning is not documented
    ``stored``      False: the payment is not in the table
    ``dropped``     the message is a follow-up of a payment that is not stored any more
    ``error``       why nothing was done; the message is delivered again
    """

    pay_id: str
    payment: Payment | None = None
    result: QueryResult | None = None
    new_status: Status | None = None
    unpaid: bool = False
    unknown: bool = False
    stored: bool = True
    dropped: bool = False
    error: BaseException | None = None
