"""The sandbox's page in a real browser: what it shows, and who can use it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from sandbox.packages import ROOT
from sandbox.waiting import wait_for
from tests.integration.browser import CHROMIUM, DESK, DRIVER, PHONE, Browser, chromium
from tests.integration.conftest import System

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no Chromium (Debian: apt install chromium chromium-driver)"
)

SCHEMES = ("light", "dark")
PUT = {"orderId": "<b>A-17</b>"}


@pytest.fixture(scope="module")
def window(system: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests of this module."""
    with chromium(system.sandbox.api_url, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def browser(window: Browser, system: System) -> Iterator[Browser]:
    """The browser without a page; what went wrong in it is told, and all faults end afterwards."""
    window.driver.get("about:blank")
    window.complaints()
    yield window
    for fault in ("gateway", "stream", "doubling"):
        system.visitor.call("PUT", f"/_page/faults/{fault}", body=False)
    assert window.complaints() == []


def switch(browser: Browser, fault: str, system: System) -> None:
    """Use a switch, and wait until the sandbox has done it."""
    browser.click(f"[data-fault={fault}] input")
    on = browser.find(f"[data-fault={fault}] input").is_selected()

    def done() -> bool:
        state = system.visitor.call("GET", "/_page/state").body
        return bool(state["faults"][fault] is on)

    wait_for(f"{fault} {on}", done, 10)


def test_a_payment_is_followed_to_its_event(browser: Browser, system: System) -> None:
    """Put on the queue by the form; each step appears on the time line by itself."""
    browser.open()

    pay_id = browser.start("later", "sqs", check=2)

    browser.wait_for("#status", "SUCCEEDED")
    browser.wait_for("#event-note", "arrived once")
    line = browser.texts("#line strong")
    checks = ["Check 1: pending", "Check 2: paid"]
    assert [each for each in line if each.startswith("Check")] == checks
    assert {"Registered: PENDING", "Status SUCCEEDED", "Event arrived"} <= set(line)
    event = json.loads(browser.text("#event"))
    assert event == system.audit.arrivals(pay_id)[0].detail
    assert browser.text("#news").startswith(pay_id)
    browser.wait_for("#recent button[aria-current]", "SUCCEEDED")
    assert not browser.find("#subscriber").is_displayed()


def test_a_gateway_that_is_down_is_told_and_recovers(browser: Browser, system: System) -> None:
    """What is stored is shown as stale; nothing fails; then it goes on."""
    browser.open()
    switch(browser, "gateway", system)
    pay_id = browser.start("paid", "http")
    browser.wait_for("#line strong", "Check 1: refusing")

    def stale() -> bool:
        browser.click("#ask")
        return "stale" in browser.wait_for("#told", f"GET /payments/{pay_id}: HTTP 200")

    wait_for("a stale answer", stale, 20)
    assert browser.text("#status") == "PENDING"
    switch(browser, "gateway", system)

    browser.wait_for("#status", "SUCCEEDED", 30)
    browser.wait_for("#event-note", "arrived once")


def test_without_the_stream_the_sweeper_sends_the_event(browser: Browser, system: System) -> None:
    """It waits in the table, and arrives when the sweeper has run."""
    browser.open()
    switch(browser, "stream", system)
    browser.start("paid", "http")
    browser.wait_for("#event-note", "Waits in the table for stream or sweeper; not arrived")

    browser.click("#sweep")

    browser.wait_for("#told", "the sweeper has run")
    browser.wait_for("#event-note", "Sent; arrived once")
    switch(browser, "stream", system)
    browser.wait_for("#verdict", "kept")


def test_doubled_messages_make_no_second_check(browser: Browser, system: System) -> None:
    """The copies are shown, and the gateway is asked as often as without them."""
    system.visitor.get("paid-unregistered")  # in the table, but never followed
    browser.open()
    switch(browser, "doubling", system)

    pay_id = browser.start("later", "sqs", check=3)

    browser.wait_for("#line strong", "Message sent again")
    browser.wait_for("#event-note", "arrived once")
    assert len(system.gateway.requests(pay_id)) == 3
    assert "sent so far" in browser.text("#copies")


def test_each_promise_is_shown_with_its_evidence(browser: Browser, system: System) -> None:
    """What the page shows is what was counted."""
    browser.open()
    browser.start("paid", "sqs")
    browser.wait_for("#event-note", "arrived once")
    browser.wait_for("#promises .figure", "0 lost")

    counted = system.visitor.call("GET", "/_page/state").body["promises"]

    titles = [f"{each['name']} {each['title']}" for each in counted]
    assert browser.texts("#promises h3 span:first-child") == titles
    assert [each["name"] for each in counted] == [f"P{number}" for number in range(1, 9)]
    browser.wait_for("#promises [data-kept=true] h3", "P1")
    browser.wait_for("#promises [data-kept=true] h3", "P3")


def test_everything_is_done_by_keyboard(browser: Browser) -> None:
    """From the top of the page to an answer, with a mark on whatever has the focus."""
    browser.open()
    browser.wait_for("#promises h3", "P8")

    walk(browser, "Skip to the payments", "HTTP API", "verdict", "fate")
    press(browser, Keys.ARROW_DOWN)
    walk(browser, "check")
    press(browser, Keys.ARROW_DOWN)
    walk(browser, "http")
    press(browser, Keys.ARROW_DOWN)
    walk(browser, "Start")
    press(browser, Keys.ENTER)
    told = browser.wait_for("#started", "the queue took it")
    assert "later2-" in told
    browser.wait_for("#status", "SUCCEEDED")
    while focused(browser)["name"] != "ask":
        press(browser, Keys.TAB)
    press(browser, Keys.SPACE)

    browser.wait_for("#told", "HTTP 200, SUCCEEDED")


def walk(browser: Browser, *names: str) -> None:
    """Go on by the tab key: to each of *names*, which shows that it has the focus."""
    for name in names:
        press(browser, Keys.TAB)
        found = focused(browser)
        assert found["name"] == name
        assert found["outline"] != "none"


def press(browser: Browser, key: str) -> None:
    """Press *key* in whatever has the focus."""
    browser.driver.switch_to.active_element.send_keys(key)


def focused(browser: Browser) -> dict[str, Any]:
    """What has the focus, and how it is marked."""
    script = """
        const element = document.activeElement;
        const {outlineStyle} = getComputedStyle(element);
        const name = element.id || element.value || element.textContent;
        return {name, outline: outlineStyle}"""
    found: dict[str, Any] = browser.run(script)
    return found


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("path", "ready"), [("/", "#item dt"), ("/docs", "#problems h2")])
def test_nobody_is_kept_out(
    browser: Browser, system: System, path: str, ready: str, scheme: str
) -> None:
    """Names, headings, contrast; and on a phone nothing is wider than the screen."""
    system.visitor.put("paid-audited", expectedAmount="19.99")
    browser.open(f"{path}?payId=paid-audited", PHONE, prefers_color_scheme=scheme)
    browser.wait_for(ready, "")
    browser.run("document.querySelectorAll('details').forEach(each => { each.open = true })")

    assert browser.audit() == []
    assert browser.run("return document.documentElement.scrollWidth") == PHONE
    paper = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(251, 250, 247)", "dark": "rgb(21, 23, 26)"}[scheme]


