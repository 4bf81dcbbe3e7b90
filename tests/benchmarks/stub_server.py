"""A stub process over TLS: the gateway, or the AWS services that payresult uses.

``python -m tests.benchmarks.stub_server gateway|aws CERTIFICATE`` prints its port. A line of JSON
on standard input sets ``delay`` (seconds) and ``close`` (after each response); the process writes a
line with the counts since the previous one. It ends at the end of standard input.
"""

import asyncio
import json
import ssl
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from tests.benchmarks.stub_responses import aws, gateway

Responder = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Returns the response to a request, given its header x-amz-target ("" for none)."""

HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: {}"


class StubServer:
    """Responds to requests and counts them."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder
        self._delay = 0.0
        self._close = False
        self._waits: defaultdict[str, list[float]] = defaultdict(list)
        self._counts: Counter[str] = Counter()

    def configure(self, line: str) -> str:
        """Apply the settings in *line*; return the counts so far, and set them to zero."""
        settings = json.loads(line)
        self._delay, self._close = settings["delay"], settings["close"]
        counts = {"waits": self._waits, **self._counts}
        self._waits, self._counts = defaultdict(list), Counter()
        return json.dumps(counts)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either side closes it."""
        self._counts["connections"] += 1
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                lines = [line.partition(":") for line in head.split("\r\n")[1:]]
                headers = {name.lower(): value.strip() for name, _, value in lines}
                body = await reader.readexactly(int(headers["content-length"]))
                await self._reply(headers.get("x-amz-target", ""), body, writer)
                self._counts["bytes_in"] += len(head) + len(body)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _reply(self, target: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        start = time.perf_counter()
        content = json.dumps(self._responder(target, json.loads(body))).encode()
        if self._delay:
            await asyncio.sleep(self._delay - (time.perf_counter() - start))
        head = HEAD.format(len(content), "close" if self._close else "keep-alive") + "\r\n\r\n"
        self._waits[target].append(time.perf_counter() - start)
        self._counts["bytes_out"] += len(head) + len(content)
        writer.write(head.encode() + content)
        if self._close:
            writer.close()


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
