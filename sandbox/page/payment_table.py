"""The table of payments: the rows that are shown, in which order, and the totals. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Item = Mapping[str, Any]

MAX_ROWS = 12
SHOWN = ("all", "unfinished", "attention")
_COLUMNS = ("payId", "orderId", "status", "eventState")
_NUMBERS = ("checks", "nextCheckAt", "createdAt")


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows: one payment in detail (None: the newest), and which rows."""

    pay_id: str | None = None
    show: str = "all"
    find: str = ""


def newest(items: Iterable[Item]) -> str | None:
    """The payId of the payment that was registered last; of two, the one with the greater payId."""
    found = max(items, key=lambda item: (int(item["createdAt"]), item["payId"]), default=None)
    return None if found is None else str(found["payId"])


def with_current(items: Iterable[Item], current: Item) -> list[Item]:
    """The *items*, with *current*, which was read later, in place of the same payment.

    So the table never contradicts the payment that is shown beside it.
    """
    return [current if each["payId"] == current.get("payId") else each for each in items]


def payment_table(items: Sequence[Item], view: View) -> dict[str, Any]:
    """`rows`, of at most MAX_ROWS payments; how many match; and the totals of all."""
    matching = [item for item in items if _is_shown(item, view)]
    rows = [_row(item) for item in sorted(matching, key=_place)[:MAX_ROWS]]
    return {"rows": rows, "matching": len(matching), "totals": _totals(items)}


def _totals(items: Sequence[Item]) -> dict[str, Any]:
    return {
        "all": len(items),
        "unfinished": sum(map(_is_unfinished, items)),
        "attention": sum("attention" in item for item in items),
        "unsent": sum(item.get("eventState") == "PENDING" for item in items),
        "status": dict(sorted(Counter(str(item["status"]) for item in items).items())),
    }


def _is_unfinished(item: Item) -> bool:
    """Whether something still happens by itself: checks until it is paid, or its event."""
    return item["status"] == "PENDING" or item.get("eventState") == "PENDING"


def _is_shown(item: Item, view: View) -> bool:
    if view.show == "unfinished" and not _is_unfinished(item):
        return False
    if view.show == "attention" and "attention" not in item:
        return False
    text = view.find.strip().lower()
    return any(text in str(item.get(name, "")).lower() for name in ("payId", "orderId", "status"))


def _place(item: Item) -> tuple[bool, int, str]:
    """Unfinished ones and those that wait for a person first; then the newest; then by payId."""
    urgent = _is_unfinished(item) or "attention" in item
    return not urgent, -int(item["createdAt"]), str(item["payId"])


def _row(item: Item) -> dict[str, Any]:
    row: dict[str, Any] = {name: item[name] for name in _COLUMNS if name in item}
    row |= {name: int(item[name]) for name in _NUMBERS if name in item}
    if "attention" in item:
        row["attention"] = str(item["attention"]).rpartition("#")[2]
    return row
