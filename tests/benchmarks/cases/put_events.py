"""Events to the bus: in tens, as the publisher sends them, or one by one."""

from typing import Any

from botocore.session import Session

from payresult.aws.eventbridge import EventPublisher
from payresult.domain.event import Event

client: Any = Session().create_client("events")
publisher = EventPublisher(client, "payresult")
DETAIL = '{"version":"1","filler":"' + "x" * 600 + '"}'


def handler(event: dict[str, int], _context: object) -> int:
    """Send a number of events in batches; return how many the bus accepted."""
    created = [Event(f"P{number}", f"E{number}", DETAIL) for number in range(event["events"])]
    size = event["batchSize"]
    batches = [created[start : start + size] for start in range(0, len(created), size)]
    sent = [delivery for batch in batches for delivery in publisher.put(batch)]
    return sum(delivery.refused is None for delivery in sent)
