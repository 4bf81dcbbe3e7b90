"""Contract with the environment: each variable of all functions against each rule."""
# ruff: noqa: RUF001 - digits that only look like ASCII are what is tested here

from zoneinfo import ZoneInfo

import pytest

from payresult.domain.decision import Rules
from payresult.domain.schedule import Schedule
from payresult.errors import InvalidInput
from payresult.resources import Resources
from payresult.settings import Settings
from tests.support.factories import DELAYS

ENVIRON = {
    "PARTNER_CODE": "P000818",
    "GATEWAY_BASE_URL": "https://wx.linksfield.net/payment_uat",
    "ENVIRONMENT": "test",
    "GATEWAY_TIME_ZONE": "",
    "FAILED_PAY_RST_VALUES": "",
    "REQUIRE_REGISTRATION": "false",
    "MAX_WAIT_SECONDS": "20",
    "CHECK_DELAYS": ",".join(map(str, DELAYS)),
    "TABLE_NAME": "payments",
    "QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/checks",
    "EVENT_BUS_NAME": "payresult",
}

OF_RESOURCES = ("PARTNER_CODE", "TABLE_NAME", "QUEUE_URL", "EVENT_BUS_NAME")
RESOURCES = Resources(
    partner_code="P000818",
    table_name="payments",
    queue_url="https://sqs.eu-west-1.amazonaws.com/123456789012/checks",
    event_bus_name="payresult",
)
READERS = [Settings.from_env, Resources.from_env]


def test_reads_what_the_template_sets() -> None:
    """The defaults of a deployment. Publisher and sweeper need the resources alone."""
    environ = {name: ENVIRON[name] for name in OF_RESOURCES}
    assert Resources.from_env(environ | {"PATH": "/bin", "HTTP_PROXY": ""}) == RESOURCES
    assert dict(Settings.from_env(ENVIRON | {"PATH": "/bin", "HTTP_PROXY": ""})) == {
        "resources": RESOURCES,
        "gateway_base_url": "https://wx.linksfield.net/payment_uat",
        "environment": "test",
        "schedule": Schedule(DELAYS),
        "zone": None,
        "failed_pay_rst_values": frozenset(),
        "require_registration": False,
        "max_wait_seconds": 20,
    }


@pytest.mark.parametrize(
    ("retention", "days"),
    [
        ({}, 0),  # new code in a stack that does not know the variable yet
        ({"RETENTION_DAYS": ""}, 0),
        ({"RETENTION_DAYS": "0"}, 0),
        ({"RETENTION_DAYS": "30"}, 30),
    ],
)
def test_a_payment_is_kept_for_ever_by_default(retention: dict[str, str], days: int) -> None:
    """The rules know it for the plan of its last check."""
    assert Settings.from_env(ENVIRON | retention).rules.retention_days == days
    assert Resources.from_env(ENVIRON | retention).retention_days == days


def test_reads_what_a_deployment_may_choose() -> None:
    """A zone, failed values, registration demanded. The rules of checks and events have them."""
    chosen = Settings.from_env(
        ENVIRON
        | {
            "GATEWAY_TIME_ZONE": "Asia/Shanghai",
            "FAILED_PAY_RST_VALUES": "fail,closed",
            "REQUIRE_REGISTRATION": "true",
            "CHECK_DELAYS": "5",
        }
    )
    assert chosen.zone == ZoneInfo("Asia/Shanghai")
    assert chosen.failed_pay_rst_values == {"fail", "closed"}
    assert chosen.require_registration is True
    assert chosen.schedule.checks == 2
    decided = (chosen.schedule, ENVIRON["ENVIRONMENT"], chosen.failed_pay_rst_values, chosen.zone)
    assert chosen.rules == Rules(*decided, chosen.resources.retention_days)


@pytest.mark.parametrize("name", ["GATEWAY_TIME_ZONE", "FAILED_PAY_RST_VALUES"])
def test_an_optional_variable_may_be_missing(name: str) -> None:
    """It is the same as an empty one."""
    environ = {key: value for key, value in ENVIRON.items() if key != name}
    assert Settings.from_env(environ) == Settings.from_env(ENVIRON)
    environ.pop("MAX_WAIT_SECONDS")  # an older stack has no route for it either
    assert Settings.from_env(environ).max_wait_seconds == 0


REQUIRED = [name for name in ENVIRON if name[:4] not in {"GATE", "FAIL", "REQU", "MAX_"}]


