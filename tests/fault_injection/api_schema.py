"""C16: schemathesis tests the HTTP API against its OpenAPI document."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

from tests.fault_injection.api_server import (
    AUTHORIZATION,
    ResponseDocument,
    ResponseFilter,
    serve_api,
    unmodified,
)
from tests.fault_injection.results import CampaignRun, OnProgress
from tests.support.oracle import Verdict
from tests.support.template import ROOT

DOCUMENT = ROOT / "events" / "openapi.json"

# Excluded because API Gateway responds before the handler: with 403 where schemathesis expects 401
# for a missing Authorization, and with 404 for a method without a route.
EXCLUDED_CHECKS = "missing_required_header,unsupported_method"


def accept_bad_requests(response: ResponseDocument) -> ResponseDocument:
    """Replace the status 400 with 200: a control."""
    return response | {"statusCode": 200} if response["statusCode"] == 400 else response


def add_undocumented_field(response: ResponseDocument) -> ResponseDocument:
    """Add a field that the OpenAPI document does not have: a control."""
    body = json.loads(response["body"]) | {"checks": "many"}
    return response | {"body": json.dumps(body)}


def _refuse_decimals_as_a_conflict(response: ResponseDocument) -> ResponseDocument:
    """Replace the 400 for an amount with too many decimals for its currency with 409.

    That is a rule between two fields. The document states it in words, so schemathesis would take
    its 400 for the refusal of a valid request.
    """
    refused = response["statusCode"] == 400 and " decimals (" in response["body"]
    return response | {"statusCode": 409} if refused else response


def check_schema(
    size: int, rng: Random, _tick: OnProgress, change: ResponseFilter = unmodified
) -> CampaignRun:
    """Run *size* cases for each operation and phase: examples, coverage, fuzzing, stateful."""

    def changed(response: ResponseDocument) -> ResponseDocument:
        return change(_refuse_decimals_as_a_conflict(response))

    with serve_api(changed) as url, tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        done = subprocess.run(  # noqa: S603 - a fixed command
            [
                *(sys.executable, "-m", "schemathesis.cli", "run", str(DOCUMENT), "--no-color"),
                *("--url", url, "--header", f"Authorization: {AUTHORIZATION}"),
                *("--checks", "all", "--exclude-checks", EXCLUDED_CHECKS, "--continue-on-failure"),
                *("--max-examples", str(size), "--seed", str(rng.randrange(1 << 31))),
                *("--report", "json", "--report-json-path", str(report)),
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        cases = json.loads(report.read_text(encoding="utf-8"))["test_cases"]
    problems = () if done.returncode == 0 else (done.stdout[-3000:],)
    return CampaignRun(cases["generated"], 0, Verdict(), problems)
