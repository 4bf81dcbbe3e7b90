"""Contract of template.yaml, figures: those that guarantees need and the emulator ignores."""

import json
import re
from inspect import signature

from payresult.bootstrap import CLIENT_CONFIG, MAX_CONCURRENCY
from payresult.domain.schedule import FOLLOW_FOR, JITTER, MAX_QUEUE_DELAY
from payresult.gateway.client import GatewayClient
from payresult.schemas.requests import MAX_PAY_IDS
from payresult.services.sweeper import RESERVE_MS
from payresult.settings import MAX_WAIT_SECONDS
from tests.support.factories import DELAYS
from tests.support.memory_table import INDEXES
from tests.support.template import FUNCTIONS, ROOT, TEMPLATE, of_type, properties

TEXT = (ROOT / "template.yaml").read_text(encoding="utf-8")

WAIT = TEMPLATE["Parameters"]["MaxWaitSeconds"]
DEADLINE = signature(GatewayClient).parameters["deadline"].default
ROUNDS = -(-MAX_PAY_IDS // MAX_CONCURRENCY)
"""Of the questions of a query of 100 payIds."""

TWO_WEEKS = 14 * 24 * 3600


def test_a_message_stays_hidden_for_six_times_the_time_out_of_its_function() -> None:
    """AWS recommends this, so that no second invocation starts while the first may still run."""
    hidden = properties("ChecksQueue")["VisibilityTimeout"]
    assert hidden == 6 * properties("ChecksFunction")["Timeout"] == 120


def test_a_message_goes_to_the_dead_letter_queue_after_five_receives_and_lives_two_weeks() -> None:
    """Both queues keep messages for the maximum time of SQS."""
    queue = properties("ChecksQueue")
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]},
        "maxReceiveCount": 5,
    }
    assert queue["MessageRetentionPeriod"] == TWO_WEEKS
    assert properties("DeadLetterQueue")["MessageRetentionPeriod"] == TWO_WEEKS


def test_every_queue_is_encrypted() -> None:
    """Messages carry payIds and orderIds."""
    queues = of_type("AWS::SQS::Queue")
    assert {name: queue["SqsManagedSseEnabled"] for name, queue in queues.items()} == {
        "ChecksQueue": True,
        "DeadLetterQueue": True,
        "AuditMessages": True,
    }


def test_checks_come_ten_at_a_time_and_only_the_failed_ones_again() -> None:
    """The event source limits the concurrency, without reserving the account's."""
    assert properties("ChecksFunction")["Events"]["Queue"]["Properties"] == {
        "Queue": {"Fn::GetAtt": ["ChecksQueue", "Arn"]},
        "BatchSize": 10,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": {"Ref": "MaximumConcurrency"}},
    }


def test_the_publisher_gets_pending_events_and_gives_up_soon() -> None:
    """A failed record leaves the stream: its event is in the table, and the sweeper sends it."""
    stream = dict(properties("PublisherFunction")["Events"]["Stream"]["Properties"])
    (only,) = stream.pop("FilterCriteria")["Filters"]
    pending = {"dynamodb": {"NewImage": {"eventState": {"S": ["PENDING"]}}}}
    assert json.loads(only["Pattern"]) == pending
    assert stream == {
        "Stream": {"Fn::GetAtt": ["Table", "StreamArn"]},
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 10,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "MaximumRetryAttempts": 3,
        "MaximumRecordAgeInSeconds": 300,
    }


def test_the_sweeper_has_a_whole_cpu_and_ten_seconds_for_its_last_piece() -> None:
    """CPU is what limits a sweep (docs/decisions.md); a second CPU would be idle."""
    sweeper = properties("SweeperFunction")
    assert sweeper["MemorySize"] == 1769
    assert sweeper["Timeout"] * 1000 >= 4 * RESERVE_MS


def test_the_sweeper_runs_each_minute_and_never_twice_at_once() -> None:
    """It ends before the next run starts, and a failed run is not retried."""
    sweeper = properties("SweeperFunction")
    assert sweeper["Timeout"] < 60
    assert sweeper["EventInvokeConfig"]["MaximumRetryAttempts"] == 0
    schedule = sweeper["Events"]["EveryMinute"]["Properties"]
    assert schedule["Schedule"] == "rate(1 minute)"
    assert schedule["RetryPolicy"]["MaximumRetryAttempts"] == 0


