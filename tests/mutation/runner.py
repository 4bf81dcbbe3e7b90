"""Runs tests against mutants, each in a process of its own that is a copy of a warm one.

A mutant takes the module's place while it is imported, so whatever took a name from it at
import time has the mutant's. No file is changed.
"""

import gc
import os
import resource
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from types import CodeType
from typing import Any

import pytest
from hypothesis import Phase, settings

from tests.mutation import plan
from tests.mutation.mutator import Mutant

AT_A_TIME = 2
CPU_SECONDS = 30
"""Some ten times what the slowest tests of a module take."""

SECONDS = 120
"""For a mutant that waits, and uses no time of the processor."""

OURS = ("payresult", "tests.")
KEPT = ("tests.mutation", "tests.support.template")
"""The latter reads a long file, and nothing of the layer."""

PROFILE = "mutants"
# One failing example is enough; nobody wants the smallest one.
settings.register_profile(
    PROFILE, derandomize=True, deadline=None, database=None, phases=[Phase.explicit, Phase.generate]
)


class _Loader(SourceFileLoader):
    """Loads a module from code that somebody changed."""

    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - the finder saw to it
        return self._code


class _Finder(MetaPathFinder):
    """Finds the mutant in the place of its module."""

    def __init__(self, mutant: Mutant) -> None:
        self._name = f"payresult.{mutant.module}"
        self._mutant = mutant

    def find_spec(self, fullname: str, *_: Any) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        path = str(plan.path(self._mutant.module))
        loader = _Loader(fullname, path, self._mutant.code)
        return spec_from_file_location(fullname, path, loader=loader)


def warm_up(modules: Iterable[str]) -> bool:
    """Run the tests of the code as it is, say whether they pass, and forget what is ours.

    All that others wrote stays loaded, and the processes of the mutants start with it.
    """
    files = dict.fromkeys(file for module in modules for file in plan.tests(module))
    passed = _pytest(list(files)) == 0
    for name in list(sys.modules):
        if name.startswith(OURS) and not name.startswith(KEPT):
            del sys.modules[name]
    gc.freeze()  # so that no child looks at, and with that copies, all that it starts with
    return passed


def verdicts(mutants: Iterable[Mutant]) -> Iterator[tuple[Mutant, str]]:
    """Yield "killed", "timeout" or "survived" for each mutant, in the order of their ends."""
    waiting, running = iter(mutants), dict[int, Mutant]()
    while True:
        while len(running) < AT_A_TIME and (mutant := next(waiting, None)):
            running[_start(mutant)] = mutant
        if not running:
            return
        process, status = os.wait()
        yield running.pop(process), _verdict(os.waitstatus_to_exitcode(status))


def _verdict(code: int) -> str:
    if code in (-signal.SIGXCPU, -signal.SIGALRM):
        return "timeout"
    return "killed" if code else "survived"


def _start(mutant: Mutant) -> int:
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.alarm(SECONDS)
        gc.disable()
        sys.meta_path.insert(0, _Finder(mutant))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for output in (1, 2):
            os.dup2(nowhere, output)
        code = _pytest(plan.tests(mutant.module))
    finally:
        os._exit(code)


def _pytest(files: Sequence[str]) -> int:
    plain = (
        "-x",
        "-q",
        "--assert=plain",
        "-p",
        "no:cacheprovider",
        f"--hypothesis-profile={PROFILE}",
    )
    return int(pytest.main([*plain, *files]))
