"""What one check or look-up came to, and what logs and metrics say of it. Pure."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from payresult.domain.decision import GatewayResult
from payresult.domain.payment import Payment, Status

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True)
class QueryResult:
    """One question to the gateway: the answer, when it was there, and after how many ms.

    ``chance`` is drawn once for it, so that deciding twice plans the same.
    """

    answer: GatewayResult
    at: int
    latency: int
    random_fraction: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one payId.

    ``asked`` is None where the gateway was not asked: settled, repeated, or asked just now.
    ``became`` is the status that this very check led to, None where it changed nothing.
    ``stored`` False: the payment is in no table. ``stale``: the gateway did not answer, this
    is what was known before. ``error``: why nothing could be done; the message comes again.
    """

    pay_id: str
    payment: Payment | None = None
    result: QueryResult | None = None
    new_status: Status | None = None
    unknown: bool = False
    stored: bool = True
    stale: bool = False
    error: BaseException | None = None
