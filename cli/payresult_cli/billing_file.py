"""A bill and the table, compared. Pure, but for reading the file."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Literal

from payresult.domain.amount import Amount, parse_amount
from payresult.domain.payment import Status
from payresult.errors import InvalidInput
from payresult.schemas.requests import parse_pay_id
from payresult_cli.csv_files import rows, wrong
from payresult_cli.errors import CommandError

ATTRIBUTES = ("payId", "status", "reply.payAmount", "history")
"""What of a payment is compared."""

COLUMNS = ("payId", "difference", "billAmount", "ourAmount", "status")

Kind = Literal["missing", "extra", "different", "repeated"]
KINDS: tuple[Kind, ...] = ("missing", "extra", "different", "repeated")


@dataclass(frozen=True, slots=True)
class BillingFile:
    """Amounts by payId, and the payIds that are on it more than once."""

    amounts: Mapping[str, Amount]
    repeated: list[str]


@dataclass(frozen=True, slots=True)
class Difference:
    """One payId on which bill and table disagree; what one of them does not say is empty."""

    pay_id: str
    kind: Kind
    bill_amount: str = ""
    our_amount: str = ""
    status: str = ""

    def row(self) -> dict[str, str]:
        """Return the difference by COLUMNS."""
        return dict(zip(COLUMNS, astuple(self), strict=True))


def read(path: Path) -> BillingFile:
    """Return the bill in *path*; Refused if a line of it is wrong."""
    amounts: dict[str, Amount] = {}
    repeated: dict[str, None] = {}
    for row in rows(path, needs=["payId", "amount"]):
        try:
            pay_id = parse_pay_id(row.fields.get("payId"))
        except InvalidInput as error:
            wrong(path, row.line, f"is wrong: {error}")
        amount = parse_amount(row.fields.get("amount"))
        if amount is None:
            wrong(path, row.line, "is wrong: amount: must look like 19.99, $19.99 or USD 1,234.50")
        if amounts.setdefault(pay_id, amount) is not amount:
            repeated[pay_id] = None
    if not amounts:
        raise CommandError(f"{path} has no payId on it")
    return BillingFile(amounts, list(repeated))


def compare(
    bill: BillingFile, payments: Iterable[Mapping[str, Any]], since: int, until: int
) -> Iterator[Difference]:
    """Yield the differences of *bill* and *payments*, which have ATTRIBUTES.

    A payment is extra only if it SUCCEEDED from *since* until before *until*.
    """
    for pay_id in bill.repeated:
        yield Difference(pay_id, "repeated", bill.amounts[pay_id].text)
    left = dict(bill.amounts)
    for payment in payments:
        billed = left.pop(payment["payId"], None)
        difference = _difference(payment, billed)
        if difference and (billed or since <= _paid_at(payment) < until):
            yield difference
    for pay_id, billed in left.items():
        yield Difference(pay_id, "missing", billed.text)


def _difference(payment: Mapping[str, Any], billed: Amount | None) -> Difference | None:
    pay_id, status = payment["payId"], payment["status"]
    said = payment.get("reply", {}).get("payAmount", "")
    ours = parse_amount(said)
    our_amount = ours.text if ours else said
    if status != Status.SUCCEEDED:
        return Difference(pay_id, "missing", billed.text, our_amount, status) if billed else None
    if billed is None:
        return Difference(pay_id, "extra", "", our_amount, status)
    if ours is None or _differ(billed, ours):
        return Difference(pay_id, "different", billed.text, our_amount, status)
    return None


def _differ(billed: Amount, ours: Amount) -> bool:
    named, known = set(billed.currencies), set(ours.currencies)
    return billed.value != ours.value or bool(named and known and not named & known)


def _paid_at(payment: Mapping[str, Any]) -> int:
    """Return when payresult learnt that it is paid."""
    changes = payment.get("history", ())
    points = [each["at"] for each in changes if each["to"] != each.get("from")]
    return int(points[-1]) if points else 0
