"""DynamoDB's expressions, as far as payresult uses them, as functions on an item.

Compared with moto's by ``test_memory``. Items and values are in DynamoDB JSON throughout.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

Value = Mapping[str, Any]
Item = dict[str, Any]

_TOKEN = re.compile(r"\s*([#:]?\w+|<=|[=<(),+])")


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression is about: an item, and what ``#names`` and ``:values`` stand for."""

    item: Mapping[str, Any]
    names: Mapping[str, str]
    values: Mapping[str, Any]

    def name(self, token: str) -> str:
        """The attribute that *token* stands for."""
        return self.names[token]


Test = Callable[[Scope], bool]
Operand = Callable[[Scope], Value | None]
Change = Callable[[Scope, Item], None]


@lru_cache
def condition(text: str) -> Test:
    """A condition."""
    parser = _Parser(text)
    found = parser.any_of()
    parser.expect_end()
    return found


@lru_cache
def update(text: str) -> Change:
    """An update of SET and REMOVE: writes what it makes of the scope's item into another one."""
    parser = _Parser(text)
    sets = parser.sets() if parser.taken("SET") else []
    removes = parser.names() if parser.taken("REMOVE") else []
    parser.expect_end()

    def change(scope: Scope, new: Item) -> None:
        for token, operand in sets:
            new[scope.name(token)] = operand(scope)
        for token in removes:
            new.pop(scope.name(token), None)

    return change


@lru_cache
def placeholders(text: str) -> frozenset[str]:
    """The ``#names`` and ``:values`` of an expression: DynamoDB wants all of them, and no more."""
    return frozenset(token for token in _TOKEN.findall(text) if token[0] in "#:")


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        if re.sub(r"\s", "", text) != "".join(self._tokens):
            raise ValueError(f"not understood: {text}")

    def taken(self, token: str) -> bool:
        """Take the next token if it is *token*."""
        if self._tokens[:1] != [token]:
            return False
        self._tokens.pop(0)
        return True

    def expect(self, token: str) -> None:
        if not self.taken(token):
            raise ValueError(f"{token} expected, not {self._tokens[:3]}")

    def expect_end(self) -> None:
        if self._tokens:
            raise ValueError(f"the end expected, not {self._tokens[:3]}")

    def any_of(self) -> Test:
        tests = [self._all_of()]
        while self.taken("OR"):
            tests.append(self._all_of())
        return tests[0] if len(tests) == 1 else lambda scope: any(test(scope) for test in tests)

    def _all_of(self) -> Test:
        tests = [self._test()]
        while self.taken("AND"):
            tests.append(self._test())
        return tests[0] if len(tests) == 1 else lambda scope: all(test(scope) for test in tests)

    def _test(self) -> Test:
        if self.taken("("):
            inner = self.any_of()
            self.expect(")")
            return inner
        word = self._tokens.pop(0)
        if word in {"attribute_exists", "attribute_not_exists"}:
            [name] = self._arguments()
            wanted = word == "attribute_exists"
            return lambda scope: (scope.name(name) in scope.item) is wanted
        return self._comparison(word)

    def _comparison(self, token: str) -> Test:
        compare = _COMPARE[self._tokens.pop(0)]
        left, right = _plain(token), _plain(self._tokens.pop(0))

        def test(scope: Scope) -> bool:
            one, other = _comparable(left(scope)), _comparable(right(scope))
            return one is not None and type(one) is type(other) and compare(one, other)

        return test

    def sets(self) -> list[tuple[str, Operand]]:
        found: list[tuple[str, Operand]] = []
        while not found or self.taken(","):
            word = self._tokens.pop(0)
            self.expect("=")
            found.append((word, self._sum()))
        return found

    def names(self) -> list[str]:
        found = [self._tokens.pop(0)]
        while self.taken(","):
            found.append(self._tokens.pop(0))
        return found

    def _sum(self) -> Operand:
        first = self._operand()
        return _added(first, self._operand()) if self.taken("+") else first

    def _operand(self) -> Operand:
        word = self._tokens.pop(0)
        if word not in {"if_not_exists", "list_append"}:
            return _plain(word)
        self.expect("(")
        first = self._operand()
        self.expect(",")
        second = self._operand()
        self.expect(")")
        return _first_of(first, second) if word == "if_not_exists" else _joined(first, second)

    def _arguments(self) -> list[str]:
        self.expect("(")
        found = self.names()
        self.expect(")")
        return found


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda one, other: one == other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
}


def _comparable(value: Value | None) -> Decimal | str | None:
    if value is None:
        return None
    return Decimal(value["N"]) if "N" in value else str(value["S"])


def _plain(token: str) -> Operand:
    if token.startswith(":"):
        return lambda scope: scope.values[token]
    return lambda scope: scope.item.get(scope.name(token))


def _first_of(first: Operand, second: Operand) -> Operand:
    def value(scope: Scope) -> Value | None:
        found = first(scope)
        return second(scope) if found is None else found

    return value


def _joined(first: Operand, second: Operand) -> Operand:
    return lambda scope: {"L": _there(first(scope))["L"] + _there(second(scope))["L"]}


def _added(first: Operand, second: Operand) -> Operand:
    def value(scope: Scope) -> Value:
        return {"N": str(Decimal(_there(first(scope))["N"]) + Decimal(_there(second(scope))["N"]))}

    return value


def _there(value: Value | None) -> Value:
    if value is None:
        raise ValueError("an operand is missing")
    return value
