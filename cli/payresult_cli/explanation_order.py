"""Explains in sentences with which payment an order was paid first. Pure."""

import json
from dataclasses import dataclass
from typing import Any

from payresult.domain.payment import Payment

_NO_EVENT = (
    "No event without duplicateOf names this order: subscribers may not have acted on it yet,"
    " so look before you refund."
)

_UNMARKED = "No payment is marked as the first of its order: an earlier version stored it."


@dataclass(frozen=True, slots=True)
class OrderMark:
    """What the marker of an order says: *holder* is its payId, *first* that payment if stored."""

    order_id: str
    holder: str | None = None
    first: Payment | None = None

    @property
    def has_event(self) -> bool:
        """Whether the first payment's event names the order, and is not marked as a duplicate."""
        if self.first is None or self.first.event is None:
            return False
        data = json.loads(self.first.event)["data"]
        return data.get("orderId") == self.order_id and "duplicateOf" not in data

    def record(self) -> dict[str, Any]:
        """Return the same for a program."""
        return {
            "firstPayId": self.holder,
            "firstStatus": self.first and self.first.status,
            "hasEvent": self.has_event,
        }


def explain_order(payment: Payment, mark: OrderMark | None) -> list[str]:
    """Return sentences on the payment that the order of *payment* was paid with first."""
    if mark is None or (mark.holder is None and not payment.settled):
        return []
    if mark.holder is None:
        return [_UNMARKED]
    if mark.holder == payment.pay_id:
        return [_as_first(payment)]
    lines = [f"Before this one its order was found paid with {mark.holder}.", _of_first(mark)]
    return lines if mark.has_event else [*lines, _NO_EVENT]


def _as_first(payment: Payment) -> str:
    if payment.settled:
        return "It is the first paid payment of its order; a later one's event says duplicateOf."
    return (
        f"Its order is marked as paid by it, but it is {payment.status}:"
        " a later payment of the order is a DUPLICATE all the same."
    )


def _of_first(mark: OrderMark) -> str:
    first = mark.first
    if first is None:
        return f"{mark.holder} is not in the table any more."
    if first.registration.order_id != mark.order_id:
        return f"{mark.holder} is {first.status}, and registered with another order or none."
    if not first.settled:
        return f"{mark.holder} is {first.status}: it has no event."
    if not mark.has_event:
        return f"The order of {mark.holder} was registered after its event was made."
    return f"{mark.holder} is SUCCEEDED, and its event has no duplicateOf: refund one of the two."
