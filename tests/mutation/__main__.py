"""make mutants: all modules of the plan, or ONLY=<part of module.function>, two at a time."""

import os
import sys
from collections.abc import Sequence

from tests.fault_injection.report import progress
from tests.mutation import plan, report, runner
from tests.mutation.mutator import Mutant, mutants, unchanged


def main() -> int:
    """Run all, write the report, say what is not as it must be, and return whether anything is."""
    only = os.environ.get("ONLY", "")
    everything = [mutant for module in plan.TESTS for mutant in _of(module)]
    chosen = [each for each in everything if only in f"{each.module}.{each.function}"]
    modules = list(dict.fromkeys(each.module for each in chosen))
    if not chosen:
        sys.stderr.write(f"no mutant of anything called {only}\n")
        return 2
    if not _healthy(modules):
        return 1
    rows, known = _run(chosen), report.reasons()
    if only:  # a part is no report
        known = {key: known[key] for key in known if key in {row.key for row in rows}}
    else:
        report.save(rows, known)
    sys.stdout.write(report.markdown(rows, known))
    found = list(report.complaints(rows, known))
    sys.stderr.writelines(f"{line}\n" for line in found)
    return int(bool(found))


def _of(module: str) -> list[Mutant]:
    return list(mutants(module, plan.code(module), str(plan.path(module))))


def _healthy(modules: Sequence[str]) -> bool:
    """Say whether the tests pass on the code as it is, also where the mutants will be run."""
    if not runner.warm_up(modules):
        sys.stderr.write("the tests fail without any mutant\n")
        return False
    controls = [unchanged(module, plan.code(module), str(plan.path(module))) for module in modules]
    failed = [
        each.module for each, verdict in runner.verdicts(controls) if verdict != report.SURVIVED
    ]
    if failed:
        sys.stderr.write(f"the tests fail on unchanged code where mutants run: {failed}\n")
    return not failed


def _run(chosen: Sequence[Mutant]) -> list[report.Row]:
    """Run mutants; their rows, in the order of the code."""
    came: dict[int, str] = {}
    for mutant, verdict in runner.verdicts(chosen):
        came[id(mutant)] = verdict
        alive = sum(each == report.SURVIVED for each in came.values())
        progress(len(came), len(chosen), f"{alive} survived")
    return [
        report.Row(report.Key(each.module, each.function, each.line, each.mutation), came[id(each)])
        for each in chosen
    ]


if __name__ == "__main__":
    sys.exit(main())
