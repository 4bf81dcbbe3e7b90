"""A stub process over TLS: the gateway, or the AWS services that payresult uses.

``python -m tests.benchmarks.stub_server gateway|aws CERTIFICATE`` prints its port. A line on
standard input sets the seconds until each response; the process writes a line of JSON with the
waits since the previous one. It ends at the end of standard input.

The stubs are stateless: the same call always gets the same response. ``new-…`` is a payId without
an item, ``…-paid`` one that is paid.
"""

import asyncio
import json
import ssl
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from tests.support.expressions import Scope, parse_update
from tests.support.loopback_gateway import PAID

Document = dict[str, Any]

HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
NOW = int(time.time() * 1000)
HOUR = 3_600_000


class StubServer:
    """Responds to requests and counts them; *responder* also gets the header x-amz-target."""

    def __init__(self, responder: Callable[[str, Document], Document]) -> None:
        self._responder = responder
        self._delay = 0.0
        self._waits: defaultdict[str, list[float]] = defaultdict(list)

    def configure(self, line: str) -> str:
        """Take the delay from *line*; return the waits so far, and forget them."""
        self._delay = float(line)
        waits, self._waits = self._waits, defaultdict(list)
        return json.dumps(waits)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until the client closes it."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                lines = [line.partition(":") for line in head.split("\r\n")[1:]]
                headers = {name.lower(): value.strip() for name, _, value in lines}
                body = await reader.readexactly(int(headers["content-length"]))
                writer.write(await self._response(headers.get("x-amz-target", ""), body))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _response(self, target: str, body: bytes) -> bytes:
        start = time.perf_counter()
        content = json.dumps(self._responder(target, json.loads(body))).encode()
        if self._delay:
            await asyncio.sleep(self._delay - (time.perf_counter() - start))
        self._waits[target].append(time.perf_counter() - start)
        return HEAD.format(len(content)).encode() + content


def gateway(_target: str, request: Document) -> Document:
    """Return the documented reply of the gateway."""
    paid = request["payId"].endswith("-paid")
    echo = {name: request[name] for name in ("partnerCode", "payId")}
    return PAID | echo | {"payRst": "success" if paid else "processing"}


def aws(target: str, request: Document) -> Document:
    """Return the response to a call of *target*, such as DynamoDB_20120810.GetItem."""
    return _RESPONSES[target.rpartition(".")[2]](request)


def _item(key: Document) -> Document | None:
    """Return a payment in the fast phase after its first check, None for a new payId."""
    partner_code, _, pay_id = key["pk"]["S"].partition("#")
    if pay_id.startswith("new-"):
        return None
    change = {"at": {"N": str(NOW)}, "to": {"S": "PENDING"}, "way": {"S": "queue"}}
    numbers = {"rank": 10, "checks": 1, "attempt": 1, "step": 1, "schemaVersion": 1}
    times = {"createdAt": 0, "lastCheckedAt": 0, "nextCheckAt": 0, "workAt": 1, "giveUpAt": 99}
    return {
        "pk": key["pk"],
        "partnerCode": {"S": partner_code},
        "payId": {"S": pay_id},
        "status": {"S": "PENDING"},
        "workShard": {"S": "CHECK#0"},
        "history": {"L": [{"M": change}]},
        **{name: {"N": str(number)} for name, number in numbers.items()},
        **{name: {"N": str(NOW + hours * HOUR)} for name, hours in times.items()},
    }


def _get_item(request: Document) -> Document:
    item = _item(request["Key"])
    return {} if item is None else {"Item": item}


def _batch_get_item(request: Document) -> Document:
    [(table, wanted)] = request["RequestItems"].items()
    found = [item for key in wanted["Keys"] if (item := _item(key))]
    return {"Responses": {table: found}, "UnprocessedKeys": {}}


def _update_item(request: Document) -> Document:
    if request.get("ReturnValues") != "ALL_NEW":
        return {}
    item = _item(request["Key"]) or request["Key"]
    scope = Scope(item, request["ExpressionAttributeNames"], request["ExpressionAttributeValues"])
    parse_update(request["UpdateExpression"])(scope, item)
    return {"Attributes": item}


def _send_message_batch(request: Document) -> Document:
    sent = [{"Id": it["Id"], "MessageId": it["Id"]} for it in request["Entries"]]
    return {"Successful": sent, "Failed": []}


_RESPONSES: dict[str, Callable[[Document], Document]] = {
    "GetItem": _get_item,
    "BatchGetItem": _batch_get_item,
    "PutItem": lambda _: {},
    "UpdateItem": _update_item,
    "Query": lambda _: {"Items": [], "Count": 0, "ScannedCount": 0},
    "SendMessageBatch": _send_message_batch,
    "PutEvents": lambda request: {
        "FailedEntryCount": 0,
        "Entries": [{"EventId": str(number)} for number, _ in enumerate(request["Entries"])],
    },
}


async def main(kind: str, certificate: str) -> None:
    """Serve until standard input ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    stub, ended = StubServer({"gateway": gateway, "aws": aws}[kind]), asyncio.Event()

    def read_line() -> None:
        if line := sys.stdin.readline():
            print(stub.configure(line), flush=True)  # noqa: T201 - to the parent process
        else:
            ended.set()

    server = await asyncio.start_server(stub.serve, "127.0.0.1", 0, ssl=context, backlog=256)
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), read_line)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - to the parent process
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
