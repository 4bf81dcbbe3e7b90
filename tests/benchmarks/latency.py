"""make latency: from paid to known, and the checks used; DELAYS=5,10,... is another CheckDelays."""

import os
import sys
from collections.abc import Iterator
from math import ceil, nan
from random import Random
from statistics import fmean, median

from payresult.domain.schedule import MAX_QUEUE_DELAY, Schedule, jitter
from payresult.settings import to_schedule
from tests.benchmarks.payers import CARD, PAYERS, WALLET, Latency, Payers
from tests.benchmarks.waiting import SIZE as APPS
from tests.benchmarks.waiting import simulate_waiting
from tests.support.template import TEMPLATE

SIZE = 40_000
SWEEP_SECONDS = 60


def main() -> int:
    """Print a line for each kind of payers."""
    delays = os.environ.get("DELAYS") or TEMPLATE["Parameters"]["CheckDelays"]["Default"]
    try:
        schedule = to_schedule(delays)
    except ValueError as error:
        sys.exit(f"DELAYS {error}")
    sys.stdout.write("\n".join(report(schedule)) + "\n")
    return 0


def report(schedule: Schedule, size: int = SIZE, apps: int = APPS) -> Iterator[str]:
    """Yield the lines of the report."""
    days = sum(schedule.delays) / 86_400
    yield f"Seconds from paid to known, {size:,} simulated payers of each kind"
    yield ""
    heads = "".join(f"{head:>10}" for head in ("mean", "p50", "p95", "checks"))
    yield f"{'payers':17}{heads}{'paid after the last':>22}"
    for payers in PAYERS:
        yield _row(payers.name, simulate(schedule, payers, size))
    for payers in (CARD, WALLET):
        yield _row(f"{payers.name}, app waits", simulate_waiting(schedule, payers, apps))
    yield ""
    yield f"{apps} apps of each kind call GET /payments/{{payId}}/wait from the registration on"
    yield "Assumed: log-normal, " + ", ".join(
        f"{it.name} with a median of {it.median:,.0f} s and sigma {it.sigma}" for it in PAYERS
    )
    yield f"{schedule.checks} checks at most, in {days:.1f} days; each delay with its jitter:"
    yield ",".join(map(str, schedule.delays))


def _row(name: str, found: Latency) -> str:
    return (
        f"{name:17}{found.mean:10,.1f}{found.p50:10,.1f}{found.p95:10,.1f}"
        f"{found.checks:10.1f}{found.unseen:22.2%}"
    )


def simulate(schedule: Schedule, payers: Payers, size: int = SIZE) -> Latency:
    """Return what *size* of such payers wait, and are checked; the same in each run."""
    rng = Random(payers.name)  # noqa: S311 - the same in each run
    seconds, checks = [], 0
    for _ in range(size):
        paid_at = payers.delay(rng)
        for at in _checks(schedule, rng):
            checks += 1
            if at >= paid_at:
                seconds.append(at - paid_at)
                break
    seen = sorted(seconds) or [nan]
    p95 = seen[int(0.95 * len(seen))]
    return Latency(fmean(seen), median(seen), p95, checks / size, 1 - len(seconds) / size)


def _checks(schedule: Schedule, rng: Random) -> Iterator[float]:
    """Yield when a payment is checked, in seconds.

    SQS keeps a delay of whole seconds; the sweeper, which comes each minute, sends after longer
    ones. The time that the gateway takes, and the queue, is not included.
    """
    at = 0.0
    yield at
    for delay in schedule.delays:
        wait = jitter(delay, rng.random())
        at += wait + SWEEP_SECONDS * rng.random() if wait > MAX_QUEUE_DELAY else ceil(wait)
        yield at


if __name__ == "__main__":
    sys.exit(main())
