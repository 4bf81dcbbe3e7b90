"""Mutations of texts: of DynamoDB's condition expressions and of regular expressions."""

import re
from collections.abc import Iterator

_SWAPS = (
    *((" AND ", " OR "), (" OR ", " AND ")),
    *((" < ", " <= "), (" < ", " >= "), (" <= ", " < "), (" <= ", " > "), (" = ", " <> ")),
    ("attribute_not_exists", "attribute_exists"),
    ("attribute_exists", "attribute_not_exists"),
)
_PART = re.compile(
    r"\[\^?(?P<members>[^\]]+)\]|\{(?P<bounds>[0-9,]+)\}|\(\?P<\w+>|\(\?:|\\.|.", re.DOTALL
)
_MEMBER = re.compile(r".-.|\\.|.", re.DOTALL)
_NUMBER = re.compile(r"[0-9]+")


def other_texts(text: str) -> Iterator[str]:
    """Yield "" for *text* ("mutant" for ""), and the mutations of a condition expression."""
    yield "" if text else "mutant"
    for old, new in _SWAPS:
        for found in re.finditer(re.escape(old), text):
            yield _replaced(text, found.span(), new)
    for word in (" AND ", " OR "):
        parts = text.split(word)
        shorter = [word.join(parts[:at] + parts[at + 1 :]) for at in range(len(parts))]
        yield from (other for other in shorter if other and other.count("(") == other.count(")"))


def other_patterns(pattern: str) -> Iterator[str]:
    """Yield *pattern* without each of its parts and class members, and with each bound plus one."""
    found = (other for part in _PART.finditer(pattern) for other in _other_parts(pattern, part))
    yield from filter(_is_pattern, dict.fromkeys(found))


def _other_parts(pattern: str, part: re.Match[str]) -> Iterator[str]:
    yield _replaced(pattern, part.span(), "")
    members = list(_MEMBER.finditer(pattern, *part.span("members")))
    if len(members) > 1:
        yield from (_replaced(pattern, member.span(), "") for member in members)
    for bound in _NUMBER.finditer(pattern, *part.span("bounds")):
        yield _replaced(pattern, bound.span(), str(int(bound[0]) + 1))


def _replaced(text: str, span: tuple[int, int], new: str) -> str:
    return text[: span[0]] + new + text[span[1] :]


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return True