def test_who_waits_is_answered_before_api_gateway_gives_up() -> None:
    """Also where the last question is not answered; the HTTP API itself gives up after 30 s."""
    integration = properties("ApiIntegration")["TimeoutInMillis"] / 1000
    slow_writes = 2
    assert WAIT["MaxValue"] == WAIT["Default"] == MAX_WAIT_SECONDS == 20
    assert MAX_WAIT_SECONDS + DEADLINE + slow_writes < integration < 30


def test_what_an_api_call_has_begun_ends_before_its_function_does() -> None:
    """A question begun at the last moment: claim, marker and answer may need their last retry."""
    client = vars(CLIENT_CONFIG)
    one_try = client["connect_timeout"] + client["read_timeout"]
    one_call = client["retries"]["total_max_attempts"] * one_try
    timeout = properties("ApiFunction")["Timeout"]
    assert MAX_WAIT_SECONDS + DEADLINE + 3 * one_call < timeout == 55
    assert ROUNDS * DEADLINE + 3 * one_call < timeout


def test_the_told_number_of_functions_that_waiters_hold_is_that_of_the_defaults() -> None:
    """And leaves an account with 1,000 of them most."""
    told = [int(it) for it in re.findall(r"burst 10 \+ .* x WaitRateLimit .* = +(\d+)\n", TEXT)]
    rate = TEMPLATE["Parameters"]["WaitRateLimit"]["Default"]
    burst = properties("ApiStage")["RouteSettings"]["GET /payments/{payId}/wait"][
        "ThrottlingBurstLimit"
    ]
    held = [burst + seconds * rate for seconds in (WAIT["Default"], WAIT["Default"] + DEADLINE)]
    assert told == [held[1], *held] == [260, 210, 260]


def test_no_function_reserves_concurrency_by_default_or_is_traced() -> None:
    """New accounts have too little of it; X-Ray would cost more than everything else together."""
    reserved = {
        name: properties(f"{name}Function").get("ReservedConcurrentExecutions")
        for name in FUNCTIONS
    }
    chosen = {"Ref": "ApiReservedConcurrency"}
    assert reserved.pop("Api") == {
        "Fn::If": ["HasReservedConcurrency", chosen, {"Ref": "AWS::NoValue"}]
    }
    assert set(reserved.values()) == {None}
    assert TEMPLATE["Parameters"]["ApiReservedConcurrency"]["Default"] == ""
    assert not [name for name in FUNCTIONS if "Tracing" in properties(f"{name}Function")]
    assert not {"ReservedConcurrentExecutions", "Tracing"} & set(TEMPLATE["Globals"]["Function"])


def test_the_function_that_sends_to_its_own_queue_may_do_so() -> None:
    """Lambda stops such a chain after about 16 invocations, unless the function allows it.

    AWS, "Use Lambda recursive loop detection to prevent infinite loops". A chain ends by itself:
    a payment has at most 32 answered checks, and none after ``giveUpAt``.
    """
    allowed = {
        name: it["RecursiveLoop"]
        for name, it in of_type("AWS::Serverless::Function").items()
        if "RecursiveLoop" in it
    }
    assert allowed == {"ChecksFunction": "Allow"}


def test_the_told_number_of_questions_under_way_is_that_of_the_defaults() -> None:
    """At a gateway that answers none: each question lasts its deadline."""
    default = {name: it.get("Default") for name, it in TEMPLATE["Parameters"].items()}
    post = properties("ApiStage")["RouteSettings"]["POST /payments/query"]
    wait = properties("ApiStage")["RouteSettings"]["GET /payments/{payId}/wait"]
    waited = WAIT["Default"] + DEADLINE
    queue = default["MaximumConcurrency"] * 10
    get = default["ApiBurstLimit"] + DEADLINE * default["ApiRateLimit"]
    waits = wait["ThrottlingBurstLimit"] + waited * default["WaitRateLimit"]
    calls = post["ThrottlingBurstLimit"] + ROUNDS * DEADLINE * post["ThrottlingRateLimit"]
    told = re.search(r"The defaults give ([\d,]+)\.", TEXT)
    assert told
    assert int(told[1].replace(",", "")) == queue + get + waits + calls * MAX_CONCURRENCY == 2100


