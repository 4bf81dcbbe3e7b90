"""Reads the dead-letter queue, validates its messages, and sends them back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from payresult.aws.batches import batches
from payresult.aws.dynamodb import PaymentRepository, Stored, require_readable
from payresult.domain.payment import CheckMessage
from payresult.domain.registration import merge
from payresult.errors import PayresultError
from payresult.schemas.requests import parse_message

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

VISIBILITY_TIMEOUT = 300
"""Seconds for which nobody else receives the messages that a command has received."""

_ATTRIBUTE_FIELDS = ("StringValue", "BinaryValue", "DataType")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message of the dead-letter queue.

    ``problem`` says why payresult would reject it again, None if it would not.
    """

    message_id: str
    receipt_handle: str
    body: str
    sent_at: int
    attributes: Mapping[str, Any]
    problem: str | None = None


class DeadLetterQueue:
    """The dead-letter queue at *url*; its messages go back to the queue at *checks_url*."""

    def __init__(self, client: "SQSClient", url: str, checks_url: str) -> None:
        self._client = client
        self._url = url
        self._checks_url = checks_url

    def receive(self, limit: int) -> list[DeadLetter]:
        """Return up to *limit* messages; nobody else receives them for VISIBILITY_TIMEOUT.

        Ctrl-C or an error meanwhile makes those read so far visible again.
        """
        received: dict[str, DeadLetter] = {}
        try:
            while len(received) < limit:
                dead_letters = self._receive(min(10, limit - len(received)))
                if all(each.message_id in received for each in dead_letters):
                    break
                received |= {each.message_id: each for each in dead_letters}
        except BaseException:
            self.release([*received.values()])
            raise
        return list(received.values())

    def hidden(self) -> int:
        """Return about how many messages somebody has received and not released."""
        name: Literal["ApproximateNumberOfMessagesNotVisible"]
        name = "ApproximateNumberOfMessagesNotVisible"
        response = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=[name])
        return int(response["Attributes"][name])

    def release(self, dead_letters: Sequence[DeadLetter]) -> None:
        """Make *dead_letters* visible to others at once."""
        for batch in batches(dead_letters):
            entries: Any = [entry | {"VisibilityTimeout": 0} for entry in _receipt_entries(batch)]
            self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)

    def send_back(self, dead_letters: Sequence[DeadLetter]) -> Iterator[DeadLetter]:
        """Send *dead_letters* to the checks queue, then delete them here; yield those deleted."""
        for batch in batches(dead_letters):
            entries = [_send_entry(number, each) for number, each in enumerate(batch)]
            response = self._client.send_message_batch(QueueUrl=self._checks_url, Entries=entries)
            sent = [batch[int(entry["Id"])] for entry in response.get("Successful", [])]
            if sent:
                receipts: Any = _receipt_entries(sent)
                deleted = self._client.delete_message_batch(QueueUrl=self._url, Entries=receipts)
                yield from (sent[int(entry["Id"])] for entry in deleted.get("Successful", []))

    def _receive(self, limit: int) -> list[DeadLetter]:
        response = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=limit,
            VisibilityTimeout=VISIBILITY_TIMEOUT,
            WaitTimeSeconds=1,
            MessageSystemAttributeNames=["SentTimestamp"],
            MessageAttributeNames=["All"],
        )
        return [_dead_letter(message) for message in response.get("Messages", [])]


def validate(repository: PaymentRepository, dead_letters: Sequence[DeadLetter]) -> list[DeadLetter]:
    """Return *dead_letters*, each with the problem that payresult would find in it now."""
    parsed: list[tuple[DeadLetter, CheckMessage | None]] = []
    for dead_letter in dead_letters:
        try:
            message = parse_message(dead_letter.body)
        except PayresultError as error:
            parsed.append((replace(dead_letter, problem=str(error)), None))
        else:
            check = message if isinstance(message, CheckMessage) else None
            parsed.append((dead_letter, check))
    stored = repository.get_many(check.pay_id for _, check in parsed if check)
    return [
        replace(each, problem=_conflict(check, stored.get(check.pay_id))) if check else each
        for each, check in parsed
    ]


def _conflict(message: CheckMessage, stored: Stored | None) -> str | None:
    try:
        payment = require_readable(stored)
        if payment is not None:
            merge(payment, message.registration)
    except PayresultError as error:
        return str(error)
    return None


def _dead_letter(message: Mapping[str, Any]) -> DeadLetter:
    attributes = {
        name: {field: value[field] for field in _ATTRIBUTE_FIELDS if field in value}
        for name, value in message.get("MessageAttributes", {}).items()
    }
    sent_at = int(message.get("Attributes", {}).get("SentTimestamp", 0))
    return DeadLetter(
        message["MessageId"], message["ReceiptHandle"], message["Body"], sent_at, attributes
    )


def _send_entry(number: int, dead_letter: DeadLetter) -> "SendMessageBatchRequestEntryTypeDef":
    return {
        "Id": str(number),
        "MessageBody": dead_letter.body,
        "MessageAttributes": dead_letter.attributes,
    }


def _receipt_entries(dead_letters: Sequence[DeadLetter]) -> list[dict[str, Any]]:
    return [
        {"Id": str(number), "ReceiptHandle": each.receipt_handle}
        for number, each in enumerate(dead_letters)
    ]
