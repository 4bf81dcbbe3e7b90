"""Messages of the dead-letter queue: what they say, and whether they would be taken now."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from payresult.aws.batches import batches
from payresult.aws.dynamodb import PaymentRepository, require_readable
from payresult.domain.payment import CheckMessage
from payresult.domain.registration import merge
from payresult.errors import PayresultError
from payresult.schemas.requests import parse_message

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

VISIBILITY_TIMEOUT = 300
"""Seconds for which nobody else gets the messages that are being looked at."""

_KINDS = ("StringValue", "BinaryValue", "DataType")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that ended there; ``problem`` says why it would again, None if it would not."""

    message_id: str
    receipt: str
    body: str
    sent_at: int
    attributes: Mapping[str, Any]
    problem: str | None = None


class DeadLetters:
    """The dead-letter queue, and the queue that its messages came from."""

    def __init__(self, client: "SQSClient", url: str, queue_url: str) -> None:
        self._client = client
        self._url = url
        self._queue_url = queue_url

    def receive(self, limit: int) -> list[DeadLetter]:
        """Return up to *limit* messages; nobody else gets them for HIDDEN seconds."""
        found: dict[str, DeadLetter] = {}
        while len(found) < limit:
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(10, limit - len(found)),
                VisibilityTimeout=VISIBILITY_TIMEOUT,
                WaitTimeSeconds=1,
                MessageSystemAttributeNames=["SentTimestamp"],
                MessageAttributeNames=["All"],
            )
            letters = [_letter(message) for message in answer.get("Messages", [])]
            if all(letter.message_id in found for letter in letters):
                break
            found |= {letter.message_id: letter for letter in letters}
        return list(found.values())

    def release(self, letters: Sequence[DeadLetter]) -> None:
        """Let others have *letters* again, at once."""
        for group in batches(letters):
            entries: Any = [entry | {"VisibilityTimeout": 0} for entry in _receipts(group)]
            self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)

    def redrive(self, letters: Sequence[DeadLetter]) -> Iterator[DeadLetter]:
        """Send *letters* to the queue, and only then delete them here; yield what was sent."""
        for group in batches(letters):
            entries = [_entry(number, letter) for number, letter in enumerate(group)]
            answer = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
            sent = [group[int(entry["Id"])] for entry in answer.get("Successful", [])]
            if sent:
                doomed: Any = _receipts(sent)
                self._client.delete_message_batch(QueueUrl=self._url, Entries=doomed)
            yield from sent


def judge(store: PaymentRepository, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
    """Return *letters* with what payresult would say of them now."""
    read: list[tuple[DeadLetter, CheckMessage | None]] = []
    for letter in letters:
        try:
            asks = parse_message(letter.body)
        except PayresultError as error:
            read.append((replace(letter, problem=str(error)), None))
        else:
            read.append((letter, asks if isinstance(asks, CheckMessage) else None))
    stored = store.get_many(asks.pay_id for _, asks in read if asks)
    return [
        replace(letter, problem=_conflict(asks, stored.get(asks.pay_id))) if asks else letter
        for letter, asks in read
    ]


def _conflict(asks: CheckMessage, stored: Any) -> str | None:
    try:
        payment = require_readable(stored)
        if payment is not None:
            merge(payment, asks.registration)
    except PayresultError as error:
        return str(error)
    return None


def _letter(message: Mapping[str, Any]) -> DeadLetter:
    attributes = {
        name: {kind: value[kind] for kind in _KINDS if kind in value}
        for name, value in message.get("MessageAttributes", {}).items()
    }
    sent_at = int(message.get("Attributes", {}).get("SentTimestamp", 0))
    return DeadLetter(
        message["MessageId"], message["ReceiptHandle"], message["Body"], sent_at, attributes
    )


def _entry(number: int, letter: DeadLetter) -> "SendMessageBatchRequestEntryTypeDef":
    return {"Id": str(number), "MessageBody": letter.body, "MessageAttributes": letter.attributes}


def _receipts(letters: Sequence[DeadLetter]) -> list[dict[str, Any]]:
    return [{"Id": str(n), "ReceiptHandle": each.receipt} for n, each in enumerate(letters)]
