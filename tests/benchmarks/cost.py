"""make cost: dollars for a million checks and payments, of payresult and of four other designs."""

import sys
from collections.abc import Callable, Iterator
from random import Random

from tests.benchmarks import runs
from tests.benchmarks.designs import designs
from tests.benchmarks.durations import WAITS, measured
from tests.benchmarks.payers import PAYERS
from tests.benchmarks.prices import MILLION, PRICES, Usage, bill, dollars, scaled

SIZE = 1000
TRUST = {"AWS": "AWS's own page", "copy": "another site", "unconfirmed": "NOT CONFIRMED"}


def main() -> int:
    """Print the report."""
    sys.stdout.write("\n".join(report()) + "\n")
    return 0


def report() -> Iterator[str]:
    """Yield the lines of the report."""
    checks, single_checks = runs.fast_checks(SIZE), runs.fast_checks(SIZE // 5, batch=1)
    typical, single = runs.payments(SIZE), runs.payments(SIZE // 5, batch=1)
    yield from _title("payresult, counted: the calls, items and bytes of the real handlers")
    yield from _run_line("1,000,000 checks, unsettled, in the fast phase", checks)
    yield from _run_line("  the same, one message per batch (little traffic)", single_checks)
    yield from _run_line("1,000,000 payments, paid by the payers below", typical)
    yield from _run_line("  the same, one message per batch (little traffic)", single)
    kinds: dict[str, Callable[[Random], float]] = {f"paid by {it.name}": it.delay for it in PAYERS}
    kinds |= {"paid before the first check": runs.immediately, "never paid": runs.never}
    for kind, paid_after in kinds.items():
        run = runs.payments(SIZE // 2, paid_after=paid_after)
        yield from _run_line(f"1,000,000 payments, {kind}", run)
    yield from _run_line("1,000,000 GETs of a settled payment (HTTP)", runs.settled_gets(SIZE))
    waits = runs.waits(SIZE // 20)
    paid = f"{dollars(waits.used) * 1000:10.2f}"
    yield f"{paid}  1,000 waits of 20 s (HTTP), {waits.checks:.1f} queries each"
    stored = dollars(scaled(runs.storage_month(), MILLION))
    yield f"{stored:10,.2f}  1,000,000 payments stored, a month"
    yield from _title("Fixed cost, a month")
    yield from _lines(runs.idle_month())
    yield from _title("1,000,000 checks in the fast phase, by what is billed")
    yield from _lines(scaled(checks.used, MILLION))
    yield from _title("1,000,000 payments, by what is billed")
    yield from _lines(scaled(typical.used, MILLION))
    yield from _others(checks, typical)
    yield from _assumed()
    yield from _prices()


def _others(checks: runs.Run, typical: runs.Run) -> Iterator[str]:
    yield from _title(f"Other designs, modelled: {typical.checks:.1f} checks a payment")
    yield "  $/1M checks  $/1M payments"
    yield _pair(checks.used, typical.used, "payresult, counted")
    for design in designs():
        yield _pair(design.check, design.payment(typical.checks), design.name)


def _pair(check: Usage, payment: Usage, name: str) -> str:
    return f"{dollars(check) * MILLION:13,.2f}{dollars(payment) * MILLION:15,.2f}  {name}"


def _run_line(name: str, run: runs.Run) -> Iterator[str]:
    total = dollars(run.used) * MILLION
    batch = f"{run.batch:.1f} messages per batch" if run.batch else ""
    checks = f"{run.checks:.1f} checks, " if run.batch else ""
    yield f"{total:10,.2f}  {name:50} {checks}{batch}".rstrip()


def _lines(used: Usage) -> Iterator[str]:
    for name, cost in sorted(bill(used).items(), key=lambda each: -each[1]):
        if used[name]:
            yield f"{cost:10,.3f}  {used[name]:16,.2f} {name}"
    yield f"{dollars(used):10,.3f}  total"


def _title(text: str) -> Iterator[str]:
    yield ""
    yield text
    yield "-" * len(text)


def _assumed() -> Iterator[str]:
    yield from _title("Assumed, not measured")
    waits = ", ".join(
        f"{dependency} {milliseconds:g} ms" for dependency, milliseconds in WAITS.items()
    )
    yield f"  response times: {waits}"
    for it in PAYERS:
        half = f"half after {it.median:,.0f} s (log-normal, sigma {it.sigma:g})"
        yield f"  {it.share:.0%} of the payers: {it.name}, {half}"
    yield "  CPU was not measured on Lambda; waiting and CPU time do not overlap"
    for function, cpu in measured()["cpu_ms"].items():
        yield f"  CPU of {function}: {cpu['invocation']:g} ms, and {cpu['record']:g} ms a record"
    yield f"  an empty queue is polled {runs.POLLERS} times each {runs.POLL_SECONDS} s"


def _prices() -> Iterator[str]:
    yield from _title("List prices of us-east-1, without free tier and discounts")
    for name, price in PRICES.items():
        yield f"  {name:22} ${price.dollars:.10f}".rstrip("0").ljust(42) + TRUST[price.trust]
        yield f"  {'':22} {price.source} ({price.date})" if price.date else f"  {'':22} no source"


if __name__ == "__main__":
    sys.exit(main())
