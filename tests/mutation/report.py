"""What came of the mutants: kept as JSON, told as Markdown, and held to what is wanted."""

import json
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.mutation import plan
from tests.mutation.mutator import fingerprint

HERE = Path(__file__).parent
REPORT, SUMMARY, REASONS = HERE / "report.json", HERE / "report.md", HERE / "survivors.toml"

KILLED, TIMEOUT, SURVIVED = "killed", "timeout", "survived"
EQUIVALENT = "equivalent: "
"""How the reason of a mutant starts that does the same as the code: no test can tell it."""


class Key(NamedTuple):
    """Which mutant it is, in words of the code, for line numbers move."""

    module: str
    function: str
    line: str
    mutation: str

    def __str__(self) -> str:
        """Return it for people."""
        return f"{self.module}.{self.function}: {self.line}: {self.mutation}"


@dataclass(frozen=True, slots=True)
class Row:
    """A mutant and what came of it."""

    key: Key
    verdict: str

    @property
    def alive(self) -> bool:
        """Whether no test noticed."""
        return self.verdict == SURVIVED

    @property
    def vital(self) -> bool:
        """Whether it stands where nothing may survive."""
        return self.key.function in plan.VITAL.get(self.key.module, ())


Reasons = dict[Key, str]


def reasons(path: Path = REASONS) -> Reasons:
    """Return why each known survivor survives."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["survivor"]
    return {Key(*(entry[name] for name in Key._fields)): entry["reason"] for entry in entries}


def complaints(rows: Sequence[Row], known: Reasons) -> Iterator[str]:
    """Yield what is not as it must be."""
    survivors = {row.key: row for row in rows if row.alive}
    for key, row in survivors.items():
        if key not in known:
            yield f"no test notices, and survivors.toml does not say why: {key}"
        elif row.vital and not known[key].startswith(EQUIVALENT):
            yield f"here none may survive: {key}"
    for key in known.keys() - survivors.keys():
        yield f"survivors.toml says why it survives, but it does not: {key}"
    if _share(rows) < plan.WANTED:
        yield f"killed are {_share(rows):.1%}, wanted are {plan.WANTED:.0%}"


def save(rows: Sequence[Row], known: Reasons) -> None:
    """Write report.json and report.md."""
    modules = {module: fingerprint(plan.code(module)) for module in plan.TESTS}
    shown = [{**row.key._asdict(), "verdict": row.verdict} for row in rows]
    for row in shown:
        if reason := known.get(Key(*(row[name] for name in Key._fields))):
            row["reason"] = reason
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in shown)
    text = f'{{"modules": {json.dumps(modules, indent=1)},\n"rows": [\n{lines}\n]}}\n'
    REPORT.write_text(text, encoding="utf-8")
    SUMMARY.write_text(markdown(rows, known), encoding="utf-8")


def load(path: Path = REPORT) -> tuple[dict[str, str], list[Row]]:
    """Return the fingerprints of the modules that were mutated, and the rows."""
    document = json.loads(path.read_text(encoding="utf-8"))
    rows = [
        Row(Key(*(row[name] for name in Key._fields)), row["verdict"]) for row in document["rows"]
    ]
    return document["modules"], rows


def markdown(rows: Sequence[Row], known: Reasons) -> str:
    """Return the report for people: figures by module, and each survivor with its reason."""
    of = {module: [row for row in rows if row.key.module == module] for module in plan.TESTS}
    of["all"] = list(rows)
    of["what decides paid, and the two writes of the outbox"] = [row for row in rows if row.vital]
    lines = [
        "# Mutants",
        "",
        "Written by `make mutants`.",
        "",
        "| where | mutants | killed | of these by time-out | survived | of these equivalent | |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(_figures(name, part, known) for name, part in of.items() if part),
        "",
        "## Survivors",
        "",
        *(f"* `{row.key}`  \n  {known.get(row.key, '?')}" for row in rows if row.alive),
    ]
    return "\n".join(lines) + "\n"


def _figures(name: str, rows: Sequence[Row], known: Reasons) -> str:
    alive = [row for row in rows if row.alive]
    late = sum(row.verdict == TIMEOUT for row in rows)
    same = sum(known.get(row.key, "").startswith(EQUIVALENT) for row in alive)
    figures = (len(rows), len(rows) - len(alive), late, len(alive), same)
    return f"| {name} | {' | '.join(f'{each:,}' for each in figures)} | {_share(rows):.1%} |"


def _share(rows: Sequence[Row]) -> float:
    return sum(not row.alive for row in rows) / len(rows)
