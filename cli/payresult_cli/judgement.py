"""What payresult makes of one answer of the gateway, in the words of `explain`. Pure."""

from dataclasses import dataclass, replace

from payresult.domain.amount import parse_amount
from payresult.domain.decision import GatewayResult, Rules, plan_next_check
from payresult.domain.payment import Payment, Registration, Status, StatusChange
from payresult.domain.registration import new_payment
from payresult.domain.reply import Reply
from payresult.domain.schedule import Schedule
from payresult.errors import GatewayError, GatewayUnavailable, InvalidReply
from payresult.gateway.protocol import HttpResponse, read_reply
from payresult_cli.explanation import DeploymentSettings, explain_status
from payresult_cli.formatting import format_duration, format_registered_amount, printable

# Which status a reply gives and when a failure is repeated depends on neither delays nor name.
_RULES = Rules(Schedule((1, 1)), environment="probe")
_SETTINGS = DeploymentSettings(_RULES.schedule.checks, _RULES.failed_pay_rst_values)

_NEXT = {
    Status.SUCCEEDED: [
        "payresult stores it as SUCCEEDED, puts one PaymentSucceeded on the bus, and asks no more."
    ],
    Status.REVIEW: [
        "No event. AttentionNewAlarm calls a person: `cli/payresult accept`, or a refund.",
        "payresult asks again after an hour and after a day.",
    ],
    Status.PENDING: [
        "payresult asks again, by CheckDelays: 32 answered checks in 7 days by default.",
        "If this payRst means that the payment failed, deploy with it in FailedPayRstValues.",
    ],
}

_REMEDIES = {
    "http": "Check --base-url (payresult adds /resultQuery) and --partner-code; if both are right,"
    " ask the gateway's operator.",
    "not_json": "Check --base-url (payresult adds /resultQuery): this may be another server.",
    "not_a_reply": "Check the payId and --partner-code; the gateway's operator knows what this"
    " body means.",
    "other_payment": "Check the payId and --partner-code: the gateway answered about others.",
}
_LATER = "The gateway answered 429 or 5xx: try again later."


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, and what an order service would have registered."""

    pay_id: str
    partner_code: str
    registration: Registration


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the answer means: the status it gives, sentences on why and what is next.

    ``rule`` is the rule that decided. ``reply`` is None where the answer was not understood.
    """

    answer: GatewayResult
    status: Status
    rule: str
    why: list[str]
    next: list[str]

    @property
    def reply(self) -> Reply | None:
        """The reply, if the answer is one."""
        return self.answer if isinstance(self.answer, Reply) else None


def judge(response: HttpResponse, question: Question, now: int) -> Judgement:
    """Return what payresult would make of *response*, the first answer about a new payment."""
    answer = _answer(response, question, now)
    payment = new_payment(question.partner_code, question.pay_id, question.registration, now)
    plan = plan_next_check(payment, answer, _RULES, now, 0.0)
    pay_rst = answer.pay_rst if isinstance(answer, Reply) else None
    checked = replace(
        payment,
        status=plan.status,
        checks=1,
        attempt=plan.attempt,
        reply=answer.fields if isinstance(answer, Reply) else {},
        last_error=plan.error,
        history=(StatusChange(now, None, plan.status, "queue", pay_rst),),
    )
    why = explain_status(checked, now, _SETTINGS)
    if isinstance(answer, Reply):
        return Judgement(answer, plan.status, _rule(checked), why, _NEXT[plan.status])
    wait = format_duration((plan.check_at or now) - now)
    return Judgement(answer, plan.status, answer.rule or "", why, _after_trouble(answer, wait))


def _answer(response: HttpResponse, question: Question, now: int) -> GatewayResult:
    try:
        return read_reply(
            response,
            pay_id=question.pay_id,
            partner_code=question.partner_code,
            now=now / 1000,
        )
    except (GatewayUnavailable, InvalidReply) as error:
        return error


def _rule(payment: Payment) -> str:
    """Return the rule by which a reply gave *payment* its status."""
    pay_rst = printable(payment.reply["payRst"])
    if payment.status is Status.PENDING:
        return f'payRst is "{pay_rst}", not "success"'
    pay_amount = payment.reply.get("payAmount")
    reported = "no payAmount" if pay_amount is None else f'payAmount "{printable(pay_amount)}"'
    registered = format_registered_amount(payment.registration)
    if payment.status is Status.SUCCEEDED:
        return f'payRst is "{pay_rst}"; {reported}; registered: {registered}'
    if parse_amount(pay_amount, payment.registration.currency) is None:
        return f"{reported} cannot be read as one amount; {registered} is registered"
    return f"{reported} is not what is registered: {registered}"


def _after_trouble(error: GatewayError, wait: str) -> list[str]:
    unavailable = isinstance(error, GatewayUnavailable)
    is_later = unavailable and error.how == "http"
    return [
        _LATER if is_later else _REMEDIES[error.how],
        f"payresult changes no status, uses no attempt, and asks again after {wait};",
        "the pauses between further queries grow.",
        f"A caller of its API gets {503 if unavailable else 502}, or what is stored, as stale.",
    ]
