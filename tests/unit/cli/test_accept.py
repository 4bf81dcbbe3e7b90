"""P2, contract of `payresult accept`: only what was shown, of a payment in REVIEW."""

import json

import pytest

from payresult.domain.payment import Status
from payresult.domain.reply import MAX_STORED_CHARACTERS, truncate
from payresult.schemas.events import MAX_RAW_CHARACTERS
from tests.support.factories import HOUR, MINUTE, NOW, PAY_ID, reply
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine
from tests.unit.cli.conftest import in_review

ACCEPT = ("accept", PAY_ID, "--reason", "coupon 5")
SEEN = (*ACCEPT, "--reported", "$18.00", "--yes")


def succeeds(world: World) -> bool:
    """Return whether the next sweep makes it SUCCEEDED."""
    world.run(MINUTE)
    return world.table.payment().status is Status.SUCCEEDED


def test_what_is_reported_is_shown_and_accepted(cli: CommandLine, world: World) -> None:
    """A check is planned at once. The registration stays, the history has both amounts and why."""
    in_review(world, payAmount="$18.00")
    result = cli.run(*ACCEPT, user_input="y\n")
    assert result.code == 0
    assert result.out == f'{PAY_ID}: 19.99 USD registered, "$18.00" reported\n'
    assert succeeds(world)
    item = cli.table.item()
    assert (item["expectedAmount"], item["acceptedPayAmount"]) == ("19.99", "$18.00")
    assert item["history"][-2] == {
        "at": NOW,
        "from": "REVIEW",
        "to": "REVIEW",
        "way": "operator",
        "reason": "coupon 5",
        "amountFrom": "19.99 USD",
        "amountTo": "$18.00",
    }


TEXTS = [
    *("19,99 €", "", " 18.00 ", "\u202e18.00", "about\t18\n"),
    *("9" * (MAX_STORED_CHARACTERS + 1), "🙂" * 5000),
]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_any_text_can_be_accepted(cli: CommandLine, world: World, text: str) -> None:
    """Also one that is no amount. A script may pass the text as reported, or as it is stored."""
    in_review(world, payAmount=text)
    stored = cli.table.item()["reply"]["payAmount"]
    for seen in {text, stored}:
        result = cli.run(*ACCEPT, "--reported", seen, "--dry-run", "--json")
        assert result.code == 0
        assert result.records[0]["reported"] == stored
    assert all(each.isprintable() for each in cli.run(*ACCEPT, "--dry-run").out.rstrip("\n"))
    assert cli.run(*ACCEPT, "--reported", text, "--yes").code == 0
    assert succeeds(world)
    event = json.loads(str(world.table.payment().event))
    assert event["data"]["payAmount"] == truncate(text, MAX_RAW_CHARACTERS)


def test_absent_amount_can_be_accepted(cli: CommandLine, world: World) -> None:
    """The gateway says success, and no amount at all. An empty text is something else."""
    in_review(world)
    assert cli.run(*ACCEPT, "--reported", "", "--yes").code == 2
    result = cli.run(*ACCEPT, "--reported-absent", "--yes", "--json")
    assert result.records == [
        {"payId": PAY_ID, "registered": "19.99 USD", "reportedAbsent": True, "reason": "coupon 5"}
    ]
    assert cli.run(*ACCEPT, "--dry-run").out.endswith(", no amount reported\n")
    assert succeeds(world)


@pytest.mark.parametrize(
    ("reported", "seen", "said"),
    [
        ("$18.00", ("--reported", "$17.99"), 'reports "$18.00" for 20190321192436, not "$17.99"'),
        ("$18.00", ("--reported", "$18.00 "), 'not "$18.00 "'),
        ("$18.00", ("--reported-absent",), "not no amount"),
        ("9" * 1025, ("--reported", "9" * 1024), "…[cut]"),
        (None, ("--reported", "$18.00"), 'reports no amount for 20190321192436, not "$18.00"'),
    ],
)
def test_text_that_is_not_reported_is_rejected(
    cli: CommandLine, world: World, reported: str | None, seen: tuple[str, ...], said: str
) -> None:
    """The script has seen something else. Nothing is changed."""
    in_review(world, **({"payAmount": reported} if reported else {}))
    before = cli.table.item()
    result = cli.run(*ACCEPT, *seen, "--yes")
    assert result.code == 2
    assert said in result.err
    assert cli.table.item() == before


@pytest.mark.parametrize("has_terminal", [True, False])
def test_a_script_says_what_it_saw(cli: CommandLine, world: World, *, has_terminal: bool) -> None:
    """--yes alone does not do, nor does an answer that comes from a pipe."""
    in_review(world, payAmount="$18.00")
    before = cli.table.item()
    cli.has_terminal = has_terminal
    given = ["--yes"] if has_terminal else []
    result = cli.run(*ACCEPT, *given, user_input="y\n")
    assert result.code == 2
    assert "say what you saw, with --reported TEXT or --reported-absent" in result.err
    assert cli.table.item() == before
    assert cli.run(*SEEN).code == 0


def test_only_a_payment_in_review_can_be_accepted(cli: CommandLine, world: World) -> None:
    """A PENDING and an unknown one cannot."""
    assert "is not in the table" in cli.run(*SEEN).err
    world.order(expectedAmount="19.99")
    world.run(0)
    result = cli.run(*SEEN)
    assert result.code == 2
    assert f"{PAY_ID} is PENDING: only a payment in REVIEW can be accepted" in result.err


def test_what_is_no_success_any_more_cannot_be_accepted(cli: CommandLine, world: World) -> None:
    """A late check got another payRst: REVIEW stays, but nothing says that it is paid."""
    in_review(world, payAmount="$18.00")
    world.says = lambda _: reply("refunded", payAmount="$18.00")
    world.run(2 * HOUR)
    result = cli.run(*SEEN)
    assert result.code == 2
    assert 'is payRst "refunded": there is no success to accept' in result.err
