"""The mutation operators: for a node of the syntax tree, the nodes that can replace it."""

import ast
import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.mutation.texts import other_patterns, other_texts

Nodes = Iterator[ast.AST]

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
}
_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
_STATUSES = ("PENDING", "UNRESOLVED", "FAILED", "REVIEW", "SUCCEEDED")
_REMOVABLE_CALLS = {"lower", "strip", "replace", "removeprefix", "fullmatch"}
"""Methods whose call can be replaced with its receiver."""


def replacements(node: ast.AST) -> Nodes:
    """Yield the nodes that can replace *node*, each with one change."""
    yield from _OPERATORS.get(type(node), _none)(node)


def _none(_: Any) -> Nodes:
    yield from ()


def _with(node: ast.AST, **fields: Any) -> ast.AST:
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def _one_removed(node: ast.AST, *fields: str) -> Nodes:
    """Yield *node* without each of the entries of *fields*, which are lists of the same length."""
    for at in range(len(getattr(node, fields[0]))):
        shorter = {name: [*getattr(node, name)] for name in fields}
        for entries in shorter.values():
            del entries[at]
        yield _with(node, **shorter)


def _compare(node: ast.Compare) -> Nodes:
    for at, operator in enumerate(node.ops):
        for other in _COMPARISONS[type(operator)]:
            yield _with(node, ops=[*node.ops[:at], other(), *node.ops[at + 1 :]])


def _arithmetic(node: ast.BinOp) -> Nodes:
    if other := _ARITHMETIC.get(type(node.op)):
        yield _with(node, op=other())


def _boolean(node: ast.BoolOp) -> Nodes:
    yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    for at in range(len(node.values)):
        rest = [*node.values[:at], *node.values[at + 1 :]]
        yield _with(node, values=rest) if len(rest) > 1 else rest[0]


def _unary(node: ast.UnaryOp) -> Nodes:
    yield node.operand


def _constant(node: ast.Constant) -> Nodes:
    match node.value:
        case bool():
            others: Sequence[Any] = (not node.value,)
        case int() | float():
            others = (node.value + 1, node.value - 1)
        case str():
            others = tuple(other_texts(node.value))
        case _:
            others = ("",) if node.value is None else ()
    yield from (_with(node, value=value) for value in others)


def _branch(node: ast.If | ast.IfExp | ast.While) -> Nodes:
    for value in (True, False) if not isinstance(node, ast.While) else (False,):
        yield _with(node, test=ast.Constant(value))


def _return(node: ast.Return) -> Nodes:
    if node.value is None:
        yield ast.Pass()
    elif not isinstance(node.value, ast.Constant):
        yield _with(node, value=ast.Constant(None))


def _statement(_: ast.stmt) -> Nodes:
    yield ast.Pass()


def _call(node: ast.Call) -> Nodes:
    yield from _one_removed(node, "keywords")
    for at, value in enumerate(node.args):
        # a call without its only argument would always fail
        if len(node.args) > 1 and (isinstance(value, ast.Constant) or value is node.args[-1]):
            yield _with(node, args=[*node.args[:at], *node.args[at + 1 :]])
    yield from _called(node)


def _called(node: ast.Call) -> Nodes:
    match node:
        case ast.Call(func=ast.Name(id=name)) if name in _NAMES:
            yield _with(node, func=ast.Name(_NAMES[name], ast.Load()))
        case ast.Call(func=ast.Attribute(ast.Name("re")), args=[ast.Constant(str(pattern)), *rest]):
            for other in other_patterns(pattern):
                yield _with(node, args=[ast.Constant(other), *rest])
        case ast.Call(func=ast.Attribute(receiver, name)) if name in _REMOVABLE_CALLS:
            yield receiver


def _attribute(node: ast.Attribute) -> Nodes:
    match node.value:
        case ast.Name("Status") if node.attr in _STATUSES:
            yield _with(node, attr=_STATUSES[_STATUSES.index(node.attr) - 1])


def _slice(node: ast.Slice) -> Nodes:
    if node.lower:
        yield _with(node, lower=None)
    if node.upper:
        yield _with(node, upper=None)


def _display(node: ast.Set | ast.List | ast.Tuple) -> Nodes:
    if isinstance(node, ast.Set) or isinstance(node.ctx, ast.Load):
        yield from _one_removed(node, "elts")


def _handler(node: ast.ExceptHandler) -> Nodes:
    if ast.unparse(node.body[0]) != "raise":
        yield _with(node, body=[ast.Raise()])


_OPERATORS: dict[type[ast.AST], Callable[[Any], Nodes]] = {
    ast.Compare: _compare,
    ast.BinOp: _arithmetic,
    ast.BoolOp: _boolean,
    ast.UnaryOp: _unary,
    ast.Constant: _constant,
    **dict.fromkeys((ast.If, ast.IfExp, ast.While), _branch),
    ast.Return: _return,
    **dict.fromkeys((ast.Expr, ast.Raise, ast.AugAssign, ast.Continue, ast.Break), _statement),
    ast.Call: _call,
    ast.Attribute: _attribute,
    ast.Slice: _slice,
    ast.Dict: lambda node: _one_removed(node, "keys", "values"),
    **dict.fromkeys((ast.Set, ast.List, ast.Tuple), _display),
    ast.comprehension: lambda node: _one_removed(node, "ifs"),
    ast.Match: lambda node: _one_removed(node, "cases"),
    ast.ExceptHandler: _handler,
    ast.With: lambda node: iter([ast.If(ast.Constant(1), node.body, [])]),
}
