"""Contract of the reader of payresult's log lines."""

from sandbox.page.log_lines import payment_lines, rules_in

REFUSED = '{"payId": "p-1", "answer": "InvalidReply", "rule": "not JSON"}'
ANSWERED = '{"payId": "p-2", "answer": "Reply"}'
LINES = [(1, "START RequestId"), (2, REFUSED), (3, ANSWERED), (4, '{"payId": null}'), (5, "{}")]


def test_only_lines_about_a_payment_are_kept() -> None:
    """With their time and function."""
    found = payment_lines("Checks", LINES)
    assert [(each.at, each.function, each.pay_id) for each in found] == [
        (2, "Checks", "p-1"),
        (3, "Checks", "p-2"),
    ]


def test_the_rule_of_the_last_answer_counts() -> None:
    """A reply ends it."""
    later = payment_lines("Api", [(9, ANSWERED.replace("p-2", "p-1"))])
    assert rules_in(payment_lines("Checks", LINES)) == {"p-1": "not JSON", "p-2": None}
    assert rules_in([*payment_lines("Checks", LINES), *later])["p-1"] is None
