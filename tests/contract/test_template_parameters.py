"""Contract of template.yaml, parameters: the functions start with every accepted value."""

import re
from dataclasses import fields
from typing import Any

import pytest

from payresult.domain.schedule import FOLLOW_FOR
from payresult.resources import Resources
from payresult.settings import Settings
from tests.support.template import (
    RESOURCES,
    TEMPLATE,
    deployed_environment,
    environment,
    of_type,
    walk,
)

PARAMETERS = TEMPLATE["Parameters"]
POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"}

ACCEPTED = [
    ("PartnerCode", ["P000818", "a", "A_b-9"]),
    (
        "GatewayBaseUrl",
        [
            "https://wx.linksfield.net/payment",
            "https://wx.linksfield.net/payment/",
            "https://gateway.example:8443",
            "http://127.0.0.1:8080/payment",
            "http://localhost",
            "http://[::1]:9",
        ],
    ),
    ("EnvironmentName", ["prod", "test", "eu-2"]),
    ("GatewayTimeZone", ["", "Asia/Shanghai", "UTC", "Etc/GMT+8", "America/Argentina/Salta"]),
    ("FailedPayRstValues", ["", "fail", "fail,closed", "支付失败", "unsuccessful,success2"]),
    ("CheckDelays", ["1", "1,2,3", "86400,86400", ",".join(["1"] * 31)]),
    ("JwtIssuer", ["", "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_abc"]),
    ("JwtAudience", ["", "3n4b5urk1ft4fl3mg5e62d9ado"]),
    ("AlarmTopicArn", ["", "arn:aws:sns:eu-central-1:123456789012:ops"]),
    ("CorsAllowOrigins", ["", "https://a.example", "https://a.example:8443,http://localhost:3000"]),
    ("ApiReservedConcurrency", ["", "1", "10", "9999"]),
    ("RetentionDays", ["0", "30", "99", "100", "400", "9999"]),
]
REFUSED = [
    ("PartnerCode", ["", "P#1", "P 1", "P\n", "x" * 33]),
    (
        "GatewayBaseUrl",
        [
            "",
            "http://wx.linksfield.net/payment",
            "http://127.0.0.1.example/payment",
            "http://localhost.example",
            "https://user@gateway.example",
            "https://user:word@gateway.example/payment",
            "https://gateway.example/payment?x=1",
            "https://gateway.example/payment#x",
            "https://gateway.example/pay ment",
            "ftp://gateway.example",
            "gateway.example",
        ],
    ),
    ("EnvironmentName", ["", "Prod", "a:b", "-x"]),
    ("GatewayTimeZone", ["/etc", "Asia/", "../x", "+08:00"]),
    ("FailedPayRstValues", ["success", "fail,SUCCESS", "Success,fail", "a,,b", ",", "a, b"]),
    ("CheckDelays", ["", "0", "-1", "1.5", "5,,6", "5, 6", "1000000", ",".join(["1"] * 32)]),
    ("JwtIssuer", ["http://issuer.example", "https://issuer.example/?x", "issuer"]),
    ("JwtAudience", ["a b", "a,b"]),
    ("AlarmTopicArn", ["ops", "arn:aws:sns:eu-central-1:123456789012:ops.fifo"]),
    (
        "CorsAllowOrigins",
        [
            "*",
            "http://a.example",
            "https://a.example/",
            "https://a.example,",
            "https://a.example, https://b.example",
            "https://a.examplehttps://b.example",
        ],
    ),
    ("ApiReservedConcurrency", ["0", "-1", "1.5", "10000"]),
    ("RetentionDays", ["", "1", "9", "29", "030", "10000", "30.5"]),
]


def _takes(parameter: str, value: str) -> bool:
    """Return whether CloudFormation accepts *value*: the pattern must match all of it."""
    return re.fullmatch(PARAMETERS[parameter]["AllowedPattern"], value) is not None


@pytest.mark.parametrize(("name", "values"), ACCEPTED, ids=[name for name, _ in ACCEPTED])
def test_what_the_template_accepts_the_functions_start_with(name: str, values: list[str]) -> None:
    """A successful deployment must not have functions that refuse their environment."""
    for value in values:
        assert _takes(name, value), value
        Settings.from_env(deployed_environment(**{name: value}))


