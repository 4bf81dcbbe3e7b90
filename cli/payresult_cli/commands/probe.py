"""`payresult probe`: the first contact with the gateway, before anything is deployed."""

import json
from collections.abc import Callable
from time import perf_counter
from typing import IO, TYPE_CHECKING

import click

from payresult_cli.context import Context
from payresult_cli.errors import CommandError
from payresult_cli.options import PAY_ID, output_option

if TYPE_CHECKING:  # imported when it runs: `--help` needs neither urllib3 nor pydantic
    from payresult.gateway.protocol import HttpResponse
    from payresult_cli.judgement import Question
    from payresult_cli.probe_report import Section

_NO_ANSWER = {
    "timeout": "gave no complete answer within {seconds:g} s: try again, then ask"
    " the gateway's operator",
    "connection": "gave no HTTP answer that can be read ({rule}): check the"
    " scheme and port in --base-url, then ask the gateway's operator",
    "tls": "broke TLS after a first good connection ({rule}): ask the gateway's operator",
}
"""By the kind of a failure."""


@click.command("probe")
@click.argument("pay_id", metavar="PAYID", type=PAY_ID)
@click.option("--base-url", metavar="URL", help="The gateway's base URL, without /resultQuery.")
@click.option("--partner-code", metavar="CODE", required=True, help="Your partnerCode.")
@click.option(
    "--reply",
    type=click.File("rb", lazy=True),  # opened when it is read
    metavar="FILE",
    help="Judge this answer, a body or the output of `curl -i` (- is stdin); use no network.",
)
@click.option("--expected-amount", metavar="AMOUNT", help="As registered: 19.99.")
@click.option("--currency", metavar="CODE", help="As registered: USD.")
@output_option
def command(
    context: Context,
    pay_id: str,
    partner_code: str,
    *,
    base_url: str | None,
    reply: IO[bytes] | None,
    **registered: str | None,
) -> int:
    """Ask the gateway once, before anything is deployed.

    Needs neither AWS nor a stack, and stores nothing. Opens two connections at most, and sends
    one query. Shows connection, query and answer, how payresult understands it and by which rule,
    and what the answer says about questions that the gateway's documents leave open.

    The output holds partnerCode and payId: whoever has both can query the gateway about this
    payment.

    Exit code 0 if the answer is a reply about this payment (paid or not), 1 if it is not, 2 if
    there was none.
    """
    if (base_url is None) == (reply is None):
        raise click.UsageError("Give either --base-url or --reply.")
    question = _question(pay_id, partner_code, registered)
    output = _Output(context)
    if reply is None:
        response, took = _ask(output, question, _base_url(base_url or ""))
        return _report(output, question, response, took)
    from payresult_cli.saved_answer import MAX_BYTES, parse_answer

    return _report(output, question, parse_answer(reply.read(MAX_BYTES)), None)


class _Output:
    """Writes sections as they come, or with --json all of them as one object at the end."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._sections: list[Section] = []

    def add(self, section: "Section") -> None:
        """Write *section*, or keep it for the object."""
        if self.context.as_json:
            self._sections.append(section)
        else:
            lines = [section.name.capitalize(), *(f"  {line}".rstrip() for line in section.lines)]
            click.echo("\n".join([*lines, ""]))

    def end(self, question: "Question") -> None:
        """Write the object."""
        if self.context.as_json:
            record = {"payId": question.pay_id, "partnerCode": question.partner_code}
            record |= {each.name: each.value for each in self._sections}
            click.echo(json.dumps(record, ensure_ascii=False))


def _question(pay_id: str, partner_code: str, registered: dict[str, str | None]) -> "Question":
    from payresult.resources import require_name
    from payresult.schemas.requests import parse_registration
    from payresult_cli.judgement import Question

    names = {"expected_amount": "expectedAmount", "currency": "currency"}
    given = {names[name]: text for name, text in registered.items() if text is not None}
    code = _checked("--partner-code", require_name, partner_code)
    return Question(pay_id, code, parse_registration(json.dumps(given)))


def _base_url(text: str) -> str:
    from payresult.gateway.client import PATH
    from payresult.settings import to_base_url

    base_url = _checked("--base-url", to_base_url, text)
    if base_url.endswith(PATH):
        raise CommandError(f"--base-url: leave out {PATH}, payresult adds it")
    return base_url


def _checked(option: str, rule: Callable[[str], str], text: str) -> str:
    try:
        return rule(text)
    except ValueError as error:
        raise CommandError(f"{option}: {error}") from None


def _ask(output: _Output, question: "Question", base_url: str) -> "tuple[HttpResponse, float]":
    from payresult.errors import GatewayUnavailable
    from payresult.gateway.client import DEADLINE_SECONDS, GatewayClient
    from payresult.gateway.connection import default_tls_context
    from payresult.gateway.protocol import request_body
    from payresult_cli.gateway_route import measure
    from payresult_cli.probe_report import connection_section, request_section

    tls = default_tls_context()
    route = measure(base_url, tls)
    now = output.context.now()
    output.add(connection_section(route, now))
    body = request_body(question.pay_id, partner_code=question.partner_code, now=now / 1000)
    output.add(request_section(base_url, body))
    client = GatewayClient(base_url, question.partner_code, ssl_context=tls)
    started = perf_counter()
    try:
        response = client.send(question.pay_id, body)
    except GatewayUnavailable as error:
        text = _NO_ANSWER[error.how].format(seconds=DEADLINE_SECONDS, rule=error.rule)
        raise CommandError(f"{base_url} {text}") from None
    return response, (perf_counter() - started) * 1000


def _report(
    output: _Output, question: "Question", response: "HttpResponse", took: float | None
) -> int:
    from payresult_cli import probe_report as report
    from payresult_cli.judgement import judge
    from payresult_cli.open_questions import findings

    judgement = judge(response, question, output.context.now())
    output.add(report.answer_section(response, took))
    output.add(report.verdict_section(judgement))
    output.add(report.next_section(judgement))
    output.add(report.questions_section(findings(response, judgement)))
    output.end(question)
    return 1 if judgement.reply is None else 0
