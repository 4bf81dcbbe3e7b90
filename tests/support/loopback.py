"""AWS and the gateway on loopback for a worker process: the simulation's fakes over real HTTP."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Self

from botocore.exceptions import ClientError

from tests.support.fake_aws import Crash
from tests.support.functions import LOGGING_OFF
from tests.support.simulation import Simulation
from tests.support.template import AWS, ROOT, deployed_environment

DEPENDENCIES = {"DynamoDB_20120810": "table", "AmazonSQS": "queue", "AWSEvents": "bus"}
"""The dependency by the service in the header X-Amz-Target."""


class LoopbackHost:
    """A FunctionHost that runs the functions in a worker process, which can be killed.

    ``pid`` is the process that runs the functions now.
    """

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.function = ""
        self.pid = 0
        self._busy = False
        self._dead = False
        self._lock = Lock()
        self._server = _Server(self)

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self._workers = subprocess.Popen(
            [sys.executable, "-m", "tests.support.worker"],
            env=self._environment(),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._read_message()["pid"]
        return self

    def __exit__(self, *_: object) -> None:
        self._workers.communicate()  # end of input: the worker ends, then its parent
        self._server.shutdown()
        self._server.server_close()

    def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """Invoke a function in the worker. Raises Crash if the worker dies meanwhile."""
        self.function = name
        invocation = {"name": name, "now": self.simulation.now / 1000, "event": event}
        pipe = self._workers.stdin
        assert pipe
        self._busy = True
        pipe.write(json.dumps(invocation) + "\n")
        pipe.flush()
        message = self._read_message()
        self._busy = False
        if "ended" in message:
            self._wait_for_next_worker()
            raise Crash
        if "error" in message:
            raise ClientError({"Error": {"Code": message["error"]}}, name)
        return message["result"]

    def kill(self) -> None:
        """Send SIGKILL to the worker."""
        between = not self._busy  # as it is now: the end of an invocation is told by another thread
        self._dead = True
        os.kill(self.pid, signal.SIGKILL)
        if between:  # two invocations: `invoke` does not read the messages
            self._read_message()
            self._wait_for_next_worker()

    def call(self, dependency: str, operation: str, request: dict[str, Any]) -> Any:
        """Make a call for the worker; calls are made one at a time."""
        with self._lock:
            if self._dead:  # a call that a dead process had started
                raise Crash
            return self.simulation.call(self.function, dependency, operation, request)

    def _wait_for_next_worker(self) -> None:
        self.pid = self._read_message()["pid"]
        with self._lock:
            self._dead = False

    def _read_message(self) -> dict[str, Any]:
        assert self._workers.stdout
        message: dict[str, Any] = json.loads(self._workers.stdout.readline())
        return message

    def _environment(self) -> dict[str, str]:
        endpoint = f"http://127.0.0.1:{self._server.server_port}"
        path = os.pathsep.join(map(str, (ROOT, ROOT / "layers/payresult/python")))
        deployed = deployed_environment(
            GatewayBaseUrl=f"{endpoint}/gateway", EnvironmentName="prod", FailedPayRstValues="fail"
        )
        own = {"PATH": os.defpath, "PYTHONPATH": path, "AWS_ENDPOINT_URL": endpoint}
        return deployed | AWS | LOGGING_OFF | own


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: LoopbackHost) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.host = host

    def handle_error(self, *_: object) -> None:
        """Ignore the broken connections of a killed worker."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            if self.path.startswith("/gateway"):
                response = self.server.host.call("gateway", "query", {"pay_id": request["payId"]})
                self._send(response.status, response.body, response.content_type)
                return
            self._send(200, json.dumps(self._aws(request)).encode())
        except ClientError as error:
            details: dict[str, Any] = {**error.response}
            document = {"__type": details["Error"]["Code"], "message": ""}
            document |= {"Item": details["Item"]} if "Item" in details else {}
            self._send(400, json.dumps(document).encode())
        except Crash:
            self.close_connection = True

    def _aws(self, request: dict[str, Any]) -> Any:
        service, _, name = self.headers["X-Amz-Target"].partition(".")
        operation = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        response = self.server.host.call(DEPENDENCIES[service], operation, request)
        return _with_digests(request, response) if name == "SendMessageBatch" else response

    def _send(self, status: int, body: bytes, content_type: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Write no log."""


def _with_digests(request: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
    """Add the accepted messages with their MD5 digests, which boto3 compares."""
    failed = {entry["Id"] for entry in response.get("Failed", [])}
    return response | {
        "Successful": [
            {
                "Id": entry["Id"],
                "MessageId": entry["Id"],
                "MD5OfMessageBody": hashlib.md5(  # noqa: S324 - required by the protocol
                    entry["MessageBody"].encode()
                ).hexdigest(),
            }
            for entry in request["Entries"]
            if entry["Id"] not in failed
        ]
    }
