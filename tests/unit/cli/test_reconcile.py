"""P2, contract of `payresult reconcile`: every difference from a billing file, and no other."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.factories import DAY, reply
from tests.support.tables import MemoryTable, Table
from tests.support.world import World
from tests.unit.cli.cli_runner import CommandLine

HEADER = "payId,difference,billAmount,ourAmount,status"


@pytest.fixture(scope="module")
def orders() -> list[dict[str, Any]]:
    """Items: p-1 and p-2 were paid on the first day, p-3 on the next, p-4 is PENDING."""
    table = MemoryTable()
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
    return table.scan()


@pytest.fixture
def cli(table: Table, orders: list[dict[str, Any]]) -> CommandLine:
    """The command line on a table with these items."""
    for item in orders:
        table.put(item)
    return CommandLine(table)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The path of the billing file."""
    return tmp_path / "bill.csv"


def test_equal_amounts_are_no_difference(cli: CommandLine, file: Path) -> None:
    """However they are written; other columns are ignored. Exit code 0."""
    file.write_text('no,amount,payId\n1,$19.99,p-1\n2,"USD 19.99",p-2\n3,19.99,p-3\n')
    result = cli.run("reconcile", file)
    assert (result.code, result.out.splitlines()) == (0, [HEADER])
    assert result.err == (
        "3 payIds in the billing file: 0 missing, 0 extra, 0 different, 0 repeated, 0 duplicate\n"
    )


def test_each_difference_is_one_line(cli: CommandLine, file: Path) -> None:
    """Exit code 1."""
    file.write_text("payId,amount\np-1,19.98\np-4,19.99\np-9,5.00\np-2,19.99\np-2,19.99\n")
    result = cli.run("reconcile", file)
    assert result.code == 1
    header, first, *rest = result.out.splitlines()
    assert (header, first) == (HEADER, "p-2,repeated,19.99,,")
    assert sorted(rest) == [
        "p-1,different,19.98,19.99,SUCCEEDED",
        "p-3,extra,,19.99,SUCCEEDED",
        "p-4,missing,19.99,,PENDING",
        "p-9,missing,5.00,,",
    ]
    assert result.err == (
        "4 payIds in the billing file: 2 missing, 1 extra, 1 different, 1 repeated, 0 duplicate\n"
    )


def test_a_duplicate_is_told_until_a_person_has_dealt_with_it(cli: CommandLine, file: Path) -> None:
    """Beside any other difference. The marker of its order is no payment and does not show."""
    file.write_text("payId,amount\np-1,19.99\np-2,19.98\np-3,19.99\n")
    cli.table.payments.orders.claim("A-17", "p-1")
    cli.table.change("p-2", attention="P000818#DUPLICATE", attentionSince=1)
    _, *lines = cli.run("reconcile", file).out.splitlines()
    assert lines == [
        "p-2,different,19.98,19.99,SUCCEEDED",
        "p-2,duplicate,19.98,19.99,SUCCEEDED",
    ]
    cli.table.change("p-2", attention="P000818#REVIEW")
    assert len(cli.run("reconcile", file).out.splitlines()) == 2


def test_since_and_until_limit_extra_payments_only(cli: CommandLine, file: Path) -> None:
    """A payment of the file is compared whenever it was paid."""
    file.write_text("payId,amount\np-2,19.99\n")
    day = ("--since", "2026-11-22", "--until", "2026-11-23T09:00Z")
    result = cli.run("reconcile", file, *day, "--json")
    assert [record["payId"] for record in result.records] == ["p-1"]
    file.write_text("payId,amount\np-3,1.00\n")
    differences = {
        record["payId"]: record["difference"]
        for record in cli.run("reconcile", file, *day, "--json").records
    }
    assert differences == {"p-1": "extra", "p-2": "extra", "p-3": "different"}


REST = "p-2,19.99\np-3,19.99\n"
ODD = {"payAmount": "1,234"}


