"""Contract with SQS: what is sent to the checks queue, and the result of each message."""

from typing import TYPE_CHECKING, Any, cast

from payresult.aws.sqs import CheckQueue, QueuedCheck

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class Sqs:
    """SQS that refuses the messages about *refused*."""

    def __init__(self, *refused: str) -> None:
        self.calls: list[dict[str, Any]] = []
        self._refused = refused

    def send_message_batch(self, **arguments: Any) -> dict[str, Any]:
        """Accept the others; ``Failed`` is absent where it would be empty, as SQS may answer."""
        self.calls.append(arguments)
        failed = [
            {"Id": entry["Id"], "SenderFault": False, "Code": "InternalError"}
            for entry in arguments["Entries"]
            if any(f'"{pay_id}"' in entry["MessageBody"] for pay_id in self._refused)
        ]
        return {"Failed": failed} if failed else {}


def queue(sqs: Sqs) -> CheckQueue:
    """Return our queue on *sqs*."""
    return CheckQueue(cast("SQSClient", sqs), "https://sqs/checks")


def test_the_body_and_the_delay_of_a_follow_up() -> None:
    """With ``step``, or without, as an order service sends it."""
    sqs = Sqs()
    assert queue(sqs).send([QueuedCheck("a", 3, 900), QueuedCheck("b")]) == [True, True]
    assert sqs.calls == [
        {
            "QueueUrl": "https://sqs/checks",
            "Entries": [
                {"Id": "0", "MessageBody": '{"payId":"a","step":3}', "DelaySeconds": 900},
                {"Id": "1", "MessageBody": '{"payId":"b"}', "DelaySeconds": 0},
            ],
        }
    ]


def test_returns_for_each_message_whether_sqs_accepted_it() -> None:
    """By the id of its entry, in every batch of ten."""
    messages = [QueuedCheck(str(number)) for number in range(23)]
    sqs = Sqs("3", "11", "22")
    accepted = queue(sqs).send(messages)
    assert [number for number, ok in enumerate(accepted) if not ok] == [3, 11, 22]
    assert [len(call["Entries"]) for call in sqs.calls] == [10, 10, 3]


def test_no_messages_make_no_call() -> None:
    """SQS would refuse an empty batch."""
    sqs = Sqs()
    assert queue(sqs).send([]) == []
    assert sqs.calls == []
