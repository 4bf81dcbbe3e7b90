"""CloudWatch alarms of template.yaml, evaluated each minute on recorded data points.

The rules are those of AWS's pages "Evaluating an alarm", "Configuring how CloudWatch alarms treat
missing data", "Alarm evaluation window" (sliding, the default) and "Using math expressions".
"""

import io
import json
import operator
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from functools import cache
from itertools import islice
from typing import Any

from tests.support.simulation import FunctionHost, Simulation
from tests.support.template import of_type

MINUTE_MS = 60_000
MORE_PERIODS = 2
"""CloudWatch looks at some periods more than it evaluates (AWS, "Evaluating an alarm": an
evaluation range of 5 for 3 periods). What is missing is made up for by older data points."""

ALARMS = of_type("AWS::CloudWatch::Alarm")

STATISTICS: dict[str, Callable[[list[float]], float]] = {"Sum": sum, "Maximum": max, "Minimum": min}
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
}


class Points:
    """The data points of each metric by its name, in the order of time (milliseconds)."""

    def __init__(self) -> None:
        self._times: defaultdict[str, list[int]] = defaultdict(list)
        self._values: defaultdict[str, list[float]] = defaultdict(list)

    def add(self, name: str, at: int, value: float = 1) -> None:
        """Add a data point; none of the metric is later."""
        self._times[name].append(at)
        self._values[name].append(value)

    def value(self, name: str, statistic: str, start: int, end: int) -> float | None:
        """Return the statistic of the points from *start* to before *end*, None without any."""
        times = self._times[name]
        found = self._values[name][bisect_left(times, start) : bisect_left(times, end)]
        return STATISTICS[statistic](found) if found else None


class Recorder:
    """Runs the functions of a simulation, and keeps the metrics (EMF) that they write."""

    def __init__(self, simulation: Simulation) -> None:
        self.points = Points()
        self._simulation = simulation
        self._host: FunctionHost = simulation.host
        simulation.host = self

    def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """Invoke a function; its metrics get the virtual time."""
        with redirect_stdout(io.StringIO()) as written:
            result = self._host.invoke(name, event)
        for line in written.getvalue().splitlines():
            self._record(json.loads(line))
        return result

    def _record(self, line: dict[str, Any]) -> None:
        for group in line.get("_aws", {}).get("CloudWatchMetrics", []):
            for metric in group["Metrics"]:
                for value in line[metric["Name"]]:
                    self.points.add(metric["Name"], self._simulation.now, value)


def rings(name: str, points: Points, start: int, end: int) -> list[int]:
    """Return when the alarm *name* goes to ALARM, in milliseconds: each time somebody is paged."""
    alarm, state, found = ALARMS[name], "INSUFFICIENT_DATA", []
    length, value_at = _series(alarm, points)
    periods = range(alarm["EvaluationPeriods"] + MORE_PERIODS)
    for now in range(start, end + 1, MINUTE_MS):
        before = state
        state = _state(alarm, (value_at(now - period * length) for period in periods), before)
        if state == "ALARM" != before:
            found.append(now)
    return found


def _state(alarm: dict[str, Any], values: Iterator[float | None], before: str) -> str:
    """Return the state after *before*; *values* are those of the last periods, newest first."""
    wanted: int = alarm["EvaluationPeriods"]
    needed: int = alarm.get("DatapointsToAlarm", wanted)
    compare, threshold = COMPARISONS[alarm["ComparisonOperator"]], alarm["Threshold"]
    latest = islice((value for value in values if value is not None), wanted)
    there = [compare(value, threshold) for value in latest]
    breaching, missing = sum(there), wanted - len(there)
    if alarm["TreatMissingData"] == "breaching":
        breaching, missing = breaching + missing, 0
    elif alarm["TreatMissingData"] == "notBreaching":
        missing = 0
    if breaching >= needed:
        return "ALARM"
    return before if breaching + missing >= needed else "OK"


def _series(alarm: dict[str, Any], points: Points) -> tuple[int, Callable[[int], float | None]]:
    """Return the length of a period, and the value of the period that ends at a time.

    Both in milliseconds; None: no data.
    """
    queries = alarm.get("Metrics", [])
    expression = next((it["Expression"] for it in queries if "Expression" in it), "value")
    stats = {it["Id"]: it["MetricStat"] for it in queries if "MetricStat" in it} or {
        "value": {"Metric": alarm, "Period": alarm.get("Period"), "Stat": alarm.get("Statistic")}
    }
    [length] = {stat["Period"] * 1000 for stat in stats.values()}
    python = expression.replace(" AND ", " and ").replace(" OR ", " or ")
    code = compile(python, "metric math", "eval")

    @cache
    def value_at(end: int) -> Any:
        known = {
            key: points.value(stat["Metric"]["MetricName"], stat["Stat"], end - length, end)
            for key, stat in stats.items()
        }
        try:
            return eval(code, dict(METRIC_MATH), known)  # noqa: S307 - of our own template
        except TypeError:  # of two operands one has no data, so neither has the result
            return None

    return length, value_at


METRIC_MATH: dict[str, Callable[..., Any]] = {
    "FILL": lambda value, other: other if value is None else value,
    "IF": lambda condition, then, otherwise: then if condition else otherwise,
}
"""CloudWatch's functions; its operators are Python's, but for the names of two."""
