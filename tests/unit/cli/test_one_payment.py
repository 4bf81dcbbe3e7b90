"""P2, `accept`, `close`, `forget`: nothing is written that was not shown and confirmed."""

from typing import Any

import pytest

from tests.support.factories import DAY, NOW, PAY_ID
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine
from tests.unit.cli.conftest import in_review

ACCEPT = ("accept", PAY_ID, "--reason", "coupon 5")
ACCEPT_SEEN = (*ACCEPT, "--reported", "$18.00")
CLOSE = ("close", PAY_ID, "--reason", "refunded in the shop")
FORGET = ("forget", PAY_ID)


@pytest.mark.parametrize("command", [ACCEPT, ACCEPT_SEEN, CLOSE, FORGET])
@pytest.mark.parametrize(
    ("options", "user_input", "code"),
    [
        pytest.param(["--dry-run"], None, 0, id="in a dry run"),
        pytest.param([], "n\n", 1, id="after a no"),
        pytest.param([], "", 2, id="if nobody answers"),
    ],
)
def test_nothing_is_changed_without_a_yes(
    cli: CommandLine,
    world: World,
    command: tuple[str, ...],
    options: list[str],
    user_input: str | None,
    code: int,
) -> None:
    """The exit code says which."""
    in_review(world, payAmount="$18.00")
    if command is FORGET:
        cli.table.change(workShard=None, attention=None)
    before = cli.table.item()
    result = cli.run(*command, *options, user_input=user_input)
    assert result.code == code
    assert "nothing was changed" in result.err
    assert cli.table.item() == before


@pytest.mark.parametrize(
    ("command", "meanwhile", "now"),
    [
        (
            *(ACCEPT_SEEN, {"reply": {"payRst": "success", "payAmount": "$1.00"}}),
            'REVIEW now, "$1.00" reported',
        ),
        (ACCEPT_SEEN, {"status": "SUCCEEDED"}, 'SUCCEEDED now, "$18.00" reported'),
        (ACCEPT_SEEN, {"expectedAmount": "18.50"}, 'REVIEW now, "$18.00" reported'),
        (ACCEPT_SEEN, None, "it is not in the table any more"),
        (
            *(CLOSE, {"attention": None, "attentionSince": None, "status": "SUCCEEDED"}),
            "SUCCEEDED now",
        ),
        (CLOSE, {"giveUpAt": NOW + 20 * DAY}, "REVIEW now"),
        (CLOSE, {"workAt": NOW + 5}, "REVIEW now"),
    ],
)
def test_payment_that_changed_since_it_was_read_is_left_alone(
    cli: CommandLine,
    world: World,
    command: tuple[str, ...],
    meanwhile: dict[str, Any] | None,
    now: str,
) -> None:
    """A check, or another operator, comes between the read and the write."""
    in_review(world, payAmount="$18.00")
    changed: list[dict[str, Any]] = []

    def change_before(call: Any, **arguments: Any) -> Any:
        cli.table.change(**meanwhile) if meanwhile else cli.table.delete()
        changed.append(cli.table.item())
        return call(**arguments)

    cli.intercept("update_item", change_before)
    result = cli.run(*command, "--yes")
    assert result.code == 2
    assert f"{PAY_ID} changed in the meantime, nothing was done: it is" in result.err
    assert now in result.err
    assert [cli.table.item()] == changed
