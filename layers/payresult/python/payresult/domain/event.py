"""The event of a payment, ready to send, and its id. Pure."""

from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

SOURCE = "payresult"
DETAIL_TYPE = "PaymentSucceeded"
SCHEMA_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Event:
    """An event to send. ``detail`` is its JSON text, which never changes again."""

    pay_id: str
    event_id: str
    detail: str


def event_id(environment: str, partner_code: str, pay_id: str) -> str:
    """Return the id of all events of the payment."""
    name = f"payresult:{DETAIL_TYPE}:{SCHEMA_VERSION}:{environment}:{partner_code}:{pay_id}"
    return str(uuid5(NAMESPACE_URL, name))
