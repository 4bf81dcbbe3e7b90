"""The sandbox under load: payments from the queue to the bus, as fast as the machine allows.

The emulator, the functions' processes, the gateway and the reader of events share the cores. So
``emulator_alone`` measures the emulator with the calls of as many checks and nothing else running,
and each run reports the cores that the emulator used (one Python process, so 1 at most) and those
that the functions used.
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
from sandbox.environment import Sandbox, start_sandbox
from sandbox.waiting import WaitTimeout
from tests.benchmarks.cpu_time import cpu_milliseconds
from tests.benchmarks.model import BATCH, Deployment

RESULT = Path(__file__).parent / "results/load.json"

SIZES = (10, 100, 1000)
DELAYS = (1, 1, 1)
CHECKS = 2
"""The gateway reports a payment as paid at its second check, a second after the first."""

ROUNDS = 100
TIMEOUT_SECONDS = 180
"""For one run."""


def run_all() -> dict[str, Any]:
    """Measure the emulator alone, and a run of each size."""
    with TemporaryDirectory() as folder, start_sandbox(Path(folder), 0, delays=DELAYS) as sandbox:
        run(sandbox, "warm", BATCH)
        alone = emulator_alone(sandbox)
        rows = [run(sandbox, f"{size}", size) for size in SIZES]
    return {"emulator_checks_per_second": alone, "rows": rows}


def run(sandbox: Sandbox, name: str, size: int) -> dict[str, Any]:
    """Send *size* payments and wait for their events; return the seconds taken, and rates."""
    pay_ids = [f"later{CHECKS}-{name}-{number}" for number in range(size)]
    sqs = sandbox.credentials.client("sqs")
    began, used = time.monotonic(), _cpu(sandbox)
    for group in batches(pay_ids):
        sqs.send_message_batch(QueueUrl=sandbox.stack["ChecksQueueUrl"], Entries=_messages(group))
    waiting = set(pay_ids)
    while waiting:
        waiting -= set(_events(sqs, sandbox.stack["AuditQueueUrl"]))
        if time.monotonic() - began > TIMEOUT_SECONDS:
            message = f"no event of {len(waiting)} of {size} payments in {TIMEOUT_SECONDS} s"
            raise WaitTimeout(message)
    seconds = time.monotonic() - began
    emulator, functions = (
        round((now - then) / seconds, 2) for now, then in zip(_cpu(sandbox), used, strict=True)
    )
    return {
        "payments": size,
        "seconds": round(seconds, 2),
        "payments_per_second": round(size / seconds, 1),
        "checks_per_second": round(size * CHECKS / seconds, 1),
        "emulator_cores": emulator,
        "functions_cores": functions,
    }


def emulator_alone(sandbox: Sandbox) -> float:
    """Return the checks per second of the emulator alone, with the template's concurrency."""
    concurrency = Deployment.of_template().concurrency
    clients = sandbox.credentials.client("sqs"), sandbox.credentials.client("dynamodb")
    with (
        ThreadPoolExecutor(concurrency) as batches,
        ThreadPoolExecutor(BATCH * concurrency) as writes,
    ):
        began = time.monotonic()
        for done in [
            batches.submit(_batch, sandbox, *clients, number, writes) for number in range(ROUNDS)
        ]:
            done.result()
        return round(ROUNDS * BATCH / (time.monotonic() - began), 1)


def _batch(
    sandbox: Sandbox, sqs: Any, dynamodb: Any, number: int, writes: ThreadPoolExecutor
) -> None:
    """Make the calls to AWS of a batch of ten unsettled checks, the poller's included."""
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
    list(_received(sqs, queue, 0))


def _cpu(sandbox: Sandbox) -> tuple[float, float]:
    """Return the CPU seconds so far (Linux) of the emulator and of the functions.

    The emulator's process is found by its command and its port; it serves in a child process, and
    the functions are children of that one.
    """
    port = f"GATEWAY_PORT={sandbox.credentials.endpoint.rpartition(':')[2]}\0".encode()
    parents, named = {}, set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):  # the process has ended
            stat = (process / "stat").read_text(encoding="utf-8")
            parents[int(process.name)] = int(stat.rpartition(")")[2].split()[1])
            is_emulator = b"ministack.app:app" in (process / "cmdline").read_bytes()
            if is_emulator and port in (process / "environ").read_bytes():
                named.add(int(process.name))
    emulator = named | {pid for pid, parent in parents.items() if parent in named}
    functions = {pid for pid, parent in parents.items() if parent in emulator} - emulator
    return _seconds(emulator), _seconds(functions)


def _seconds(processes: Collection[int]) -> float:
    return sum(map(cpu_milliseconds, processes)) / 1000


def _events(sqs: Any, queue: str) -> Iterator[str]:
    for body in _received(sqs, queue, 1):
        yield json.loads(body)["detail"]["data"]["payId"]


def _received(sqs: Any, queue: str, wait_seconds: int) -> Iterator[str]:
    """Receive up to ten messages, delete them, and yield their bodies."""
    found = sqs.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=BATCH, WaitTimeSeconds=wait_seconds
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
