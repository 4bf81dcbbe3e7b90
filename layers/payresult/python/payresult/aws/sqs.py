"""The checks queue: where a follow-up waits for its time."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from payresult.aws.batches import batches

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A message to send: check *pay_id* in *delay* seconds (0 to 900).

    ``step`` None makes it a bare message, as an order service sends it.
    """

    pay_id: str
    step: int | None = None
    delay: int = 0

    def body(self) -> str:
        """Return the message as it goes out."""
        fields = {"payId": self.pay_id} | ({} if self.step is None else {"step": self.step})
        return json.dumps(fields, separators=(",", ":"))


class CheckQueue:
    """The queue at *url*."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def send(self, messages: Sequence[FollowUp]) -> list[bool]:
        """Send *messages* in tens and say of each whether SQS took it.

        botocore's errors pass through; messages of earlier tens are out by then.
        """
        taken: list[bool] = []
        for group in batches(messages):
            entries = [_entry(number, message) for number, message in enumerate(group)]
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            refused = {entry["Id"] for entry in answer.get("Failed", [])}
            taken += [entry["Id"] not in refused for entry in entries]
        return taken


def _entry(number: int, message: FollowUp) -> "SendMessageBatchRequestEntryTypeDef":
    return {"Id": str(number), "MessageBody": message.body(), "DelaySeconds": message.delay}