def test_the_default_schedule_makes_32_checks_within_the_time_that_a_payment_is_followed() -> None:
    """The sum of the 31 delays with the longest jitter is less than the time until giving up."""
    default = TEMPLATE["Parameters"]["CheckDelays"]["Default"]
    assert default == ",".join(map(str, DELAYS))
    assert sum(DELAYS) * (1 + JITTER) < FOLLOW_FOR


def test_the_queue_age_alarm_is_quiet_about_the_longest_healthy_life_of_a_message() -> None:
    """A delay of 15 minutes and five failed receives do not mean that the queue is late."""
    queue = properties("ChecksQueue")
    receives = queue["RedrivePolicy"]["maxReceiveCount"] * queue["VisibilityTimeout"]
    assert properties("QueueAgeAlarm")["Threshold"] > MAX_QUEUE_DELAY + receives


def test_the_table_is_on_demand_and_can_be_brought_back() -> None:
    """Point-in-time recovery, encryption, both images in the stream, deletion protection."""
    table = properties("Table")
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["DeletionProtectionEnabled"] == {"Fn::If": ["ProtectTable", True, False]}
    assert TEMPLATE["Parameters"]["DeletionProtection"]["Default"] == "true"


def test_what_cannot_be_made_again_outlives_its_stack() -> None:
    """Payments, events, and messages whose payments may be known from nothing else.

    The bus stays because of its archive. What a failed first deployment made is empty, and goes.
    """
    policies = {
        name: (it.get("DeletionPolicy"), it.get("UpdateReplacePolicy"))
        for name, it in TEMPLATE["Resources"].items()
        if {"DeletionPolicy", "UpdateReplacePolicy"} & set(it)
    }
    assert policies.pop("Table") == ("Retain", "Retain")
    names = ("ChecksQueue", "DeadLetterQueue", "EventArchive", "EventBus")
    assert policies == dict.fromkeys(names, ("RetainExceptOnCreate", "Retain"))


def test_the_indexes_hold_keys_only() -> None:
    """The items are read from the table, so the indexes stay small."""
    table = properties("Table")
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    found = {}
    for index in table["GlobalSecondaryIndexes"]:
        assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
        assert [key["KeyType"] for key in index["KeySchema"]] == ["HASH", "RANGE"]
        found[index["IndexName"]] = tuple(key["AttributeName"] for key in index["KeySchema"])
    assert found == INDEXES
    types = {it["AttributeName"]: it["AttributeType"] for it in table["AttributeDefinitions"]}
    assert types == {"pk": "S"} | {
        name: kind for keys in INDEXES.values() for name, kind in zip(keys, "SN", strict=True)
    }


RELEASED: dict[str, tuple[str, str]] | None = None
"""The indexes of the last release; None: there is none yet, and a new stack makes all at once."""


def test_an_update_from_the_last_release_changes_one_index_at_most() -> None:
    """CloudFormation can add or remove one index in an update.

    AWS, AWS::DynamoDB::Table, GlobalSecondaryIndexes. With each release, RELEASED becomes INDEXES;
    a release that needs two changes has to say that it is deployed in two steps.
    """
    changes = 0 if RELEASED is None else len(set(INDEXES.items()) ^ set(RELEASED.items()))
    assert changes <= 1


def test_what_has_expired_is_deleted_by_dynamodb() -> None:
    """The attribute of ``aws.items``; without RetentionDays no item has it."""
    specification = {"AttributeName": "expiresAt", "Enabled": True}
    assert properties("Table")["TimeToLiveSpecification"] == specification
    assert TEMPLATE["Parameters"]["RetentionDays"]["Default"] == "0"


def test_events_are_archived_for_four_hundred_days() -> None:
    """A year of payments, and a month to notice that events are missing."""
    assert properties("EventArchive")["RetentionDays"] == 400
    assert properties("EventArchive")["SourceArn"] == {"Fn::GetAtt": ["EventBus", "Arn"]}
