"""`python -m sandbox`: the story, then serving until Ctrl-C; `--demo`: the story only.

The environment: `PORT` of `apiUrl` (8080), `GATEWAY_BASE_URL` of another gateway, `SUBSCRIBER=1`
deploys events/subscriber too, `NO_COLOR`.
Exits 1 if a promise was broken (`--demo`) or something did not start.
"""

import argparse
import os
import signal
import sys
from contextlib import ExitStack
from threading import Event
from typing import NoReturn

from layers.build import BuildFailed
from sandbox import demo, external_demo
from sandbox.audit import Audit
from sandbox.client import Client
from sandbox.console import Console
from sandbox.demo_steps import DemoSteps
from sandbox.deploy import DeploymentFailed
from sandbox.emulator import EmulatorFailed
from sandbox.environment import Sandbox, running, write_outputs
from sandbox.packages import CACHE, ROOT
from sandbox.signing_proxy import PortInUse
from sandbox.waiting import TimeIsUp
from sandbox.workspace_lock import OUTPUTS, AlreadyRunning, claimed

TROUBLE = (AlreadyRunning, BuildFailed, DeploymentFailed, EmulatorFailed, PortInUse, TimeIsUp)
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """Somebody asked us to end, by one of ENDINGS."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def main() -> int:
    """Run the sandbox; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sandbox")
    parser.add_argument("--demo", action="store_true", help="end after the story")
    demo = parser.parse_args().demo
    port = os.environ.get("PORT") or "8080"
    if not port.isascii() or not port.isdecimal() or int(port) > 65535:
        return _complain(f"PORT: must be a port number, not {port!r}")
    for number in ENDINGS:
        signal.signal(number, _end)
    try:
        return _run(int(port), os.environ.get("GATEWAY_BASE_URL"), demo=demo)
    except TROUBLE as trouble:
        return _complain(str(trouble))
    except Ended as ended:
        return 128 + ended.number


def _run(port: int, other_gateway: str | None, *, demo: bool) -> int:
    console = Console()
    with ExitStack() as parts:
        folder = parts.enter_context(claimed(ROOT / ".sandbox"))
        console.head("Starting emulator, gateway and the deployed template, on loopback only")
        if not CACHE.exists():
            console.say("first run", "the layer of dependencies is built, which takes a while")
        subscribed = bool(os.environ.get("SUBSCRIBER"))
        sandbox = parts.enter_context(running(folder, port, other_gateway, subscribed=subscribed))
        console.say("ready", f"after {console.elapsed:.1f} s")
        _tell(console, sandbox)
        write_outputs(sandbox, folder / OUTPUTS)
        if not demo:
            _serve(console, sandbox)
    return 1 if console.broken and demo else 0


def _tell(console: Console, sandbox: Sandbox) -> None:
    # Another gateway may know of one payment only: what is told of it must not be gone afterwards.
    queue, leave = sandbox.stack["AuditQueueUrl"], sandbox.gateway is None
    audit = Audit(sandbox.account.client("sqs"), queue, leave=leave)
    with audit:
        teller = DemoSteps(console, sandbox, Client(sandbox), audit)
        if sandbox.gateway:
            demo.tell(teller, sandbox.gateway)
        else:
            external_demo.tell(teller)
    if console.broken:
        console.head("NOT kept: " + "; ".join(console.broken))
    else:
        console.head(f"Every promise was kept; {console.elapsed:.0f} s in all.")


def _serve(console: Console, sandbox: Sandbox) -> None:
    console.head("Serving until Ctrl-C; all addresses and keys are in .sandbox/outputs.json")
    for name in ("apiUrl", "awsEndpoint", "checksQueueUrl", "auditQueueUrl", "gatewayUrl"):
        console.say("", f"{name:<15} {sandbox.outputs[name]}")
    console.say("try", f"curl -s {sandbox.api_url}/payments/paid-3001")
    console.say("look", f"{sandbox.api_url}/ in a browser, and {sandbox.api_url}/docs")
    try:
        Event().wait()
    except Ended:
        console.head("Stopping")


def _end(number: int, _: object) -> NoReturn:
    for each in ENDINGS:
        signal.signal(each, signal.SIG_IGN)  # a second one must not interrupt the clearing up
    raise Ended(number)


def _complain(text: str) -> int:
    print(f"sandbox: {text}", file=sys.stderr)  # noqa: T201  one clear line
    return 1


if __name__ == "__main__":
    sys.exit(main())
