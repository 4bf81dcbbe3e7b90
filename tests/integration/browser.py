"""A headless Chromium: what a user does in it, and the accessibility problems of a page."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select

from sandbox.waiting import WaitTimeout, wait_for

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
ACCESSIBILITY = Path(__file__).with_name("accessibility.js").read_text(encoding="utf-8")

PHONE = 320
DESKTOP = 1280
"""Widths in pixels."""

_SECONDS = 20
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Browser:
    """One window; *url* is the address of the sandbox."""

    def __init__(self, driver: Chrome, url: str) -> None:
        self.driver = driver
        self._url = url

    def open(self, path: str = "/", width: int = DESKTOP, **media: str) -> None:
        """Load *path* in a window of *width*; *media*: such as `prefers_color_scheme="dark"`.

        The page of the sandbox has shown its first state then, which moves much of it: before that
        a click could miss.
        """
        features = [
            {"name": name.replace("_", "-"), "value": value} for name, value in media.items()
        ]
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == PHONE}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        self.driver.get(self._url + path)
        if self.texts("#guarantees"):
            wait_for("the first state", lambda: self.texts("#guarantees .figure"), _SECONDS)

    def find(self, selector: str) -> WebElement:
        """The first element that *selector* matches."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        """The text of all elements that *selector* matches, visible or not."""
        script = "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)"
        found: list[str] = self.run(script, selector)
        return found

    def text(self, selector: str) -> str:
        """The text of the first element that *selector* matches."""
        return self.texts(selector)[0]

    def click(self, selector: str) -> None:
        """Click on the first element that *selector* matches."""
        self.find(selector).click()

    def run(self, script: str, *arguments: object) -> Any:
        """The result of *script* in the page."""
        return self.driver.execute_script(script, *arguments)

    def wait_for(self, selector: str, part: str, seconds: float = _SECONDS) -> str:
        """Wait until the text of a matching element has *part*; that text.

        WaitTimeout has a note with the texts that were shown in the end.
        """

        def found() -> str | None:
            return next((each for each in self.texts(selector) if part in each), None)

        try:
            return wait_for(f"{selector} with {part!r}", found, seconds)
        except WaitTimeout as timeout:
            timeout.add_note(f"{selector} shows {self.texts(selector)}")
            raise

    def start(self, scenario: str, channel: str, check: int | None = None) -> str:
        """Start a payment with the form; its payId, once the page shows it and no other."""
        Select(self.find("#scenario")).select_by_value(scenario)
        if check:
            self.find("#check").clear()
            self.find("#check").send_keys(str(check))
        Select(self.find("#channel")).select_by_value(channel)
        before = self.run("return location.search")
        self.click("#start [type=submit]")

        def opened() -> str | None:
            now: str = self.run("return location.search")
            return now.removeprefix("?payId=") if now != before else None

        pay_id = wait_for("the payment", opened, _SECONDS)
        self.wait_for("#shown", pay_id)
        return pay_id

    def accessibility_problems(self) -> list[str]:
        """Problems of the page for users of screen readers, keyboards and low contrast."""
        problems: list[str] = self.run(ACCESSIBILITY)
        return problems

    def console_messages(self) -> list[str]:
        """The messages of the browser's console since the last call."""
        log: list[dict[str, Any]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]  # as it is published
        return [str(entry["message"]) for entry in log]


@contextmanager
def chromium(url: str, profile: Path) -> Iterator[Browser]:
    """A browser with an empty *profile*; it ends with its processes."""
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for option in (*_OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options, Service(DRIVER))
    driver.implicitly_wait(_SECONDS)  # an element is looked for until the page has made it
    try:
        yield Browser(driver, url)
    finally:
        driver.quit()
