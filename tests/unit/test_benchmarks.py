"""What the benchmarks make of their measurements; how long anything takes is no test's business."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.benchmarks import report
from tests.benchmarks.answers import aws, gateway
from tests.benchmarks.batching import BATCHES
from tests.benchmarks.bench import EXPERIMENTS
from tests.benchmarks.build import pins
from tests.benchmarks.cases import floor
from tests.benchmarks.experiment import by_turns, pairs
from tests.benchmarks.figures import Aim, Pair, Row, Sample, row
from tests.benchmarks.plot import svg
from tests.benchmarks.readme import GROUPS, table, with_table
from tests.benchmarks.stubs import Counted
from tests.benchmarks.targets import AIMS

LOWER = Aim("low", "ours", "theirs", 0.5, 0.4)
HIGHER = Aim("high", "ideal", "ours", 0.9, 0.95, better="higher")
NINE = [Pair(ratio, 1.0, 0.25, 0.5) for ratio in (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2)]


def rows(ratio: float = 0.45) -> list[Row]:
    """A row for each of the aims, all with the same ratio."""
    return [row(aim, [Pair(ratio, 1.0)] * 9) for aim in AIMS]


def test_a_row_has_medians_and_the_spread_of_the_ratios() -> None:
    """Seconds become milliseconds."""
    made = row(LOWER, NINE)
    assert (made.a, made.b, made.ratio) == (600, 1000, 0.6)
    assert (made.p10, made.p90, made.pairs) == (0.28, 0.92, 9)
    assert (made.cpu_a, made.cpu_b) == (250, 500)


def test_the_ratio_is_taken_pair_by_pair() -> None:
    """So a slow moment, which hits both of a pair, does not count."""
    made = row(LOWER, [Pair(1, 2), Pair(10, 20), Pair(4, 8)])
    assert made.ratio == made.p10 == made.p90 == 0.5


def test_memory_stays_in_mib_and_has_no_cpu() -> None:
    """What was not measured is absent, not 0."""
    made = row(replace(LOWER, unit="MiB"), [Pair(61.0, 60.0)] * 9)
    assert (made.a, made.b, made.cpu_a) == (61, 60, None)


@pytest.mark.parametrize(
    ("aim", "ratio", "word"),
    [
        (LOWER, 0.4, "stretch"),
        (LOWER, 0.41, "target"),
        (LOWER, 0.51, "missed"),
        (HIGHER, 0.95, "stretch"),
        (HIGHER, 0.9, "target"),
        (HIGHER, 0.89, "missed"),
        (replace(LOWER, stretch=None), 0.1, "target"),
        (replace(LOWER, target=None, stretch=None), 0.1, ""),
    ],
)
def test_a_row_says_how_far_it_came(aim: Aim, ratio: float, word: str) -> None:
    """In the direction that is better."""
    assert row(aim, [Pair(ratio, 1.0)] * 9).reached == word


def test_sides_take_turns_and_the_first_round_does_not_count() -> None:
    """B A (dropped), A B, B A, A B."""
    order: list[str] = []

    def run(side: str) -> Sample:
        order.append(side)
        return Sample(len(order), 0.0)

    rounds = by_turns({side: partial(run, side) for side in "ab"}, 3, lambda _: None)
    assert "".join(order) == "baabbaab"
    assert [pair[:2] for pair in pairs(rounds, "a", "b")] == [(3, 4), (6, 5), (7, 8)]


def test_each_aim_has_one_experiment_and_one_place_in_the_readme() -> None:
    """No row is forgotten, and none is measured twice."""
    names = sorted(aim.name for aim in AIMS)
    assert sorted(name for experiment in EXPERIMENTS for name in experiment.names) == names
    assert sorted(name for group in GROUPS.values() for name in group.values()) == names


def test_the_least_wait_counts_rounds_of_32() -> None:
    """Ten checks are four waits; of a thousand the queries alone are 32 rounds."""
    assert BATCHES["batch_10_efficiency"].least(80, 5) == 80 + 3 * 5
    assert BATCHES["batch_100_efficiency"].least(80, 5) == 4 * 80 + 2 * 5
    assert BATCHES["batch_1000_checks_efficiency"].least(80, 5) == 32 * 80 + (1 + 3 + 32) * 5


def test_the_table_has_a_line_for_each_row() -> None:
    """And says which were missed."""
    lines = report.table([row(LOWER, NINE), row(HIGHER, NINE)]).splitlines()
    assert len(lines) == 4
    assert len({line.count("|") for line in lines}) == 1
    assert "| low | 600 ms | 1,000 ms | 0.6 | 0.28 | 0.92 | 250 | 500 | ≤ 0.5 | ≤ 0.4 |" in lines[2]
    assert lines[3].endswith("| ≥ 0.9 | ≥ 0.95 | missed |")


def test_results_are_read_as_they_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest file counts."""
    monkeypatch.setattr(report, "machine", dict)
    (tmp_path / "2020-01-01.json").write_text("{}")
    report.save(rows(), tmp_path)
    assert report.latest(tmp_path)["rows"] == rows()


