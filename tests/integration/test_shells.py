"""Contract: the blocks of the documents work as pasted, in bash and zsh, beside other AWS settings.

zsh is the default shell of macOS. Where it is missing its tests are skipped; `.ci/run` installs it.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sandbox.environment import write_outputs
from sandbox.waiting import wait_for
from tests.integration.conftest import System
from tests.support.markdown import read
from tests.support.template import ROOT

SHELLS = {
    "bash": ["bash", "--noprofile", "--norc", "-i"],
    "zsh": ["zsh", "-f", "-i"],
}
"""Interactive, since zsh takes comments for words there only, and without a user's own settings."""

FOREIGN = {
    "AWS_PROFILE": "somebody-else",
    "AWS_SESSION_TOKEN": "of-another-account",
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "of-another-account",
    "AWS_DEFAULT_REGION": "us-west-2",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_CONFIG_FILE": "/nonexistent/config",
}
"""What a user's shell may have for the real AWS."""

REPLY = '{"payRst": "success", "payId": "{payId}", "partnerCode": "{partnerCode}"}'
"""The `reply.txt` of docs/sandbox.md."""


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> list[str]:
    """Return the command line of a shell that reads what is pasted."""
    name: str = request.param
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    return SHELLS[name]


@pytest.fixture(scope="module")
def checkout(system: System, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clone in which *system* is the running sandbox."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("cli", "sandbox"):  # scripts and programs find the clone by their own place
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("layers", ".venv"):
        (folder / name).symlink_to((ROOT / name).resolve())
    (folder / "reply.txt").write_text(REPLY, encoding="utf-8")
    (folder / ".sandbox").mkdir()
    _write_outputs(system, folder)
    return folder


def _write_outputs(system: System, checkout: Path) -> None:
    write_outputs(system.sandbox, checkout / ".sandbox" / "outputs.json")


def blocks(system: System, *names: str) -> list[str]:
    """Return what a reader pastes, apart from `make …`; the port is that of *system*."""
    found = [block for name in names for block in read(ROOT / name).commands]
    address = system.sandbox.api_url.removeprefix("http://")
    return [it.replace("127.0.0.1:8080", address) for it in found if not it.startswith("make ")]


def paste(shell: list[str], checkout: Path, *pasted: str) -> str:
    """Return what the shell prints for *pasted*; the first command that fails ends it."""
    ended = subprocess.run(  # noqa: S603 - a shell that was found
        shell,
        cwd=checkout,
        env={"PATH": os.environ["PATH"], "HOME": str(checkout), **FOREIGN},
        input="\n".join(["set -e", *pasted, "echo END", ""]),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.endswith("END\n"), ended.stdout + ended.stderr
    return ended.stdout


def test_the_blocks_of_the_readme_work_as_pasted(
    shell: list[str], checkout: Path, system: System
) -> None:
    """All of them in one shell; the payment is registered, followed and announced."""
    system.client.put("paid-1001", expectedAmount="19.99")
    wait_for("it is paid", lambda: system.client.status("paid-1001") == "SUCCEEDED", 20)
    printed = paste(shell, checkout, *blocks(system, "README.md"))
    assert "paid-1001  SUCCEEDED" in printed
    assert printed.count('"payId":"later3-7","status":"SUCCEEDED"') >= 2  # waited for, and got
    assert '"MessageId": ' in printed
    assert "PaymentSucceeded" in printed
    assert "urn:payresult:problem" not in printed
    assert "Invalid" not in printed


def test_the_blocks_about_replies_and_queries_work_as_pasted(
    shell: list[str], checkout: Path, system: System
) -> None:
    """A reply of one's own is played, a payment registered, several are asked about."""
    printed = paste(shell, checkout, *blocks(system, "docs/sandbox.md", "docs/api.md"))
    assert '"payId": "own-1"' in printed
    assert '"payId":"never-2"' in printed


def test_a_second_shell_and_a_restarted_sandbox_need_no_set_up(
    shell: list[str], checkout: Path, system: System
) -> None:
    """Each command reads the keys of now: those of before are refused."""
    send = next(it for it in blocks(system, "README.md") if "send-message" in it)
    outputs = checkout / ".sandbox" / "outputs.json"
    before = outputs.read_text(encoding="utf-8")
    other = system.sandbox.credentials.create_user(f"restarted-{shell[0]}", "*")
    outputs.write_text(
        before.replace(system.sandbox.credentials.access_key_id, other.access_key_id).replace(
            system.sandbox.credentials.secret_access_key, other.secret_access_key
        ),
        encoding="utf-8",
    )
    try:
        assert '"MessageId": ' in paste(shell, checkout, send)
    finally:
        outputs.write_text(before, encoding="utf-8")


@pytest.mark.parametrize(
    "command", [["sandbox/out", "apiUrl"], ["sandbox/aws", "sqs", "list-queues"]]
)
def test_without_a_sandbox_one_line_says_what_to_do(checkout: Path, command: list[str]) -> None:
    """And the real AWS is not asked."""
    outputs = checkout / ".sandbox" / "outputs.json"
    hidden = outputs.rename(outputs.with_suffix(".hidden"))
    try:
        ended = subprocess.run(  # noqa: S603 - our own programs
            [checkout / command[0], *command[1:]],
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"], **FOREIGN},
            check=False,
        )
    finally:
        hidden.rename(outputs)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        "sandbox: no sandbox is running in this clone: start it with `make sandbox`,"
        " and wait for the end of its demo\n"
    )
