"""The event bus: PutEvents, with the result of each entry."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from payresult.aws.batches import batches
from payresult.domain.event import DETAIL_TYPE, SOURCE, Event

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

CALL_LEVEL_ERRORS = {"AccessDeniedException", "InternalFailure", "ThrottlingException"}
"""Codes that concern the whole call and no single entry (AWS, EventBridge common errors): sending
the entries one by one would add ten calls and help nothing."""


class EventPublisher:
    """Puts events on the bus *bus*."""

    def __init__(self, client: "EventBridgeClient", bus: str) -> None:
        self._client = client
        self._bus = bus

    def put(self, events: Sequence[Event]) -> dict[str, str]:
        """Send *events*, at most one of a payment, and return a short code for each refused one.

        The codes are by payId. AWS's errors are codes too, never raised.
        """
        refused: dict[str, str] = {}
        for batch in batches(events):
            refused |= self._put_batch(batch)
        return refused

    def _put_batch(self, batch: Sequence[Event]) -> dict[str, str]:
        pay_ids = [event.pay_id for event in batch]
        try:
            answer = self._client.put_events(Entries=[self._entry(event) for event in batch])
        except BotoCoreError as error:  # no answer: the event is sent again later, same id
            return dict.fromkeys(pay_ids, type(error).__name__)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if len(batch) == 1 or code in CALL_LEVEL_ERRORS:
                return dict.fromkeys(pay_ids, code)
            # One invalid entry fails the whole call, so each is sent again alone.
            alone = [self._put_batch([event]) for event in batch]
            return {pay_id: why for refused in alone for pay_id, why in refused.items()}
        # The answer has one entry for each one sent, in the same order (AWS, PutEvents).
        pairs = zip(pay_ids, answer["Entries"], strict=True)
        return {
            pay_id: entry.get("ErrorCode", "Unknown")
            for pay_id, entry in pairs
            if "EventId" not in entry
        }

    def _entry(self, event: Event) -> "PutEventsRequestEntryTypeDef":
        return {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": DETAIL_TYPE,
            "Detail": event.detail,
        }
