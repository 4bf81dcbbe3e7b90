"""Mutation operators for cosmic-ray: the changes that its own operators do not make.

Each function takes a node of parso's syntax tree and yields the texts that can replace it.
"""

import ast
import re
from collections.abc import Iterator
from itertools import groupby, pairwise
from typing import Any, ClassVar

from parso.python.tree import Name

_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
_STATUSES = ("PENDING", "UNRESOLVED", "EXPIRED", "FAILED", "REVIEW", "SUCCEEDED")
_REMOVABLE_CALLS = {".lower", ".strip", ".replace", ".removeprefix", ".fullmatch"}
_CONSTANTS = {"string", "strings", "number", "keyword"}
_STATEMENTS = {"atom_expr", "raise_stmt", "yield_expr", "keyword"}
_PATTERN = re.compile(r"\][{+$]|\\Z")
_SWAPS = (
    *((" AND ", " OR "), (" OR ", " AND ")),
    *((" < ", " <= "), (" < ", " >= "), (" <= ", " < "), (" <= ", " > "), (" = ", " <> ")),
    ("attribute_not_exists", "attribute_exists"),
    ("attribute_exists", "attribute_not_exists"),
)
_PATTERN_PART = re.compile(
    r"\[\^?(?P<members>[^\]]+)\]|\{(?P<bounds>[0-9,]+)\}|\(\?P<\w+>|\(\?:|\\.|.", re.DOTALL
)
_MEMBER = re.compile(r".-.|\\.|.", re.DOTALL)
_NUMBER = re.compile(r"[0-9]+")


class Operator:
    """The interface of an operator of cosmic-ray."""

    others: ClassVar[Any]

    @staticmethod
    def arguments() -> tuple[()]:
        """Return the parameters of the operator: none."""
        return ()

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        """Yield the position of *node*, once for each text that can replace it."""
        yield from ((node.start_pos, node.end_pos) for _ in self.others(node))

    def mutate(self, node: Any, index: int) -> Name:
        """Return *node* replaced by the text number *index*."""
        text = list(self.others(node))[index]
        return Name(text, node.start_pos, prefix=node.get_first_leaf().prefix)


def _code(node: Any) -> str:
    return str(node.get_code(include_prefix=False))


def _joined(nodes: list[Any]) -> str:
    return "".join(node.get_code() for node in nodes).strip()


def _sibling(node: Any, distance: int) -> Any:
    """Return the sibling *distance* places before *node*, or None."""
    siblings = node.parent.children if node.parent else [node]
    at = next(at for at, each in enumerate(siblings) if each is node) - distance
    return siblings[at] if at >= 0 else None


def _text(node: Any) -> Iterator[str]:
    """A text, a fixed part of an f-string, a condition or a regular expression."""
    if node.type == "fstring_string" and node.parent.type == "fstring":
        yield from _other_texts(node.value)
    parts = node.children if node.type == "strings" else [node]
    is_part = node.parent and node.parent.type == "strings" and "fstring" not in _types(node.parent)
    if {part.type for part in parts} == {"string"} and not is_part:
        value = ast.literal_eval(f"({_code(node)})")
        if isinstance(value, str):
            yield from map(repr, _other_texts(value))
            yield from map(repr, _other_patterns(value) if _PATTERN.search(value) else ())


def _types(node: Any) -> set[str]:
    return {child.type for child in node.children}


def _none(node: Any) -> Iterator[str]:
    """A None, but where `is` compares with it: there cosmic-ray changes the operator."""
    if node.type == "keyword" and node.value == "None" and node.parent.type != "comparison":
        yield '""'


def _condition(node: Any) -> Iterator[str]:
    """The condition of an if, a conditional expression, a filter, a while or a case."""
    before = _sibling(node, 1)
    match getattr(before, "value", None):
        case "if" | "elif":
            yield from ("True", "False")
        case "while":
            yield "False"
    # To parso a match is an error, of which it keeps the text.
    is_in_match = node.type == "error_leaf" or (node.parent and node.parent.type == "error_node")
    if is_in_match and _code(node) == ":":
        line = node.get_root_node().get_code().splitlines()[node.start_pos[0] - 1]
        yield from [" if False:"] if line.strip().startswith("case ") else []


def _operand(node: Any) -> Iterator[str]:
    if node.type in ("and_test", "or_test"):
        yield from _without_each(node, f" {node.children[1].value} ")


