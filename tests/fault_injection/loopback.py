"""AWS and the gateway on loopback, for a worker process: the stage's edges behind real HTTP."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Self

from botocore.exceptions import ClientError

from tests.fault_injection.fake_aws import Crash
from tests.fault_injection.functions import AWS, QUIET
from tests.fault_injection.simulation import Stage
from tests.support.template import deployed_environment

ROOT = Path(__file__).parents[2]
EDGES = {"DynamoDB_20120810": "table", "AmazonSQS": "queue", "AWSEvents": "bus"}


class Loopback:
    """A host whose functions run in a process of their own, which can be killed."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.role = ""
        self.pid = 0
        self._busy = False
        self._dead = False
        self._lock = Lock()
        self._server = _Server(self)

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self._workers = subprocess.Popen(
            [sys.executable, "-m", "tests.fault_injection.worker"],
            env=self._environment(),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._hear()["pid"]
        return self

    def __exit__(self, *_: object) -> None:
        self._workers.communicate()  # no more invocations: the worker ends, and its parent
        self._server.shutdown()
        self._server.server_close()

    def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """Hand *event* to the worker; Crash if it dies of it."""
        self.role = name
        invocation = {"name": name, "now": self.stage.now / 1000, "event": event}
        pipe = self._workers.stdin
        assert pipe
        self._busy = True
        pipe.write(json.dumps(invocation) + "\n")
        pipe.flush()
        answer = self._hear()
        self._busy = False
        if "ended" in answer:
            self._take_next()
            raise Crash
        if "error" in answer:
            raise ClientError({"Error": {"Code": answer["error"]}}, name)
        return answer["answer"]

    def kill(self) -> None:
        """SIGKILL: the process gets to do nothing more."""
        self._dead = True
        os.kill(self.pid, signal.SIGKILL)
        if not self._busy:  # between two invocations: nobody else listens
            self._hear()
            self._take_next()

    def call(self, edge: str, operation: str, request: dict[str, Any]) -> Any:
        """Make a call of the worker, one at a time."""
        with self._lock:
            if self._dead:  # what a dead process had under way comes to nothing
                raise Crash
            return self.stage.call(self.role, edge, operation, request)

    def _take_next(self) -> None:
        self.pid = self._hear()["pid"]
        with self._lock:
            self._dead = False

    def _hear(self) -> dict[str, Any]:
        assert self._workers.stdout
        heard: dict[str, Any] = json.loads(self._workers.stdout.readline())
        return heard

    def _environment(self) -> dict[str, str]:
        endpoint = f"http://127.0.0.1:{self._server.server_port}"
        path = os.pathsep.join(map(str, (ROOT, ROOT / "layers/payresult/python")))
        deployed = deployed_environment(
            GatewayBaseUrl=f"{endpoint}/gateway", EnvironmentName="prod", FailedPayRstValues="fail"
        )
        ours = {"PATH": os.defpath, "PYTHONPATH": path, "AWS_ENDPOINT_URL": endpoint}
        return deployed | AWS | QUIET | ours


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: Loopback) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.host = host

    def handle_error(self, *_: object) -> None:
        """A worker that was killed is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            if self.path.startswith("/gateway"):
                answer = self.server.host.call("gateway", "query", {"pay_id": request["payId"]})
                self._send(answer.status, answer.body, answer.content_type)
                return
            self._send(200, json.dumps(self._aws(request)).encode())
        except ClientError as error:
            response: dict[str, Any] = {**error.response}
            told = {"__type": response["Error"]["Code"], "message": ""}
            told |= {"Item": response["Item"]} if "Item" in response else {}
            self._send(400, json.dumps(told).encode())
        except Crash:
            self.close_connection = True

    def _aws(self, request: dict[str, Any]) -> Any:
        service, _, name = self.headers["X-Amz-Target"].partition(".")
        operation = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        answer = self.server.host.call(EDGES[service], operation, request)
        return _taken(request, answer) if name == "SendMessageBatch" else answer

    def _send(self, status: int, body: bytes, content_type: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """There is no log."""


def _taken(request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """What SQS says of the messages it took: boto3 compares their digests."""
    failed = {entry["Id"] for entry in answer.get("Failed", [])}
    return answer | {
        "Successful": [
            {
                "Id": entry["Id"],
                "MessageId": entry["Id"],
                "MD5OfMessageBody": hashlib.md5(  # noqa: S324 - as the protocol demands
                    entry["MessageBody"].encode()
                ).hexdigest(),
            }
            for entry in request["Entries"]
            if entry["Id"] not in failed
        ]
    }
