"""`payresult reconcile`: a bill against the table."""

from pathlib import Path

import pytest

from tests.support.factories import DAY, reply
from tests.support.tables import Table
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine

HEAD = "payId,difference,billAmount,ourAmount,status"


@pytest.fixture
def bench(table: Table) -> CommandLine:
    """A system with four payments: two paid on the first day, one a day later, one pending."""
    world = World(table)
    world.says = lambda pay_id: reply(payId=pay_id, payAmount="$19.99")
    world.order("p-1")
    world.order("p-2")
    world.run(0)
    world.now += DAY
    world.order("p-3")
    world.run(0)
    world.says = lambda pay_id: reply("wait", payId=pay_id)
    world.order("p-4")
    world.run(0)
    return CommandLine(table)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the bill lies."""
    return tmp_path / "bill.csv"


def test_a_bill_that_agrees_yields_nothing(bench: CommandLine, file: Path) -> None:
    """However the amounts are written; other columns are left alone. Exit code 0."""
    file.write_text('no,amount,payId\n1,$19.99,p-1\n2,"USD 19.99",p-2\n3,19.99,p-3\n')

    ran = bench.run("reconcile", file)

    assert (ran.code, ran.out.splitlines()) == (0, [HEAD])
    assert ran.err == ("3 payIds on the bill: 0 missing, 0 extra, 0 different, 0 repeated\n")


def test_each_difference_is_a_line(bench: CommandLine, file: Path) -> None:
    """Exit code 1."""
    file.write_text("payId,amount\np-1,19.98\np-4,19.99\np-9,5.00\np-2,19.99\np-2,19.99\n")

    ran = bench.run("reconcile", file)

    assert ran.code == 1
    head, first, *rest = ran.out.splitlines()
    assert (head, first) == (HEAD, "p-2,repeated,19.99,,")
    assert sorted(rest) == [
        "p-1,different,19.98,19.99,SUCCEEDED",
        "p-3,extra,,19.99,SUCCEEDED",
        "p-4,missing,19.99,,PENDING",
        "p-9,missing,5.00,,",
    ]
    assert ran.err == "4 payIds on the bill: 2 missing, 1 extra, 1 different, 1 repeated\n"


def test_only_what_was_paid_in_the_time_of_the_bill_is_extra(
    bench: CommandLine, file: Path
) -> None:
    """What is on the bill is compared whenever it was paid."""
    file.write_text("payId,amount\np-2,19.99\n")
    day = ("--since", "2026-11-22", "--until", "2026-11-23T09:00Z")

    ran = bench.run("reconcile", file, *day, "--json")

    assert [record["payId"] for record in ran.records] == ["p-1"]
    file.write_text("payId,amount\np-3,1.00\n")
    found = {
        record["payId"]: record["difference"]
        for record in bench.run("reconcile", file, *day, "--json").records
    }
    assert found == {"p-1": "extra", "p-2": "extra", "p-3": "different"}


def test_another_currency_is_a_difference(bench: CommandLine, file: Path) -> None:
    """Where both say which; "$" does not."""
    file.write_text("payId,amount\np-1,€19.99\np-2,19.99\np-3,19.99\n")
    bench.table.change("p-1", reply={"payAmount": "GBP 19.99"})
    assert bench.run("reconcile", file, "--json").records == [
        {
            "payId": "p-1",
            "difference": "different",
            "billAmount": "19.99",
            "ourAmount": "19.99",
            "status": "SUCCEEDED",
        }
    ]


def test_what_a_spreadsheet_would_take_for_a_formula_stays_text(
    bench: CommandLine, file: Path
) -> None:
    """The gateway may write anything into payAmount where no amount was registered."""
    file.write_text("payId,amount\np-1,19.99\np-2,19.99\np-3,19.99\n")
    bench.table.change("p-1", reply={"payAmount": "=HYPERLINK(1)\n"})
    out = bench.run("reconcile", file).out
    assert "p-1,different,19.99,'=HYPERLINK(1)\\n,SUCCEEDED\n" in out


def test_a_table_of_many_pages_is_read_to_its_end(bench: CommandLine, file: Path) -> None:
    """A page of Scan ends at 1 MB, whatever is asked of the items."""
    item = bench.table.item("p-1")
    for number in range(10):
        pay_id = f"q-{number}"
        extra = {"pk": f"P000818#{pay_id}", "payId": pay_id, "padding": "x" * 300_000}
        bench.table.put(item | extra)
    file.write_text("payId,amount\np-1,19.99\np-2,19.99\np-3,19.99\n")

    ran = bench.run("reconcile", file, "--json")

    assert {record["payId"] for record in ran.records} == {f"q-{n}" for n in range(10)}


def test_other_partners_in_the_table_are_none_of_ours(bench: CommandLine, file: Path) -> None:
    """A table that two stacks share, say."""
    bench.table.put(bench.table.item("p-1") | {"pk": "OTHER#p-1", "payId": "other-1"})
    file.write_text("payId,amount\np-1,19.99\np-2,19.99\np-3,19.99\n")
    assert bench.run("reconcile", file).code == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("payId,amount\n", "has no payId on it"),
        ("p-1\n", "line 1 must name the columns payId, amount"),
        ("payId;amount\np-1;19.99\n", "line 1 must name the columns payId, amount, separated by"),
        ("payId,amount\np 1,19.99\n", "line 2 is wrong: payId:"),
        ("payId,amount\np-1,19.999\n", "line 2 is wrong: amount: must look like"),
        ("payId,amount\np-1,\n", "line 2 is wrong: amount: must look like"),
    ],
)
def test_a_bad_bill_is_refused_with_the_line(
    bench: CommandLine, file: Path, text: str, said: str
) -> None:
    """One line, exit code 2, and nothing on stdout."""
    file.write_text(text)
    ran = bench.run("reconcile", file)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1


def test_a_payment_without_a_history_was_paid_at_no_known_time(
    bench: CommandLine, file: Path
) -> None:
    """It is extra only where no time is given."""
    bench.table.change("p-1", history=[])
    file.write_text("payId,amount\np-2,19.99\np-3,19.99\n")
    assert bench.run("reconcile", file).code == 1
    assert bench.run("reconcile", file, "--since", "2026-11-22").code == 0
