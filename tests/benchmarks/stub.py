"""The other side, as a process of its own: the gateway, or what payresult uses of AWS, over TLS.

``python -m tests.benchmarks.stub gateway|aws CERTIFICATE`` prints its port. A line of JSON on
standard input sets ``delay`` (seconds) and ``close`` (after each answer); the line that comes
back is what was counted since the last one. It ends with its standard input.
"""

import asyncio
import json
import ssl
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from tests.benchmarks.answers import aws, gateway

Answer = Callable[[str, dict[str, Any]], dict[str, Any]]
"""What a request to a target (the header x-amz-target; empty) is answered."""

HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: {}"


class Stub:
    """Answers and counts."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._delay = 0.0
        self._close = False
        self._waits: defaultdict[str, list[float]] = defaultdict(list)
        self._figures: Counter[str] = Counter()

    def told(self, line: str) -> str:
        """Change as the line says, and return what was counted; begin to count anew."""
        order = json.loads(line)
        self._delay, self._close = order["delay"], order["close"]
        told = {"waits": self._waits, **self._figures}
        self._waits, self._figures = defaultdict(list), Counter()
        return json.dumps(told)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either side closes it."""
        self._figures["connections"] += 1
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                lines = [line.partition(":") for line in head.split("\r\n")[1:]]
                headers = {name.lower(): value.strip() for name, _, value in lines}
                body = await reader.readexactly(int(headers["content-length"]))
                await self._reply(headers.get("x-amz-target", ""), body, writer)
                self._figures["bytes_in"] += len(head) + len(body)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _reply(self, target: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        start = time.perf_counter()
        answer = json.dumps(self._answer(target, json.loads(body))).encode()
        if self._delay:
            await asyncio.sleep(self._delay - (time.perf_counter() - start))
        head = HEAD.format(len(answer), "close" if self._close else "keep-alive") + "\r\n\r\n"
        self._waits[target].append(time.perf_counter() - start)
        self._figures["bytes_out"] += len(head) + len(answer)
        writer.write(head.encode() + answer)
        if self._close:
            writer.close()


async def main(kind: str, certificate: str) -> None:
    """Serve until standard input ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    stub, ended = Stub({"gateway": gateway, "aws": aws}[kind]), asyncio.Event()

    def told() -> None:
        if line := sys.stdin.readline():
            print(stub.told(line), flush=True)  # noqa: T201 - to whoever asked
        else:
            ended.set()

    server = await asyncio.start_server(stub.serve, "127.0.0.1", 0, ssl=context, backlog=256)
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), told)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - the same
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
