"""`payresult check`: asks the gateway now, through the API."""

from collections.abc import Sequence
from typing import Any

import click

from payresult_cli import http_api
from payresult_cli.context import Context
from payresult_cli.formatting import format_count, format_row, printable
from payresult_cli.options import PAY_ID, stack_options

MAX_PAY_IDS_PER_REQUEST = 100
"""Limit of POST /payments/query."""

MAX_TRIES, PAUSE_SECONDS = 10, 1.0
"""Of a request that API Gateway rejects: its route takes 2 a second (template, RouteSettings)."""


@click.command("check")
@click.argument("pay_ids", metavar="PAYID...", type=PAY_ID, nargs=-1, required=True)
@stack_options
def command(context: Context, pay_ids: Sequence[str]) -> int:
    """Ask the gateway about payments now, through the API.

    A settled payment is read from the table, and so is one that was checked in the last two
    seconds. Needs the permission execute-api:Invoke. Exit code 1 if nothing is known about one of
    the payments.
    """
    unique = list(dict.fromkeys(pay_ids))
    code = 0
    for start in range(0, len(unique), MAX_PAY_IDS_PER_REQUEST):
        response = _query(context, unique[start : start + MAX_PAY_IDS_PER_REQUEST])
        for result in http_api.response_json(response)["results"]:
            context.output(result, _line(result))
            code = 1 if "problem" in result else code
    return code


def _query(context: Context, pay_ids: Sequence[str]) -> http_api.HttpResponse:
    request = http_api.signed_post(context.stack, "/payments/query", {"payIds": pay_ids})
    response = context.dependencies.send_request(request)
    for _ in range(MAX_TRIES - 1):
        if response.status != http_api.TOO_MANY_REQUESTS:
            break
        context.dependencies.sleep(PAUSE_SECONDS)
        response = context.dependencies.send_request(request)
    return response


def _line(result: dict[str, Any]) -> str:
    problem = result.get("problem")
    if problem:
        return format_row(result["payId"], "-", f"{problem['title']}: {problem['detail']}")
    stale = "  (the gateway did not answer: this is the stored result)"
    answer = f'payRst "{result["payRst"]}"' if "payRst" in result else "no answer yet"
    checked = f"checked {format_count(result['checks'], 'time')}"
    parts = filter(None, [answer, result.get("payAmount"), checked])
    line = format_row(result["payId"], result["status"], printable(", ".join(parts)))
    return line + (stale if result.get("stale") else "")
