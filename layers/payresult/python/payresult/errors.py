"""Everything that payresult raises on purpose.

* PayresultError
  x InvalidInput            a value from outside breaks a rule; names the field and the rule
  x RegistrationConflict    a field is registered with another value already
  x GatewayError            the gateway told nothing about the payment
    + GatewayUnavailable    no answer, or one that says "later": costs no attempt
    + BadReply              an answer without a meaning: costs one attempt

A class exists only where somebody decides by it. botocore's errors pass through:
SQS and the stream retry what they interrupt.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from payresult.domain.payment import Payment


class PayresultError(Exception):
    """The root of this tree."""


class InvalidInput(PayresultError):
    """A value from outside breaks a rule; ``str()`` is fit for the one who sent it."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class RegistrationConflict(PayresultError):
    """*field* of the payment is registered already, with another value."""

    def __init__(self, pay_id: str, field: str) -> None:
        super().__init__(f"{field}: {pay_id} is registered with another value")
        self.pay_id = pay_id
        self.field = field


class GatewayError(PayresultError):
    """The gateway told nothing about *pay_id*."""

    def __init__(self, message: str, *, pay_id: str) -> None:
        super().__init__(message)
        self.pay_id = pay_id


class GatewayUnavailable(GatewayError):
    """No answer (refused, cut off, too late, TLS), or HTTP 429 or 5xx.

    ``retry_after`` is what the gateway asked for, in seconds from now, or None.
    """

    def __init__(self, message: str, *, pay_id: str, retry_after: float | None = None) -> None:
        super().__init__(message, pay_id=pay_id)
        self.retry_after = retry_after


class InvalidReply(GatewayError):
    """An answer that means nothing: another shape, another payment, a 3xx or a 4xx."""

    def __init__(self, message: str, *, pay_id: str, http_status: int | None = None) -> None:
        super().__init__(message, pay_id=pay_id)
        self.http_status = http_status


class WriteConflict(PayresultError):
    """The item changed under us again and again; the message or the caller comes again."""


class NotRegistered(PayresultError):
    """Nobody registered this payId, and the deployment demands it."""


class QueueSendError(PayresultError):
    """SQS did not take a message."""


class PaymentChanged(PayresultError):
    """The item is not as it was read; ``current`` is what it is now, None if there is none."""

    def __init__(self, current: "Payment | None") -> None:
        super().__init__("the payment changed in between")
        self.current = current


class ReadIncomplete(PayresultError):
    """DynamoDB held back part of a batch read, also when asked again."""


class UnreadableItem(PayresultError):
    """An item that a later version of payresult wrote, or a hand: leave it, try again later."""


class MalformedJson(ValueError):
    """The text is not JSON, or it can be read in more than one way."""