@pytest.mark.parametrize(
    ("preference", "animation"), [("reduce", "none"), ("no-preference", "arrive")]
)
def test_nothing_moves_for_those_who_do_not_want_it(
    browser: Browser, preference: str, animation: str
) -> None:
    """New lines of the time line come without movement then."""
    browser.open(prefers_reduced_motion=preference)
    script = """
        const line = document.createElement("li");
        line.className = "new";
        document.getElementById("line").append(line);
        document.getElementById("watched").hidden = false;
        return getComputedStyle(line).animationName"""

    assert browser.run(script) == animation


def test_text_of_others_stays_text(browser: Browser, system: System) -> None:
    """Markup in a field, or in the address, is shown as it is."""
    system.visitor.put("paid-markup", **PUT)

    browser.open("/?payId=paid-markup")

    browser.wait_for("#item dd", PUT["orderId"])
    assert browser.driver.find_elements(By.CSS_SELECTOR, "main b") == []


def test_the_page_survives_the_sandbox(browser: Browser) -> None:
    """A clear line while nobody answers, gone when somebody does."""
    browser.open()
    browser.wait_for("#verdict", "Promises:")
    browser.driver.execute_cdp_cmd("Network.enable", {})

    browser.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/_page/state*"]})
    browser.wait_for("#trouble", "The sandbox does not answer. What you see is from")
    browser.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})

    wait_for("the line to go", lambda: browser.text("#trouble") == "", 10)


def test_a_hidden_page_asks_nothing(browser: Browser, system: System) -> None:
    """Not while it is hidden, and at once when it is seen again."""
    browser.open()
    browser.wait_for("#verdict", "Promises:")
    hide = """
        Object.defineProperty(document, "hidden", {value: arguments[0], configurable: true});
        document.dispatchEvent(new Event("visibilitychange"));"""
    count = """
        const all = performance.getEntriesByType("resource");
        return all.filter((each) => each.name.includes("/_page/state")).length;"""
    browser.run(hide, True)  # noqa: FBT003  an argument of the script's

    before = browser.run(count)
    system.visitor.put("later4-hidden", **PUT)
    wait_for("time", lambda: system.visitor.status("later4-hidden") == "SUCCEEDED", 20)

    assert browser.run(count) - before <= 1  # the one that was under way
    browser.run(hide, False)  # noqa: FBT003  as above
    browser.wait_for("#recent button", "later4-hidden")


def test_the_document_of_the_api_is_shown_whole(browser: Browser) -> None:
    """Each operation, answer, example and problem type of events/openapi.json."""
    api = json.loads((ROOT / "events" / "openapi.json").read_text(encoding="utf-8"))
    browser.open("/docs", DESK)
    browser.wait_for("#problems h2", "Problem types")

    for path, operations in api["paths"].items():
        for method, told in operations.items():
            section = f"#{told['operationId']}"
            assert browser.text(f"{section} h2") == f"{method.upper()}{path}"
            assert browser.texts(f"{section} summary strong") == list(told["responses"])
    examples = [each["value"] for each in api["components"]["examples"].values()]
    shown = [json.loads(each) for each in browser.texts("pre")]
    assert [each for each in examples if each not in shown] == []
    problems = {each["type"] for each in examples if "type" in each}
    assert len(browser.texts("#problems dt")) == len(problems)
    assert browser.texts("#contents a") == browser.texts("h2")
