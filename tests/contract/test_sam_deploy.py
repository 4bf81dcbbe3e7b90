"""Contract: the stock SAM CLI creates and updates the stack, on the emulator instead of AWS."""

import os
import subprocess
from pathlib import Path
from typing import Any

from sandbox.credentials import REGION, root_credentials
from sandbox.emulator import Emulator
from tests.support.template import ROOT

SAM = ROOT / ".venv-sam" / "bin" / "python"


def deploy(endpoint: str, home: Path, *parameters: str, stack: str = "payresult") -> None:
    """Run `sam deploy` as a user would, with samconfig.toml and these *parameters*."""
    environment = {
        "PATH": os.defpath,
        "HOME": str(home),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.2",  # seconds between polls of the stack; 5 by default
        "PYTHONUTF8": "1",
    }
    sam = [str(SAM), "-m", "samcli", "deploy", "--template-file", "template.yaml"]
    ended = subprocess.run(  # noqa: S603 - our own command line
        [
            *sam,
            "--stack-name",
            stack,
            "--no-confirm-changeset",
            "--parameter-overrides",
            *parameters,
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def _limits(endpoint: str) -> list[int]:
    """Return the maximum concurrency of each event source that has one."""
    client: Any = root_credentials(endpoint).client("lambda")
    sources = client.list_event_source_mappings()["EventSourceMappings"]
    scaling = [source["ScalingConfig"] for source in sources if "ScalingConfig" in source]
    return [each["MaximumConcurrency"] for each in scaling]


def test_sam_deploy_makes_the_stack_and_changes_it(tmp_path: Path) -> None:
    """The second deployment sets what has a condition in the template."""
    given = ["PartnerCode=P000818", "Emulated=true"]
    with Emulator(tmp_path / "emulator") as emulator:
        deploy(emulator.endpoint, tmp_path, *given)
        assert _limits(emulator.endpoint) == [5]
        chosen = ["MaximumConcurrency=7", "ApiReservedConcurrency=9", "RetentionDays=400"]
        origins = "CorsAllowOrigins='https://a.example,https://b.example'"
        deploy(emulator.endpoint, tmp_path, *given, *chosen, origins)
        assert _limits(emulator.endpoint) == [7]
        credentials = root_credentials(emulator.endpoint)
        [api] = credentials.client("apigatewayv2").get_apis()["Items"]
        assert "CorsConfiguration" in api  # the emulator loses what is in it
