"""Contract of the acceptance run: it leaves no dead letter of its own."""

from typing import Any

from acceptance.__main__ import delete_dead_letters

OWN, QUEUE_URL = '{"payId": "two words 1795341600"}', "https://sqs.invalid/dead"


class DeadLetterQueue:
    """SQS as far as it matters: a short poll may miss each message, a long one gives ten."""

    def __init__(self, *bodies: str) -> None:
        self.messages = {str(number): body for number, body in enumerate(bodies)}
        self._visible = list(self.messages)

    def receive_message(self, **request: Any) -> dict[str, Any]:
        """Return a batch. It stays hidden from the next call."""
        assert request["QueueUrl"] == QUEUE_URL
        if not request.get("WaitTimeSeconds"):
            return {}
        count = request["MaxNumberOfMessages"]
        found, self._visible = self._visible[:count], self._visible[count:]
        batch = [{"Body": self.messages[each], "ReceiptHandle": each} for each in found]
        return {"Messages": batch} if batch else {}

    def delete_message(self, **request: Any) -> None:
        """Delete a message."""
        assert request["QueueUrl"] == QUEUE_URL
        del self.messages[request["ReceiptHandle"]]


def test_the_dead_letters_of_a_run_are_deleted_and_those_of_others_stay() -> None:
    """Also behind more of them than SQS returns at once."""
    others = [f"other {number}" for number in range(25)]
    queue = DeadLetterQueue(OWN, *others, OWN)
    delete_dead_letters(queue, QUEUE_URL, "1795341600")
    assert list(queue.messages.values()) == others
