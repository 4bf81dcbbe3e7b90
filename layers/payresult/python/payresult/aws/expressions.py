"""The arguments of one UpdateItem, built from readable parts. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from payresult.aws.items import to_item

_NAME = re.compile(r"#(\w+)")


class Update:
    """What an UpdateItem sets and removes, and the conditions it requires.

    Expressions name an attribute ``#name`` and a value ``:name``; values are keyword arguments.
    """

    def __init__(self) -> None:
        self._sets: list[str] = []
        self._removes: list[str] = []
        self._conditions: list[str] = []
        self._values: dict[str, Any] = {}

    def set(self, **values: Any) -> None:
        """Set attributes."""
        for name, value in values.items():
            self._sets.append(f"#{name} = :new_{name}")
            self._values[f":new_{name}"] = value

    def set_if_absent(self, **values: Any) -> None:
        """Set attributes that the item does not have."""
        for name, value in values.items():
            self._sets.append(f"#{name} = if_not_exists(#{name}, :new_{name})")
            self._values[f":new_{name}"] = value

    def increment(self, name: str) -> None:
        """Add one to a number; absent counts as 0."""
        self._sets.append(f"#{name} = if_not_exists(#{name}, :zero) + :one")
        self._values |= {":zero": 0, ":one": 1}

    def append(self, name: str, entry: Mapping[str, Any]) -> None:
        """Append *entry* to a list; absent counts as empty."""
        self._sets.append(f"#{name} = list_append(if_not_exists(#{name}, :none), :new_{name})")
        self._values |= {":none": [], f":new_{name}": [entry]}

    def remove(self, *names: str) -> None:
        """Remove attributes."""
        self._removes += [f"#{name}" for name in names]

    def require(self, condition: str, **values: Any) -> None:
        """Write only where *condition* holds; *values* are its ``:name``."""
        self._conditions.append(f"({condition})")
        self._values |= {f":{name}": value for name, value in values.items()}

    def require_unchanged(self, **values: Any) -> None:
        """Write only where attributes are as they were read; None means absent."""
        for name, value in values.items():
            if value is None:
                self.require(f"attribute_not_exists(#{name})")
            else:
                self.require(f"#{name} = :read_{name}", **{f"read_{name}": value})

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of ``update_item``, without table and key."""
        parts = ["SET " + ", ".join(self._sets)] if self._sets else []
        parts += ["REMOVE " + ", ".join(self._removes)] if self._removes else []
        update, condition = " ".join(parts), " AND ".join(self._conditions)
        conditional = {"ConditionExpression": condition} if condition else {}
        return conditional | {
            "UpdateExpression": update,
            "ExpressionAttributeNames": {f"#{n}": n for n in _NAME.findall(update + condition)},
            "ExpressionAttributeValues": to_item(self._values),
        }
