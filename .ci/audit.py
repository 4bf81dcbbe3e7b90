"""Asks a public service which weaknesses are known of what the lock files pin.

`python .ci/audit.py FILE...` ends with 1 if one is known and not waived, or if a waiver has run
out; where the service cannot be reached it says NOT RUN, and ends with 0: that is no news about
the packages. *PIP_AUDIT_OSV_URL* names another service that speaks the OSV protocol.
"""
# ruff: noqa: INP001, T201 - a script, not part of a package, and what it has to say it prints

import datetime as dt
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

WAIVERS = Path(__file__).with_name("waivers.toml")
UNREACHABLE = ("ConnectionError", "ConnectTimeout", "ReadTimeout", "ServiceError")


class NotRun(Exception):
    """The service could not be asked; the message is its client's last word."""


def main(locks: list[str], waivers: Path, today: dt.date) -> int:
    """Print what was found, and return the exit code."""
    waived = tomllib.loads(waivers.read_text(encoding="utf-8")).get("waiver", [])
    expired = [each["id"] for each in waived if each["until"] < today]
    for name in expired:
        print(f"audit: the waiver of {name} has run out: mend it, or look at it again")
    try:
        found = known_weaknesses(locks, [each["id"] for each in waived])
    except NotRun as reason:
        print(f"audit: NOT RUN, the advisory service cannot be reached ({reason})")
        return bool(expired)
    for line in found:
        print(f"audit: {line}")
    print(f"audit: {len(found)} known weaknesses that are not waived, {len(waived)} waivers")
    return bool(found or expired)


def known_weaknesses(locks: list[str], waived: list[str]) -> list[str]:
    """Return a line for each weakness that pip-audit knows of, but for those *waived*."""
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "--vulnerability-service",
        "osv",
        "--format",
        "json",
    ]
    command += ["--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    command += [word for lock in locks for word in ("--requirement", lock)]
    command += [word for name in waived for word in ("--ignore-vuln", name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command line
    if not done.stdout.strip():
        last = done.stderr.strip().rpartition("\n")[2].partition(":")[0]
        if last.rpartition(".")[2] in UNREACHABLE:
            raise NotRun(last)
        raise SystemExit(f"audit: pip-audit failed\n{done.stderr}")
    return list(lines(json.loads(done.stdout)))


def lines(report: dict[str, Any]) -> list[str]:
    """Return pip-audit's report, a line for each weakness."""
    return [
        f"{each['name']} {each['version']}: {weakness['id']}, mended in "
        + (", ".join(weakness["fix_versions"]) or "no version yet")
        for each in report["dependencies"]
        for weakness in each.get("vulns", [])
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], WAIVERS, dt.datetime.now(dt.UTC).date()))