def _without_each(node: Any, separator: str = ", ", *, end: str = "") -> Iterator[str]:
    """Yield the children of *node* without each of those between the separators."""
    word = separator.strip()
    groups = groupby(node.children, lambda child: _code(child) != word)
    parts = [_joined(list(group)) for is_part, group in groups if is_part]
    for at in range(len(parts)):
        yield separator.join(parts[:at] + parts[at + 1 :]) + end


def _statement(node: Any) -> Iterator[str]:
    """A statement that is left out, a result, the handler of an error, a with."""
    kind = node.type
    if kind == "return_stmt" and _code(node) != "return None":
        yield "return None"
    elif kind == "with_stmt":
        yield f"if True:{_code(node.children[-1])}"
    elif kind == "suite" and getattr(_sibling(node, 2), "type", "") == "except_clause":
        yield " raise\n"
    elif node.parent and node.parent.type == "simple_stmt" and _code(node) != "pass":
        is_augmented = kind == "expr_stmt" and _code(node.children[1]) in ("+=", "|=")
        if kind in _STATEMENTS or is_augmented:
            yield "pass"


def _entry(node: Any) -> Iterator[str]:
    """An entry of a display, a keyword argument, a constant argument or the last one."""
    match node.type:
        case "arglist" if node.parent.type == "trailer":
            entries = node.children[::2]
            rest = list(_without_each(node))
            yield from (
                text
                for entry, text in zip(entries, rest, strict=False)
                if (_is_removable(entry) or entry is entries[-1]) and not _is_description(entry)
            )
        case "argument" if node.parent.type == "trailer" and _is_removable(node):
            yield ""
        case "testlist_star_expr" if _sibling(node, 1):
            yield from _without_each(node)
        case "atom" if _code(node.children[0]) == "[" and len(node.children) == 3:
            yield "[]"
        case "dictorsetmaker" | "testlist_comp" if not _types(node) & {"sync_comp_for"}:
            yield from _without_each(node, end="," if _sibling(node, 1).value == "(" else "")


def _is_removable(argument: Any) -> bool:
    is_keyword = argument.type == "argument" and _code(argument.children[1]) == "="
    return is_keyword or argument.type in _CONSTANTS


def _is_description(argument: Any) -> bool:
    return _code(argument).startswith(("description=", "examples="))


def _name(node: Any) -> Iterator[str]:
    """One of a few built-in functions, or a Status."""
    if node.type == "name" and node.value in _NAMES and node.parent.type == "atom_expr":
        yield _NAMES[node.value]
    before = _sibling(node.parent, 1) if node.type == "name" else None
    if before is not None and _code(before) == "Status" and node.value in _STATUSES:
        yield _STATUSES[_STATUSES.index(node.value) - 1]


def _part(node: Any) -> Iterator[str]:
    """The call of a method that changes a text, a bound of a slice."""
    if node.type == "subscript":
        at = [_code(child) for child in node.children].index(":")
        yield from (_joined(node.children[at:]), _joined(node.children[: at + 1]))
    if node.type == "atom_expr":
        for at, (method, call) in enumerate(pairwise(node.children)):
            if _code(method) in _REMOVABLE_CALLS and _code(call).startswith("("):
                yield _joined(node.children[:at] + node.children[at + 2 :])


# The other values of a text: of a condition expression of DynamoDB, of a regular expression.


def _other_texts(text: str) -> Iterator[str]:
    """Yield "" for *text* ("mutant" for ""), and the mutations of a condition expression."""
    yield "" if text else "mutant"
    for old, new in _SWAPS:
        for found in re.finditer(re.escape(old), text):
            yield _replaced(text, found.span(), new)
    for word in (" AND ", " OR "):
        parts = text.split(word)
        shorter = [word.join(parts[:at] + parts[at + 1 :]) for at in range(len(parts))]
        yield from (other for other in shorter if other and other.count("(") == other.count(")"))


def _other_patterns(pattern: str) -> Iterator[str]:
    """Yield *pattern* without each of its parts and class members, and with each bound plus one."""
    found = (
        other for part in _PATTERN_PART.finditer(pattern) for other in _other_parts(pattern, part)
    )
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


PROVIDER = {
    each.__name__.strip("_"): type(each.__name__, (Operator,), {"others": staticmethod(each)})
    for each in (_text, _none, _condition, _operand, _statement, _entry, _name, _part)
}
"""What cosmic-ray calls a provider: operators by name."""
