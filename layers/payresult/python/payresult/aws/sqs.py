"""The checks queue: messages that wait until their check is due."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from payresult.aws.batches import batches

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef


@dataclass(frozen=True, slots=True)
class QueuedCheck:
    """A message to send: check *pay_id* in *delay* seconds (0 to 900).

    ``step`` None makes it a message without ``step``, as an order service sends it.
    """

    pay_id: str
    step: int | None = None
    delay: int = 0

    def body(self) -> str:
        """Return the message body (JSON)."""
        fields = {"payId": self.pay_id} | ({} if self.step is None else {"step": self.step})
        return json.dumps(fields, separators=(",", ":"))


class CheckQueue:
    """The queue at *url*."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def send(self, messages: Sequence[QueuedCheck]) -> list[bool]:
        """Send *messages* and return, for each, whether SQS accepted it.

        botocore's errors pass through; earlier batches are sent by then.
        """
        accepted: list[bool] = []
        for batch in batches(messages):
            entries = [_entry(number, message) for number, message in enumerate(batch)]
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            refused = {entry["Id"] for entry in answer.get("Failed", [])}
            accepted += [entry["Id"] not in refused for entry in entries]
        return accepted


def _entry(number: int, message: QueuedCheck) -> "SendMessageBatchRequestEntryTypeDef":
    return {"Id": str(number), "MessageBody": message.body(), "DelaySeconds": message.delay}
