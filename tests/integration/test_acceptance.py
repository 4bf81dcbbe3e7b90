"""Contract of the acceptance run: on the emulator each case passes, or says what only AWS shows."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from acceptance import faults, gateway_function, report
from acceptance.__main__ import main, on_emulator
from acceptance.deployment import Refused, beside, gateway_code, template, update
from acceptance.report import NOT_HERE, OK, Result, run_cases, table
from acceptance.target import CaseFailed, Target
from sandbox.packages import ROOT
from tests.integration.calls import signed_query

ONLY_ON_AWS = {
    "an event of somebody else (resource policy)",
    "the archive is replayed (bus policy)",
}


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    """A stack on the emulator, as EMULATOR=1 has it."""
    with on_emulator() as found:
        yield found


def test_each_case_passes_or_says_that_only_aws_shows_it(target: Target) -> None:
    """None is left out."""
    results = list(run_cases(target))
    assert [each.name for each in results] == report.NAMES
    expected = {name: NOT_HERE if name in ONLY_ON_AWS else OK for name in report.NAMES}
    assert {each.name: each.outcome for each in results} == expected, table(results, "here")
    assert target.stopping.is_set()
    target.stopping.clear()


def test_a_case_that_fails_is_in_the_table_and_stops_no_other(target: Target) -> None:
    """With what happened instead."""

    def fail(_target: Target) -> str:
        raise CaseFailed("it did not happen")

    result = report.run_case(target, "fails", fail)
    assert (result.outcome, result.note) == ("FAILED", "it did not happen")
    assert "| fails | FAILED | it did not happen | 0 |" in table([result], "Here")


def test_the_committed_table_has_each_case(target: Target) -> None:
    """Of the last run on the emulator."""
    assert target.emulated
    text = (ROOT / "docs" / "acceptance.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| (ok|not here|FAILED) \|", text, re.MULTILINE)
    expected = [(name, NOT_HERE if name in ONLY_ON_AWS else OK) for name in report.NAMES]
    assert rows == expected


def test_the_table_is_written_between_its_marks(tmp_path: Path) -> None:
    """The rest of the document stays."""
    document = ROOT / "docs" / "acceptance.md"
    copy = tmp_path / "acceptance.md"
    copy.write_text(document.read_text(encoding="utf-8"), encoding="utf-8")
    report.write(copy, table([Result("one", OK, "shown", 1.0)], "Here"))
    text = copy.read_text(encoding="utf-8")
    assert "| one | ok | shown | 1 |" in text
    assert text.startswith(document.read_text(encoding="utf-8").split("<!-- table -->")[0])


def test_the_gateway_is_one_file_that_cloudformation_takes() -> None:
    """Its own code and the provider's rules; the template may have 51,200 bytes (AWS, quotas)."""
    text = template()
    assert len(text.encode()) < 51_200
    code = yaml.safe_load(re.sub(r"!\w+ ", "", text))["Resources"]["Gateway"]["Properties"]["Code"]
    assert code["ZipFile"] == gateway_code()
    scope: dict[str, object] = {}
    exec(compile(code["ZipFile"], "index.py", "exec"), scope)  # noqa: S102 - as Lambda does
    event = {"rawPath": "/resultQuery", "body": signed_query("paid-1").decode()}
    answered = scope["handler"](event, None)  # type: ignore[operator]  # the function
    assert json.loads(answered["body"])["payRst"] == "success"


@pytest.mark.parametrize(
    ("pay_id", "status", "pay_rst"),
    [
        ("paid-1", 200, "success"),
        ("never-1", 200, "waiting"),
        ("later1-1", 200, "success"),
        ("later99999999999-1", 200, "waiting"),
        ("wrong-1", 200, "success"),
        ("down99999999999-1", 500, None),
        ("busy-1", 429, None),
    ],
)
def test_the_pay_id_says_what_the_gateway_answers(
    pay_id: str, status: int, pay_rst: str | None
) -> None:
    """It has no state."""
    found, _, text = gateway_function.answer("/resultQuery", signed_query(pay_id))
    assert (found, json.loads(text).get("payRst")) == (status, pay_rst)


def test_a_request_without_a_valid_sign_is_rejected() -> None:
    """As by the provider."""
    _, _, text = gateway_function.answer(
        "/resultQuery", signed_query("paid-1").replace(b"paid", b"free")
    )
    assert "payRst" not in text
    assert gateway_function.answer("/", b"")[0] == 404


def test_a_stack_that_is_not_there_for_tests_is_refused(target: Target) -> None:
    """Nothing is deployed or changed."""
    client = target.client("cloudformation")
    update(client, target.name, EnvironmentName="prod")
    with pytest.raises(Refused, match="EnvironmentName=prod"), beside(client, target.name):
        pass
    update(client, target.name, EnvironmentName="acceptance")


def test_a_run_without_a_stack_says_what_to_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, one line."""
    monkeypatch.delenv("STACK", raising=False)
    monkeypatch.delenv("EMULATOR", raising=False)
    assert main() == 2
    assert capsys.readouterr().err.startswith("acceptance: name a stack for tests")


def test_the_arn_of_an_archive_is_made_from_its_bus() -> None:
    """ListArchives does not return it."""
    bus = "arn:aws:events:eu-central-1:123456789012:event-bus/payresult"
    arn = faults.archive_arn(bus, "payresult-archive")
    assert arn == "arn:aws:events:eu-central-1:123456789012:archive/payresult-archive"
