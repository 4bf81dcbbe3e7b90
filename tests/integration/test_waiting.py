"""P6, P7: apps that wait for a payment, by HTTP, on the deployed system."""

import re
import shutil
import subprocess
import time
from typing import Any

import pytest

from sandbox.client import HttpResponse
from sandbox.packages import ROOT
from tests.integration.conftest import System

GUIDE = (ROOT / "docs" / "waiting.md").read_text(encoding="utf-8")


def wait(system: System, pay_id: str, query: str) -> HttpResponse:
    """GET /payments/{payId}/wait with a query string."""
    return system.client.call("GET", f"/payments/{pay_id}/wait{query}")


def sample(language: str) -> str:
    """Return the client in that language in docs/waiting.md."""
    [found] = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    return str(found)


def test_the_result_comes_as_soon_as_the_gateway_knows_it(system: System) -> None:
    """The same call asks twice, without polling; the body is that of GET."""
    with system.queue_off():
        system.client.put("later2-wait", orderId="A-17")
        start = time.monotonic()
        response = wait(system, "later2-wait", "?seconds=20")
        took = time.monotonic() - start
    assert (response.status, response.body["status"]) == (200, "SUCCEEDED")
    assert took < 20  # not when its time is up
    assert len(system.gateway.requests("later2-wait")) == 2
    assert "retry-after" not in response.headers
    assert system.client.get("later2-wait").body == response.body


@pytest.mark.parametrize("query", ["", "?seconds=5&seconds=6", "?Seconds=5", "?seconds=%D9%A5"])
def test_bad_seconds_are_refused(system: System, query: str) -> None:
    """As API Gateway hands them over."""
    response = wait(system, "never-bad", query)
    assert (response.status, response.body["field"]) == (400, "seconds")


def test_the_python_client_of_the_guide_waits(system: System) -> None:
    """As pasted."""
    system.client.put("later1-python")
    names: dict[str, Any] = {}
    exec(sample("python"), names)  # noqa: S102 - our own text
    url = f"{system.sandbox.api_url}/payments/later1-python"
    assert names["result"](url, patience=30)["status"] == "SUCCEEDED"


def test_the_javascript_client_of_the_guide_waits(system: System) -> None:
    """As pasted."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    system.client.put("later1-js")
    url = f"{system.sandbox.api_url}/payments/later1-js"
    script = sample("js") + f'result("{url}", {{}}, 30).then((it) => console.log(it.status));'
    done = subprocess.run(  # noqa: S603 - our own text
        [node, "--eval", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("SUCCEEDED\n", "")
