"""What `sandbox/out` and `sandbox/aws` run: reads the sandbox that runs in this clone.

Nothing is set in the user's shell. So each command works in any shell, in a second one and after a
restart of the sandbox, and no key or address of the sandbox is used for the real AWS by mistake.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
_NOT_RUNNING = (
    "no sandbox is running in this clone: start it with `make sandbox`,"
    " and wait for the end of its demo"
)


def main() -> None:
    """Print an output, or become the AWS CLI; exits 2 with one line where this cannot be done."""
    command, *arguments = sys.argv[1:]
    try:
        text = (ROOT / ".sandbox" / "outputs.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        _fail(_NOT_RUNNING)
    outputs: dict[str, str] = json.loads(text)
    if command == "aws":
        program = str(ROOT / ".venv" / "bin" / "aws")
        # As an option: version 1 of the CLI ignores AWS_ENDPOINT_URL for SQS.
        command_line = [program, "--endpoint-url", outputs["awsEndpoint"], *arguments]
        os.execve(program, command_line, aws_environment(outputs))  # noqa: S606  no shell
    print(_selected(outputs, arguments))  # noqa: T201  its purpose


def aws_environment(outputs: dict[str, str]) -> dict[str, str]:
    """The caller's environment, with the AWS settings of the sandbox and no others.

    Profiles and tokens would replace or contradict the keys, and a configuration file can name
    another endpoint (AWS CLI, "Configuration settings and precedence"). No proxy is asked for
    loopback: of NO_PROXY and no_proxy the latter counts (urllib.request.getproxies).
    """
    others = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    return others | {
        "AWS_ACCESS_KEY_ID": outputs["accessKeyId"],
        "AWS_SECRET_ACCESS_KEY": outputs["secretAccessKey"],
        "AWS_DEFAULT_REGION": outputs["region"],
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "no_proxy": "*",
    }


def _selected(outputs: dict[str, str], names: list[str]) -> str:
    """The one output that is named, or all of them."""
    if not names:
        return "\n".join(f"{name:<20} {value}" for name, value in outputs.items())
    if len(names) > 1 or names[0] not in outputs:
        _fail(f"name one of {', '.join(outputs)}")
    return outputs[names[0]]


def _fail(text: str) -> NoReturn:
    print(f"sandbox: {text}", file=sys.stderr)  # noqa: T201  one line for the user
    sys.exit(2)


if __name__ == "__main__":
    main()
