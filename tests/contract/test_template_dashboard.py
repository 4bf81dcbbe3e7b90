"""Contract of template.yaml, dashboard: it shows written metrics of existing resources."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any, NamedTuple

import pytest

from payresult.observability import UNITS
from tests.contract.commands import PLACES, Cloud, filled
from tests.support.emitted import emitted
from tests.support.template import FUNCTIONS, MADE, RESOURCES, of_type, properties

TEXT, INSERTED = properties("Dashboard")["DashboardBody"]["Fn::Sub"]
ON_AWS, COMPUTED, EMULATED = INSERTED["ComputedAlarms"]["Fn::If"]
BODIES = [TEXT.replace("${ComputedAlarms}", it) for it in (COMPUTED["Fn::Sub"], EMULATED)]
WIDGETS: list[dict[str, Any]] = json.loads(BODIES[0])["widgets"]
GRAPHS = [it["properties"] for it in WIDGETS if it["type"] == "metric"]

# The metrics of AWS services with their dimensions (AWS, the metrics page of each service).
QUEUE = ("QueueName",)
FUNCTION = ("FunctionName",)
TABLE = ("TableName",)
INDEX = ("TableName", "GlobalSecondaryIndexName")
GROUP = ("LogGroupName",)
OF_AWS = {
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", QUEUE),
    ("AWS/SQS", "ApproximateNumberOfMessagesDelayed", QUEUE),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage", QUEUE),
    ("AWS/Lambda", "Invocations", FUNCTION),
    ("AWS/Lambda", "Duration", FUNCTION),
    ("AWS/DynamoDB", "ConsumedWriteCapacityUnits", TABLE),
    ("AWS/DynamoDB", "ConsumedReadCapacityUnits", TABLE),
    ("AWS/DynamoDB", "ConsumedWriteCapacityUnits", INDEX),
    ("AWS/DynamoDB", "ConsumedReadCapacityUnits", INDEX),
    ("AWS/Logs", "IncomingBytes", GROUP),
}
# What a dimension names: a resource type, and the attribute with the name (None: its Ref).
NAMED_BY = {
    "QueueName": ("AWS::SQS::Queue", "QueueName"),
    "FunctionName": ("AWS::Serverless::Function", None),
    "TableName": ("AWS::DynamoDB::Table", None),
    "LogGroupName": ("AWS::Logs::LogGroup", None),
}


class Shown(NamedTuple):
    """One line of a graph."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    stat: str

    @property
    def kind(self) -> tuple[str, str, tuple[str, ...]]:
        """All but the values of the dimensions."""
        return self.namespace, self.name, tuple(key for key, _ in self.dimensions)


def _lines(graph: dict[str, Any]) -> Iterator[Shown]:
    """Yield the graph's lines, with "." and "..." expanded as CloudWatch does."""
    before: list[str] = []
    for row in graph["metrics"]:
        options = row[-1] if isinstance(row[-1], dict) else {}
        fields = [field for field in row if field is not options]
        if fields[0] == "...":
            fields = before[: len(before) - len(fields) + 1] + fields[1:]
        fields = [before[at] if field == "." else field for at, field in enumerate(fields)]
        before = fields
        namespace, name, *rest = fields
        dimensions = tuple(zip(rest[::2], rest[1::2], strict=True))
        yield Shown(namespace, name, dimensions, options.get("stat", graph["stat"]))


SHOWN = [line for graph in GRAPHS for line in _lines(graph)]
OWN = [line for line in SHOWN if line.namespace == "payresult"]


def test_every_metric_of_ours_on_it_is_one_that_the_functions_write() -> None:
    """Same namespace, name and dimensions: for any other, CloudWatch shows an empty graph."""
    written = {(it.namespace, it.name, it.dimensions) for it in emitted()}
    shown = {
        (it.namespace, it.name, tuple((key, filled(value)) for key, value in it.dimensions))
        for it in OWN
    }
    assert {value for it in OWN for _, value in it.dimensions} == {"${AWS::StackName}"}
    assert filled("${AWS::StackName}") == MADE["AWS::StackName"]
    assert shown <= written


