"""A parser for the DynamoDB expressions that payresult uses; it returns functions on an item.

``tests/fault_injection/test_memory_table.py`` compares it with moto. Items and values are in
DynamoDB JSON throughout.
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
    """What an expression is evaluated on: an item and the values of ``#names`` and ``:values``."""

    item: Mapping[str, Any]
    names: Mapping[str, str]
    values: Mapping[str, Any]

    def name(self, token: str) -> str:
        """Return the attribute name of the placeholder *token*."""
        return self.names[token]


Test = Callable[[Scope], bool]
Operand = Callable[[Scope], Value | None]
Change = Callable[[Scope, Item], None]


@lru_cache
def parse_condition(text: str) -> Test:
    """Parse a condition expression. Raises ValueError where it is not supported."""
    parser = _Parser(text)
    test = parser.disjunction()
    parser.expect_end()
    return test


@lru_cache
def parse_update(text: str) -> Change:
    """Parse an update expression of SET and REMOVE.

    The function that it returns reads the scope's item and changes its second argument. Raises
    ValueError where the expression is not supported.
    """
    parser = _Parser(text)
    sets = parser.sets() if parser.accept("SET") else []
    removes = parser.names() if parser.accept("REMOVE") else []
    parser.expect_end()

    def change(scope: Scope, new: Item) -> None:
        for token, operand in sets:
            new[scope.name(token)] = operand(scope)
        for token in removes:
            new.pop(scope.name(token), None)

    return change


@lru_cache
def placeholders(text: str) -> frozenset[str]:
    """Return the ``#names`` and ``:values`` of an expression; DynamoDB rejects unused ones."""
    return frozenset(token for token in _TOKEN.findall(text) if token[0] in "#:")


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        if re.sub(r"\s", "", text) != "".join(self._tokens):
            raise ValueError(f"unsupported expression: {text}")

    def accept(self, token: str) -> bool:
        """Consume the next token if it is *token*."""
        if self._tokens[:1] != [token]:
            return False
        self._tokens.pop(0)
        return True

    def expect(self, token: str) -> None:
        if not self.accept(token):
            raise ValueError(f"expected {token}, found {self._tokens[:3]}")

    def expect_end(self) -> None:
        if self._tokens:
            raise ValueError(f"expected the end, found {self._tokens[:3]}")

    def disjunction(self) -> Test:
        tests = [self._conjunction()]
        while self.accept("OR"):
            tests.append(self._conjunction())
        return tests[0] if len(tests) == 1 else lambda scope: any(test(scope) for test in tests)

    def _conjunction(self) -> Test:
        tests = [self._primary()]
        while self.accept("AND"):
            tests.append(self._primary())
        return tests[0] if len(tests) == 1 else lambda scope: all(test(scope) for test in tests)

    def _primary(self) -> Test:
        if self.accept("("):
            inner = self.disjunction()
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
        assignments: list[tuple[str, Operand]] = []
        while not assignments or self.accept(","):
            name = self._tokens.pop(0)
            self.expect("=")
            assignments.append((name, self._sum()))
        return assignments

    def names(self) -> list[str]:
        names = [self._tokens.pop(0)]
        while self.accept(","):
            names.append(self._tokens.pop(0))
        return names

    def _sum(self) -> Operand:
        first = self._operand()
        return _added(first, self._operand()) if self.accept("+") else first

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
        names = self.names()
        self.expect(")")
        return names


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda one, other: one == other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
}


def _comparable(value: Value | None) -> Any:
    if value is None:
        return None
    [(kind, plain)] = value.items()
    return Decimal(plain) if kind == "N" else plain


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
    return lambda scope: {"L": _required(first(scope))["L"] + _required(second(scope))["L"]}


def _added(first: Operand, second: Operand) -> Operand:
    def value(scope: Scope) -> Value:
        one, other = _required(first(scope)), _required(second(scope))
        return {"N": str(Decimal(one["N"]) + Decimal(other["N"]))}

    return value


def _required(value: Value | None) -> Value:
    if value is None:
        raise ValueError("an operand is missing")
    return value
