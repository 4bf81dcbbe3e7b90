"""The sandbox under load: payments from the queue to the bus, as fast as this machine can.

Everything shares its cores: the emulator, the functions' processes, the gateway and the reader of
events. So ``emulator_alone`` makes the calls to AWS of as many checks with nothing else running,
and each run tells how many cores the emulator took (one Python process, so 1 is its limit) and
how many the functions.
"""

import json
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from payresult.aws.batches import batches
from sandbox.deploy import PARTNER_CODE
from sandbox.environment import Sandbox, running
from sandbox.waiting import TimeIsUp
from tests.benchmarks.cpu import cpu_milliseconds
from tests.benchmarks.model import BATCH, Deployment

RESULT = Path(__file__).parent / "results/load.json"

SIZES = (10, 100, 1000)
DELAYS = (1, 1, 1)
CHECKS = 2
"""The gateway says paid with the second check, a second after the first."""

ROUNDS = 100
PATIENCE = 180
"""Seconds for one run."""


def run_all() -> dict[str, Any]:
    """The emulator's part alone, and a row for each size."""
    with TemporaryDirectory() as folder, running(Path(folder), 0, delays=DELAYS) as sandbox:
        run(sandbox, "warm", BATCH)
        alone = emulator_alone(sandbox)
        rows = [run(sandbox, f"{size}", size) for size in SIZES]
    return {"emulator_checks_a_second": alone, "rows": rows}


def run(sandbox: Sandbox, name: str, size: int) -> dict[str, Any]:
    """Queue *size* payments, and wait for their events: seconds until the last one, and rates."""
    pay_ids = [f"later{CHECKS}-{name}-{number}" for number in range(size)]
    sqs = sandbox.account.client("sqs")
    began, used = time.monotonic(), _cpu(sandbox)
    for group in batches(pay_ids):
        sqs.send_message_batch(QueueUrl=sandbox.stack["ChecksQueueUrl"], Entries=_messages(group))
    waiting = set(pay_ids)
    while waiting:
        waiting -= set(_events(sqs, sandbox.stack["AuditQueueUrl"]))
        if time.monotonic() - began > PATIENCE:
            raise TimeIsUp(f"{len(waiting)} of {size} payments: no event within {PATIENCE} s")
    seconds = time.monotonic() - began
    emulator, functions = (
        round((now - then) / seconds, 2) for now, then in zip(_cpu(sandbox), used, strict=True)
    )
    return {
        "payments": size,
        "seconds": round(seconds, 2),
        "payments_a_second": round(size / seconds, 1),
        "checks_a_second": round(size * CHECKS / seconds, 1),
        "emulator_cores": emulator,
        "functions_cores": functions,
    }


def emulator_alone(sandbox: Sandbox) -> float:
    """Checks a second that the emulator's part allows, as many batches at a time as deployed."""
    at_a_time = Deployment.of_template().concurrency
    clients = sandbox.account.client("sqs"), sandbox.account.client("dynamodb")
    with ThreadPoolExecutor(at_a_time) as batches, ThreadPoolExecutor(BATCH * at_a_time) as writes:
        began = time.monotonic()
        for done in [
            batches.submit(_batch, sandbox, *clients, number, writes) for number in range(ROUNDS)
        ]:
            done.result()
        return round(ROUNDS * BATCH / (time.monotonic() - began), 1)


def _batch(
    sandbox: Sandbox, sqs: Any, dynamodb: Any, number: int, writes: ThreadPoolExecutor
) -> None:
    """What a batch of ten unsettled checks asks of AWS, the poller's calls included."""
    queue, table = sandbox.stack["DeadLetterQueueUrl"], sandbox.stack["TableName"]
    pay_ids = [f"load-{number}-{each}" for each in range(BATCH)]
    keys = [{"pk": {"S": f"{PARTNER_CODE}#{pay_id}"}} for pay_id in pay_ids]
    dynamodb.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
    sqs.send_message_batch(QueueUrl=queue, Entries=_messages(pay_ids))

    def write(key: dict[str, Any]) -> None:
        dynamodb.update_item(
            TableName=table,
            Key=key,
            UpdateExpression="SET checks = :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )

    list(writes.map(write, keys))
    list(_taken(sqs, queue, 0))


def _cpu(sandbox: Sandbox) -> tuple[float, float]:
    """CPU seconds so far (Linux): of the emulator, and of the functions.

    The emulator is known by its port, and works in a child; the functions are children of that.
    """
    port = sandbox.account.endpoint.rpartition(":")[2].encode()
    parents, named = {}, set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            stat = (process / "stat").read_text(encoding="utf-8")
            parents[int(process.name)] = int(stat.rpartition(")")[2].split()[1])
            if (process / "cmdline").read_bytes().rstrip(b"\0").endswith(b":" + port):
                named.add(int(process.name))
    emulator = named | {pid for pid, parent in parents.items() if parent in named}
    functions = {pid for pid, parent in parents.items() if parent in emulator} - emulator
    return _seconds(emulator), _seconds(functions)


def _seconds(processes: Collection[int]) -> float:
    return sum(map(cpu_milliseconds, processes)) / 1000


def _events(sqs: Any, queue: str) -> Iterator[str]:
    for body in _taken(sqs, queue, 1):
        yield json.loads(body)["detail"]["data"]["payId"]


def _taken(sqs: Any, queue: str, patience: int) -> Iterator[str]:
    """Receive ten messages at most and delete them."""
    found = sqs.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=BATCH, WaitTimeSeconds=patience
    ).get("Messages", [])
    if found:
        entries = [
            {"Id": str(number), "ReceiptHandle": each["ReceiptHandle"]}
            for number, each in enumerate(found)
        ]
        sqs.delete_message_batch(QueueUrl=queue, Entries=entries)
    yield from (each["Body"] for each in found)


def _messages(pay_ids: Sequence[str]) -> list[dict[str, str]]:
    return [
        {"Id": str(number), "MessageBody": json.dumps({"payId": pay_id})}
        for number, pay_id in enumerate(pay_ids)
    ]
