"""`payresult close`: ends the waiting for a person, keeps all else, and says why in the history."""

from typing import Any

import pytest

from payresult.domain.payment import Status
from payresult.errors import GatewayUnavailable
from tests.support.factories import DAY, HOUR, NOW, PAY_ID, SECOND, reply
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine

CLOSE = ("close", PAY_ID, "--reason", "refunded in the shop")


def in_review(world: World) -> None:
    """Bring the payment into REVIEW, where two late checks are planned."""
    world.says = lambda _: reply(payAmount="$18.00")
    world.order(expectedAmount="19.99")
    world.run(0)


def unresolved(world: World) -> None:
    """Bring the payment to UNRESOLVED: the gateway is down at the end."""
    world.says = lambda pay_id: GatewayUnavailable("down", pay_id=pay_id)
    world.order()
    world.run(SECOND)
    world.table.change(giveUpAt=world.now)
    world.run(2 * HOUR)
    assert world.table.payment().status is Status.UNRESOLVED


def test_closed_review_waits_for_nobody_and_keeps_its_checks(
    cli: CommandLine, world: World
) -> None:
    """A late check that leaves it in REVIEW does not put it back."""
    in_review(world)
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


def test_closed_payment_at_rest_expires(cli: CommandLine, world: World) -> None:
    """Where RetentionDays is set, and nothing is planned any more."""
    unresolved(world)
    cli.now = world.now
    cli.retention_days = 30
    assert cli.run(*CLOSE, "--yes").code == 0
    assert world.table.payment().expires_at == world.now // 1000 + 30 * 86_400


def test_closed_payment_is_kept_without_a_retention(cli: CommandLine, world: World) -> None:
    """RetentionDays is 0 by default."""
    unresolved(world)
    assert cli.run(*CLOSE, "--yes").code == 0
    assert world.table.payment().expires_at is None


def test_closed_payment_can_be_followed_again(cli: CommandLine, world: World) -> None:
    """And does not expire then."""
    unresolved(world)
    cli.retention_days = 30
    cli.run(*CLOSE, "--yes")
    world.now += HOUR
    world.order()
    world.run(SECOND)
    payment = world.table.payment()
    assert (payment.status, payment.expires_at) == (Status.PENDING, None)


def test_duplicate_is_closed(cli: CommandLine, world: World) -> None:
    """It is paid and stays so; its event may still be unsent."""
    world.says = lambda _: reply()
    world.order()
    world.run(0)
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


@pytest.mark.parametrize(
    ("options", "user_input", "code"), [(["--dry-run"], None, 0), ([], "n\n", 1), ([], "", 2)]
)
def test_nothing_is_closed_without_a_yes(
    cli: CommandLine, world: World, options: list[str], user_input: str | None, code: int
) -> None:
    """In a dry run, after a no, and if nobody answers."""
    in_review(world)
    before = cli.table.item()
    result = cli.run(*CLOSE, *options, user_input=user_input)
    assert result.code == code
    assert "nothing was changed" in result.err
    assert cli.table.item() == before


def test_payment_that_waits_for_nobody_cannot_be_closed(cli: CommandLine, world: World) -> None:
    """A PENDING, a closed and an unknown one."""
    assert "is not in the table" in cli.run(*CLOSE, "--yes").err
    in_review(world)
    assert cli.run(*CLOSE, "--yes").code == 0
    result = cli.run(*CLOSE, "--yes")
    assert result.code == 2
    assert f"{PAY_ID} is REVIEW and waits for nobody: nothing to close" in result.err


@pytest.mark.parametrize(
    "meanwhile",
    [
        {"attention": None, "attentionSince": None, "status": "SUCCEEDED", "rank": 30},
        {"giveUpAt": NOW + 20 * DAY},
        {"workAt": NOW + 5},
    ],
)
def test_payment_that_changed_since_it_was_read_is_not_closed(
    cli: CommandLine, world: World, meanwhile: dict[str, Any]
) -> None:
    """It was paid after all, or an operator accepted it, or it is being checked."""
    in_review(world)

    def change_before(call: Any, **arguments: Any) -> Any:
        cli.table.change(**meanwhile)
        return call(**arguments)

    cli.intercept("update_item", change_before)
    result = cli.run(*CLOSE, "--yes")
    assert result.code == 2
    assert "changed in the meantime, nothing was done" in result.err
