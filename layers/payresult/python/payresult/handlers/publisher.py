"""The table's stream: each record is a payment whose event is unsent."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics

from payresult.observability import count, measure
from payresult.services.outbox import Outbox


class PublisherHandler:
    """Handles batches of records of the table's stream."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.logger = Logger()
        self.metrics = Metrics()

    def __call__(self, event: dict[str, Any], _context: object) -> dict[str, Any]:
        """Publish the events of the batch, and return the records whose event was refused.

        What the stream does not deliver in its three tries, the sweeper sends.
        """
        records = {pay_id: record for record in event["Records"] if (pay_id := _became_due(record))}
        published = self.outbox.publish(records)
        unread = {pay_id: type(error).__name__ for pay_id, error in published.unread.items()}
        refused = published.refused | unread
        for pay_id, code in refused.items():
            self.logger.warning("event refused", extra={"payId": pay_id, "code": code})
        if records:
            count(self.metrics, {"EventsSent": published.sent, "EventsRefused": len(refused)})
            measure(self.metrics, "EventAge", published.ages)
            self.metrics.flush_metrics()
        failed = [records[pay_id]["dynamodb"]["SequenceNumber"] for pay_id in refused]
        return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}


def _became_due(record: dict[str, Any]) -> str | None:
    """Return the payId if this change made the event unsent; later changes do not count."""
    change = record["dynamodb"]
    states = [
        change.get(image, {}).get("eventState", {}).get("S") for image in ("OldImage", "NewImage")
    ]
    if states[1] != "PENDING" or states[0] == "PENDING":
        return None
    pay_id: str = change["NewImage"]["payId"]["S"]
    return pay_id
