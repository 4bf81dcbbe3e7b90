"""Runs tests against mutants, two at a time, each in a process with the libraries imported.

cosmic-ray's own distributors start Python for each mutant, which takes seconds, and write it into
the checkout. Here a forked process imports the mutant in place of its module, and no file changes.
"""

import gc
import os
import resource
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType

import pytest
from hypothesis import Phase, settings

from tests.mutation.mutants import LAYER, Mutant, path

KILLED, TIMEOUT, SURVIVED = "killed", "timeout", "survived"
PROCESSES = 2
MAX_CPU_SECONDS, MAX_SECONDS = 30, 120
"""About ten times what the slowest tests of a module take; the latter for one that only waits."""

OWN, KEPT = ("payresult", "tests."), ("tests.mutation", "tests.support.template")
"""Modules that are imported anew for each mutant, and those of them that import no mutant."""

# One failing example is enough, so hypothesis does not search for the smallest one.
PHASES = [Phase.explicit, Phase.generate]
settings.register_profile("mutants", derandomize=True, deadline=None, database=None, phases=PHASES)


def warm_up(tests: Iterable[str]) -> bool:
    """Run *tests* on unchanged code, and unload our own modules; return whether they passed."""
    passed = _pytest(list(dict.fromkeys(tests))) == 0
    for name in list(sys.modules):
        if name.startswith(OWN) and not name.startswith(KEPT):
            del sys.modules[name]
    gc.freeze()  # a collection in a forked process would copy all memory
    return passed


def run(mutants: Iterable[Mutant], tests: Sequence[str]) -> Iterator[tuple[Mutant, str]]:
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
        yield running.pop(process), TIMEOUT if is_timeout else KILLED if code else SURVIVED


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
