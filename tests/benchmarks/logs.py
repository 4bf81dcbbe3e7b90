"""What the functions, Lambda and API Gateway write to their logs, for the cost model."""

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from tests.support.functions import app
from tests.support.template import properties

_ID = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
PLATFORM_LOG = (
    f"START RequestId: {_ID} Version: $LATEST\n"
    f"END RequestId: {_ID}\n"
    f"REPORT RequestId: {_ID}\tDuration: 123.45 ms\tBilled Duration: 124 ms\t"
    "Memory Size: 256 MB\tMax Memory Used: 70 MB\t\n"
)
"""What Lambda logs for each invocation (AWS Lambda developer guide, "Log and monitor
Python Lambda functions")."""


@contextmanager
def written(name: str) -> Iterator[io.StringIO]:
    """Capture the log of a function, at the level of a deployment."""
    logger, log = app(name).handler.logger, io.StringIO()
    level, handler = logger.log_level, logger.registered_handler
    logger.setLevel("INFO")
    before = handler.setStream(log)
    try:
        with redirect_stdout(log):
            yield log
    finally:
        handler.setStream(before)
        logger.setLevel(level)


def access_log() -> str:
    """Return a line of the HTTP API's access log, with values as long as real ones."""
    settings = properties("ApiStage")["AccessLogSettings"]
    line: str = settings["Format"]
    for name, value in _ACCESS.items():
        line = line.replace(f"$context.{name}", value)
    return line


_ACCESS = {
    "requestId": "JKJaXmPLvHcESHA=",
    "requestTime": "22/Nov/2026:10:00:00 +0000",
    "identity.userArn": "arn:aws:sts::123456789012:assumed-role/app/i-0123456789abcdef0",
    "routeKey": "GET /payments/{payId}",
    "status": "200",
    "error.responseType": "-",
    "responseLatency": "42",
    "integration.status": "200",
    "integration.requestId": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
}
