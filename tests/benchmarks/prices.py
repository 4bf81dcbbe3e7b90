"""List prices of us-east-1 in dollars, each with its source and the date of the source.

No free tier, no volume discount, no savings plan. ``trust``: "AWS" is AWS's own page, "copy"
another site, "unconfirmed" a price without a source.
"""

from collections.abc import Mapping
from typing import NamedTuple

MILLION = 1_000_000

Usage = Mapping[str, float]
"""The amounts used, by the name of a price."""


class Price(NamedTuple):
    """The price of one unit, and its source."""

    dollars: float
    source: str
    date: str
    trust: str


_LAMBDA = ("https://cloudchipr.com/blog/aws-lambda-pricing", "2024", "copy")
_DYNAMODB = ("https://airbyte.com/data-engineering-resources/dynamodb-pricing", "2025-07", "copy")
_BUS = ("https://cloudburn.io/blog/amazon-eventbridge-pricing", "2026-03", "copy")
_WHITEPAPER = "best-practices-api-gateway-private-apis-integration/cost-optimization.html"
_API = (f"https://docs.aws.amazon.com/whitepapers/latest/{_WHITEPAPER}", "read 2026-11", "AWS")
_LOGS = (
    "https://www.factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards/",
    "2026-06",
    "copy",
)

PRICES = {
    "Lambda requests": Price(0.20 / MILLION, *_LAMBDA),
    "Lambda arm64 GB-s": Price(0.0000133334, *_LAMBDA),
    "Lambda x86_64 GB-s": Price(0.0000166667, *_LAMBDA),
    "SQS requests": Price(
        0.40 / MILLION, "https://cloudburn.io/blog/amazon-sqs-pricing", "2026-03", "copy"
    ),
    "table write units": Price(0.625 / MILLION, *_DYNAMODB),
    "index write units": Price(0.625 / MILLION, *_DYNAMODB),
    "read units": Price(0.125 / MILLION, *_DYNAMODB),
    "events": Price(1.00 / MILLION, *_BUS),
    "archived GB": Price(0.10, *_BUS),
    "log GB": Price(0.50, *_LOGS),
    "HTTP API calls": Price(1.00 / MILLION, *_API),
    "REST API calls": Price(3.50 / MILLION, *_API),
    "X-Ray traces": Price(
        5.00 / MILLION, "https://aws.amazon.com/xray/pricing/", "read 2026-11", "AWS"
    ),
    "state transitions": Price(
        25.0 / MILLION, "https://aws.amazon.com/step-functions/pricing/", "read 2026-11", "AWS"
    ),
    "durable operations": Price(
        8.00 / MILLION, "https://aws.amazon.com/lambda/pricing/", "read 2026-09", "AWS"
    ),
    "metrics a month": Price(
        0.30, "https://signoz.io/guides/cloudwatch-pricing", "2026-02", "copy"
    ),
    "alarm metrics a month": Price(
        0.10, "https://c3x.dev/resources/aws/aws_cloudwatch_metric_alarm", "read 2026-11", "copy"
    ),
    "dashboards a month": Price(3.00, *_LOGS),
    "stored GB a month": Price(
        0.25, "https://aws.amazon.com/dynamodb/pricing/", "read 2026-11", "AWS"
    ),
    "recoverable GB a month": Price(0.20, "none found", "", "unconfirmed"),
}


def bill(used: Usage) -> dict[str, float]:
    """Return the dollars for *used*, by the name of a price."""
    return {name: amount * PRICES[name].dollars for name, amount in used.items()}


def dollars(used: Usage) -> float:
    """Return the dollars for all of *used*."""
    return sum(bill(used).values())


def scaled(used: Usage, factor: float) -> dict[str, float]:
    """Return *used* multiplied by *factor*."""
    return {name: amount * factor for name, amount in used.items()}