@pytest.mark.parametrize(("name", "values"), REFUSED, ids=[name for name, _ in REFUSED])
def test_what_makes_no_sense_is_refused_before_anything_is_made(
    name: str, values: list[str]
) -> None:
    """CloudFormation refuses it, with the ConstraintDescription."""
    for value in values:
        assert not _takes(name, value), value
    assert PARAMETERS[name]["ConstraintDescription"].startswith("must be")


def test_the_functions_start_with_each_time_to_wait_that_the_template_accepts() -> None:
    """From its least, which switches waiting off, to its most."""
    accepted = PARAMETERS["MaxWaitSeconds"]
    seconds = range(accepted["MinValue"], accepted["MaxValue"] + 1)
    started = [Settings.from_env(deployed_environment(MaxWaitSeconds=str(it))) for it in seconds]
    assert [it.max_wait_seconds for it in started] == [*range(21)]


def test_the_functions_read_the_variables_that_the_template_sets_and_no_others() -> None:
    """No variable is set without being read, or read without being set."""
    of_settings = {field.alias for field in Settings.model_fields.values()} - {"RESOURCES"}
    of_resources = {field.name.upper() for field in fields(Resources)}
    assert of_settings | of_resources == set(environment()) - POWERTOOLS


def test_only_the_partner_code_has_to_be_given() -> None:
    """The other defaults are safe: not the production gateway, and the table is protected."""
    assert [name for name, it in PARAMETERS.items() if "Default" not in it] == ["PartnerCode"]
    settings = Settings.from_env(deployed_environment())
    assert settings.gateway_base_url == "https://wx.linksfield.net/payment_uat"
    assert settings.environment == "test"
    assert settings.zone is None
    assert settings.failed_pay_rst_values == frozenset()
    assert not settings.require_registration
    assert settings.schedule.checks == 32


def test_a_default_is_a_value_that_the_parameter_accepts() -> None:
    """Otherwise a deployment with the default would fail."""
    for name, it in PARAMETERS.items():
        if "Default" in it and "AllowedPattern" in it:
            assert _takes(name, it["Default"]), name
        if "Default" in it and "AllowedValues" in it:
            assert it["Default"] in it["AllowedValues"], name


def test_every_parameter_is_described_and_stands_in_a_group() -> None:
    """`sam deploy --guided` and the console show both."""
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    labels = [group["Label"]["default"].split(" ")[0] for group in groups]
    assert labels == ["Must", "Should", "May"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(PARAMETERS)
    assert all(it["Description"] for it in PARAMETERS.values())


def test_tokens_need_issuer_audience_and_registration() -> None:
    """One rule of the template, with readable messages."""
    ((name, rule),) = TEMPLATE["Rules"].items()
    assert name == "JwtSettingsBelongTogether"
    issuer = {"Fn::Equals": [{"Ref": "JwtIssuer"}, ""]}
    audience = {"Fn::Equals": [{"Ref": "JwtAudience"}, ""]}
    assert rule["RuleCondition"] == {"Fn::Not": [{"Fn::And": [issuer, audience]}]}
    together, registered = rule["Assertions"]
    assert together["Assert"] == {"Fn::And": [{"Fn::Not": [issuer]}, {"Fn::Not": [audience]}]}
    assert registered["Assert"] == {"Fn::Equals": [{"Ref": "RequireRegistration"}, "true"]}
    assert "RequireRegistration must be true" in registered["AssertDescription"]


def test_payments_are_kept_longer_than_they_are_followed() -> None:
    """The least RetentionDays is over three times as long."""
    assert _takes("RetentionDays", "30")
    assert 3 * FOLLOW_FOR < 30 * 24 * 3600


def test_emulated_leaves_out_what_the_emulator_does_not_have_and_nothing_else() -> None:
    """Apart from these, the sandbox deploys the same resources as AWS."""
    assert TEMPLATE["Conditions"]["OnAws"] == {"Fn::Equals": [{"Ref": "Emulated"}, "false"]}
    left_out = {name for name, it in RESOURCES.items() if it.get("Condition") == "OnAws"}
    alarms = {name for name, it in of_type("AWS::CloudWatch::Alarm").items() if "Metrics" in it}
    assert left_out == {"EventBusPolicy", "EventArchive"} | alarms
    assert _ifs().count("OnAws") == 1  # their ARNs on the dashboard
    assert {"Ref": "Emulated"} not in list(walk(RESOURCES))


def _ifs() -> list[Any]:
    nodes = [node for node in walk(RESOURCES) if isinstance(node, dict) and "Fn::If" in node]
    return [node["Fn::If"][0] for node in nodes]
