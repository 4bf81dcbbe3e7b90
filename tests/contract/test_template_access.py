"""Contract of template.yaml, access: roles, routes and resource policies."""

from typing import Any

import pytest

from tests.support.template import (
    FUNCTIONS,
    RESOURCES,
    TEMPLATE,
    of_type,
    properties,
    statements,
    walk,
)

LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
PAYMENTS = {"dynamodb:BatchGetItem", "dynamodb:UpdateItem"}
STREAM = {
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
}
READ_QUEUE = {"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}
INDEXES = ("work", "attention")
SEND, QUERY, PUT_EVENTS = "sqs:SendMessage*", "dynamodb:Query", "events:PutEvents"


def _arn(name: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, "Arn"]}


ALLOWED: dict[str, list[tuple[set[str], Any]]] = {
    "Api": [(PAYMENTS, _arn("Table")), ({SEND}, _arn("ChecksQueue"))],
    "Checks": [(PAYMENTS, _arn("Table")), ({*READ_QUEUE, SEND}, _arn("ChecksQueue"))],
    "Publisher": [
        (STREAM, {"Fn::Sub": "${Table.Arn}/stream/*"}),
        (PAYMENTS, _arn("Table")),
        ({PUT_EVENTS}, _arn("EventBus")),
    ],
    "Sweeper": [
        ({QUERY}, [{"Fn::Sub": f"${{Table.Arn}}/index/{index}"} for index in INDEXES]),
        (PAYMENTS, _arn("Table")),
        ({SEND}, _arn("ChecksQueue")),
        ({PUT_EVENTS}, _arn("EventBus")),
    ],
}


def _actions(statement: dict[str, Any]) -> set[str]:
    actions = statement["Action"]
    return {actions} if isinstance(actions, str) else set(actions)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_may_do_what_is_listed_here_and_nothing_else(name: str) -> None:
    """Each has a role of its own, without managed policies: those apply to all resources."""
    assert properties(f"{name}Function")["Role"] == _arn(f"{name}Role")
    assert not {"Policies", "ManagedPolicyArns"} & set(properties(f"{name}Function"))
    assert "ManagedPolicyArns" not in properties(f"{name}Role")
    held = [(_actions(it), it["Resource"]) for it in statements(f"{name}Role")]
    assert held == [(LOGS, _arn(f"{name}Logs")), *ALLOWED[name]]
    assert all(it["Effect"] == "Allow" for it in statements(f"{name}Role"))


def test_there_are_no_roles_but_these_four() -> None:
    """A function without its own Role would get one from SAM, with managed policies."""
    assert set(of_type("AWS::IAM::Role")) == {f"{name}Role" for name in FUNCTIONS}
    assert set(of_type("AWS::Serverless::Function")) == {f"{name}Function" for name in FUNCTIONS}
    others = {it["Type"] for it in RESOURCES.values() if it["Type"].startswith("AWS::IAM::")}
    assert others == {"AWS::IAM::Role"}


def test_the_functions_that_talk_to_the_gateway_cannot_send_events() -> None:
    """An event is sent from what is stored, never directly from a reply."""
    senders = {
        name
        for name in FUNCTIONS
        for statement in statements(f"{name}Role")
        if any(action.startswith("events:") for action in _actions(statement))
    }
    assert senders == {"Publisher", "Sweeper"}


def test_the_bus_refuses_events_from_all_but_publisher_and_sweeper() -> None:
    """An explicit denial, which no other policy of the account can override."""
    policy = properties("EventBusPolicy")
    assert policy["EventBusName"] == {"Ref": "EventBus"}
    assert policy["Statement"] == {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "events:PutEvents",
        "Resource": _arn("EventBus"),
        "Condition": {
            "StringNotEquals": {"aws:PrincipalArn": [_arn("PublisherRole"), _arn("SweeperRole")]}
        },
    }


def test_only_the_audit_rule_may_write_to_the_audit_queue() -> None:
    """And the rule matches every event of the bus."""
    (statement,) = properties("AuditMessagesPolicy")["PolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": _arn("AuditMessages"),
        "Condition": {"ArnEquals": {"aws:SourceArn": _arn("AuditRule")}},
    }
    assert properties("AuditRule")["EventPattern"] == {"source": [{"prefix": ""}]}
    assert properties("AuditRule")["EventBusName"] == {"Ref": "EventBus"}


