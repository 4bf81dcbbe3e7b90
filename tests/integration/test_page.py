"""Contract of the sandbox's page in a browser: what it shows, and its accessibility."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from sandbox.packages import ROOT
from sandbox.scenarios import PAID_AT_FIRST_CHECK
from sandbox.waiting import wait_for
from tests.integration.browser import CHROMIUM, DRIVER, PHONE, Browser, chromium
from tests.integration.conftest import System

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no Chromium (Debian: apt install chromium chromium-driver)"
)

SCHEMES = ("light", "dark")
ZOOMED = 640
PUT = {"orderId": "<b>A-17</b>"}
RECORD_LIGHT = """
    window.lit = new Set();
    new MutationObserver((changes) => {
      for (const { target } of changes) {
        if (target.classList.contains("lit")) window.lit.add(target.dataset.part);
      }
    }).observe(document.getElementById("diagram"), {subtree: true, attributeFilter: ["class"]});"""
"""A part is lit for a second, which a slow machine may not see."""

OPEN_ALL = "document.querySelectorAll('details').forEach(each => { each.open = true })"


@pytest.fixture(scope="module")
def window(system: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests of this module."""
    with chromium(system.sandbox.api_url, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def browser(window: Browser, system: System) -> Iterator[Browser]:
    """The browser without a page; afterwards all faults are off, and its console is empty."""
    window.driver.get("about:blank")
    window.console_messages()
    yield window
    for fault in ("gateway", "maintenance", "stream", "duplicates"):
        system.client.call("PUT", f"/_page/faults/{fault}", body=False)
    assert window.console_messages() == []


def switch(browser: Browser, fault: str, system: System, *, on: bool) -> None:
    """Use a switch, and wait until the fault is on or off.

    By keyboard: what the page shows meanwhile can move the switch away from a click.
    """
    browser.find(f"[data-fault={fault}] input").send_keys(Keys.SPACE)

    def switched() -> bool:
        state = system.client.call("GET", "/_page/state").body
        return bool(state["faults"][fault] is on)

    wait_for(f"{fault} {on}", switched, 10)


def test_a_payment_is_followed_to_its_event(browser: Browser, system: System) -> None:
    """Sent to the queue by the form; each step appears on the timeline without a reload."""
    browser.open()

    # Its checks do not end, and are seconds apart, however slow the page is.
    pay_id = browser.start("failing", "sqs", check=9)
    browser.wait_for("#timeline strong", "No answer: HTTP 500")
    browser.wait_for("#next", "The next check is due")
    # Paid only once the page has shown it, so that there is something to announce.
    system.gateway.script(pay_id, PAID_AT_FIRST_CHECK)

    browser.wait_for("#status", "SUCCEEDED", 60)
    browser.wait_for("#event-note", "arrived once")
    titles = browser.texts("#timeline strong")
    answers = [each for each in titles if each.startswith(("No", "Paid"))]
    assert (answers[0], answers[-1]) == ("No answer: HTTP 500", "Paid, $19.99")
    assert {"Registered: PENDING", "Status SUCCEEDED", "Event arrived"} <= set(titles)
    event = json.loads(browser.text("#event"))
    # The audit queue is another target of the bus than the page's.
    arrivals = wait_for("the event", lambda: system.audit.arrivals(pay_id), 20)
    assert event == arrivals[0].detail
    assert browser.text("#news").startswith(pay_id)
    browser.wait_for("#why", 'The gateway reported it as paid ("$19.99")')
    browser.wait_for("tr:has([aria-current])", "event sent")
    assert not browser.find("#subscriber").is_displayed()


def test_the_diagram_lights_what_happens(browser: Browser, system: System) -> None:
    """A part is lit when it does something, and stays marked once the payment has reached it."""
    browser.open()
    pay_id = browser.start("failing", "sqs", check=9)
    browser.wait_for("#timeline strong", "No answer: HTTP 500")
    browser.run(RECORD_LIGHT)
    system.gateway.script(pay_id, PAID_AT_FIRST_CHECK)

    wait_for("light", lambda: "subscriber" in browser.run("return [...window.lit]"), 60)

    browser.wait_for("#timeline strong", "Status SUCCEEDED")
    parts = "return [...document.querySelectorAll('.part.reached')].map(each => each.dataset.part)"
    expected = {"orders", "payresult", "gateway", "table", "bus", "subscriber"}
    wait_for("all parts", lambda: set(browser.run(parts)) == expected, 20)
    assert pay_id in str(browser.find("#diagram svg").get_attribute("aria-label"))


def test_a_payment_that_is_opened_lights_what_has_just_happened(
    browser: Browser, system: System
) -> None:
    """It may have been started and paid between two polls; what is older lights nothing."""
    system.client.put("never-just-now", **PUT)
    browser.open("/?payId=never-just-now")
    browser.wait_for("#shown", "never-just-now")

    lit = browser.run("""
        const { showPayment } = await import("/_page/payment.js");
        const { payment } = await (await fetch("/_page/state?payId=never-just-now")).json();
        const timeline = [{ ...payment.timeline[0], at: 0 }];
        return [4999, 5000].map((now) => {
          showPayment({ ...payment, payId: "another" }, now);
          return showPayment({ ...payment, timeline }, now).length;
        });
    """)

    assert lit == [1, 0]


def test_the_newest_payment_is_opened_until_one_is_used(browser: Browser, system: System) -> None:
    """Without a click; who works with a payment keeps it."""
    system.client.put("never-newest-1", **PUT)
    browser.open()
    browser.wait_for("#shown", "never-newest-1")
    system.client.put("never-newest-2", **PUT)
    browser.wait_for("#shown", "never-newest-2")

    browser.click("#query")
    browser.wait_for("#result", "GET /payments/never-newest-2")
    system.client.put("never-newest-3", **PUT)

    browser.wait_for("#payments a", "never-newest-3")
    assert browser.text("#shown") == "never-newest-2"
    assert browser.run("return location.search") == "?payId=never-newest-2"


def test_payments_are_filtered_and_found(browser: Browser, system: System) -> None:
    """By what is unfinished, by what needs a person, and by a part of payId, order or status."""
    system.client.put("wrong-table", orderId="T-76", expectedAmount="19.99")
    system.client.put("paid-table", orderId="T-77", expectedAmount="19.99")
    wait_for("REVIEW", lambda: system.client.status("wrong-table") == "REVIEW", 20)
    wait_for("SUCCEEDED", lambda: system.client.status("paid-table") == "SUCCEEDED", 20)
    browser.open()
    browser.wait_for("#payments a", "wrong-table")

    browser.find("#find").send_keys("t-77")
    wait_for("one row", lambda: browser.texts("#payments a") == ["paid-table"], 10)
    browser.find("#find").clear()
    browser.find("#find").send_keys("-table")
    wait_for("both", lambda: browser.texts("#payments a") == ["wrong-table", "paid-table"], 10)
    browser.click("[data-show=attention]")
    wait_for("one row", lambda: browser.texts("#payments a") == ["wrong-table"], 10)

    assert browser.find("[data-show=attention]").get_attribute("aria-pressed") == "true"
    assert browser.text("#payments .next") == "needs a person"
    browser.click("#payments a")
    browser.wait_for("#status", "REVIEW")
    browser.wait_for("#person", "REVIEW: it has waited for a person since")
    browser.wait_for("#person code", "cli/payresult accept wrong-table")


def test_many_equal_answers_in_a_row_are_folded(browser: Browser, system: System) -> None:
    """The first and the last are shown, and how many are between; a click shows all."""
    system.client.put("never-folded", **PUT)
    browser.open("/?payId=never-folded")
    browser.wait_for("#shown", "never-folded")
    script = """
        const { showPayment } = await import("/_page/payment.js");
        const { payment } = await (await fetch("/_page/state?payId=never-folded")).json();
        const registered = payment.timeline[0];
        const answer = (number) => (
          { ...registered, kind: "gateway", key: `answer-${number}`, title: "Not paid yet" });
        const item = { ...payment.item, nextCheckAt: undefined };
        const timeline = [registered, ...[...Array(arguments[0]).keys()].map(answer)];
        const show = () => {
          showPayment({ ...payment, payId: `p-${arguments[0]}`, item, timeline }, registered.at);
          const shown = document.querySelectorAll("#timeline strong");
          return [...shown].map((each) => each.textContent);
        };
        const folded = show();
        const hidden = document.getElementById("unfold").hidden;
        document.getElementById("unfold").click();
        const all = show().length;
        return [folded.slice(1), hidden, all, document.getElementById("unfold").hidden];"""

    between = "3 times the same answer"
    expected = [["Not paid yet", between, "Not paid yet"], False, 6, True]
    assert browser.run(script, 5) == expected
    assert browser.run(script, 4) == [["Not paid yet"] * 4, True, 5, True]


def test_a_chosen_payment_is_shown_on_a_phone(browser: Browser, system: System) -> None:
    """There it is far below the table."""
    for number in range(12):
        system.client.put(f"never-phone{number}", **PUT)
    browser.open("/", PHONE)
    browser.wait_for("#payments a", "never-phone11")
    title = "document.getElementById('payment-title').getBoundingClientRect().top"
    shown = f"return 0 <= {title} && {title} < innerHeight"
    assert not browser.run(shown)

    browser.click("#payments a")

    wait_for("the payment", lambda: browser.run(shown), 10)


def test_an_outage_is_shown_and_the_payment_is_paid_after_it(
    browser: Browser, system: System
) -> None:
    """The stored payment is shown as stale; nothing fails."""
    browser.open()
    switch(browser, "gateway", system, on=True)
    pay_id = browser.start("paid", "http")
    browser.wait_for("#timeline strong", "No answer: connection cut")
    browser.wait_for("#banner li", "Gateway down: every connection is cut.")
    assert browser.text("#part-gateway").startswith("down: ")

    def stale() -> str | None:
        browser.click("#query")
        text = wait_for("a result", lambda: answered(browser), 40)
        return text if "stale" in text else None

    assert f"GET /payments/{pay_id}: HTTP 200" in wait_for("a stale response", stale, 40)
    assert browser.text("#status") == "PENDING"
    browser.click("#banner button")

    wait_for("no banner", lambda: browser.texts("#banner li") == [], 10)
    assert not browser.find("[data-fault=gateway] input").is_selected()
    browser.wait_for("#status", "SUCCEEDED", 30)
    browser.wait_for("#event-note", "arrived once")


def answered(browser: Browser) -> str | None:
    """The result of an action, if it is there."""
    text = browser.text("#result")
    return None if text.startswith("Sending") else text


def test_without_the_stream_the_sweeper_sends_the_event(browser: Browser, system: System) -> None:
    """It is unsent in the table, and arrives when the sweeper has run.

    Twice, with the same eventId, if the sweep of this minute runs at the same time.
    """
    browser.open()
    switch(browser, "stream", system, on=True)
    pay_id = browser.start("paid", "http")
    browser.wait_for("#event-note", "Unsent in the table; not arrived")

    browser.click("#sweep")

    browser.wait_for("#result", "the sweeper has run")
    browser.wait_for("#event-note", "Sent; arrived")
    arrivals = wait_for("its event", lambda: system.audit.arrivals(pay_id), 10)
    assert len({each.event_id for each in arrivals}) == 1
    switch(browser, "stream", system, on=False)
    browser.wait_for("#verdict", "kept")


def test_the_page_waits_for_a_result(browser: Browser) -> None:
    """As an app does: one call, which is answered when the payment is settled."""
    browser.open()
    pay_id = browser.start("later", "http", check=3)

    browser.click("#wait")

    text = browser.wait_for("#result", f"GET /payments/{pay_id}/wait?seconds=20", 40)
    assert text.endswith("HTTP 200, SUCCEEDED")


def test_duplicate_messages_cause_no_second_check(browser: Browser, system: System) -> None:
    """The duplicates are shown, and the gateway is asked as often as without them."""
    system.client.get("paid-unregistered")  # in the table, but never followed
    browser.open()
    switch(browser, "duplicates", system, on=True)

    pay_id = browser.start("later", "sqs", check=3)

    browser.wait_for("#timeline strong", "Duplicate message sent")
    browser.wait_for("#timeline small", f'to the checks queue: {{"payId": "{pay_id}", "orderId"')
    browser.wait_for("#event-note", "arrived once")
    # Two copies that are checked at the same moment both ask, and one of them is stored.
    assert len(system.gateway.requests(pay_id)) in (3, 4)
    changes = [each["to"] for each in system.client.item(pay_id)["history"]]
    assert changes == ["PENDING", "SUCCEEDED"]
    browser.wait_for("#timeline strong", "Message ignored")
    browser.wait_for("#banner li", "each step counts once.")


def test_each_guarantee_is_shown_with_its_figure(browser: Browser, system: System) -> None:
    """The page shows what the sandbox has measured."""
    browser.open()
    browser.start("paid", "sqs")
    browser.wait_for("#event-note", "arrived once")
    browser.wait_for("#guarantees .figure", "0 lost")

    measured = system.client.call("GET", "/_page/state").body["guarantees"]

    titles = [f"{each['name']} {each['title']}" for each in measured]
    assert browser.texts("#guarantees h3 span:first-child") == titles
    assert [each["name"] for each in measured] == [f"P{number}" for number in range(1, 9)]
    browser.wait_for("#guarantees [data-kept=true] h3", "P1")
    browser.wait_for("#guarantees [data-kept=true] h3", "P3")


def test_a_reply_of_the_users_own_is_played_and_judged(browser: Browser, system: System) -> None:
    """By keyboard: typed into the form, played, judged, cleared; an invalid one is refused."""
    browser.open()
    browser.wait_for("#guarantees h3", "P8")
    browser.find("#to-play").send_keys(Keys.ENTER)  # opens the form, which is folded
    wait_for("the form", lambda: browser.find("#reply-to").is_displayed(), 10)
    browser.find("#reply-to").send_keys(Keys.TAB)
    for name, text in (("reply-status", "99"), ("reply-headers", None), ("reply-body", "[]")):
        assert focused(browser)["name"] == name
        if text:
            press(browser, Keys.CONTROL + "a")
            press(browser, text)
        press(browser, Keys.TAB)
    press(browser, Keys.ENTER)
    browser.wait_for("#play-result", "Failed: status: must be a whole number from 200 to 599")
    assert all("/_page/play" in each for each in browser.console_messages())  # of Chromium: 400

    browser.find("#reply-status").clear()
    browser.find("#reply-status").send_keys("200", Keys.ENTER)
    browser.wait_for("#play-result", "HTTP 202")
    browser.wait_for("#rule", "by the rule: not a JSON object")
    browser.wait_for("#why", "The gateway has not given a valid answer yet.")
    browser.wait_for("#playing li", "HTTP 200, 2 bytes")
    (pay_id,) = system.gateway.replies()
    assert browser.text("#shown") == pay_id

    browser.find("#playing button").send_keys(Keys.ENTER)
    browser.wait_for("#status", "SUCCEEDED", 30)
    browser.wait_for("#why", "The gateway reported it as paid")
    wait_for("no rule any more", lambda: browser.text("#rule") == "", 10)
    assert system.gateway.replies() == {}
    assert browser.run("return location.search") == f"?payId={pay_id}"


def test_everything_is_done_by_keyboard(browser: Browser) -> None:
    """From the top of the page to a result, with a visible focus on each element."""
    browser.open()
    browser.wait_for("#guarantees h3", "P8")

    walk(browser, "Skip to the payments", "HTTP API", "to-play", "verdict", "scenario")
    press(browser, Keys.ARROW_DOWN)
    walk(browser, "check")
    press(browser, Keys.ARROW_DOWN)
    walk(browser, "channel")
    press(browser, Keys.ARROW_DOWN)
    walk(browser, "Start a payment")
    press(browser, Keys.ENTER)
    pay_id = re.findall(r"later2-\d+", browser.wait_for("#started", "sent to the queue"))[0]
    browser.wait_for("#shown", pay_id)  # before it, the status is that of another payment
    browser.wait_for("#status", "SUCCEEDED")
    while focused(browser)["name"] != "query":
        press(browser, Keys.TAB)
    press(browser, Keys.SPACE)

    browser.wait_for("#result", "HTTP 200, SUCCEEDED")


def walk(browser: Browser, *names: str) -> None:
    """Move with the tab key to each of *names*, and check that its focus is visible."""
    for name in names:
        press(browser, Keys.TAB)
        found = focused(browser)
        assert found["name"] == name
        assert found["outline"] != "none"


def press(browser: Browser, key: str) -> None:
    """Press *key* in the element that has the focus."""
    browser.driver.switch_to.active_element.send_keys(key)


def focused(browser: Browser) -> dict[str, Any]:
    """Name and outline of the element that has the focus."""
    script = """
        const element = document.activeElement;
        const {outlineStyle} = getComputedStyle(element);
        const name = element.id || element.value || element.textContent;
        return {name, outline: outlineStyle}"""
    found: dict[str, Any] = browser.run(script)
    return found


def test_a_played_reply_is_accessible_with_200_percent_zoom(
    browser: Browser, system: System
) -> None:
    """640 pixels are a desktop of 1280 at 200 %: nothing is wider, everything has a name."""
    system.client.call("POST", "/_page/play", {"to": "one", "payId": "own-zoom", "status": 500})
    browser.open("/?payId=own-zoom", ZOOMED)
    browser.wait_for("#rule", "by the rule")
    browser.run("document.getElementById('reply-pay-id-line').hidden = false")
    browser.run(OPEN_ALL)

    assert browser.accessibility_problems() == []
    assert browser.run("return document.documentElement.scrollWidth") <= ZOOMED
    system.client.call("POST", "/_page/clear", "own-zoom")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_page_is_accessible(browser: Browser, system: System, scheme: str) -> None:
    """Names, headings, contrast, with a banner and the colours of each status on a phone.

    Nothing is wider than its screen.
    """
    system.client.put("paid-accessible", expectedAmount="19.99")
    system.client.put("wrong-accessible", expectedAmount="19.99")
    wait_for("REVIEW", lambda: system.client.status("wrong-accessible") == "REVIEW", 20)
    system.client.call("PUT", "/_page/faults/duplicates", body=True)
    browser.open("/?payId=paid-accessible", PHONE, prefers_color_scheme=scheme)
    browser.wait_for("#item dt", "")
    browser.wait_for("#banner li", "Every message twice")
    browser.wait_for("#payments .status", "REVIEW")
    browser.run(OPEN_ALL)

    assert browser.accessibility_problems() == []
    assert browser.run("return document.documentElement.scrollWidth") == PHONE
    background = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(251, 250, 247)", "dark": "rgb(21, 23, 26)"}[scheme]


@pytest.mark.parametrize(
    ("preference", "animation"), [("reduce", "none"), ("no-preference", "arrive")]
)
def test_nothing_moves_with_reduced_motion(
    browser: Browser, preference: str, animation: str
) -> None:
    """New lines of the timeline are not animated then."""
    browser.open(prefers_reduced_motion=preference)
    script = """
        const line = document.createElement("li");
        line.className = "new";
        document.getElementById("timeline").append(line);
        document.getElementById("watched").hidden = false;
        return getComputedStyle(line).animationName"""

    assert browser.run(script) == animation


def test_markup_in_a_field_is_shown_as_text(browser: Browser, system: System) -> None:
    """It is not interpreted."""
    system.client.put("paid-markup", **PUT)

    browser.open("/?payId=paid-markup")

    browser.wait_for("#item dd", PUT["orderId"])
    assert browser.texts("main b") == []


def test_the_page_shows_that_the_sandbox_does_not_respond(browser: Browser) -> None:
    """The message disappears with the next response."""
    browser.open()
    browser.wait_for("#verdict", "Guarantees:")
    browser.driver.execute_cdp_cmd("Network.enable", {})

    browser.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/_page/state*"]})
    browser.wait_for("#error", "The sandbox does not respond. The data shown is from")
    browser.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})

    wait_for("the message to disappear", lambda: browser.text("#error") == "", 10)


