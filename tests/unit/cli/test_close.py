"""P5, contract of `payresult close`: ends the waiting for a person, and keeps all else."""

import pytest

from payresult.domain.payment import Status
from tests.support.factories import DAY, HOUR, NOW, PAY_ID, SECOND, reply
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine
from tests.unit.cli.conftest import checked, in_review

CLOSE = ("close", PAY_ID, "--reason", "refunded in the shop")


def unresolved(world: World) -> None:
    """Bring the payment to UNRESOLVED: its message is lost, and the sweeper gives it up."""
    world.register()
    world.queue.waiting.clear()
    world.table.change(giveUpAt=NOW - HOUR, workAt=NOW)
    world.sweep()
    assert world.table.payment().status is Status.UNRESOLVED


def test_closed_review_waits_for_nobody_and_keeps_checks(cli: CommandLine, world: World) -> None:
    """A late check that leaves it in REVIEW does not put it back."""
    in_review(world, payAmount="$18.00")
    before = cli.table.item()
    cli.retention_days = 30
    result = cli.run(*CLOSE, user_input="y\n")
    assert result.code == 0
    assert result.out == f"{PAY_ID}: REVIEW since 2026-11-22 10:00:00Z (0 s ago)\n"
    entry = {"at": NOW, "from": "REVIEW", "to": "REVIEW", "way": "operator"}
    history = [*before["history"], entry | {"reason": "refunded in the shop"}]
    waiting = {"attention", "attentionSince"}
    kept = {name: value for name, value in before.items() if name not in waiting}
    assert cli.table.item() == kept | {"history": history}
    world.run(DAY)
    assert world.table.payment().attention is None
    assert cli.run("list").out == ""


@pytest.mark.parametrize(
    ("retention_days", "expires_at"), [(0, None), (30, NOW // 1000 + 30 * 86_400)]
)
def test_closed_expires(
    cli: CommandLine, world: World, retention_days: int, expires_at: int | None
) -> None:
    """Where RetentionDays is set; and not any more once it is followed again."""
    unresolved(world)
    cli.retention_days = retention_days
    assert cli.run(*CLOSE, "--yes").code == 0
    assert world.table.payment().expires_at == expires_at
    world.now += HOUR
    world.order()
    world.run(SECOND)
    payment = world.table.payment()
    assert (payment.status, payment.expires_at) == (Status.PENDING, None)


def test_duplicate_is_closed(cli: CommandLine, world: World) -> None:
    """It is paid and stays so; its event may still be unsent."""
    checked(world, reply())
    cli.table.change(attention="P000818#DUPLICATE", attentionSince=NOW)
    cli.retention_days = 30
    record = {"payId": PAY_ID, "attention": "DUPLICATE", "since": "2026-11-22T10:00:00.123Z"}
    assert cli.run(*CLOSE, "--yes", "--json").records == [
        record | {"reason": "refunded in the shop"}
    ]
    payment = world.table.payment()
    assert (payment.status, payment.attention, payment.expires_at) == ("SUCCEEDED", None, None)


def test_marker_expires_with_a_duplicate_that_was_closed(cli: CommandLine, world: World) -> None:
    """The duplicate may be deleted once it is closed, and the marker with it."""
    world.says = lambda pay_id: reply(payId=pay_id)
    for pay_id in ("first", PAY_ID):
        world.order(pay_id, orderId="A-17")
        world.run(0)
        world.outbox.publish([pay_id])
    cli.retention_days = 30
    assert cli.run(*CLOSE, "--yes").code == 0
    [marker] = [item for item in cli.table.scan() if "status" not in item]
    assert marker["expiresAt"] == cli.table.item()["expiresAt"]
    assert cli.run("list").err == "0 payments\n"


def test_payment_that_waits_for_nobody_cannot_be_closed(cli: CommandLine, world: World) -> None:
    """A PENDING, a closed and an unknown one."""
    assert "is not in the table" in cli.run(*CLOSE, "--yes").err
    in_review(world)
    assert cli.run(*CLOSE, "--yes").code == 0
    result = cli.run(*CLOSE, "--yes")
    assert result.code == 2
    assert f"{PAY_ID} is REVIEW and waits for nobody: nothing to close" in result.err
