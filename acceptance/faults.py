"""The fault cases, and what only AWS has: policies, a deployment, the archive."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from acceptance.deployment import update
from acceptance.target import CHECK_DELAYS, CaseFailed, NotHere, Target, expect

ARCHIVE_SECONDS = 600
"""An event may reach the archive ten minutes late (AWS, "Archiving and replaying events")."""

DEAD_LETTER_SECONDS = 900
"""A message that fails is dead after five receives, 120 s apart."""

SWEEPER_SECONDS = 240
"""The sweeper leaves an event to the stream for a minute, and comes each minute (P4: 3 min)."""


def gateway_down(target: Target) -> str:
    """HTTP 500 for 40 s: PENDING and stale to a caller, then paid; no message is dead."""
    up_at = int(time.time()) + 40
    pay_id = target.pay_id(f"down{up_at}")
    target.put(pay_id)

    def stale() -> bool:
        body = target.get(pay_id).body or {}
        return (body.get("status"), body.get("stale")) == ("PENDING", True)

    target.eventually("a stale answer", stale, 35)
    target.expect_event(pay_id)
    return f"event {target.events.arrivals(pay_id)[0].at - up_at:.1f} s after the gateway was up"


def unintelligible_gateway(target: Target) -> str:
    """A page of HTML and a 429 change nothing: 503 to a caller who has not registered."""
    for scenario in ("html", "busy"):
        expect(scenario, target.get(target.pay_id(scenario)).status, 503)
    return "503"


def unsigned_call(target: Target) -> str:
    """IAM: nobody calls without a signature."""
    expect("GET", target.call("GET", "/payments/paid-x", signed=False).status, 403)
    expect("PUT", target.call("PUT", "/payments/paid-x", {}, signed=False).status, 403)
    return "403"


def foreign_event(target: Target) -> str:
    """The bus's policy: whoever runs this may not send events, though IAM allows it."""
    if target.emulated:
        raise NotHere("the emulator has no policy of a bus")
    entry = {"Source": "payresult", "DetailType": "PaymentSucceeded", "Detail": "{}"}
    entry["EventBusName"] = target.outputs["EventBusName"]
    try:
        answered = target.client("events").put_events(Entries=[entry])
    except ClientError as error:
        expect("the error", error.response["Error"]["Code"], "AccessDeniedException")
        return "AccessDeniedException"
    expect("refused entries", answered["FailedEntryCount"], 1)
    return str(answered["Entries"][0]["ErrorCode"])


def stream_off(target: Target) -> str:
    """The mapping of the stream is disabled: the sweeper sends the event."""
    pay_id = target.pay_id("paid")
    with mapping_disabled(target, target.outputs["PublisherFunctionName"]):
        target.send({"payId": pay_id})
        paid = "SUCCEEDED"
        target.eventually(paid, lambda: target.explained(pay_id).get("status") == paid, 60)
        target.sweep(pay_id)
        latency = target.expect_event(pay_id, SWEEPER_SECONDS)
    return f"event after {latency:.0f} s"


def deployment_under_load(target: Target) -> str:
    """The stack is updated while 200 payments are followed: each has its event, of one id.

    Fifty on the emulator, and for a shorter time: there it is no proof.
    """
    seconds, payments = (10, 50) if target.emulated else (45, 200)
    paid_at = int(time.time()) + seconds
    pay_ids = [target.pay_id(f"later{paid_at}") for _ in range(payments)]
    for start in range(0, len(pay_ids), 50):
        target.send({"payIds": pay_ids[start : start + 50]})
    started = time.monotonic()
    update(
        target.client("cloudformation"), target.name, CheckDelays=_joined((3, *CHECK_DELAYS[1:]))
    )
    took = time.monotonic() - started
    for pay_id in pay_ids:
        target.expect_event(pay_id, 300)
    ids = [{it.event_id for it in target.events.arrivals(pay_id)} for pay_id in pay_ids]
    expect("payments with more than one eventId", sum(len(each) > 1 for each in ids), 0)
    note = (
        " (no proof on the emulator, which replaces functions at once)" if target.emulated else ""
    )
    return f"{payments} events, deployed in {took:.0f} s{note}"


def replayed_archive(target: Target) -> str:
    """A replay reaches the bus although its policy denies PutEvents to all but two roles."""
    if target.emulated:
        raise NotHere("the emulator has no archive")
    pay_id, begun = target.pay_id("paid"), datetime.now(UTC)
    target.send({"payId": pay_id})
    target.expect_event(pay_id)
    target.wait(ARCHIVE_SECONDS)
    events, bus = target.client("events"), target.outputs["EventBusArn"]
    [archive] = events.list_archives(EventSourceArn=bus)["Archives"]
    events.start_replay(
        ReplayName=f"acceptance-{target.run}",
        EventSourceArn=archive_arn(bus, archive["ArchiveName"]),
        EventStartTime=begun,
        EventEndTime=datetime.now(UTC),
        Destination={"Arn": bus},
    )
    target.eventually("the event again", lambda: len(target.events.arrivals(pay_id)) > 1, 600)
    expect("eventIds", len({it.event_id for it in target.events.arrivals(pay_id)}), 1)
    return "the event came again, with its id"


def malformed_message(target: Target) -> str:
    """It ends in the dead-letter queue, unchanged, and `redrive` says why."""
    body = f'{{"payId": "two words {target.run}"}}'
    target.send(body)

    def shown() -> list[dict[str, Any]]:
        _, records = target.cli("redrive", "--dry-run")
        return [record for record in records if record.get("body") == body]

    [found] = target.eventually("the dead letter", shown, DEAD_LETTER_SECONDS, every=5)
    if not found.get("problem"):
        raise CaseFailed("redrive does not say what is wrong")
    return "in the dead-letter queue"


@contextmanager
def mapping_disabled(target: Target, function: str) -> Iterator[None]:
    """Disable the only event source mapping of a function, and enable it at the end."""
    client = target.client("lambda")
    [mapping] = client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]

    def wait_for(*states: str) -> None:
        def reached() -> bool:
            return client.get_event_source_mapping(UUID=mapping["UUID"])["State"] in states

        target.eventually(f"{' or '.join(states)} mapping", reached, 120)

    try:
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        wait_for("Disabled")
        yield
    finally:
        # During an update another one is refused (AWS, UpdateEventSourceMapping).
        wait_for("Disabled", "Enabled")
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
        wait_for("Enabled")


def archive_arn(bus: str, archive: str) -> str:
    """Return the ARN of an archive, which ListArchives does not (AWS, ARNs of EventBridge)."""
    return f"{bus.rpartition(':')[0]}:archive/{archive}"


def _joined(delays: tuple[int, ...]) -> str:
    return ",".join(map(str, delays))
