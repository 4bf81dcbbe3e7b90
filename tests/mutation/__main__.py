"""make mutants: mutates the modules of mutation.toml, or those whose name ONLY matches.

Two mutants are tested at a time, each in a process with the libraries imported. cosmic-ray's own
distributors start Python for each mutant, which takes seconds, and write it into the checkout. Here
a forked process imports the mutant in place of its module, and no file changes.
"""

import gc
import json
import os
import re
import resource
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType

import pytest
from hypothesis import Phase, settings

from tests.mutation import report
from tests.mutation.mutants import CONFIG, LAYER, ROOT, Mutant, mutants, path, unchanged

PROCESSES = 2
MAX_CPU_SECONDS, MAX_SECONDS = 30, 120
"""About ten times what the slowest tests of a module take; the latter for one that only waits."""

OWN, KEPT = ("payresult", "tests."), ("tests.mutation", "tests.support.template")
"""Modules that are imported anew for each mutant, and those of them that import no mutant."""

# One failing example is enough, so hypothesis does not search for the smallest one.
PHASES = [Phase.explicit, Phase.generate]
settings.register_profile("mutants", derandomize=True, deadline=None, database=None, phases=PHASES)


def main() -> int:
    """Run the mutants and write the report; return the exit code, 1 after a violation."""
    os.environ["MUTANTS"] = "1"  # tests/unit/conftest.py
    wanted = re.compile(os.environ.get("ONLY", ""))
    modules = [each for each in CONFIG["modules"] if wanted.search(each)]
    tests = {
        module: [str(ROOT / "tests" / f"{name}.py") for name in CONFIG["modules"][module]["tests"]]
        for module in modules
    }
    if not modules or not _warm_up(file for files in tests.values() for file in files):
        sys.stderr.write("no module matches ONLY, or its tests fail without any mutant\n")
        return 1
    for module in modules:
        if [each for _, each in _run([unchanged(module)], tests[module])] != ["survived"]:
            sys.stderr.write(f"{module}: the tests fail on unchanged code when run as a mutant\n")
            return 1
        found = mutants(module, path(module).read_text("utf-8"))
        part = report.result(module, list(_run(found, tests[module])))
        text = json.dumps(report.load() | {module: part}, indent=1, ensure_ascii=False)
        report.REPORT.write_text(f"{text}\n", "utf-8")
        sys.stdout.write(f"{module}: {part['mutants']} mutants, {part['survived']} survived\n")
    now = {module: part for module, part in report.load().items() if module in modules}
    reasons = report.load_reasons()
    violations = list(report.violations(now, reasons))
    sys.stdout.write(f"{report.score(now, reasons):.2%} of those that are not equivalent killed\n")
    sys.stderr.writelines(f"{line}\n" for line in violations)
    return int(bool(violations))


def _warm_up(tests: Iterable[str]) -> bool:
    """Run *tests* on unchanged code, and unload our own modules; return whether they passed."""
    passed = _pytest(list(dict.fromkeys(tests))) == 0
    for name in list(sys.modules):
        if name.startswith(OWN) and not name.startswith(KEPT):
            del sys.modules[name]
    gc.freeze()  # a collection in a forked process would copy all memory
    return passed


def _run(mutants: Iterable[Mutant], tests: Sequence[str]) -> Iterator[tuple[Mutant, str]]:
    """Yield the status of each mutant, in the order in which they end."""
    waiting, running = iter(mutants), dict[int, Mutant]()
    while True:
        while len(running) < PROCESSES and (mutant := next(waiting, None)):
            running[_start(mutant, tests)] = mutant
        if not running:
            return
        process, status = os.wait()
        code = os.waitstatus_to_exitcode(status)
        is_timeout = code in (-signal.SIGXCPU, -signal.SIGALRM)
        yield running.pop(process), "timeout" if is_timeout else "killed" if code else "survived"


def _start(mutant: Mutant, tests: Sequence[str]) -> int:
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_SECONDS, MAX_CPU_SECONDS + 1))
        signal.alarm(MAX_SECONDS)
        gc.disable()
        for output in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), output)
        sys.path.insert(0, str(LAYER.parent))
        module = ModuleType(f"payresult.{mutant.module}")
        module.__file__ = str(path(mutant.module))
        sys.modules[module.__name__] = module
        exec(mutant.code, module.__dict__)  # noqa: S102 - as an import does
        code = _pytest(tests)
    finally:
        os._exit(code)


def _pytest(files: Sequence[str]) -> int:
    options = ("-x", "-q", "--assert=plain", "-p", "no:cacheprovider")
    return int(pytest.main([*options, "--hypothesis-profile=mutants", *files]))


if __name__ == "__main__":
    sys.exit(main())
