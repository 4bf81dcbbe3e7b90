"""The checks queue: what is sent, and what SQS says of each message."""

from typing import TYPE_CHECKING, Any, cast

from payresult.aws.sqs import CheckQueue, FollowUp

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class Sqs:
    """SQS that refuses the messages about *refused*."""

    def __init__(self, *refused: str) -> None:
        self.calls: list[dict[str, Any]] = []
        self._refused = refused

    def send_message_batch(self, **arguments: Any) -> dict[str, Any]:
        """Take the others, and answer without an empty list of failures, as SQS may."""
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


def test_sends_what_a_follow_up_says() -> None:
    """A step, or none as an order service does."""
    sqs = Sqs()
    assert queue(sqs).send([FollowUp("a", 3, 900), FollowUp("b")]) == [True, True]
    assert sqs.calls == [
        {
            "QueueUrl": "https://sqs/checks",
            "Entries": [
                {"Id": "0", "MessageBody": '{"payId":"a","step":3}', "DelaySeconds": 900},
                {"Id": "1", "MessageBody": '{"payId":"b"}', "DelaySeconds": 0},
            ],
        }
    ]


def test_says_of_each_message_whether_it_was_taken() -> None:
    """By its id, over all the tens."""
    messages = [FollowUp(str(number)) for number in range(23)]
    sqs = Sqs("3", "11", "22")
    taken = queue(sqs).send(messages)
    assert [number for number, ok in enumerate(taken) if not ok] == [3, 11, 22]
    assert [len(call["Entries"]) for call in sqs.calls] == [10, 10, 3]


def test_sends_nothing_when_there_is_nothing() -> None:
    """SQS would refuse an empty batch."""
    sqs = Sqs()
    assert queue(sqs).send([]) == []
    assert sqs.calls == []
