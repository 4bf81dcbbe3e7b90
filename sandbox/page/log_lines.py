"""What the log lines of payresult say about single payments. Pure."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple


class LogLine(NamedTuple):
    """A line about a payment: when (epoch milliseconds), from which function, and its fields."""

    at: int
    function: str
    fields: dict[str, Any]

    @property
    def pay_id(self) -> str:
        """The payment."""
        return str(self.fields["payId"])


def payment_lines(function: str, lines: Iterable[tuple[int, str]]) -> list[LogLine]:
    """The *lines* (time and text) of *function* that are about a payment."""
    found = []
    for at, text in lines:
        if text.startswith("{") and '"payId"' in text:
            fields = json.loads(text)
            if fields.get("payId") is not None:
                found.append(LogLine(at, function, fields))
    return found


def rules_in(lines: Iterable[LogLine]) -> dict[str, str | None]:
    """The rule that each payment's last answer broke; None for a reply."""
    return {each.pay_id: each.fields.get("rule") for each in lines if "answer" in each.fields}
