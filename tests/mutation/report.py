"""The report: by module its figures, its survivors, and the fingerprint of the code."""

import ast
import hashlib
import json
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.mutation.mutants import CONFIG, Mutant, path

REPORT, REASONS = (Path(__file__).with_name(name) for name in ("report.json", "survivors.toml"))
EQUIVALENT = "equivalent: "
"""The start of the reason of an equivalent mutant, which no test can kill."""

Report = dict[str, dict[str, Any]]
Key = tuple[str, str, str]
"""Identifies a mutant: its module, and the lines before and after."""


def load() -> Report:
    """Return the report as it was saved, empty if it was not."""
    report: Report = json.loads(REPORT.read_text("utf-8")) if REPORT.exists() else {}
    return {module: report[module] for module in CONFIG["modules"] if module in report}


def load_reasons() -> dict[Key, str]:
    """Return the reason of each known survivor."""
    entries = tomllib.loads(REASONS.read_text("utf-8")).get("survivor", [])
    return {(each["module"], each["was"], each["now"]): each["reason"] for each in entries}


def result(module: str, results: Sequence[tuple[Mutant, str]]) -> dict[str, Any]:
    """Return what the report says of *module*."""
    counts = Counter(status for _, status in results)
    survived = sorted((m.definition, m.was, m.now) for m, status in results if status == "survived")
    return {
        "fingerprint": fingerprint(path(module).read_text("utf-8")),
        "mutants": len(results),
        **{status: counts[status] for status in ("killed", "timeout", "survived")},
        "survivors": [dict(zip(("in", "was", "now"), each, strict=True)) for each in survived],
    }


def fingerprint(source: str) -> str:
    """Return a hash of the code, independent of comments, docstrings and the version of Python."""
    return hashlib.sha256(repr(_structure(ast.parse(source).body)).encode()).hexdigest()[:16]


def _structure(value: Any) -> Any:
    match value:
        case list():
            return [_structure(each) for each in value if not _is_docstring(each)]
        case ast.AST():
            fields = [(name, _structure(each)) for name, each in ast.iter_fields(value)]
            return type(value).__name__, [
                (n, each) for n, each in fields if each not in ("None", [])
            ]
    return repr(value)


def _is_docstring(node: Any) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def violations(report: Report, reasons: dict[Key, str]) -> Iterator[str]:
    """Yield the violations of the requirements by the modules of *report*."""
    survivors = [
        ((module, each["was"], each["now"]), each["in"])
        for module, part in report.items()
        for each in part["survivors"]
    ]
    for key, definition in survivors:
        critical = {definition, "*"} & {*CONFIG["modules"][key[0]].get("critical", ())}
        if not reasons.get(key, "").startswith(EQUIVALENT if critical else ""):
            yield f"survived in a critical definition, and is not equivalent: {key}"
        elif key not in reasons:
            yield f"survived without a reason in survivors.toml: {key}"
    for key in reasons.keys() - {key for key, _ in survivors}:
        yield from [f"did not survive: {key}"] if key[0] in report else []
    if (share := score(report, reasons)) < CONFIG["min_killed"]:
        yield f"only {share:.1%} killed"


def score(report: Report, reasons: dict[Key, str]) -> float:
    """Return the share of killed mutants among those that are not equivalent."""
    survived, total = (
        sum(int(part[name]) for part in report.values()) for name in ("survived", "mutants")
    )
    equivalent = sum(
        reasons.get((module, each["was"], each["now"]), "").startswith(EQUIVALENT)
        for module, part in report.items()
        for each in part["survivors"]
    )
    return (total - survived) / (total - equivalent)
