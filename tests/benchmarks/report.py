"""The results: a table for people, and JSON that is committed."""

import json
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypedDict

from tests.benchmarks.cpus import CPUS
from tests.benchmarks.figures import Row
from tests.contract.runtime import PYTHON

RESULTS = Path(__file__).parent / "results"
MEASURED = (
    *("aws-lambda-powertools", "awslambdaric", "boto3", "botocore", "pydantic", "pydantic-core"),
    *("requests", "urllib3"),
)
"""Packages whose version matters."""


class Machine(TypedDict):
    """Where it was measured."""

    cores: int
    cpu: str
    system: str
    python: str
    openssl: str
    versions: dict[str, str]


class Results(TypedDict):
    """A file of results."""

    date: str
    machine: Machine
    rows: list[Row]


def table(rows: Sequence[Row]) -> str:
    """Return *rows* as a table in Markdown."""
    head = ["row", "A", "B", "A/B", "p10", "p90", "CPU ms A", "CPU ms B", "target", "stretch", ""]
    lines = [head, ["---"] + ["---:"] * 9 + ["---"]]
    for row in rows:
        measured = [f"{figure(value)} {row.unit}" for value in (row.a, row.b)]
        ratios = [f"{value:.3g}" for value in (row.ratio, row.p10, row.p90)]
        cpus = ["" if value is None else figure(value) for value in (row.cpu_a, row.cpu_b)]
        aims = [aim(row, value) for value in (row.target, row.stretch)]
        lines.append([row.name, *measured, *ratios, *cpus, *aims, row.reached])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def figure(value: float) -> str:
    """Return *value* as people read it: three digits, and all that stand before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def aim(row: Row, limit: float | None) -> str:
    """Return what a ratio is to reach, in a few signs."""
    sign = "≤" if row.better == "lower" else "≥"
    return "" if limit is None else f"{sign} {limit:g}"


def save(rows: Sequence[Row], folder: Path = RESULTS) -> Path:
    """Write the results of today; return where to."""
    today = datetime.now(UTC).date().isoformat()
    document = {"date": today, "machine": machine(), "rows": [asdict(row) for row in rows]}
    path = folder / f"{today}.json"
    folder.mkdir(exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return path


def latest(folder: Path = RESULTS) -> Results:
    """Return the newest results."""
    document: dict[str, Any] = json.loads(max(folder.glob("20*.json")).read_text(encoding="utf-8"))
    rows = [Row(**row) for row in document["rows"]]
    return {"date": document["date"], "machine": document["machine"], "rows": rows}


def machine() -> Machine:
    """Return what this machine is, and nothing of where on it things lie."""
    ask = "import platform, ssl; print(platform.python_version(), ssl.OPENSSL_VERSION, sep='\\n')"
    told = subprocess.run(  # noqa: S603 - our own command line
        [PYTHON, "-c", ask], capture_output=True, text=True, check=True
    )
    python, openssl = told.stdout.splitlines()
    return {
        "cores": len(CPUS),
        "cpu": f"{_model()} ({platform.machine()})",
        "system": platform.system(),
        "python": python,
        "openssl": openssl,
        "versions": {name: version(name) for name in MEASURED},
    }


def _model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown"
