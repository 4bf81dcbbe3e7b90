"""Contract of template.yaml, figures: those that guarantees need and the emulator ignores."""

import json

import pytest

from payresult.domain.schedule import FOLLOW_FOR, JITTER, MAX_QUEUE_DELAY
from tests.support.factories import DELAYS
from tests.support.template import FUNCTIONS, TEMPLATE, of_type, properties

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


def test_the_sweeper_runs_each_minute_and_never_twice_at_once() -> None:
    """It ends before the next run starts, and a failed run is not retried."""
    sweeper = properties("SweeperFunction")
    assert sweeper["Timeout"] < 60
    assert sweeper["EventInvokeConfig"]["MaximumRetryAttempts"] == 0
    schedule = sweeper["Events"]["EveryMinute"]["Properties"]
    assert schedule["Schedule"] == "rate(1 minute)"
    assert schedule["RetryPolicy"]["MaximumRetryAttempts"] == 0


def test_the_api_function_answers_before_api_gateway_gives_up() -> None:
    """First the function times out, then the integration, then the HTTP API after 30 s."""
    function = properties("ApiFunction")["Timeout"]
    integration = properties("ApiIntegration")["TimeoutInMillis"] / 1000
    assert function == 28 < integration < 30


def test_no_function_reserves_concurrency_or_is_traced() -> None:
    """New accounts have too little of it; X-Ray would cost more than everything else together."""
    for name in FUNCTIONS:
        assert not {"ReservedConcurrentExecutions", "Tracing"} & set(properties(f"{name}Function"))
    assert not {"ReservedConcurrentExecutions", "Tracing"} & set(TEMPLATE["Globals"]["Function"])


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


@pytest.mark.parametrize("policy", ["DeletionPolicy", "UpdateReplacePolicy"])
def test_only_the_table_outlives_its_stack(policy: str) -> None:
    """All other resources can be created again."""
    kept = {name: it[policy] for name, it in TEMPLATE["Resources"].items() if policy in it}
    assert kept == {"Table": "Retain"}


def test_the_index_holds_keys_only_by_shard_and_time() -> None:
    """The sweeper reads the items from the table, so the index stays small."""
    table = properties("Table")
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    (index,) = table["GlobalSecondaryIndexes"]
    keys = {key["AttributeName"]: key["KeyType"] for key in index["KeySchema"]}
    assert keys == {"workShard": "HASH", "workAt": "RANGE"}
    assert (index["IndexName"], index["Projection"]) == ("work", {"ProjectionType": "KEYS_ONLY"})
    types = {it["AttributeName"]: it["AttributeType"] for it in table["AttributeDefinitions"]}
    assert types == {"pk": "S", "workShard": "S", "workAt": "N"}


def test_events_are_archived_for_four_hundred_days() -> None:
    """A year of payments, and a month to notice that events are missing."""
    assert properties("EventArchive")["RetentionDays"] == 400
    assert properties("EventArchive")["SourceArn"] == {"Fn::GetAtt": ["EventBus", "Arn"]}
