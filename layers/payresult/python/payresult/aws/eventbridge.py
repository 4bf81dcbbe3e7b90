"""The event bus: PutEvents, with the result of each entry."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from payresult.aws.batches import batches
from payresult.domain.event import DETAIL_TYPE, SOURCE, Event

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import (
        PutEventsRequestEntryTypeDef,
        PutEventsResultEntryTypeDef,
    )


CALL_LEVEL_ERRORS = {"AccessDeniedException", "InternalFailure", "ThrottlingException"}
"""Codes that concern the whole call and no single entry (AWS, EventBridge common errors): sending
the entries one by one would add ten calls and help nothing."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The result of sending an event: ``refused`` is None, or a short code."""

    event: Event
    refused: str | None


class EventPublisher:
    """Puts events on the bus *bus*."""

    def __init__(self, client: "EventBridgeClient", bus: str) -> None:
        self._client = client
        self._bus = bus

    def put(self, events: Sequence[Event]) -> list[Delivery]:
        """Send *events* and return the result of each. AWS's errors are results, never raised."""
        return [delivery for batch in batches(events) for delivery in self._put_batch(batch)]

    def _put_batch(self, batch: Sequence[Event]) -> Iterator[Delivery]:
        try:
            answer = self._client.put_events(Entries=[self._entry(event) for event in batch])
        except ClientError as error:
            yield from self._refused(batch, error)
        except BotoCoreError as error:  # no answer: the event is sent again later, same id
            yield from (Delivery(event, type(error).__name__) for event in batch)
        else:
            # The answer has one entry for each one sent, in the same order (AWS, PutEvents).
            for event, entry in zip(batch, answer["Entries"], strict=True):
                yield _delivery(event, entry)

    def _refused(self, batch: Sequence[Event], error: ClientError) -> Iterator[Delivery]:
        """One invalid entry fails the whole call, so each is sent again alone."""
        code = error.response["Error"]["Code"]
        if len(batch) == 1 or code in CALL_LEVEL_ERRORS:
            yield from (Delivery(event, code) for event in batch)
        else:
            for event in batch:
                yield from self._put_batch([event])

    def _entry(self, event: Event) -> "PutEventsRequestEntryTypeDef":
        return {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": DETAIL_TYPE,
            "Detail": event.detail,
        }


def _delivery(event: Event, entry: "PutEventsResultEntryTypeDef") -> Delivery:
    accepted = "EventId" in entry
    return Delivery(event, None if accepted else entry.get("ErrorCode", "Unknown"))