@pytest.mark.parametrize("name", [*REQUIRED, "GATEWAY_BASE_URL"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_variable_is_named(name: str, value: str | None) -> None:
    """Not there, or there and empty."""
    environ = {key: text for key, text in ENVIRON.items() if key != name}
    for from_env in READERS if name in OF_RESOURCES else READERS[:1]:
        with pytest.raises(InvalidInput, match=f"^{name}: must be set$"):
            from_env(environ if value is None else environ | {name: value})


REFUSED = "must not be set"
BAD_VALUES: dict[tuple[str, str], tuple[str, ...]] = {
    ("PARTNER_CODE", "letters"): ("P 1", "P#1", "p" * 33, "P1\n", "Ｐ1", "é"),
    ("ENVIRONMENT", "letters"): ("pro:d", "e" * 33, "prod\n", " prod"),
    ("GATEWAY_BASE_URL", "https://"): (
        *("http://example.com", "ftp://example.com", "example.com/payment", "//example.com"),
        *("http://localhost.example.com", "http://127.0.0.1.example.com", "file:///etc"),
        *("http://10.0.0.1", "http://169.254.169.254/latest", "http://[fe80::1]/", "nonsense"),
    ),
    ("GATEWAY_BASE_URL", "host"): (
        *("https://", "https:///payment", "https://user@example.com", "https://@example.com"),
        *("https://user:word@example.com", "https://ex ample.com", "https://exämple.com"),
        *("http://user@localhost", "https://example.com/pay\n", "https://exam\tple.com"),
        *("https://example.com:0", "https://example.com\x00/", "https://example.com/\x7f"),
    ),
    ("GATEWAY_BASE_URL", "no query and no fragment"): tuple(
        f"https://example.com/payment{tail}" for tail in ("?a=b", "#a", "?", "#")
    ),
    ("GATEWAY_BASE_URL", "must be a URL"): (
        *("https://[::1", "http://localhost:0x50", "https://example.com:99999"),
        *("https://example.com:port", "http://localhost:99999"),
        *("https://" + "a" * 64 + ".com", "https://a..com"),
    ),
    ("CHECK_DELAYS", "whole seconds"): (
        *("5,", ",5", "5,,5", "5;10", "5, 10", "-5", "+5", "5.0", "1e3", "0", "5,0", "five"),
        *("٥", "５", "5\n", "1000000", " "),
    ),
    ("CHECK_DELAYS", "add up"): ("604800,100000",),
    ("CHECK_DELAYS", "31"): (",".join(["5"] * 32),),
    ("GATEWAY_TIME_ZONE", "time zone"): (
        *("Asia/Nowhere", "UTC+8", "+08:00", "/etc/passwd", "../UTC", "Asia", "asia shanghai"),
        *("Asia/Shanghai\n", "Asia/Shanghai\x00", " "),
    ),
    ("FAILED_PAY_RST_VALUES", "success"): ("success", "fail,SUCCESS"),
    ("REQUIRE_REGISTRATION", '"true" or "false"'): (
        *("yes", "1", "True", "TRUE", "", "true ", "no"),
    ),
    ("MAX_WAIT_SECONDS", "from 0 to 20"): ("", "21", "-1", "2.5", "100", " 5", "٥", "5\n"),
    ("RETENTION_DAYS", "whole number of days"): (
        *("-1", "1.5", "ten", " 5", "5\n", "10000", "\u0665"),
    ),
    **{
        (name, REFUSED): ("anything",)
        for name in (
            *("HTTP_PROXY", "https_proxy", "All_Proxy", "SSLKEYLOGFILE"),
            *("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"),
        )
    },
}
"""By variable and rule."""
BAD = [(*name_and_rule, value) for name_and_rule, values in BAD_VALUES.items() for value in values]


@pytest.mark.parametrize(("name", "rule", "value"), BAD)
def test_a_bad_value_is_refused_by_name_and_rule(name: str, value: str, rule: str) -> None:
    """The deployment fails at its start, and the message says what to mend."""
    of_both = name in (*OF_RESOURCES, "RETENTION_DAYS") or rule == REFUSED
    for from_env in READERS if of_both else READERS[:1]:
        with pytest.raises(InvalidInput) as refused:
            from_env(ENVIRON | {name: value})
        assert refused.value.field == name
        assert rule in refused.value.rule
        assert str(refused.value).startswith(f"{name}: must ")


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://wx.linksfield.net/payment", "https://wx.linksfield.net/payment"),
        ("https://wx.linksfield.net/payment/", "https://wx.linksfield.net/payment"),
        ("https://example.com:8443", "https://example.com:8443"),
        ("http://localhost:8080/x", "http://localhost:8080/x"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://127.8.9.1:80/", "http://127.8.9.1:80"),
        ("http://[::1]:9000", "http://[::1]:9000"),
    ],
)
def test_a_good_url_is_kept_without_its_last_slash(url: str, kept: str) -> None:
    """Plain http only where it stays on this machine."""
    assert Settings.from_env(ENVIRON | {"GATEWAY_BASE_URL": url}).gateway_base_url == kept