def test_a_plot_has_a_bar_a_row_as_long_as_its_share_of_the_target() -> None:
    """Better is shorter, also where more is better; what is far too long is cut."""
    assert bars([row(LOWER, NINE), row(HIGHER, NINE)]) == [("missed", 240), ("missed", 300)]
    assert bars([row(LOWER, [Pair(0.4, 1)] * 9)]) == [("reached", 160)]
    assert bars([row(LOWER, [Pair(5, 1)] * 9)]) == [("missed", 400)]


def bars(drawn: list[Row]) -> list[tuple[str | None, float]]:
    """Class and length of each bar."""
    document = ET.fromstring(svg(drawn, "2026-01-01"))  # noqa: S314 - our own
    found = document.iter("{http://www.w3.org/2000/svg}rect")
    return [(bar.get("class"), float(bar.get("width", 0))) for bar in found]


def test_the_readme_gets_the_table_in_the_place_of_the_old_one() -> None:
    """Whatever stands around it stays."""
    text = "# x\n\n| a |\n\n## Performance\n\nWords.\n\n{}\nMore.\n\n## Next\n\n| b |\n"
    made = table({each.name: each for each in rows()})
    assert with_table(text.format("| old |\n|---|\n"), made) == text.format(made)
    assert with_table(text.format(made), made) == text.format(made)


def test_a_readme_without_such_a_table_is_refused() -> None:
    """Nothing is written into another section."""
    with pytest.raises(ValueError, match="no table"):
        with_table("# x\n\n## Performance\n\nWords.\n\n## Next\n\n| b |\n", "| new |\n")


def test_pins_are_taken_from_a_lock_file_with_their_hashes() -> None:
    """Those that are asked for, whole."""
    wanted = "ab==1 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n"
    lock = "# made\n" + wanted + wanted.replace("ab", "abc")
    assert pins(lock, ["ab"]) == wanted


def test_the_floor_signs_as_botocore_does() -> None:
    """It is a real one: AWS would take its calls."""
    headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "T.Op"}
    url = "https://dynamodb.eu-central-1.amazonaws.com/"
    request = AWSRequest("POST", url, headers=headers, data=b"{}")
    SigV4Auth(Credentials("testing", "testing"), "dynamodb", "eu-central-1").add_auth(request)
    signed = headers | {
        "host": "dynamodb.eu-central-1.amazonaws.com",
        "x-amz-date": request.headers["X-Amz-Date"],
    }
    assert floor.sign("dynamodb", "eu-central-1", signed, b"{}") == request.headers["Authorization"]


def test_the_stub_of_aws_finds_the_same_item_every_time() -> None:
    """What an update makes of it is answered, and forgotten; a new payId is in no table."""
    keys = [{"pk": {"S": f"P000818#{pay_id}"}} for pay_id in ("known-1", "new-1")]
    asked = {"RequestItems": {"payments": {"Keys": keys}}}
    before = aws("DynamoDB_20120810.BatchGetItem", asked)
    updated = aws(
        "DynamoDB_20120810.UpdateItem",
        {
            "Key": keys[0],
            "UpdateExpression": "SET #step = :step",
            "ExpressionAttributeNames": {"#step": "step"},
            "ExpressionAttributeValues": {":step": {"N": "2"}},
            "ReturnValues": "ALL_NEW",
        },
    )
    assert aws("DynamoDB_20120810.BatchGetItem", asked) == before
    [item] = before["Responses"]["payments"]
    assert item["payId"] == {"S": "known-1"}
    assert updated["Attributes"] == item | {"step": {"N": "2"}}


def test_the_stub_of_the_gateway_tells_the_fate_that_the_pay_id_says() -> None:
    """And echoes who asked about what."""
    for pay_id, pay_rst in (("new-1", "processing"), ("new-1-paid", "success")):
        told = gateway("", {"partnerCode": "P000818", "payId": pay_id})
        assert (told["payId"], told["partnerCode"], told["payRst"]) == (pay_id, "P000818", pay_rst)


def test_calls_are_counted_by_operation_and_waits_by_their_median() -> None:
    """One slow call of many is the machine's doing, not the delay."""
    counted = Counted({"X.Get": [1.0, 9.0, 1.0], "X.Put": [2.0]})
    assert counted.calls == {"Get": 3, "Put": 1}
    assert counted.waited == 3 * 1.0 + 2.0
    assert counted.wait == 1.5


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0543, "0.0543"), (2.616, "2.62"), (99.96, "100"), (582.29, "582"), (8558.5, "8,558")],
)
def test_figures_are_read_by_people(value: float, text: str) -> None:
    """No powers of ten, and no more digits than were measured."""
    assert report.figure(value) == text
