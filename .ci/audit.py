"""Asks a public service for known vulnerabilities of the packages that the lock files pin.

`python .ci/audit.py FILE...` exits with 1 if there is one without a waiver, or if a waiver has
expired. If the service cannot be reached, it prints NOT RUN and exits with 0, since this says
nothing about the packages. *PIP_AUDIT_OSV_URL* names another service with the OSV protocol.
"""
# ruff: noqa: INP001, T201 - a script, not part of a package; it prints its result

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
    """The service could not be reached; the message is the last error of its client."""


def main(locks: list[str], waivers: Path, today: dt.date) -> int:
    """Print the vulnerabilities, and return the exit code."""
    waived = tomllib.loads(waivers.read_text(encoding="utf-8")).get("waiver", [])
    expired = [each["id"] for each in waived if each["until"] < today]
    for name in expired:
        print(f"audit: the waiver of {name} has expired: fix it, or review the waiver")
    try:
        found = known_vulnerabilities(locks, [each["id"] for each in waived])
    except NotRun as reason:
        print(f"audit: NOT RUN, the advisory service cannot be reached ({reason})")
        return bool(expired)
    for line in found:
        print(f"audit: {line}")
    print(f"audit: {len(found)} known vulnerabilities without a waiver, {len(waived)} waivers")
    return bool(found or expired)


def known_vulnerabilities(locks: list[str], waived: list[str]) -> list[str]:
    """Return a line for each vulnerability that pip-audit reports, except those *waived*."""
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
    """Return pip-audit's report, a line for each vulnerability."""
    return [
        f"{each['name']} {each['version']}: {vulnerability['id']}, fixed in "
        + (", ".join(vulnerability["fix_versions"]) or "no version yet")
        for each in report["dependencies"]
        for vulnerability in each.get("vulns", [])
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], WAIVERS, dt.datetime.now(dt.UTC).date()))
