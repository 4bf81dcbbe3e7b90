"""make mutants: runs all modules of the plan, or ONLY=<part of module.function>."""

import os
import sys
from collections.abc import Sequence

from tests.mutation import plan, report, runner
from tests.mutation.mutator import Mutant, mutants, unchanged
from tests.support.progress import progress


def main() -> int:
    """Run the mutants and write the report; return the exit code, 1 after a violation."""
    only = os.environ.get("ONLY", "")
    everything = [mutant for module in plan.TESTS for mutant in _of(module)]
    selected = [each for each in everything if only in f"{each.module}.{each.function}"]
    modules = list(dict.fromkeys(each.module for each in selected))
    if not selected:
        sys.stderr.write(f"no module or function matches {only}\n")
        return 2
    if not _tests_pass(modules):
        return 1
    results, reasons = _run(selected), report.load_reasons()
    if only:  # the report needs all mutants
        keys = {result.key for result in results}
        reasons = {key: reason for key, reason in reasons.items() if key in keys}
    else:
        report.save(results, reasons)
    sys.stdout.write(report.markdown(results, reasons))
    violations = list(report.violations(results, reasons))
    sys.stderr.writelines(f"{line}\n" for line in violations)
    return int(bool(violations))


def _of(module: str) -> list[Mutant]:
    return list(mutants(module, plan.code(module), str(plan.path(module))))


def _tests_pass(modules: Sequence[str]) -> bool:
    """Say whether the tests pass on unchanged code, in this process and as mutants are run."""
    if not runner.warm_up(modules):
        sys.stderr.write("the tests fail without any mutant\n")
        return False
    controls = [unchanged(module, plan.code(module), str(plan.path(module))) for module in modules]
    failed = [each.module for each, status in runner.run(controls) if status != report.SURVIVED]
    if failed:
        sys.stderr.write(f"the tests fail on unchanged code when run as a mutant: {failed}\n")
    return not failed


def _run(selected: Sequence[Mutant]) -> list[report.MutantResult]:
    """Run mutants; return their results in the order of the code."""
    statuses: dict[int, str] = {}
    for mutant, status in runner.run(selected):
        statuses[id(mutant)] = status
        survived = sum(each == report.SURVIVED for each in statuses.values())
        progress(len(statuses), len(selected), f"{survived} survived")
    return [
        report.MutantResult(
            report.MutantKey(each.module, each.function, each.line, each.mutation),
            statuses[id(each)],
        )
        for each in selected
    ]


if __name__ == "__main__":
    sys.exit(main())
