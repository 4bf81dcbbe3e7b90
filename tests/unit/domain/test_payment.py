"""P5, P7: the parts of a payment: what is absent, what is stale, and when it changed."""

from dataclasses import replace

import pytest

from payresult.domain.payment import (
    ATTENTION_STATUSES,
    CheckError,
    CheckMessage,
    Registration,
    Status,
    StatusChange,
)
from tests.support.factories import NOW, PAY_ID, payment


def test_what_is_not_given_is_none() -> None:
    """Never an empty text, which would be stored and shown."""
    assert CheckError("unavailable", NOW, 1, NOW).http_status is None
    assert CheckMessage(PAY_ID) == CheckMessage(PAY_ID, Registration(None, None, None), None)
    assert CheckMessage(PAY_ID).sent_at == 0  # older than any change: it restarts nothing


def test_a_status_is_stored_and_shown_by_its_name() -> None:
    """Of the items that are stored already as well."""
    assert [each.value for each in Status] == [each.name for each in Status]


def test_unresolved_and_review_wait_for_a_person() -> None:
    """All others end by themselves."""
    assert {Status.UNRESOLVED, Status.REVIEW} == ATTENTION_STATUSES


@pytest.mark.parametrize("status", Status)
def test_only_a_succeeded_payment_is_settled(status: Status) -> None:
    """All others may still be paid."""
    assert payment(status).settled == (status == "SUCCEEDED")


@pytest.mark.parametrize(
    ("answered", "unanswered", "stale"),
    [(None, None, False), (None, 1, True), (1, None, False), (2, 1, False), (1, 2, True)],
)
def test_stale_after_a_query(answered: int | None, unanswered: int | None, *, stale: bool) -> None:
    """Until a reply comes; a payment that succeeded never is."""
    asked = payment(last_answered_at=answered, last_unanswered_at=unanswered)
    assert asked.stale is stale
    assert not replace(asked, status=Status.SUCCEEDED).stale


def test_a_payment_without_a_change_changed_when_it_was_created() -> None:
    """An operator's entry is none."""
    accepted = StatusChange(NOW + 2, Status.REVIEW, Status.REVIEW, "operator")
    changes = (StatusChange(NOW + 1, None, Status.PENDING, "api"), accepted)
    assert payment(history=changes).changed_at == NOW + 1
    assert payment(history=()).changed_at == NOW
