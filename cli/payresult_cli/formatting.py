"""Times, ages and foreign text, as people read and write them. Pure."""

import re
from datetime import UTC, datetime

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_AGE = re.compile(r"([0-9]{1,6})([smhd])")
_STEPS = ((172_800, 86_400, "d"), (7_200, 3_600, "h"), (120, 60, "min"))


def printable(text: str) -> str:
    """Return *text* with whatever is not for printing escaped: terminals obey some of it."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def format_time(point: int) -> str:
    """Return *point*, milliseconds since 1970, as "2026-11-22 10:00:00Z"."""
    return f"{datetime.fromtimestamp(point / 1000, UTC):%Y-%m-%d %H:%M:%S}Z"


def format_duration(milliseconds: int) -> str:
    """Return a length of time in its largest fitting unit: "45 s", "3 min", "26 h", "9 d"."""
    seconds = round(abs(milliseconds) / 1000)
    for least, unit, name in _STEPS:
        if seconds >= least:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"


def format_count(count: int) -> str:
    """Return "1 time" or "3 times"."""
    return f"{count} time{'' if count == 1 else 's'}"


def format_time_and_age(point: int, now: int) -> str:
    """Return *point* and how far it is from *now*: "… (3 min ago)", "… (in 45 s)"."""
    distance = (
        f"{format_duration(now - point)} ago"
        if point <= now
        else f"in {format_duration(point - now)}"
    )
    return f"{format_time(point)} ({distance})"


def parse_age(text: str) -> int | None:
    """Return "90s", "15m", "2h" or "7d" in milliseconds, None if *text* is something else."""
    match = _AGE.fullmatch(text)
    return int(match[1]) * _UNITS[match[2]] * 1000 if match else None


def parse_point(text: str) -> int | None:
    """Return "2026-11-22", "2026-11-22T10:00" or "…T10:00:00Z" in milliseconds, UTC if unsaid.

    None before 1970 too: nothing of ours is as old.
    """
    try:
        point = datetime.fromisoformat(text)
    except ValueError:
        return None
    zoned = point if point.tzinfo else point.replace(tzinfo=UTC)
    milliseconds = int(zoned.timestamp() * 1000)
    return milliseconds if milliseconds >= 0 else None
