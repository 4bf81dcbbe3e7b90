"""Contract of the Makefile: what its targets run, without installing anything."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.building import run_make
from tests.support.template import ROOT


@pytest.mark.parametrize(
    ("arguments", "folder"), [((), ".aws-sam/build"), (("BUILD_DIR=elsewhere",), "elsewhere")]
)
def test_what_was_built_is_deployed(
    monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str], folder: str
) -> None:
    """Also from another folder. A BUILD_DIR in the environment is of another program."""
    monkeypatch.setenv("BUILD_DIR", "of-another-program")
    commands = run_make("--dry-run", "deploy", *arguments).stdout
    assert f'samcli build --build-dir "{folder}"' in commands
    assert f'samcli deploy --guided --template-file "{folder}/template.yaml" ' in commands


PYTHON = """#!/bin/sh
case "$*" in
"-m venv --clear "*) rm -rf "$4" && mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;
"-m pip install "*) echo "$*" >>installed ;;
esac
"""
"""An interpreter that makes an environment of itself, and writes down what pip was asked for."""


def test_an_environment_whose_interpreter_is_gone_is_made_and_filled_again(tmp_path: Path) -> None:
    """In one run, as after an upgrade of Python; the next one does nothing."""
    (tmp_path / "requirements").mkdir()
    for name in ("sandbox", "dev"):
        (tmp_path / "requirements" / f"{name}.txt").touch()
    python = tmp_path / "python"
    python.write_text(PYTHON, encoding="utf-8")
    python.chmod(0o755)
    (tmp_path / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to("gone")
    for name in ("sandbox", "dev"):
        (tmp_path / ".venv" / f".{name}-ready").touch()

    for _ in range(2):
        ran = run_make(".venv/.dev-ready", f"PYTHON={python}", folder=tmp_path)
        assert ran.returncode == 0, ran.stderr
        installed = (tmp_path / "installed").read_text(encoding="utf-8").splitlines()
        assert [line.split()[-1] for line in installed] == [
            "requirements/sandbox.txt",
            "requirements/dev.txt",
        ]


def test_the_list_of_targets_is_in_columns() -> None:
    """By POSIX awk: BSD's sed has no tab in a replacement."""
    lines = run_make("help").stdout.splitlines()
    assert lines[0] == "  make help       list the targets"
    assert {line[:7] + line[17] for line in lines} == {"  make  "}
    assert all(line[18] != " " for line in lines)
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nhelp:")[2].split("\n")[1]
    assert r"\t" not in recipe
