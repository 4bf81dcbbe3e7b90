"""Checks of the table, and of what it says: cases for a person, unsent events, late checks."""

from itertools import islice
from typing import Any

from payresult.aws.indexes import ATTENTION
from payresult.domain.payment import Payment
from payresult_cli.doctor.check import SET_BACK, Deployed, Finding, attention, ok
from payresult_cli.formatting import format_count, format_duration

MINUTE_MS = 60_000

UNSENT_AFTER_MS = 3 * MINUTE_MS
"""The sweeper sends an event that the stream left for a minute, within the two minutes after."""

POSTPONED_MS = 15 * MINUTE_MS
"""The longest time until the sweeper tries to send an event again."""

LATE_AFTER_MS = 5 * MINUTE_MS
"""As the sweeper's OVERDUE_AFTER_MS: from then on, a check counts as missed."""

MAX_COUNTED = 1_000
"""Cases of a kind that are counted: 100 KB of the index, or 13 read units."""


def table(deployed: Deployed) -> Finding:
    """Check that the table, its indexes and its stream are there."""
    found = _description(deployed)
    indexes = {
        each["IndexName"]: each.get("IndexStatus", "ACTIVE")
        for each in found.get("GlobalSecondaryIndexes", [])
    }
    if found["TableStatus"] != "ACTIVE" or indexes != {"work": "ACTIVE", "attention": "ACTIVE"}:
        return attention(f"table {found['TableStatus']}, indexes {indexes}: wait, or {SET_BACK}")
    stream = found.get("StreamSpecification", {}).get("StreamViewType")
    if stream != "NEW_AND_OLD_IMAGES":
        return attention(f"its stream is {stream or 'off'}: {SET_BACK}")
    return ok("active, with its two indexes and its stream")


def protection(deployed: Deployed) -> Finding:
    """Check that nobody can delete the table."""
    if not _description(deployed).get("DeletionProtectionEnabled"):
        return attention(
            "off: `aws dynamodb update-table --deletion-protection-enabled --table-name"
            f" {deployed.stack.table_name}`, and deploy with DeletionProtection=true"
        )
    return ok("on")


def recovery(deployed: Deployed) -> Finding:
    """Check that the table can be restored to any second of the last 35 days."""
    client, name = deployed.client("dynamodb"), deployed.stack.table_name
    found = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    state = found.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    if state == "ENABLED":
        return ok("on")
    return attention(
        f"off: `aws dynamodb update-continuous-backups --table-name {name}"
        " --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true`"
    )


def time_to_live(deployed: Deployed) -> Finding:
    """Check that DynamoDB deletes what has an expiresAt."""
    client, name = deployed.client("dynamodb"), deployed.stack.table_name
    found = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if found["TimeToLiveStatus"] != "ENABLED" or found.get("AttributeName") != "expiresAt":
        return attention(f"{found['TimeToLiveStatus']}, not for expiresAt: {SET_BACK}")
    days = deployed.stack.retention_days
    return ok(f"on, {f'after {days} days at rest' if days else 'and nothing expires'}")


def waiting(deployed: Deployed) -> Finding:
    """Count what waits for a person."""
    counts = {
        reason: sum(1 for _ in islice(deployed.repository.indexes.waiting(reason), MAX_COUNTED))
        for reason in ATTENTION
    }
    found = ", ".join(f"{count} {reason}" for reason, count in counts.items() if count)
    if found:
        return attention(f"{found}: {deployed.command('list')} names them")
    return ok("nothing waits for a person")


def unsent_events(deployed: Deployed) -> Finding:
    """Look at up to 100 of the events that are not on the bus yet, the oldest first."""
    piece = next(deployed.repository.indexes.due("EVENT", deployed.now + POSTPONED_MS), None)
    found = deployed.repository.get_many(piece.pay_ids if piece else [])
    unread = [pay_id for pay_id, each in found.items() if not isinstance(each, Payment)]
    if unread:
        return attention(
            f"{format_count(len(unread), 'payment')} not read:"
            f" {deployed.command(f'explain {unread[0]}')}, and UnreadableAlarm"
        )
    ages = [
        (deployed.now - each.history[-1].at, pay_id)  # paid, or marked by `republish`
        for pay_id, each in found.items()
        if isinstance(each, Payment) and each.event_state == "PENDING"
    ]
    if not ages:
        return ok("none")
    oldest, pay_id = max(ages)
    text = f"{len(ages)}, the oldest for {format_duration(oldest)}"
    if oldest <= UNSENT_AFTER_MS:
        return ok(text)
    return attention(f"{text}: {deployed.command(f'explain {pay_id}')}, and UnsentEventsAlarm")


def late_checks(deployed: Deployed) -> Finding:
    """Look for checks that the sweeper should have sent."""
    piece = next(deployed.repository.indexes.due("CHECK", deployed.now - LATE_AFTER_MS), None)
    if piece is None:
        return ok("none")
    count = len(piece.pay_ids) + piece.others
    return attention(
        f"{format_count(count, 'payment')} or more over {format_duration(LATE_AFTER_MS)} late:"
        " see SweeperSilentAlarm and OtherPartnerAlarm in docs/operations.md"
    )


def _description(deployed: Deployed) -> dict[str, Any]:
    client = deployed.client("dynamodb")
    found: dict[str, Any] = client.describe_table(TableName=deployed.stack.table_name)["Table"]
    return found
