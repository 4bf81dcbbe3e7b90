"""make scale: how cost and time grow, which limit is reached first; CPU=1 measures before."""

import os
import sys
from collections.abc import Iterator

from tests.benchmarks import cpu_time, quotas, runs
from tests.benchmarks.cost import SIZE
from tests.benchmarks.durations import measured
from tests.benchmarks.limits import limits
from tests.benchmarks.model import BATCH, Deployment, Model
from tests.benchmarks.payers import NEVER_PAID
from tests.benchmarks.prices import dollars

GROWTH = (1, 10, 100, 1_000, 10_000, 100_000)
RATES = (1_000, 10_000, 100_000)


def main() -> int:
    """Print the report; with CPU measure the CPU time of this machine before."""
    if os.environ.get("CPU"):
        cpu_time.save()
    sys.stdout.write("\n".join(report()) + "\n")
    return 0


def model_of(deployment: Deployment) -> Model:
    """Return the model of a deployment, with payments that are counted now."""
    full, single = (
        runs.mixed(
            runs.payments(SIZE, batch), runs.payments(SIZE // 10, batch, paid_after=runs.never)
        )
        for batch in (BATCH, 1)
    )
    return Model(deployment, full, single, measured())


def report() -> Iterator[str]:
    """Yield the lines of the report."""
    model = model_of(Deployment.of_template())
    yield from _growth(model)
    yield from _limits(model)
    yield from _rates(model)


def _growth(model: Model) -> Iterator[str]:
    idle = runs.idle_month()
    batch, concurrency = model.check_ms(BATCH), model.deployment.concurrency
    yield f"{NEVER_PAID:.0%} are never paid; {model.full.checks:.1f} checks per payment"
    yield f"A batch of ten takes {batch:.0f} ms; {concurrency} concurrent batches are"
    rate, due = model.checks_per_second, model.due_per_minute
    yield f"{rate:,.0f} checks per second; a sweep sends {due:,.0f} due checks"
    yield ""
    yield "              sent at once:   per minute: messages        $      $ for"
    yield "  payments   all checked in      per batch   per month  a million"
    for payments in GROWTH:
        month, million = (
            model.dollars_per_month(payments, idle),
            model.dollars_per_payment(payments),
        )
        yield (
            f"{payments:10,}{model.seconds_to_check_all(payments):16,.1f} s"
            f"{model.messages_per_batch(payments):15.1f}{month:11,.0f}{million * 1e6:11.2f}"
        )
    yield f"A month without payments: ${dollars(idle):.2f}"


def _limits(model: Model) -> Iterator[str]:
    yield ""
    yield "Limits, by the payments per minute at which they are reached"
    for limit in limits(model):
        yield f"{limit.payments:12,.0f}  {limit.name:42} then: {limit.remedy}"
        yield f"{'':14}{limit.source}"


def _rates(model: Model) -> Iterator[str]:
    yield ""
    for payments in RATES:
        reached = [it.name for it in limits(model) if it.payments < payments]
        yield f"At {payments:,} payments per minute: " + ("; ".join(reached) or "within all limits")
        needed = model.concurrency_for(payments)
        growth = max(needed - quotas.QUEUE_BATCHES_AT_FIRST.value, 0)
        seconds = growth / quotas.QUEUE_BATCHES_MORE_PER_MINUTE.value * 60
        yield f"  needs MaximumConcurrency {needed}, which Lambda reaches after {seconds:.0f} s"


if __name__ == "__main__":
    sys.exit(main())
