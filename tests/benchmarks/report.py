"""The results of a run: a table for people, and JSON that is committed."""

import json
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypedDict

from tests.benchmarks.cpu_pinning import CPUS
from tests.benchmarks.figures import BenchmarkResult
from tests.support.runtime import PYTHON

RESULTS = Path(__file__).parent / "results"
MEASURED = (
    *("aws-lambda-powertools", "awslambdaric", "boto3", "botocore", "pydantic", "pydantic-core"),
    *("requests", "urllib3"),
)
"""The packages whose versions are reported."""


class Machine(TypedDict):
    """The machine of the measurements."""

    cores: int
    cpu: str
    system: str
    python: str
    openssl: str
    versions: dict[str, str]


class ResultsFile(TypedDict):
    """The content of a file of results."""

    date: str
    machine: Machine
    rows: list[BenchmarkResult]


def table(results: Sequence[BenchmarkResult]) -> str:
    """Return *results* as a table in Markdown."""
    head = ["row", "A", "B", "A/B", "p10", "p90", "CPU ms A", "CPU ms B", "target", "stretch", ""]
    lines = [head, ["---"] + ["---:"] * 9 + ["---"]]
    for each in results:
        measured = [f"{format_figure(value)} {each.unit}" for value in (each.a, each.b)]
        ratios = [f"{value:.3g}" for value in (each.ratio, each.p10, each.p90)]
        cpus = ["" if value is None else format_figure(value) for value in (each.cpu_a, each.cpu_b)]
        targets = [format_target(each, value) for value in (each.target, each.stretch)]
        lines.append([each.name, *measured, *ratios, *cpus, *targets, each.reached])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def format_figure(value: float) -> str:
    """Return *value* with three significant digits, or more if its integer part has more."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def format_target(result: BenchmarkResult, limit: float | None) -> str:
    """Return a target such as "≤ 0.5", "" for None."""
    sign = "≤" if result.better == "lower" else "≥"
    return "" if limit is None else f"{sign} {limit:g}"


def save(results: Sequence[BenchmarkResult], folder: Path = RESULTS) -> Path:
    """Write today's results; return the file's path."""
    today = datetime.now(UTC).date().isoformat()
    document = {"date": today, "machine": machine(), "rows": [asdict(each) for each in results]}
    path = folder / f"{today}.json"
    folder.mkdir(exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return path


def latest(folder: Path = RESULTS) -> ResultsFile:
    """Return the newest results."""
    document: dict[str, Any] = json.loads(max(folder.glob("20*.json")).read_text(encoding="utf-8"))
    results = [BenchmarkResult(**each) for each in document["rows"]]
    return {"date": document["date"], "machine": document["machine"], "rows": results}


def machine() -> Machine:
    """Return a description of this machine, without any paths."""
    script = (
        "import platform, ssl; print(platform.python_version(), ssl.OPENSSL_VERSION, sep='\\n')"
    )
    done = subprocess.run(  # noqa: S603 - a fixed command
        [PYTHON, "-c", script], capture_output=True, text=True, check=True
    )
    python, openssl = done.stdout.splitlines()
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
