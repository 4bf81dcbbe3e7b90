"""Compares a billing file with the stored payments. Only reading the file is I/O."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from payresult.domain.amount import Amount, parse_amount
from payresult.domain.payment import DUPLICATE, Status
from payresult.errors import InvalidInput
from payresult.schemas.requests import parse_pay_id
from payresult_cli.csv_files import read_csv, reject_lines
from payresult_cli.errors import CommandError

PAYMENT_ATTRIBUTES = ("payId", "status", "currency", "reply.payAmount", "history", "attention")
"""Attributes of a payment that the comparison needs."""

BILL_COLUMNS = ("payId", "amount")
"""Columns of a billing file, unless it has other names for them."""

_ZEROS = re.compile(r"(?<=\.[0-9]{2})0+(?![0-9])")
"""Zeros after two decimals, which an export may have; most currencies have no more decimals."""

COLUMNS = ("payId", "difference", "billAmount", "ourAmount", "status")
"""Columns of the output, in the order of the fields of Difference."""

Kind = Literal["missing", "extra", "different", "repeated", "duplicate"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class BillingFile:
    """Amounts by payId, and the payIds that are in the file more than once."""

    amounts: Mapping[str, Amount]
    repeated: list[str]


@dataclass(frozen=True, slots=True)
class Difference:
    """A payId on which the file and the table differ; an unknown value is ""."""

    pay_id: str
    kind: Kind
    bill_amount: str = ""
    our_amount: str = ""
    status: str = ""

    def record(self) -> dict[str, str]:
        """Return the values by COLUMNS."""
        return dict(zip(COLUMNS, astuple(self), strict=True))


def read_billing_file(path: Path, columns: tuple[str, str] = BILL_COLUMNS) -> BillingFile:
    """Return the amounts in *path*, whose *columns* have payId and amount.

    CommandError, which names all invalid lines, if one is invalid.
    """
    amounts: dict[str, Amount] = {}
    repeated: dict[str, None] = {}
    problems: list[tuple[int, str]] = []
    for row in read_csv(path, required=columns):
        try:
            pay_id, amount = _entry(*(row.fields.get(name) for name in columns))
        except InvalidInput as error:
            problems.append((row.line_number, f"is invalid: {error}"))
            continue
        if amounts.setdefault(pay_id, amount) is not amount:
            repeated[pay_id] = None
    if problems:
        reject_lines(path, problems)
    if not amounts:
        raise CommandError(f"{path} contains no payId")
    return BillingFile(amounts, list(repeated))


def _entry(pay_id: str | None, text: str | None) -> tuple[str, Amount]:
    valid = parse_pay_id(pay_id)
    amount = parse_amount(text) or parse_amount(_ZEROS.sub("", text or ""))
    if amount is None:
        raise InvalidInput("amount", "must look like 19.99, $19.99 or USD 1,234.50")
    return valid, amount


def find_differences(
    billing_file: BillingFile, payments: Iterable[Mapping[str, Any]], since: int, until: int
) -> Iterator[Difference]:
    """Yield where *billing_file* and *payments*, which have PAYMENT_ATTRIBUTES, differ.

    A payment is extra only if payresult learnt from *since* until before *until* that it is paid.
    """
    for pay_id in billing_file.repeated:
        yield Difference(pay_id, "repeated", billing_file.amounts[pay_id].text)
    not_stored = dict(billing_file.amounts)
    for payment in payments:
        billed = not_stored.pop(payment["payId"], None)
        if billed or since <= _succeeded_at(payment) < until:
            yield from _differences(payment, billed)
    for pay_id, billed in not_stored.items():
        yield Difference(pay_id, "missing", billed.text)


def _differences(payment: Mapping[str, Any], billed: Amount | None) -> Iterator[Difference]:
    pay_id, status = payment["payId"], payment["status"]
    reported = payment.get("reply", {}).get("payAmount", "")
    ours = parse_amount(reported, payment.get("currency"))
    our_amount = ours.text if ours else reported
    if status != Status.SUCCEEDED:
        if billed:
            yield Difference(pay_id, "missing", billed.text, our_amount, status)
        return
    bill_amount = billed.text if billed else ""
    if billed is None:
        yield Difference(pay_id, "extra", "", our_amount, status)
    elif ours is None or _differ(billed, ours):
        yield Difference(pay_id, "different", bill_amount, our_amount, status)
    if payment.get("attention", "").endswith(f"#{DUPLICATE}"):
        yield Difference(pay_id, "duplicate", bill_amount, our_amount, status)


def _differ(billed: Amount, ours: Amount) -> bool:
    billed_in, paid_in = set(billed.currencies), set(ours.currencies)
    other_currency = bool(billed_in and paid_in and not billed_in & paid_in)
    return billed.value != ours.value or other_currency


def _succeeded_at(payment: Mapping[str, Any]) -> int:
    """Return when the status changed last; 0 if the history does not say."""
    changes = payment.get("history", ())
    times = [each["at"] for each in changes if each["to"] != each.get("from")]
    return int(times[-1]) if times else 0
