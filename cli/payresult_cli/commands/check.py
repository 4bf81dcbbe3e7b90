"""`payresult check`: ask the gateway now."""

from collections.abc import Sequence
from typing import Any

import click

from payresult_cli import http_api
from payresult_cli.context import Context
from payresult_cli.formatting import format_count, printable
from payresult_cli.options import PAY_ID, stack_options

AT_ONCE = 100
"""The most that one POST /payments/query takes."""


@click.command("check")
@click.argument("pay_ids", metavar="PAYID...", type=PAY_ID, nargs=-1, required=True)
@stack_options
def command(desk: Context, pay_ids: Sequence[str]) -> int:
    """Ask the gateway about payments now, through the API.

    A settled payment is told from the table, and so is one that somebody asked about in the last
    two seconds. Needs execute-api:Invoke. Exit code 1 where nothing is known of one of them.
    """
    wanted = list(dict.fromkeys(pay_ids))
    code = 0
    for start in range(0, len(wanted), AT_ONCE):
        body = {"payIds": wanted[start : start + AT_ONCE]}
        request = http_api.post(desk.system, "/payments/query", body)
        for result in http_api.content(desk.edges.send(request))["results"]:
            desk.tell(result, _line(result))
            code = 1 if "problem" in result else code
    return code


def _line(result: dict[str, Any]) -> str:
    problem = result.get("problem")
    if problem:
        return f"{result['payId']:<24}  -           {problem['title']}: {problem['detail']}"
    stale = "  (the gateway did not answer: this is what was known before)"
    said = f'payRst "{result["payRst"]}"' if "payRst" in result else "no answer yet"
    parts = [said, result.get("payAmount"), f"checked {format_count(result['checks'])}"]
    line = f"{result['payId']:<24}  {result['status']:<10}  {', '.join(filter(None, parts))}"
    return printable(line) + (stale if result.get("stale") else "")
