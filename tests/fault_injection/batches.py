"""P7: C15 batches of valid, invalid and failing messages; only the failed ones are redelivered."""

import json
from random import Random
from typing import Any

from botocore.exceptions import ClientError

from tests.fault_injection.results import Run
from tests.support.fake_aws import Call, Request
from tests.support.fake_gateway import DAY, MINUTE, GatewayResponse, json_response
from tests.support.functions import Functions
from tests.support.simulation import Simulation

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
    '{"payId": "' + "x" * 129 + '"}',
    '{"payId": "p", "expectedAmount": "NaN"}',
    "[" * 5000,
)
FAULT_PHASE = MINUTE


class BatchVerifier:
    """A FunctionHost that compares the failed messages of each batch with the expected ones.

    ``faulted`` are the payIds for which a fault was injected in the current invocation.
    """

    def __init__(self, inner: Functions) -> None:
        self._inner = inner
        self.faulted: set[str] = set()
        self.problems: list[str] = []

    def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """Invoke a function, and verify the response of ``checks``."""
        self.faulted.clear()
        response = self._inner.invoke(name, event)
        if name == "checks":
            bodies = {record["messageId"]: record["body"] for record in event["Records"]}
            failed = {each["itemIdentifier"] for each in response["batchItemFailures"]}
            for key, body in bodies.items():
                if (key in failed) is not self._must_fail(body):
                    self.problems.append(f"{body[:80]} {'failed' if key in failed else 'passed'}")
        return response

    def _must_fail(self, body: str) -> bool:
        if _is_invalid(body):
            return True
        message = json.loads(body)
        return bool(self.faulted & {message.get("payId"), *message.get("payIds", [])})


def batches(run: Run) -> None:
    """Deliver *size* batches of one to ten messages with faults, then run without faults."""

    def script(pay_id: str, earlier_queries: int, _now: int) -> GatewayResponse:
        return json_response(pay_id, "success" if earlier_queries else "waiting")

    simulation = run.simulate(script)
    verifier = BatchVerifier(simulation.functions)
    simulation.host = verifier
    _inject_faults(simulation, verifier, run.rng)
    valid: set[str] = set()
    invalid = 0
    for number in run.numbers():
        ordered = [
            item["payId"]["S"] for item in simulation.dynamodb.items.values() if "orderId" in item
        ]
        names = [f"pay-{number}-{index}" for index in range(run.rng.randint(1, 10))]
        bodies = [_message(name, run.rng, valid, ordered) for name in names]
        invalid += sum(map(_is_invalid, bodies))
        for body in bodies:
            simulation.queue.put(body)
        simulation.run(0)
    simulation.run(FAULT_PHASE)
    simulation.on_call, simulation.queue.rejects = lambda _: None, lambda _: False
    simulation.run(12 * DAY)
    run.judge(simulation, valid)
    run.problems += verifier.problems
    if len(simulation.queue.dead_letters) != invalid:
        run.problems.append(f"{len(simulation.queue.dead_letters)} dead letters, not {invalid}")


def _is_invalid(body: str) -> bool:
    return body in MALFORMED or '"conflict"' in body


def _message(pay_id: str, rng: Random, valid: set[str], ordered: list[str]) -> str:
    """Return a random body: malformed, in conflict with one of *ordered*, or valid."""
    kind = rng.random()
    if kind < 0.2:
        return rng.choice(MALFORMED)
    if kind < 0.3 and ordered:
        return json.dumps({"payId": rng.choice(ordered), "orderId": "conflict"})
    valid.add(pay_id)
    if kind < 0.4:
        return json.dumps({"payIds": [pay_id]})
    return json.dumps({"payId": pay_id, "orderId": "A-17", "expectedAmount": "19.99"})


def _inject_faults(simulation: Simulation, verifier: BatchVerifier, rng: Random) -> None:
    """Let 2 % of the writes of a check, and of the messages for the next check, fail."""

    def reject(entry: Request) -> bool:
        if rng.random() >= 0.02:
            return False
        simulation.faults += 1
        verifier.faulted.add(json.loads(entry["MessageBody"])["payId"])
        return True

    def throttle(call: Call) -> None:
        if call.when == "before" and call.kind == "record" and rng.random() < 0.02:
            simulation.faults += 1
            verifier.faulted.add(call.pay_id)
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, call.kind)

    simulation.queue.rejects, simulation.on_call = reject, throttle
