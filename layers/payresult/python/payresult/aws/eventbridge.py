"""The bus: PutEvents, and a look at what became of each entry."""

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
"""Codes that blame no entry of the call (AWS, EventBridge common errors): ten calls more would
only make it worse."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of an event: ``refused`` is None once it is on the bus, else a short code."""

    event: Event
    refused: str | None


class EventPublisher:
    """Puts events on the bus *bus*."""

    def __init__(self, client: "EventBridgeClient", bus: str) -> None:
        self._client = client
        self._bus = bus

    def put(self, events: Sequence[Event]) -> list[Delivery]:
        """Send *events* in tens and say of each what became of it. Never raises for AWS's sake."""
        return [delivery for group in batches(events) for delivery in self._put_group(group)]

    def _put_group(self, group: Sequence[Event]) -> Iterator[Delivery]:
        try:
            answer = self._client.put_events(Entries=[self._entry(event) for event in group])
        except ClientError as error:
            yield from self._refused(group, error)
        except BotoCoreError as error:  # no answer: sent again later, with the same id
            yield from (Delivery(event, type(error).__name__) for event in group)
        else:
            # The answer has one entry for each sent one, in the same order (AWS, PutEvents).
            for event, entry in zip(group, answer["Entries"], strict=True):
                yield _delivery(event, entry)

    def _refused(self, group: Sequence[Event], error: ClientError) -> Iterator[Delivery]:
        """One bad entry fails the whole call: let its neighbours go alone."""
        code = error.response["Error"]["Code"]
        if len(group) == 1 or code in CALL_LEVEL_ERRORS:
            yield from (Delivery(event, code) for event in group)
        else:
            for event in group:
                yield from self._put_group([event])

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