def test_every_route_is_closed() -> None:
    """PUT and POST require IAM; both GETs require a JWT if an issuer is set, and IAM otherwise."""
    of_users = (
        {"Fn::If": ["UseJwt", "JWT", "AWS_IAM"]},
        {"Fn::If": ["UseJwt", {"Ref": "JwtAuthorizer"}, {"Ref": "AWS::NoValue"}]},
    )
    routes = {
        it["RouteKey"]: (it["AuthorizationType"], it.get("AuthorizerId"))
        for it in of_type("AWS::ApiGatewayV2::Route").values()
    }
    assert routes == {
        "PUT /payments/{payId}": ("AWS_IAM", None),
        "POST /payments/query": ("AWS_IAM", None),
        "GET /payments/{payId}": of_users,
        "GET /payments/{payId}/wait": of_users,
    }


def test_tokens_are_taken_from_one_issuer_for_one_audience() -> None:
    """The authorizer exists only if they are set."""
    authorizer = properties("JwtAuthorizer")
    assert RESOURCES["JwtAuthorizer"]["Condition"] == "UseJwt"
    assert TEMPLATE["Conditions"]["UseJwt"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "JwtIssuer"}, ""]}]
    }
    assert authorizer["JwtConfiguration"] == {
        "Issuer": {"Ref": "JwtIssuer"},
        "Audience": [{"Ref": "JwtAudience"}],
    }


def test_only_this_api_may_invoke_the_api_function() -> None:
    """The permission names the API and the path."""
    (permission,) = of_type("AWS::Lambda::Permission").values()
    assert permission["FunctionName"] == {"Ref": "ApiFunction"}
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert permission["SourceArn"]["Fn::Sub"].endswith(":${HttpApi}/*/*/payments/*")


def test_the_api_is_throttled_and_what_takes_long_more_so() -> None:
    """The emulator ignores these figures, so this test checks them."""
    stage = properties("ApiStage")
    assert (stage["StageName"], stage["AutoDeploy"]) == ("$default", True)
    assert stage["DefaultRouteSettings"] == {
        "ThrottlingRateLimit": {"Ref": "ApiRateLimit"},
        "ThrottlingBurstLimit": {"Ref": "ApiBurstLimit"},
    }
    assert stage["RouteSettings"] == {
        "POST /payments/query": {"ThrottlingRateLimit": 2, "ThrottlingBurstLimit": 5},
        "GET /payments/{payId}/wait": {
            "ThrottlingRateLimit": {"Ref": "WaitRateLimit"},
            "ThrottlingBurstLimit": 10,
        },
    }
    named = {
        name
        for name, it in of_type("AWS::ApiGatewayV2::Route").items()
        if it["RouteKey"] in stage["RouteSettings"]
    }
    assert set(RESOURCES["ApiStage"]["DependsOn"]) == named


def test_a_browser_may_only_get_and_only_from_the_chosen_origins() -> None:
    """PUT and POST need IAM, which no page has. The preflight finds no route, so no authorizer."""
    condition, allowed, otherwise = properties("HttpApi")["CorsConfiguration"]["Fn::If"]
    assert TEMPLATE["Conditions"][condition] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "CorsAllowOrigins"}, ""]}]
    }
    assert otherwise == {"Ref": "AWS::NoValue"}
    assert allowed == {
        "AllowOrigins": {"Fn::Split": [",", {"Ref": "CorsAllowOrigins"}]},
        "AllowMethods": ["GET"],
        "AllowHeaders": ["authorization", "content-type"],
        "ExposeHeaders": ["retry-after"],
        "MaxAge": 3600,
    }
    routes = [it["RouteKey"] for it in of_type("AWS::ApiGatewayV2::Route").values()]
    assert not [key for key in routes if key.startswith(("OPTIONS ", "ANY ", "$default"))]


def test_access_logs_hold_nothing_that_a_caller_typed() -> None:
    """The route and not the path; no query string, header or body."""
    line = properties("ApiStage")["AccessLogSettings"]["Format"]
    assert "$context.routeKey" in line
    for typed in ("$context.path", "queryString", "$request", "body", "header", "userAgent"):
        assert typed not in line
    assert "\n" not in line


def test_no_value_of_the_template_holds_a_secret_or_an_account() -> None:
    """Account, region and partition are those of the deployment."""
    texts = [node for node in walk(RESOURCES) if isinstance(node, str)]
    assert not [text for text in texts if "arn:aws:" in text or "AKIA" in text]
