"""C16: the HTTP API by schemathesis, against its own OpenAPI document."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

from tests.fault_injection.api_front import AUTHORIZATION, Answer, Change, front, ours
from tests.fault_injection.oracle import Verdict
from tests.fault_injection.results import Outcome, Tick
from tests.support.template import ROOT

DOCUMENT = ROOT / "events" / "openapi.json"

# Every check but the two about what API Gateway answers by itself, before our handler: it has 403
# where schemathesis wants 401 for a missing Authorization, and 404 for a method without a route.
LEFT_OUT = "missing_required_header,unsupported_method"


def lax(answer: Answer) -> Answer:
    """Let a bad request pass for a good one: a control."""
    return answer | {"statusCode": 200} if answer["statusCode"] == 400 else answer


def talkative(answer: Answer) -> Answer:
    """Say more than the document says: a control."""
    body = json.loads(answer["body"]) | {"checks": "many"}
    return answer | {"body": json.dumps(body)}


def schema(size: int, dice: Random, _tick: Tick, change: Change = ours) -> Outcome:
    """Make *size* cases for each operation in each phase: examples, coverage, fuzzing, stateful."""
    with front(change) as url, tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        done = subprocess.run(  # noqa: S603 - our own command line
            [
                *(sys.executable, "-m", "schemathesis.cli", "run", str(DOCUMENT), "--no-color"),
                *("--url", url, "--header", f"Authorization: {AUTHORIZATION}"),
                *("--checks", "all", "--exclude-checks", LEFT_OUT, "--continue-on-failure"),
                *("--max-examples", str(size), "--seed", str(dice.randrange(1 << 31))),
                *("--report", "json", "--report-json-path", str(report)),
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        cases = json.loads(report.read_text(encoding="utf-8"))["test_cases"]
    problems = () if done.returncode == 0 else (done.stdout[-3000:],)
    return Outcome(cases["generated"], 0, Verdict(), problems)