@pytest.mark.parametrize(
    ("bill", "stored", "options", "expected"),
    [
        # a currency, if both amounts name one; "$" may be any dollar
        ("p-1,€19.99\n" + REST, {"reply": {"payAmount": "GBP 19.99"}}, "", "19.99,19.99,SUCCEEDED"),
        # 1,234 dollars are 1234; of dinars, or of nobody knows what, it may be another sum
        ("p-1,1234.00\n" + REST, {"reply": ODD, "currency": "USD"}, "", None),
        ("p-1,1234.00\n" + REST, {"reply": ODD, "currency": "KWD"}, "", "1234.00,"),
        ("p-1,1234.00\n" + REST, {"reply": ODD}, "", "1234.00,"),
        # an export may have as many zeros as it likes; another digit is another amount
        *((f"p-1,{it}\n", {}, "--no-extra", None) for it in ("19.990", "$19.9900", "19.99000 USD")),
        ("p-1,19.9901\n", {}, "--no-extra", "19.9901,19.99,SUCCEEDED"),
        # any text is possible where no amount was registered: no formula gets into the CSV
        ("p-1,1.00\n" + REST, {"reply": {"payAmount": "=LINK(1)\n"}}, "", "1.00,'=LINK(1)\\n,SU"),
        # it is not known when it was paid: extra only without a limit
        (REST, {"history": []}, "--since 2026-11-22", None),
    ],
)
def test_which_amounts_differ(
    cli: CommandLine, file: Path, bill: str, stored: dict[str, Any], options: str, expected: Any
) -> None:
    """What is expected of the line of p-1, None: there is none."""
    file.write_text("payId,amount\n" + bill)
    cli.table.change("p-1", **stored)
    _, *lines = cli.run("reconcile", file, *options.split()).out.splitlines()
    assert len(lines) == (expected is not None)
    assert all(line.startswith(f"p-1,different,{expected}") for line in lines)


def test_all_pages_of_the_table_are_read(cli: CommandLine, file: Path) -> None:
    """A page of Scan ends at 1 MB, however few attributes are asked for."""
    item = cli.table.item("p-1")
    for number in range(10):
        pay_id = f"q-{number}"
        extra = {"pk": f"P000818#{pay_id}", "payId": pay_id, "padding": "x" * 300_000}
        cli.table.put(item | extra)
    file.write_text("payId,amount\np-1,19.99\np-2,19.99\np-3,19.99\n")
    result = cli.run("reconcile", file, "--json")
    assert {record["payId"] for record in result.records} == {f"q-{n}" for n in range(10)}


def test_payments_of_another_partner_are_ignored(cli: CommandLine, file: Path) -> None:
    """Two stacks may share a table."""
    cli.table.put(cli.table.item("p-1") | {"pk": "OTHER#p-1", "payId": "other-1"})
    file.write_text("payId,amount\np-1,19.99\np-2,19.99\np-3,19.99\n")
    assert cli.run("reconcile", file).code == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("payId,amount\n", "contains no payId"),
        ("p-1\n", "line 1 must name the columns payId, amount"),
        ("payId;amount\np-1;19.99\n", "line 1 must name the columns payId, amount, separated by"),
        ("payId,amount\np 1,19.99\n", "line 2 is invalid: payId:"),
        ("payId,amount\np-1,19.999\n", "line 2 is invalid: amount: must look like"),
        ("payId,amount\np-1,\n", "line 2 is invalid: amount: must look like"),
    ],
)
def test_invalid_file_is_rejected(cli: CommandLine, file: Path, text: str, expected: str) -> None:
    """One line, exit code 2, and nothing on stdout."""
    file.write_text(text)
    result = cli.run("reconcile", file)
    assert (result.code, result.out) == (2, "")
    assert expected in result.err
    assert len(result.err.splitlines()) == 1


def test_all_invalid_lines_are_named(cli: CommandLine, file: Path) -> None:
    """Up to twenty, so that the file is corrected at once."""
    file.write_text("payId,amount\np 1,19.99\np-2,19.99\np-3,much\n")
    assert "line 2 is invalid: payId:" in (found := cli.run("reconcile", file).err)
    assert "; line 4 is invalid: amount: must look like" in found
    file.write_text("payId,amount\n" + "p-1,much\n" * 23)
    found = cli.run("reconcile", file).err
    assert (found.count("is invalid"), "; and 3 more; nothing was done" in found) == (20, True)


def test_the_file_has_its_own_names_for_the_columns(cli: CommandLine, file: Path) -> None:
    """As the provider calls them."""
    file.write_text("Total,Transaction\n19.99,p-1\n19.99,p-2\n1.00,p-3\n")
    options = ("--columns", "Transaction", "Total", "--json")
    assert [each["payId"] for each in cli.run("reconcile", file, *options).records] == ["p-3"]
    assert "must name the columns payId, amount" in cli.run("reconcile", file).err


def test_extra_payments_are_left_out(cli: CommandLine, file: Path) -> None:
    """They are neither told nor counted."""
    file.write_text("payId,amount\np-1,19.99\n")
    result = cli.run("reconcile", file, "--no-extra")
    assert (result.code, result.out.splitlines()) == (0, [HEADER])
    assert result.err == (
        "1 payId in the billing file: 0 missing, 0 different, 0 repeated, 0 duplicate\n"
    )
