"""`make pictures`: takes the screenshots of the sandbox's page for the README, light and dark."""

import base64
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from sandbox.client import Client
from sandbox.environment import start_sandbox
from sandbox.packages import ROOT
from sandbox.waiting import wait_for
from tests.integration.browser import CHROMIUM, DRIVER, Browser, chromium

FOLDER = ROOT / "docs" / "images"
SCHEMES = ("light", "dark")
MAX_BYTES = 250_000
SHOWN = "later3-5010"
ORDER = {"expectedAmount": "19.99", "currency": "USD"}
_SECONDS = 120


def main() -> int:
    """Start a sandbox, let payments happen, and write a picture of the page for each scheme."""
    if not (CHROMIUM and DRIVER):
        print("pictures: no Chromium (Debian: apt install chromium chromium-driver)")  # noqa: T201  one line for the user
        return 1
    FOLDER.mkdir(exist_ok=True)
    with (
        TemporaryDirectory() as folder,
        start_sandbox(Path(folder, "s"), port=0, with_subscriber=True) as sandbox,
        chromium(sandbox.api_url, Path(folder, "profile")) as browser,
    ):
        play(Client(sandbox))
        return max([photograph(browser, scheme) for scheme in SCHEMES])


def play(client: Client) -> None:
    """A day in short: some are paid, one is not, one has another amount."""
    for first in (3001, 4001, 5001):  # the first seven start the functions, which takes its time
        last = first + 6
        for number in range(first, last + 1):
            client.send({"payId": f"paid-{number}", "orderId": f"A-{number}", **ORDER})
        wait_for("an event", partial(_sent, client, f"paid-{last}"), _SECONDS)
    client.put("wrong-5008", orderId="A-5008", **ORDER)
    client.send({"payId": "never-5009", "orderId": "A-5009", **ORDER})
    wait_for("REVIEW", lambda: client.status("wrong-5008") == "REVIEW", _SECONDS)
    client.put(SHOWN, orderId="A-5010", **ORDER)
    wait_for("an event", partial(_sent, client, SHOWN), _SECONDS)


def _sent(client: Client, pay_id: str) -> bool:
    return client.item(pay_id).get("eventState") == "SENT"


def photograph(browser: Browser, scheme: str) -> int:
    """Write `page-{scheme}.png`; 1 if it is too large for a README."""
    browser.driver.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
    browser.open(f"/?payId={SHOWN}", prefers_color_scheme=scheme)
    browser.wait_for("#timeline strong", "Order activated", _SECONDS)
    browser.wait_for("#verdict", "kept", _SECONDS)
    shot = browser.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    picture = base64.b64decode(shot["data"])
    path = FOLDER / f"page-{scheme}.png"
    path.write_bytes(picture)
    print(f"{path.relative_to(ROOT)}: {len(picture)} bytes")  # noqa: T201  as above
    return int(len(picture) > MAX_BYTES)


if __name__ == "__main__":
    sys.exit(main())
