"""C15: batches of good, bad and unlucky messages; only the failed ones come again."""

import json
from random import Random
from typing import Any

from botocore.exceptions import ClientError

from tests.fault_injection.fake_aws import Call, Request
from tests.fault_injection.fake_gateway import DAY, MINUTE, Answer, told
from tests.fault_injection.functions import Functions
from tests.fault_injection.results import Outcome, Tick
from tests.fault_injection.simulation import Stage, Wrap, ours

MALFORMED = (
    "",
    "{",
    "null",
    "[]",
    '{"payId": 5}',
    '{"payId": ""}',
    '{"payId": "a b"}',
    '{"payId": "p", "extra": 1}',
    '{"payId": "p", "payId": "q"}',
    '{"payId": "p", "step": "1"}',
    '{"payId": "p", "expectedAmount": 19.99}',
    '{"payIds": []}',
    '{"payIds": ["ok-1", "not ok"]}',
    '{"payId": "' + "x" * 65 + '"}',
    '{"payId": "p", "expectedAmount": "NaN"}',
    "[" * 5000,
)
FAULTY = MINUTE


class Witness:
    """A host that notes which messages failed, and which were to fail."""

    def __init__(self, inner: Functions) -> None:
        self._inner = inner
        self.unlucky: set[str] = set()
        self.problems: list[str] = []

    def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """Compare the answer of each batch with what it should be."""
        self.unlucky.clear()
        answer = self._inner.invoke(name, event)
        if name == "checks":
            bodies = {record["messageId"]: record["body"] for record in event["Records"]}
            failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
            for key, body in bodies.items():
                if (key in failed) is not self._must_fail(body):
                    self.problems.append(f"{body[:80]} {'failed' if key in failed else 'passed'}")
        return answer

    def _must_fail(self, body: str) -> bool:
        if body in MALFORMED or '"conflict"' in body:
            return True
        message = json.loads(body)
        return bool(self.unlucky & {message.get("payId"), *message.get("payIds", [])})


def batches(size: int, dice: Random, tick: Tick, wrap: Wrap = ours) -> Outcome:
    """Deliver *size* batches of one to ten messages, and then all is well."""

    def script(pay_id: str, asked: int, _now: int) -> Answer:
        return told(pay_id, "success" if asked else "waiting")

    stage = Stage(script, dice, wrap=wrap)
    witness = Witness(stage.functions)
    stage.host = witness
    _break(stage, witness, dice)
    good: set[str] = set()
    buried = 0
    for number in range(size):
        ordered = [item["payId"]["S"] for item in stage.table.items.values() if "orderId" in item]
        names = [f"pay-{number}-{place}" for place in range(dice.randint(1, 10))]
        bodies = [_message(name, dice, good, ordered) for name in names]
        buried += sum(body in MALFORMED or '"conflict"' in body for body in bodies)
        for body in bodies:
            stage.queue.put(body)
        stage.run(0)
        tick(number / size)
    stage.run(FAULTY)
    stage.before, stage.queue.refuses = lambda _: None, lambda _: False
    stage.run(12 * DAY)
    problems = witness.problems
    if len(stage.queue.dead) != buried:
        problems.append(f"{len(stage.queue.dead)} dead letters instead of {buried}")
    return Outcome(size, stage.faults, stage.verdict(good), tuple(problems))


def _message(pay_id: str, dice: Random, good: set[str], ordered: list[str]) -> str:
    kind = dice.random()
    if kind < 0.2:
        return dice.choice(MALFORMED)
    if kind < 0.3 and ordered:
        return json.dumps({"payId": dice.choice(ordered), "orderId": "conflict"})
    good.add(pay_id)
    if kind < 0.4:
        return json.dumps({"payIds": [pay_id]})
    return json.dumps({"payId": pay_id, "orderId": "A-17", "expectedAmount": "19.99"})


def _break(stage: Stage, witness: Witness, dice: Random) -> None:
    """Two of a hundred writes or follow-ups are refused, once or twice each."""

    def refuses(entry: Request) -> bool:
        if dice.random() >= 0.02:
            return False
        stage.faults += 1
        witness.unlucky.add(json.loads(entry["MessageBody"])["payId"])
        return True

    stage.queue.refuses = refuses

    def before(call: Call) -> None:
        if call.when == "before" and call.kind == "record" and dice.random() < 0.02:
            stage.faults += 1
            witness.unlucky.add(call.pay_id)
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, call.kind)

    stage.before = before
