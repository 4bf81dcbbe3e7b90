"""P6, P7: apps that wait for a payment, by HTTP, on the deployed system."""

import re
import shutil
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest

from sandbox.client import HttpResponse
from sandbox.packages import ROOT
from tests.integration.conftest import System

INTERVAL = 2.8
GUIDE = (ROOT / "docs" / "waiting.md").read_text(encoding="utf-8")


def wait(system: System, pay_id: str, query: str) -> HttpResponse:
    """GET /payments/{payId}/wait with a query string."""
    return system.client.call("GET", f"/payments/{pay_id}/wait{query}")


def timed(call: Callable[[], HttpResponse]) -> tuple[float, HttpResponse]:
    """Return how long *call* took, in seconds, and its response."""
    start = time.monotonic()
    response = call()
    return time.monotonic() - start, response


def sample(language: str) -> str:
    """Return the client in that language in docs/waiting.md."""
    [found] = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    return str(found)


def test_the_result_comes_as_soon_as_the_gateway_knows_it(system: System) -> None:
    """The same call, without polling; the body is that of GET."""
    with system.queue_off():
        system.client.put("later1-wait", orderId="A-17")
        took, response = timed(lambda: wait(system, "later1-wait", "?seconds=20"))
    assert (response.status, response.body["status"]) == (200, "SUCCEEDED")
    assert took < 2 * INTERVAL
    assert "retry-after" not in response.headers
    assert system.client.get("later1-wait").body == response.body


def test_six_who_wait_for_one_payment_ask_no_more_than_one(system: System) -> None:
    """Each gets PENDING when its time is up."""
    with system.queue_off(), ThreadPoolExecutor(6) as pool:
        system.client.put("never-crowd")
        calls = [
            pool.submit(timed, lambda: wait(system, "never-crowd", "?seconds=6")) for _ in range(6)
        ]
        answers = [call.result() for call in calls]
        asked = system.gateway.requests("never-crowd")
    assert {(it.status, it.body["status"]) for _, it in answers} == {(200, "PENDING")}
    assert min(took for took, _ in answers) >= 6
    assert all(after.at - before.at >= INTERVAL - 0.2 for before, after in pairwise(asked))


def test_who_waits_in_an_outage_gets_what_is_stored(system: System) -> None:
    """After its time, marked stale; and nothing is a dead letter."""
    with system.queue_off(), system.gateway_down():
        system.client.put("never-outage", orderId="A-17")
        took, response = timed(lambda: wait(system, "never-outage", "?seconds=3"))
    assert (response.status, response.body["status"]) == (200, "PENDING")
    assert (response.body["stale"], response.body["orderId"]) == (True, "A-17")
    assert took >= 3


def test_what_nobody_registered_is_answered_at_once(system: System) -> None:
    """With the time after which to ask again."""
    took, response = timed(lambda: wait(system, "never-stray", "?seconds=20"))
    assert (response.status, response.body["status"]) == (200, "PENDING")
    assert response.headers["retry-after"] == "2"
    assert took < 10


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
