"""make scale: how cost and time grow, which limit is reached first; CPU=1 measures before."""

import os
import sys
from collections.abc import Iterator

from tests.benchmarks import cpu_time, runs
from tests.benchmarks.cost import SIZE
from tests.benchmarks.durations import measured
from tests.benchmarks.limits import limits
from tests.benchmarks.model import BATCH, CONCURRENCY, Model
from tests.benchmarks.payers import NEVER_PAID
from tests.benchmarks.prices import dollars

GROWTH = (1, 10, 100, 1_000, 10_000, 100_000)


def main() -> int:
    """Print the report; with CPU measure the CPU time of this machine before."""
    if os.environ.get("CPU"):
        cpu_time.save()
    sys.stdout.write("\n".join(report(_counted())) + "\n")
    return 0


def _counted() -> Model:
    """Return the model with payments that are counted now."""
    full, single = (
        runs.mixed(
            runs.payments(SIZE, batch), runs.payments(SIZE // 10, batch, paid_after=runs.never)
        )
        for batch in (BATCH, 1)
    )
    return Model(full, single, measured())


def report(model: Model) -> Iterator[str]:
    """Yield the lines of the report."""
    idle = runs.idle_month()
    rate, due = model.checks_per_second, model.due_per_minute
    yield f"{NEVER_PAID:.0%} are never paid; {model.full.checks:.1f} checks per payment"
    yield f"A batch of ten takes {model.check_ms(BATCH):.0f} ms; {CONCURRENCY} concurrent ones are"
    yield f"{rate:,.0f} checks per second; a sweep sends {due:,.0f} due checks"
    yield ""
    yield "              sent at once:   per minute: messages        $      $ for"
    yield "  payments   all checked in      per batch   per month  a million"
    for payments in GROWTH:
        month, each = model.dollars_per_month(payments, idle), model.dollars_per_payment(payments)
        yield (
            f"{payments:10,}{model.seconds_to_check_all(payments):16,.1f} s"
            f"{model.messages_per_batch(payments):15.1f}{month:11,.0f}{each * 1e6:11.2f}"
        )
    yield f"A month without payments: ${dollars(idle):.2f}"
    yield ""
    yield "Limits, by the payments per minute at which they are reached"
    for limit in limits(model):
        yield f"{limit.payments:12,.0f}  {limit.name:42} then: {limit.remedy}"
        yield f"{'':14}{limit.source}"


if __name__ == "__main__":
    sys.exit(main())
