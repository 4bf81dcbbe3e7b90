"""Whom the models assume to pay, and when. No public figure of this provider's payers is known.

The metric ``SettleTime`` has those of a deployment.
"""

from dataclasses import dataclass
from math import log
from random import Random
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Payers:
    """Payers of a kind: half have paid after *median* seconds (log-normal), *share* of all."""

    name: str
    median: float
    sigma: float
    share: float

    def delay(self, rng: Random) -> float:
        """Return the seconds from the registration until one of them has paid."""
        return rng.lognormvariate(log(self.median), self.sigma)


CARD = Payers("card", 40, 0.8, 0.50)
WALLET = Payers("wallet", 90, 1.0, 0.45)
SLOW = Payers("slow", 3600, 1.5, 0.05)
"""A voucher, a bank transfer, a payment that somebody else has to make."""

PAYERS = (CARD, WALLET, SLOW)

NEVER_PAID = 0.05
"""The share of all payments that are never paid; they are checked for a week."""


def any_delay(rng: Random) -> float:
    """Return the seconds until one of all payers has paid."""
    [payers] = rng.choices(PAYERS, [each.share for each in PAYERS])
    return payers.delay(rng)


class Latency(NamedTuple):
    """Seconds from paid to known, and the mean number of checks of a payment.

    ``unseen`` is the share that was paid after the last check; the seconds are without it.
    """

    mean: float
    p50: float
    p95: float
    checks: float
    unseen: float
