"""Events to the bus: in tens, as the publisher puts them, or one by one."""

from typing import Any

from botocore.session import Session

from payresult.aws.eventbridge import EventPublisher
from payresult.domain.event import Event

client: Any = Session().create_client("events")
publisher = EventPublisher(client, "payresult")
DETAIL = '{"version":"1","filler":"' + "x" * 600 + '"}'


def handler(event: dict[str, int], _context: object) -> int:
    """Put so many events, so many at a time; return how many the bus took."""
    made = [Event(f"P{number}", f"E{number}", DETAIL) for number in range(event["events"])]
    size = event["atATime"]
    groups = [made[start : start + size] for start in range(0, len(made), size)]
    sent = [delivery for group in groups for delivery in publisher.put(group)]
    return sum(delivery.refused is None for delivery in sent)
