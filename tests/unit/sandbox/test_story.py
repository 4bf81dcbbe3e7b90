"""Contract of the demo: it is told in words, and its checks speak up only when they fail."""

import pytest

from sandbox.console import Console
from sandbox.demo_steps import described, grouped


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, ""),
        ({"currency": "USD"}, ""),
        ({"expectedAmount": "19.99"}, "19.99"),
        ({"orderId": "A", "expectedAmount": "19.99", "currency": "USD"}, "order A, 19.99 USD"),
        ({"orderId": "A", "amount": "5", "duplicateOf": "p-1"}, "order A, 5, duplicateOf p-1"),
    ],
)
def test_registrations_and_events_are_told_in_words(values: dict[str, str], words: str) -> None:
    """What is absent is not mentioned."""
    assert described(values) == words


def test_equal_answers_of_the_gateway_are_counted() -> None:
    """An unknown one has its own name."""
    answers = ["refusing", "pending", "pending", "busy", "paid"]
    assert grouped(answers) == "no answer, not paid (2 times), busy, paid"


def test_a_check_that_holds_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    """Both are recorded when they fail, with what was found."""
    console = Console()
    assert console.check("it holds", ok=True)
    assert not console.check("it does not", ok=False, note="1, not 2")
    console.prove("Never lost", "3 of 3", ok=True)
    console.prove("One key", "2 of 3", ok=False)
    assert console.expect("nothing comes", lambda: None, 0) is None
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in printed] == ["FAILED", "ok", "FAILED", "FAILED"]
    assert console.failed == ["it does not", "One key", "nothing comes"]
