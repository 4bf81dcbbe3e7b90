"""Contract of the Makefile: what its targets run, without installing anything."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.template import ROOT


def make(*arguments: str, folder: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """Run make in *folder*, as from a shell: a make that runs these tests passes settings on."""
    return subprocess.run(  # noqa: S603 - our own command line
        ["make", *arguments],  # noqa: S607 - the user's make
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "folder"), [((), ".aws-sam/build"), (("BUILD_DIR=elsewhere",), "elsewhere")]
)
def test_what_was_built_is_deployed(
    monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str], folder: str
) -> None:
    """Also from another folder. A BUILD_DIR in the environment is of another program."""
    monkeypatch.setenv("BUILD_DIR", "of-another-program")
    commands = make("--dry-run", "deploy", *arguments).stdout
    assert f'samcli build --build-dir "{folder}"' in commands
    assert f'samcli deploy --guided --template-file "{folder}/template.yaml" ' in commands
