"""Contract of the CLI: its commands against the deployed system, as an operator runs it."""

import subprocess
from functools import partial
from pathlib import Path

import pytest

from sandbox.deploy import STACK_NAME
from sandbox.packages import ROOT
from sandbox.waiting import wait_for
from tests.integration.conftest import RunCli, System, run_as


def explained(cli: RunCli, pay_id: str) -> dict[str, object]:
    """Return the JSON output of ``explain``."""
    [record] = cli("explain", pay_id, "--json").records
    return record


def listed(cli: RunCli, *options: str) -> set[object]:
    """Return the payIds that ``list`` shows."""
    return {each["payId"] for each in cli("list", *options, "--json").records}


def test_a_file_is_followed_until_each_payment_is_paid(
    cli: RunCli, system: System, tmp_path: Path
) -> None:
    """The second run has nothing to send."""
    pay_ids = [f"paid-cli-{number}" for number in range(25)]
    file = tmp_path / "orders.txt"
    file.write_text("\n".join(pay_ids))

    assert "25 to send" in cli("follow", file, "--rate", "100", "--yes").out

    def all_paid() -> bool:
        return all(system.audit.arrivals(pay_id) for pay_id in pay_ids)

    wait_for("25 events", all_paid, 60)
    assert "0 to send, 25 paid already" in cli("follow", file, "--yes").out
    assert all(len(system.gateway.requests(pay_id)) == 1 for pay_id in pay_ids)


def test_a_check_goes_through_the_api_and_changes_the_payment(cli: RunCli, system: System) -> None:
    """The result is in the table, and ``explain`` shows it."""
    ran = cli("check", "paid-cli-check", "failing-cli-check")

    assert ran.code == 1
    assert 'SUCCEEDED   payRst "success"' in ran.out
    assert "The gateway is unavailable" in ran.out
    assert explained(cli, "paid-cli-check")["status"] == "SUCCEEDED"
    wait_for("its event", lambda: system.audit.arrivals("paid-cli-check"), 20)


def test_an_order_that_was_paid_twice_waits_for_a_person(
    cli: RunCli, system: System, tmp_path: Path
) -> None:
    """From two PUTs to the refund: event, list, explain, reconcile, close, forget."""
    first, second = "paid-cli-twice-1", "paid-cli-twice-2"
    events = {}
    for pay_id in (first, second):
        system.client.put(pay_id, orderId="A-twice", expectedAmount="19.99")
        [arrival] = wait_for("its event", partial(system.audit.arrivals, pay_id), 20)
        events[pay_id] = arrival.detail["data"]
    assert "duplicateOf" not in events[first]
    assert events[second]["duplicateOf"] == first
    assert listed(cli, "--attention", "DUPLICATE") & events.keys() == {second}
    expected = {"firstPayId": first, "firstStatus": "SUCCEEDED", "hasEvent": True}
    assert explained(cli, second)["order"] == expected
    bill = tmp_path / "bill.csv"
    bill.write_text(f"payId,amount\n{second},19.99\n")
    found = cli("reconcile", bill, "--since", "2100-01-01", "--json").records
    assert [(each["payId"], each["difference"]) for each in found] == [(second, "duplicate")]

    assert cli("close", second, "--reason", "refunded", "--yes").code == 0
    assert listed(cli, "--attention", "DUPLICATE") & events.keys() == set()
    assert cli("forget", first, "--yes").code == 0
    assert explained(cli, second)["order"] == {
        "firstPayId": None,
        "firstStatus": None,
        "hasEvent": False,
    }


def test_a_republished_event_arrives_again_with_the_same_id(cli: RunCli, system: System) -> None:
    """The sweeper sends it, not the CLI."""
    system.client.get("paid-cli-again")
    wait_for("SENT", lambda: system.client.item("paid-cli-again").get("eventState") == "SENT", 20)

    assert cli("republish", "paid-cli-again", "--yes").code == 0

    def arrived_twice() -> bool:
        return len(system.audit.arrivals("paid-cli-again")) > 1

    wait_for("its event again", arrived_twice, 20)
    first, second = system.audit.arrivals("paid-cli-again")
    assert (first.event_id, first.detail) == (second.event_id, second.detail)


def test_a_malformed_message_is_shown_corrected_and_redriven(cli: RunCli, system: System) -> None:
    """It becomes a dead letter by itself, and is sent again by ``redrive``."""
    malformed = '{"payId": "paid cli malformed"}'
    with system.short_visibility():
        system.client.send(malformed)
        wait_for("the dead letter", lambda: malformed in system.client.dead_letters(), 60)

    shown = cli("redrive", "--dry-run", "--json").records
    [message_id] = [each["messageId"] for each in shown if each["body"] == malformed]
    corrected = '{"payId": "paid-cli-corrected"}'
    cli("redrive", "--replace-body", message_id, corrected, "--yes")

    wait_for("its event", lambda: system.audit.arrivals("paid-cli-corrected"), 20)
    assert malformed not in system.client.dead_letters()


def test_a_stack_that_does_not_exist_is_one_line(system: System) -> None:
    """The emulator's error is the one of AWS."""
    ran = run_as(system.sandbox.credentials, None, "list", "--stack", "nix")
    assert ran.code == 2
    assert "no stack 'nix' in eu-central-1" in ran.err


@pytest.mark.parametrize("command", [["list"], ["explain", "p-1"], ["redrive", "--yes"]], ids=str)
def test_missing_permissions_are_one_line(system: System, command: list[str]) -> None:
    """Of a user who may only describe stacks."""
    name = f"cli-{command[0]}"
    user = system.sandbox.credentials.create_user(name, "cloudformation:DescribeStacks")
    ran = run_as(user, None, *command, "--stack", STACK_NAME)
    assert (ran.code, ran.out) == (2, "")
    assert "these credentials may not call" in ran.err


def test_the_launcher_works_from_any_folder(tmp_path: Path) -> None:
    """By a link to it too."""
    link = tmp_path / "payresult"
    link.symlink_to(ROOT / "cli" / "payresult")
    ran = subprocess.run(  # noqa: S603 - our own launcher
        [link, "--help"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    assert "reconcile" in ran.stdout
