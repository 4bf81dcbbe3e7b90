"""Every exception that payresult raises on purpose.

A class exists only where somebody decides by it. botocore's errors pass through: SQS and the
stream retry what they interrupt.
"""

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from payresult.domain.payment import FailureKind, Payment


class PayresultError(Exception):
    """The base class."""


class InvalidInput(PayresultError):
    """A value from outside breaks a rule; the text may be shown to whoever sent it."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class MalformedJson(PayresultError, ValueError):
    """The text is not JSON, or it can be read in more than one way. The message is ours."""


class RegistrationConflict(PayresultError):
    """*field* contradicts what is registered of the payment, or what was paid."""

    def __init__(self, pay_id: str, field: str) -> None:
        super().__init__(f"{field}: contradicts what is known of {pay_id}")
        self.pay_id = pay_id
        self.field = field


class NotRegistered(PayresultError):
    """The payId is not registered, and the deployment requires it."""


class WaitingOff(PayresultError):
    """The deployment lets nobody wait for a payment."""


class GatewayError(PayresultError):
    """The gateway said nothing about *pay_id*.

    ``how`` and ``http_status`` tell what it did, ``retry_after`` is its ``Retry-After`` in seconds
    from now. ``rule`` is the one that its answer broke: a fixed text of ours, fit for a log.
    """

    default_how: ClassVar["FailureKind"]

    def __init__(
        self,
        message: str,
        *,
        pay_id: str,
        how: "FailureKind | None" = None,
        http_status: int | None = None,
        retry_after: float | None = None,
        rule: str | None = None,
    ) -> None:
        super().__init__(message)
        self.pay_id = pay_id
        self.how = how or self.default_how
        self.http_status = http_status
        self.retry_after = retry_after
        self.rule = rule


class GatewayUnavailable(GatewayError):
    """Nothing understandable came: no answer (refused, cut off, late, TLS), 429, 5xx, no JSON."""

    default_how = "connection"


class InvalidReply(GatewayError):
    """JSON came that means nothing: another shape, another payment, or a status like 404."""

    default_how = "not_a_reply"


class PaymentChanged(PayresultError):
    """The payment is not as it was read; ``current`` is what it is now, None if it is gone."""

    def __init__(self, current: "Payment | None") -> None:
        super().__init__("the payment changed after it was read")
        self.current = current


class WriteConflict(PayresultError):
    """The payment changed at each attempt to write it; the message or the caller comes again."""


class ReadIncomplete(PayresultError):
    """DynamoDB returned only part of a batch, also when asked again."""


class UnreadableItem(PayresultError):
    """An item that this version cannot read: a later version wrote it, or somebody changed it."""


class QueueSendError(PayresultError):
    """SQS refused a message."""
