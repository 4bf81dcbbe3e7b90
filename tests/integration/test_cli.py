"""The operators' tool against the running system, as an operator uses it."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from payresult_cli.context import Dependencies
from payresult_cli.stack import Stack, find_sandbox, find_stack
from sandbox.environment import write_outputs
from sandbox.packages import ROOT
from sandbox.waiting import wait_for
from tests.integration.conftest import VISIBILITY_SECONDS, System
from tests.unit.cli.cli_runner import CommandResult, run

Tool = Callable[..., CommandResult]


@pytest.fixture
def tool(system: System, tmp_path: Path) -> Tool:
    """Return ``tool(command, ...)``: the tool on the running system, as with --sandbox."""
    outputs = tmp_path / "outputs.json"
    write_outputs(system.sandbox, outputs)

    def load_stack(_name: str, *, sandbox: bool) -> Stack:
        assert sandbox
        return find_sandbox(outputs)

    def use(command: str, *arguments: object) -> CommandResult:
        return run(
            command, "--sandbox", *arguments, dependencies=Dependencies(load_stack=load_stack)
        )

    return use


def explained(tool: Tool, pay_id: str) -> dict[str, object]:
    """Return what the tool tells machines of a payment."""
    [record] = tool("explain", pay_id, "--json").records
    return record


def test_a_file_is_followed_until_all_of_it_is_paid(
    tool: Tool, system: System, tmp_path: Path
) -> None:
    """And the second time there is nothing to send."""
    pay_ids = [f"paid-cli-{number}" for number in range(120)]
    file = tmp_path / "orders.txt"
    file.write_text("\n".join(pay_ids))

    assert "120 to send" in tool("follow", file, "--yes").out

    def all_paid() -> bool:
        return all(system.audit.arrivals(pay_id) for pay_id in pay_ids)

    wait_for("120 events", all_paid, 60)
    assert "0 to send, 120 followed already" in tool("follow", file, "--yes").out
    assert all(len(system.gateway.requests(pay_id)) == 1 for pay_id in pay_ids)


def test_a_check_goes_through_the_api_and_changes_the_payment(tool: Tool, system: System) -> None:
    """What it learns is in the table, and explain tells it."""
    ran = tool("check", "paid-cli-check", "failing-cli-check")

    assert ran.code == 1
    assert 'SUCCEEDED   payRst "success"' in ran.out
    assert "The gateway is unavailable" in ran.out
    assert explained(tool, "paid-cli-check")["status"] == "SUCCEEDED"
    wait_for("its event", lambda: system.audit.arrivals("paid-cli-check"), 20)


def test_explain_names_the_gateway_that_is_down(tool: Tool, system: System) -> None:
    """As the reason why a payment is pending."""
    system.visitor.put("failing-cli-why", expectedAmount="19.99")

    def tried() -> bool:
        return "lastError" in system.visitor.item("failing-cli-why")

    wait_for("a check", tried, 20)

    record = explained(tool, "failing-cli-why")
    assert record["status"] == "PENDING"
    assert "did not answer" in str(record["why"])
    listed = tool("list", "--status", "PENDING", "--json").records
    assert "failing-cli-why" in {each["payId"] for each in listed}


def test_an_accepted_review_is_paid_by_the_next_sweep(tool: Tool, system: System) -> None:
    """The order said 19.99, the customer paid less, and somebody decided."""
    system.visitor.put("wrong-cli", expectedAmount="19.99")
    wait_for("REVIEW", lambda: system.visitor.status("wrong-cli") == "REVIEW", 20)
    paid = str(system.visitor.item("wrong-cli")["reply"]["payAmount"]).removeprefix("$")

    ran = tool("accept", "wrong-cli", "--amount", paid, "--reason", "coupon", "--yes")
    assert ran.code == 0
    system.visitor.sweep()

    [event] = wait_for("its event", lambda: system.audit.arrivals("wrong-cli"), 20)
    assert event.detail["data"]["amount"] == paid
    assert "coupon" in str(explained(tool, "wrong-cli")["history"])


def test_a_republished_event_comes_again_with_the_same_id(tool: Tool, system: System) -> None:
    """The system sends it, not the tool."""
    system.visitor.get("paid-cli-again")
    wait_for("SENT", lambda: system.visitor.item("paid-cli-again").get("eventState") == "SENT", 20)

    assert tool("republish", "paid-cli-again", "--yes").code == 0

    def twice() -> bool:
        return len(system.audit.arrivals("paid-cli-again")) > 1

    wait_for("its event again", twice, 20)
    first, second = system.audit.arrivals("paid-cli-again")
    assert (first.event_id, first.detail) == (second.event_id, second.detail)


def test_a_poison_message_is_seen_mended_and_redriven(tool: Tool, system: System) -> None:
    """It goes to the dead-letter queue by itself, and comes back by hand."""
    poison = '{"payId": "paid cli poison"}'
    system.sandbox.hide_messages(2)
    try:
        system.visitor.send(poison)
        wait_for("the dead letter", lambda: poison in system.visitor.dead_letters(), 60)
    finally:
        system.sandbox.hide_messages(VISIBILITY_SECONDS)

    shown = tool("redrive", "--dry-run", "--json").records
    [message_id] = [each["messageId"] for each in shown if each["body"] == poison]
    mended = '{"payId": "paid-cli-poison"}'
    tool("redrive", "--replace-body", message_id, mended, "--yes")

    wait_for("its event", lambda: system.audit.arrivals("paid-cli-poison"), 20)
    assert poison not in system.visitor.dead_letters()


def test_a_bill_is_reconciled_with_three_planted_differences(
    tool: Tool, system: System, tmp_path: Path
) -> None:
    """One amount, one that we do not have, one that the bill does not have."""
    for number in range(3):
        system.visitor.get(f"paid-cli-bill-{number}")
    bill = tmp_path / "bill.csv"
    bill.write_text(
        "payId,amount\npaid-cli-bill-0,19.99\npaid-cli-bill-1,20.00\npaid-cli-bill-9,19.99\n"
    )

    ran = tool("reconcile", bill)

    assert ran.code == 1
    differences = [line for line in ran.out.splitlines() if "cli-bill" in line]
    assert sorted(differences) == [
        "paid-cli-bill-1,different,20.00,19.99,SUCCEEDED",
        "paid-cli-bill-2,extra,,19.99,SUCCEEDED",
        "paid-cli-bill-9,missing,19.99,,",
    ]


def test_a_stack_that_is_not_there_is_one_line(system: System) -> None:
    """As the emulator says it, and so does AWS."""
    account = system.sandbox.account
    session = boto3.Session(account.access_key_id, account.secret_access_key, None, "eu-central-1")

    def load_stack(name: str, *, sandbox: bool) -> Stack:
        assert not sandbox
        return find_stack(session, name, account.endpoint)

    ran = run("list", "--stack", "nix", dependencies=Dependencies(load_stack=load_stack))
    assert ran.code == 2
    assert "no stack 'nix' in eu-central-1" in ran.err


def test_credentials_that_may_not_are_one_line(system: System) -> None:
    """A user of the emulator who may only look at stacks."""
    nobody = system.sandbox.account.user("cli-nobody", "cloudformation:DescribeStacks")
    session = boto3.Session(nobody.access_key_id, nobody.secret_access_key, None, "eu-central-1")
    name = system.sandbox.outputs["eventBusName"]

    def load_stack(_name: str, *, sandbox: bool) -> Stack:
        assert not sandbox
        return find_stack(session, name, nobody.endpoint)

    for command in (["list"], ["explain", "p-1"], ["redrive", "--yes"]):
        ran = run(*command, dependencies=Dependencies(load_stack=load_stack))
        assert (ran.code, ran.out) == (2, "")
        assert "these credentials may not call" in ran.err


def test_the_launcher_works_from_any_folder(tmp_path: Path) -> None:
    """By its own name or by a link to it."""
    link = tmp_path / "payresult"
    link.symlink_to(ROOT / "cli" / "payresult")
    ran = subprocess.run(  # noqa: S603 - our own launcher
        [link, "--help"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    assert "reconcile" in ran.stdout
