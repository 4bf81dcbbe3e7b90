"""make scale: how cost and time grow, and which limit is met first; LOAD=1 measures first."""

import json
import os
import sys
from collections.abc import Iterator

from tests.benchmarks import quotas, runs
from tests.benchmarks.cost import SIZE
from tests.benchmarks.durations import MEASURED, measured
from tests.benchmarks.limits import limits
from tests.benchmarks.load import RESULT, run_all
from tests.benchmarks.machine import machine
from tests.benchmarks.model import BATCH, Deployment, Model
from tests.benchmarks.prices import dollars

GROWTH = (1, 10, 100, 1_000, 10_000, 100_000)
RATES = (1_000, 10_000, 100_000)


def main() -> int:
    """Measure where it is wanted, and print."""
    if os.environ.get("LOAD"):
        _keep_measures()
    sys.stdout.write("\n".join(report()) + "\n")
    return 0


def model_of(deployment: Deployment) -> Model:
    """The model of a deployment, with a payment that is counted now."""
    full, alone = (
        runs.mixed(
            runs.payments(SIZE, batch), runs.payments(SIZE // 10, batch, paid_after=runs.never)
        )
        for batch in (BATCH, 1)
    )
    return Model(deployment, full, alone, measured())


def report() -> Iterator[str]:
    """The lines of the report."""
    model = model_of(Deployment.of_template())
    yield from _growth(model)
    yield from _limits(model)
    yield from _first(model)
    yield from _loaded()


def _growth(model: Model) -> Iterator[str]:
    idle = runs.idle_month()
    batch, concurrency = model.check_ms(BATCH), model.deployment.concurrency
    yield f"{runs.NEVER_PAID:.0%} are never paid; {model.full.checks:.1f} checks a payment"
    yield f"A batch of ten takes {batch:.0f} ms: {model.checks_a_second:,.0f} checks a second by"
    yield f"{concurrency} at a time; a sweep sends {model.due_a_minute:,.0f} due checks"
    yield ""
    yield "               at once: each      a minute: messages        $      $ for"
    yield "  payments   is asked within      at a time    a month  a million"
    for payments in GROWTH:
        month, million = model.dollars_a_month(payments, idle), model.dollars_a_payment(payments)
        yield (
            f"{payments:10,}{model.seconds_to_ask_all(payments):16,.1f} s"
            f"{model.fill(payments):15.1f}{month:11,.0f}{million * 1e6:11.2f}"
        )
    yield f"A month without payments: ${dollars(idle):.2f}"


def _limits(model: Model) -> Iterator[str]:
    yield ""
    yield "Limits, by the payments a minute at which they are met"
    for limit in limits(model):
        yield f"{limit.payments:12,.0f}  {limit.name:42} then: {limit.then}"
        yield f"{'':14}{limit.source}"


def _first(model: Model) -> Iterator[str]:
    yield ""
    for payments in RATES:
        met = [it.name for it in limits(model) if it.payments < payments]
        yield f"At {payments:,} payments a minute: " + ("; ".join(met) or "no limit is met")
        wanted = model.concurrency_for(payments)
        more = max(wanted - quotas.QUEUE_BATCHES_AT_FIRST.most, 0)
        seconds = more / quotas.QUEUE_BATCHES_MORE_A_MINUTE.most * 60
        yield f"  wants MaximumConcurrency {wanted}, which Lambda has reached after {seconds:.0f} s"


def _loaded() -> Iterator[str]:
    kept = json.loads(RESULT.read_text(encoding="utf-8"))
    yield ""
    yield "The sandbox under load; its emulator is one process, and has no more than one core"
    yield "  payments  settled after  payments/s  checks/s  cores: emulator  functions"
    for row in kept["rows"]:
        yield (
            f"{row['payments']:10,}{row['seconds']:13.1f} s{row['payments_a_second']:12.1f}"
            f"{row['checks_a_second']:10.1f}{row['emulator_cores']:17.2f}"
            f"{row['functions_cores']:11.2f}"
        )
    yield f"  the emulator alone: the calls of {kept['emulator_checks_a_second']:.0f} checks/s"
    yield "  " + ", ".join(f"{name} {value}" for name, value in kept["machine"].items())


def _keep_measures() -> None:
    from tests.benchmarks import cpu  # noqa: PLC0415 - it is Linux's alone

    for path, found in ((MEASURED, {"cpu_ms": cpu.measure()}), (RESULT, run_all())):
        document = {"machine": machine()} | found
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
