"""One stored payment that an operator decides about: read, and written if it is unchanged."""

from collections.abc import Callable

from payresult.aws.dynamodb import PaymentRepository
from payresult.domain.payment import Payment
from payresult.errors import PaymentChanged
from payresult_cli.errors import CommandError
from payresult_cli.formatting import format_pay_amount


def read_payment(repository: PaymentRepository, pay_id: str) -> Payment:
    """Return the stored payment; CommandError if there is none."""
    payment = repository.get(pay_id)
    if payment is None:
        raise CommandError(f"{pay_id} is not in the table: nothing was changed")
    return payment


def write_if_unchanged(pay_id: str, write: Callable[[], object]) -> None:
    """Make a conditional write; CommandError says what the payment is now if it changed."""
    try:
        write()
    except PaymentChanged as changed:
        raise CommandError(
            f"{pay_id} changed in the meantime, nothing was done: {_now(changed.current)};"
            " look at it again"
        ) from None


def _now(payment: Payment | None) -> str:
    if payment is None:
        return "it is not in the table any more"
    return f"it is {payment.status} now, {format_pay_amount(payment.reply)} reported"
