"""make mutants: mutates the modules of mutation.toml, or those with ONLY in their name."""

import json
import os
import sys

from tests.mutation import report, runner
from tests.mutation.mutants import CONFIG, ROOT, mutants, path, unchanged


def main() -> int:
    """Run the mutants and write the report; return the exit code, 1 after a violation."""
    modules = [each for each in CONFIG["modules"] if os.environ.get("ONLY", "") in each]
    tests = {
        module: [str(ROOT / "tests" / f"{name}.py") for name in CONFIG["modules"][module]["tests"]]
        for module in modules
    }
    if not runner.warm_up(file for files in tests.values() for file in files):
        sys.stderr.write("no module matches ONLY, or its tests fail without any mutant\n")
        return 1
    for module in modules:
        if [each for _, each in runner.run([unchanged(module)], tests[module])] != ["survived"]:
            sys.stderr.write(f"{module}: the tests fail on unchanged code when run as a mutant\n")
            return 1
        found = mutants(module, path(module).read_text("utf-8"))
        part = report.result(module, list(runner.run(found, tests[module])))
        text = json.dumps(report.load() | {module: part}, indent=1, ensure_ascii=False)
        report.REPORT.write_text(f"{text}\n", "utf-8")
        sys.stdout.write(f"{module}: {part['mutants']} mutants, {part['survived']} survived\n")
    now = {module: part for module, part in report.load().items() if module in modules}
    reasons = report.load_reasons()
    violations = list(report.violations(now, reasons))
    sys.stdout.write(f"{report.score(now, reasons):.2%} of those that are not equivalent killed\n")
    sys.stderr.writelines(f"{line}\n" for line in violations)
    return int(bool(violations))


if __name__ == "__main__":
    sys.exit(main())