def test_nothing_is_written_that_nobody_looks_at() -> None:
    """Each metric has a monthly price: it is on the dashboard, or an alarm watches it."""
    alarms = of_type("AWS::CloudWatch::Alarm").values()
    watched = {it["MetricName"] for it in alarms if it.get("Namespace") == "payresult"}
    assert {it.name for it in emitted()} == {it.name for it in OWN} | watched


def test_percentiles_are_shown_of_what_is_measured_and_sums_of_what_is_counted() -> None:
    """Only the sum of a count is written, so its percentiles have no meaning."""
    for line in OWN:
        assert (line.name in UNITS) == bool(re.fullmatch(r"p\d\d", line.stat)), line
    assert {it.name: it.unit for it in emitted() if it.name in UNITS} == UNITS


def test_the_other_metrics_are_those_that_aws_writes() -> None:
    """With exactly the dimensions that the service documents."""
    assert {line.kind for line in SHOWN if line not in OWN} == OF_AWS


def test_every_resource_on_it_is_one_of_the_template() -> None:
    """And of the type that the dimension names."""
    indexes = {index["IndexName"] for index in properties("Table")["GlobalSecondaryIndexes"]}
    for key, value in (pair for line in SHOWN for pair in line.dimensions if line not in OWN):
        if key == "GlobalSecondaryIndexName":
            assert value in indexes
            continue
        place = PLACES.fullmatch(value)
        assert place, value
        kind, attribute = NAMED_BY[key]
        assert (RESOURCES[place["name"]]["Type"], place["attribute"]) == (kind, attribute), value


def test_every_function_and_log_group_is_among_what_costs_money() -> None:
    """So no cost can grow unnoticed."""
    named = {value for line in SHOWN for _, value in line.dimensions}
    assert {f"${{{name}Function}}" for name in FUNCTIONS} <= named
    assert {f"${{{name}}}" for name in of_type("AWS::Logs::LogGroup")} <= named


def test_every_alarm_is_on_it() -> None:
    """By its ARN, as CloudWatch requires."""
    alarms = {name: f"${{{name}.Arn}}" for name in of_type("AWS::CloudWatch::Alarm")}
    emulated = {name: it for name, it in alarms.items() if "Condition" not in RESOURCES[name]}
    assert ON_AWS == "OnAws"
    for body, expected in zip(BODIES, (alarms, emulated), strict=True):
        widgets = json.loads(body)["widgets"]
        (board,) = (it["properties"]["alarms"] for it in widgets if it["type"] == "alarm")
        assert sorted(board) == sorted(expected.values())


def test_the_commands_on_it_run() -> None:
    """An operator starts with them."""
    (text,) = (it["properties"]["markdown"] for it in WIDGETS if it["type"] == "text")
    commands = re.findall("`([^`]+)`", text)
    assert len(commands) >= 4
    with Cloud.made() as cloud:
        for command in commands:
            cloud.run(filled(command))


def test_it_stays_within_what_is_free_of_charge() -> None:
    """Three dashboards an account of up to fifty metrics each (AWS, CloudWatch pricing)."""
    assert len(SHOWN) <= 50


@pytest.mark.parametrize("graph", GRAPHS, ids=[graph["title"] for graph in GRAPHS])
def test_a_graph_says_where_and_how_its_metrics_are_read(graph: dict[str, Any]) -> None:
    """The properties that CloudWatch requires, and a valid period: whole minutes."""
    assert set(graph) == {"title", "region", "stat", "period", "metrics"}
    assert graph["region"] == "${AWS::Region}"
    assert graph["period"] % 60 == 0


def test_no_widget_lies_over_another() -> None:
    """The grid has 24 columns."""
    areas = []
    for it in WIDGETS:
        assert set(it) == {"type", "x", "y", "width", "height", "properties"}
        assert it["x"] + it["width"] <= 24
        rows, columns = (
            range(it["y"], it["y"] + it["height"]),
            range(it["x"], it["x"] + it["width"]),
        )
        areas.append({(row, column) for row in rows for column in columns})
    assert not [1 for one, other in combinations(areas, 2) if one & other]


def test_the_name_is_the_stacks_own_in_every_region() -> None:
    """An account has one list of dashboards for all of its regions."""
    name = properties("Dashboard")["DashboardName"]["Fn::Sub"]
    assert name == "${AWS::StackName}-${AWS::Region}"
