"""Contract of `make audit`: it fails for a known vulnerability, and says if it could not run."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.json_server import free_port, json_server
from tests.support.template import ROOT

PYTHON = ROOT / ".venv-audit" / "bin" / "python"
CI = ROOT / ".ci"
LOCK = f"urllib3==2.8.0 \\\n    --hash=sha256:{'0' * 64}\n"
WEAKNESS = {
    "id": "TEST-2026-1",
    "affected": [
        {
            "package": {"name": "urllib3", "ecosystem": "PyPI"},
            "ranges": [
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.8.1"}]},
            ],
        }
    ],
}
WAIVER = '[[waiver]]\nid = "TEST-2026-1"\nuntil = {until}\nreason = "for a test"\n'

pytestmark = pytest.mark.skipif(
    not PYTHON.exists() and os.environ.get("CI") != "true",
    reason="no .venv-audit here: make check installs it",
)


@contextmanager
def service(*known: dict[str, Any]) -> Iterator[str]:
    """An advisory service on loopback that reports *known* for each request."""
    with json_server(lambda _: (200, {"vulns": known} if known else {})) as url:
        yield f"{url}/v1/query"


def audit(folder: Path, url: str, waivers: str = "", lock: str = LOCK) -> tuple[int, str]:
    """Run the audit of *lock* with *waivers*; return the exit code and the output."""
    shutil.copy(CI / "audit.py", folder)
    (folder / "waivers.toml").write_text(waivers, encoding="utf-8")
    (folder / "lock.txt").write_text(lock, encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - our own command line
        [PYTHON, folder / "audit.py", folder / "lock.txt"],
        env={"PATH": os.defpath, "HOME": str(folder), "PIP_AUDIT_OSV_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_known_weakness_is_red_and_told_with_the_version_that_mends_it(tmp_path: Path) -> None:
    """The output names the package, the vulnerability and the version that fixes it."""
    with service(WEAKNESS) as url:
        code, said = audit(tmp_path, url)
    assert (code, "urllib3 2.8.0: TEST-2026-1, fixed in 2.8.1" in said) == (1, True)


def test_no_known_weakness_is_green(tmp_path: Path) -> None:
    """The output says that the service was asked."""
    with service() as url:
        assert audit(tmp_path, url) == (
            0,
            "audit: 0 known vulnerabilities without a waiver, 0 waivers\n",
        )


@pytest.mark.parametrize(("until", "code"), [("2999-12-31", 0), ("2026-01-01", 1)])
def test_a_waiver_holds_until_its_day(tmp_path: Path, until: str, code: int) -> None:
    """After that day the audit fails until the waiver is reviewed."""
    with service(WEAKNESS) as url:
        ended, said = audit(tmp_path, url, WAIVER.format(until=until))
    assert (ended, "has expired" in said) == (code, code == 1)


def test_without_the_service_it_says_that_it_did_not_run(tmp_path: Path) -> None:
    """NOT RUN is neither a success nor a failure: nothing is known about the packages."""
    code, said = audit(tmp_path, f"http://127.0.0.1:{free_port()}/v1/query")
    assert (code, "audit: NOT RUN" in said, "known vulnerabilities" in said) == (0, True, False)


def test_an_audit_that_breaks_off_is_red(tmp_path: Path) -> None:
    """For example for a lock file without hashes: this is not a network failure."""
    code, said = audit(tmp_path, "http://127.0.0.1:1/", lock="urllib3==2.8.0\n")
    assert code == 1
    assert "audit: pip-audit failed" in said


def test_each_check_of_the_template_that_is_skipped_has_a_reason_beside_it() -> None:
    """One line each; neither the template nor a command line option skips another check."""
    text = (CI / "checkov.yaml").read_text(encoding="utf-8")
    skipped = yaml.safe_load(text)["skip-check"]
    reasons = [line.partition(" # ") for line in text.splitlines() if line.startswith("  - CKV")]
    assert [before.removeprefix("  - ") for before, _, _ in reasons] == skipped
    assert all(len(reason) > 20 for _, _, reason in reasons)
    assert "checkov:skip" not in (ROOT / "template.yaml").read_text(encoding="utf-8")
    assert "checkov.main --config-file .ci/checkov.yaml\n" in (ROOT / "Makefile").read_text()
