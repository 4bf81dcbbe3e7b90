"""The results of the mutants: saved as JSON and Markdown, and checked against the requirements."""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.mutation import plan
from tests.mutation.mutator import fingerprint

HERE = Path(__file__).parent
REPORT, SUMMARY, REASONS = HERE / "report.json", HERE / "report.md", HERE / "survivors.toml"

KILLED, TIMEOUT, SURVIVED = "killed", "timeout", "survived"
CRITICAL_PART = "critical functions (what decides paid, and the outbox's writes)"
EQUIVALENT = "equivalent: "
"""The start of the reason of an equivalent mutant, which no test can kill."""


class MutantKey(NamedTuple):
    """Identifies a mutant by its code, not by a line number, which would change too often."""

    module: str
    function: str
    line: str
    mutation: str

    def __str__(self) -> str:
        """Return a readable form."""
        return f"{self.module}.{self.function}: {self.line}: {self.mutation}"


@dataclass(frozen=True, slots=True)
class MutantResult:
    """A mutant and its status: KILLED, TIMEOUT or SURVIVED."""

    key: MutantKey
    status: str

    @property
    def survived(self) -> bool:
        """Whether no test failed."""
        return self.status == SURVIVED

    @property
    def critical(self) -> bool:
        """Whether the mutant is in a function in which none may survive."""
        return self.key.function in plan.CRITICAL.get(self.key.module, ())


Reasons = dict[MutantKey, str]


def load_reasons(path: Path = REASONS) -> Reasons:
    """Return the reason of each known survivor."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["survivor"]
    return {_key_of(entry): entry["reason"] for entry in entries}


def violations(results: Sequence[MutantResult], reasons: Reasons) -> Iterator[str]:
    """Yield the violations of the requirements."""
    survivors = {result.key: result for result in results if result.survived}
    for key, result in survivors.items():
        if key not in reasons:
            yield f"survived without a reason in survivors.toml: {key}"
        elif result.critical and not reasons[key].startswith(EQUIVALENT):
            yield f"survived in a critical function: {key}"
    for key in reasons.keys() - survivors.keys():
        yield f"has a reason in survivors.toml, but did not survive: {key}"
    if _killed_share(results) < plan.MIN_KILLED:
        yield f"only {_killed_share(results):.1%} killed, required {plan.MIN_KILLED:.0%}"


def save(results: Sequence[MutantResult], reasons: Reasons) -> None:
    """Write report.json and report.md."""
    modules = {module: fingerprint(plan.code(module)) for module in plan.TESTS}
    entries = []
    for result in results:
        reason = {"reason": reasons[result.key]} if result.key in reasons else {}
        entries.append({**result.key._asdict(), "status": result.status} | reason)
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    text = f'{{"modules": {json.dumps(modules, indent=1)},\n"mutants": [\n{lines}\n]}}\n'
    REPORT.write_text(text, encoding="utf-8")
    SUMMARY.write_text(markdown(results, reasons), encoding="utf-8")


def load(path: Path = REPORT) -> tuple[dict[str, str], list[MutantResult]]:
    """Return the fingerprints of the mutated modules, and the results."""
    document = json.loads(path.read_text(encoding="utf-8"))
    results = [MutantResult(_key_of(entry), entry["status"]) for entry in document["mutants"]]
    return document["modules"], results


def _key_of(entry: Mapping[str, str]) -> MutantKey:
    return MutantKey(*(entry[name] for name in MutantKey._fields))


def markdown(results: Sequence[MutantResult], reasons: Reasons) -> str:
    """Return the report for people: figures by module, and each survivor with its reason."""
    of = {module: [each for each in results if each.key.module == module] for module in plan.TESTS}
    of["all"] = list(results)
    of[CRITICAL_PART] = [each for each in results if each.critical]
    lines = [
        "# Mutants",
        "",
        "Written by `make mutants`.",
        "",
        "| module | mutants | killed | by time-out | survived | equivalent | killed |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(_figures(name, part, reasons) for name, part in of.items() if part),
        "",
        "## Survivors",
        "",
        *(f"* `{each.key}`  \n  {reasons.get(each.key, '?')}" for each in results if each.survived),
    ]
    return "\n".join(lines) + "\n"


def _figures(name: str, results: Sequence[MutantResult], reasons: Reasons) -> str:
    survivors = [each for each in results if each.survived]
    timeouts = sum(each.status == TIMEOUT for each in results)
    equivalent = sum(reasons.get(each.key, "").startswith(EQUIVALENT) for each in survivors)
    counts = (len(results), len(results) - len(survivors), timeouts, len(survivors), equivalent)
    columns = " | ".join(f"{count:,}" for count in counts)
    return f"| {name} | {columns} | {_killed_share(results):.1%} |"


def _killed_share(results: Sequence[MutantResult]) -> float:
    return sum(not each.survived for each in results) / len(results)
