"""`python -m sandbox`: runs the demo, then keeps running until Ctrl-C; `--demo`: the demo only.

Environment variables: `PORT` of `apiUrl` (8080), `GATEWAY_BASE_URL` of another gateway,
`SUBSCRIBER=1` deploys events/subscriber too, `FORWARD_TO` a URL that each event is posted to
(`forwarding`), `NO_COLOR`.
Exits 1 if a check of the demo failed (`--demo`) or something did not start.
"""

import argparse
import os
import sys
from contextlib import ExitStack, closing
from threading import Event

from layers.build import BuildFailed
from sandbox.audit import AuditQueueReader
from sandbox.client import Client
from sandbox.console import Console
from sandbox.demo import run_demo
from sandbox.demo_steps import DemoSteps
from sandbox.deploy import DeploymentFailed
from sandbox.emulator import EmulatorFailed
from sandbox.environment import Sandbox, start_sandbox, write_outputs
from sandbox.external_demo import run_external_demo
from sandbox.forwarding import Forwarder, InvalidDestination, parse_destination
from sandbox.packages import CACHE, ROOT
from sandbox.signals import Stopped, catch_stop_signals
from sandbox.signing_proxy import PortUnavailable
from sandbox.waiting import WaitTimeout
from sandbox.workspace_lock import OUTPUTS, AlreadyRunning, locked_workspace

STARTUP_ERRORS = (
    AlreadyRunning,
    BuildFailed,
    DeploymentFailed,
    EmulatorFailed,
    InvalidDestination,
    PortUnavailable,
    WaitTimeout,
)


def main() -> int:
    """Run the sandbox; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sandbox")
    parser.add_argument("--demo", action="store_true", help="exit after the demo")
    demo_only = parser.parse_args().demo
    port = os.environ.get("PORT") or "8080"
    if not port.isascii() or not port.isdecimal() or int(port) > 65535:
        return _print_error(f"PORT: must be a port number, not {port!r}")
    catch_stop_signals()
    try:
        return _run(int(port), os.environ.get("GATEWAY_BASE_URL"), demo_only=demo_only)
    except STARTUP_ERRORS as error:
        return _print_error(str(error))
    except Stopped as stopped:
        return 128 + stopped.number


def _run(port: int, external_gateway_url: str | None, *, demo_only: bool) -> int:
    console = Console()
    forward_to = os.environ.get("FORWARD_TO")
    if forward_to:
        parse_destination(forward_to)
    with ExitStack() as parts:
        folder = parts.enter_context(locked_workspace(ROOT / ".sandbox"))
        console.heading(
            "Starting an AWS emulator, a gateway, and payresult as deployed by template.yaml"
        )
        if not CACHE.exists():
            console.line("first run", "the dependency layer is built; this takes a while")
        sandbox = parts.enter_context(
            start_sandbox(
                folder,
                port,
                external_gateway_url,
                with_subscriber=bool(os.environ.get("SUBSCRIBER")),
            )
        )
        console.line("ready", f"after {console.elapsed:.1f} s")
        if forward_to:
            parts.enter_context(closing(Forwarder(sandbox, forward_to, console)))
            console.line("forward", f"each PaymentSucceeded is posted to {forward_to}")
        _demo(console, sandbox)
        write_outputs(sandbox, folder / OUTPUTS)
        if not demo_only:
            _serve(console, sandbox)
    return 1 if console.failed and demo_only else 0


def _demo(console: Console, sandbox: Sandbox) -> None:
    # An external gateway may know a single payment: its event must stay in the queue for the user.
    queue, leave = sandbox.stack["AuditQueueUrl"], sandbox.gateway is None
    with AuditQueueReader(sandbox.credentials.client("sqs"), queue, leave=leave) as audit:
        steps = DemoSteps(console, sandbox, Client(sandbox), audit)
        if sandbox.gateway:
            run_demo(steps, sandbox.gateway)
        else:
            run_external_demo(steps)
    if console.failed:
        console.heading("FAILED: " + "; ".join(console.failed))
    else:
        console.heading(f"All of it as expected, in {console.elapsed:.0f} s.")


def _serve(console: Console, sandbox: Sandbox) -> None:
    console.heading("Running until Ctrl-C; then everything in it is gone")
    console.line("open", f"{sandbox.api_url}/ in a browser, and {sandbox.api_url}/docs")
    console.line("try", f"curl {sandbox.api_url}/payments/paid-3001")
    console.line("", "cli/payresult explain paid-1001 --sandbox")
    console.line("", "sandbox/aws sqs list-queues")
    console.line("addresses", "sandbox/out")
    try:
        Event().wait()
    except Stopped:
        console.heading("Stopping")


def _print_error(text: str) -> int:
    print(f"sandbox: {text}", file=sys.stderr)  # noqa: T201  one line for the user
    return 1


if __name__ == "__main__":
    sys.exit(main())
