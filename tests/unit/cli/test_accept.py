"""`payresult accept`: only what was shown, of a payment in REVIEW that is reported as paid."""

import json
from typing import Any

import pytest

from payresult.domain.payment import Status
from payresult.domain.reply import MAX_STORED_CHARACTERS
from payresult.errors import GatewayUnavailable
from tests.support.factories import DAY, HOUR, MINUTE, NOW, PAY_ID, reply
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine

ACCEPT = ("accept", PAY_ID, "--reason", "coupon 5")
SEEN = (*ACCEPT, "--reported", "$18.00", "--yes")


def in_review(world: World, **reported: str) -> None:
    """Bring the payment into REVIEW: 19.99 USD are registered, *reported* is reported."""
    world.says = lambda _: reply(**reported)
    world.order(orderId="A-17", expectedAmount="19.99", currency="USD")
    world.run(0)
    assert world.table.payment().status is Status.REVIEW


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
    "19,99 €",
    "🙂 18",
    "",
    " 18.00 ",
    "\u202e18.00",
    "about\t18\n",
    "x" * MAX_STORED_CHARACTERS,
    "9" * (MAX_STORED_CHARACTERS + 1),
    "🙂" * 5000,
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


def test_json_is_one_object(cli: CommandLine, world: World) -> None:
    """And nothing else is on stdout."""
    in_review(world, payAmount="$18.00")
    record = {"payId": PAY_ID, "registered": "19.99 USD", "reported": "$18.00"}
    assert cli.run(*SEEN, "--json").records == [record | {"reason": "coupon 5"}]


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
def test_a_script_has_to_say_what_it_saw(
    cli: CommandLine, world: World, *, has_terminal: bool
) -> None:
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


@pytest.mark.parametrize(
    ("options", "user_input", "code"),
    [
        (["--dry-run"], None, 0),
        (["--reported", "$18.00"], "n\n", 1),
        ([], "n\n", 1),
        ([], "", 2),
    ],
)
def test_nothing_is_accepted_without_a_yes(
    cli: CommandLine, world: World, options: list[str], user_input: str | None, code: int
) -> None:
    """In a dry run, after a no, and if nobody answers."""
    in_review(world, payAmount="$18.00")
    before = cli.table.item()
    result = cli.run(*ACCEPT, *options, user_input=user_input)
    assert result.code == code
    assert "nothing was changed" in result.err
    assert cli.table.item() == before


def test_only_a_payment_in_review_can_be_accepted(cli: CommandLine, world: World) -> None:
    """A PENDING and an unknown one cannot."""
    assert "is not in the table" in cli.run(*SEEN).err
    world.order(expectedAmount="19.99")
    world.run(0)
    result = cli.run(*SEEN)
    assert result.code == 2
    assert f"{PAY_ID} is PENDING: only a payment in REVIEW can be accepted" in result.err


def test_answer_that_is_no_success_any_more_cannot_be_accepted(
    cli: CommandLine, world: World
) -> None:
    """A late check got another payRst: REVIEW stays, but nothing says that it is paid."""
    in_review(world, payAmount="$18.00")
    world.says = lambda _: reply("refunded", payAmount="$18.00")
    world.run(2 * HOUR)
    result = cli.run(*SEEN)
    assert result.code == 2
    assert 'is payRst "refunded": there is no success to accept' in result.err


@pytest.mark.parametrize(
    ("meanwhile", "now"),
    [
        ({"reply": {"payRst": "success", "payAmount": "$1.00"}}, 'REVIEW now, "$1.00" reported'),
        ({"status": "SUCCEEDED"}, 'SUCCEEDED now, "$18.00" reported'),
        ({"expectedAmount": "18.50"}, 'REVIEW now, "$18.00" reported'),
        (None, "it is not in the table any more"),
    ],
)
def test_payment_that_changed_since_it_was_read_is_not_accepted(
    cli: CommandLine, world: World, meanwhile: dict[str, Any] | None, now: str
) -> None:
    """A late check, or another operator, comes between the read and the write."""
    in_review(world, payAmount="$18.00")

    def change_before(call: Any, **arguments: Any) -> Any:
        cli.table.change(**meanwhile) if meanwhile else cli.table.delete()
        return call(**arguments)

    cli.intercept("update_item", change_before)
    result = cli.run(*SEEN)
    assert result.code == 2
    assert "changed in the meantime, nothing was done" in result.err
    assert now in result.err
    assert "acceptedPayAmount" not in cli.table.item()


@pytest.mark.parametrize(
    "options",
    [
        ("--reason", " "),
        ("--reason", "a\nb"),
        ("--reason", "x" * 201),
        ("--reported", "$18.00", "--reported-absent"),
    ],
)
def test_invalid_option_is_rejected(cli: CommandLine, options: tuple[str, ...]) -> None:
    """One line that names the option, exit code 2."""
    result = cli.run(*ACCEPT, *options)
    assert result.code == 2
    assert options[0] in result.err
    assert len(result.err.splitlines()) == 1


def test_accepted_payment_stays_in_review_if_the_gateway_reports_another_amount(
    cli: CommandLine, world: World
) -> None:
    """The late checks go on, an hour after the decision."""
    in_review(world, payAmount="$18.00")
    assert cli.run(*SEEN).code == 0
    world.says = lambda _: reply(payAmount="$1.00")

    world.run(MINUTE)

    payment = world.table.payment()
    assert (payment.status, payment.attention) == (Status.REVIEW, "P000818#REVIEW")
    assert payment.next_check_at == NOW + HOUR


def test_payment_accepted_after_its_time_is_followed_through_an_outage(
    cli: CommandLine, world: World
) -> None:
    """The write renews giveUpAt: a hiccup does not end it."""
    in_review(world, payAmount="$18.00")
    world.run(10 * DAY)
    cli.now = world.now
    assert cli.run(*SEEN).code == 0
    paid = world.says
    world.says = lambda pay_id: GatewayUnavailable("down", pay_id=pay_id)
    world.run(5 * MINUTE)
    world.says = paid
    world.run(HOUR)
    assert world.table.payment().status is Status.SUCCEEDED


def test_the_event_has_the_accepted_text(cli: CommandLine, world: World) -> None:
    """Subscribers see what was paid, as the gateway wrote it."""
    in_review(world, payAmount="19,99 €")
    cli.run(*ACCEPT, "--reported", "19,99 €", "--yes")
    assert succeeds(world)
    event = json.loads(str(world.table.payment().event))
    assert event["data"]["payAmount"] == "19,99 €"