def test_a_hidden_page_does_not_poll(browser: Browser, system: System) -> None:
    """It polls at once when it is visible again."""
    browser.open()
    browser.wait_for("#verdict", "Guarantees:")
    hide = """
        Object.defineProperty(document, "hidden", {value: arguments[0], configurable: true});
        document.dispatchEvent(new Event("visibilitychange"));"""
    count = """
        const all = performance.getEntriesByType("resource");
        return all.filter((each) => each.name.includes("/_page/state")).length;"""
    browser.run(hide, True)  # noqa: FBT003  an argument of the script's

    before = browser.run(count)
    system.client.put("later4-hidden", **PUT)
    wait_for("SUCCEEDED", lambda: system.client.status("later4-hidden") == "SUCCEEDED", 20)

    assert browser.run(count) - before <= 1  # the one in flight
    browser.run(hide, False)  # noqa: FBT003  as above
    browser.wait_for("#payments a", "later4-hidden")


def test_swagger_ui_shows_each_operation_of_the_api(browser: Browser) -> None:
    """It is fed by events/openapi.json, and wider than no phone."""
    api = json.loads((ROOT / "events" / "openapi.json").read_text(encoding="utf-8"))
    operations = {
        f"{method.upper()} {path}" for path, each in api["paths"].items() for method in each
    }
    browser.open("/docs", PHONE, prefers_color_scheme="dark")
    browser.wait_for(".opblock-summary-description", "Register a payment")

    def shown() -> set[str]:
        methods = browser.texts(".opblock-summary-method")
        paths = [each.replace("\u200b", "") for each in browser.texts(".opblock-summary-path")]
        return {" ".join(each) for each in zip(methods, paths, strict=False)}

    wait_for("the operations", lambda: shown() == operations, 20)
    assert browser.run("return document.documentElement.scrollWidth") == PHONE
    assert browser.run("return document.documentElement.className") == "dark-mode"


def test_swagger_ui_tries_out_a_call_through_the_proxy(browser: Browser) -> None:
    """The proxy signs it; nothing is loaded from elsewhere."""
    browser.open("/docs#/default/getPayment")
    browser.wait_for(".execute", "Execute")
    browser.find("[placeholder=payId]").send_keys("paid-swagger")

    browser.find(".execute").send_keys(Keys.ENTER)

    browser.wait_for(".live-responses-table .response-col_status", "200")
    browser.wait_for(".live-responses-table pre", '"status": "SUCCEEDED"')
    loaded = browser.run("return performance.getEntriesByType('resource').map(each => each.name)")
    origin = browser.run("return location.origin")
    assert [each for each in loaded if not each.startswith((origin, "data:"))] == []
