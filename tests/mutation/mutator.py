"""The mutants of a module: its code with one thing wrong in it, one after the other."""

import ast
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from types import CodeType
from typing import Any

from tests.mutation.operators import changes

_UNRUN = {"annotation", "returns", "decorator_list", "type_params", "ctx"}
"""Fields that say nothing of what is done (a decorator of ours: that a class is a dataclass)."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one thing wrong: *line* of *function* as it was written, and what became of it.

    *function* is what stands at the top level, or in a class there: also a constant has a name.
    """

    module: str
    function: str
    line: str
    mutation: str
    code: CodeType


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a node stands: in a field of its parent, at an index where that is a list."""

    parent: ast.AST
    field: str
    index: int | None
    node: ast.AST

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def mutants(module: str, source: str, path: str) -> Iterator[Mutant]:
    """Yield each mutant of *module*, which has *source* and lies at *path*."""
    tree, lines = ast.parse(source), source.splitlines()
    for name, top in _named(tree.body):
        before = ast.unparse(top)
        for place in _places(top):
            for other in changes(place.node):
                place.put(ast.copy_location(other, place.node))
                ast.fix_missing_locations(top)
                code = compile(tree, path, "exec")
                line = lines[_line_of(place) - 1].strip()
                yield Mutant(module, name, line, _difference(before, ast.unparse(top)), code)
            place.put(place.node)


def unchanged(module: str, source: str, path: str) -> Mutant:
    """Return what must not be killed: the module as it is."""
    return Mutant(module, "", "", "", compile(source, path, "exec"))


def fingerprint(source: str) -> str:
    """Return what changes with the code, and not with comments, docstrings or the Python."""
    return hashlib.sha256(repr(_shape(ast.parse(source).body)).encode()).hexdigest()


def _shape(value: Any) -> Any:
    if isinstance(value, list):
        return [_shape(each) for each in value if not _is_text(each)]
    if not isinstance(value, ast.AST):
        return repr(value)
    fields = ((name, inner) for name, inner in ast.iter_fields(value) if inner not in (None, []))
    return type(value).__name__, [(name, _shape(inner)) for name, inner in fields]


def _named(body: Sequence[ast.stmt], within: str = "") -> Iterator[tuple[str, ast.stmt]]:
    """Yield what stands at the top level by name, and what stands in classes as ``Class.name``."""
    for node in body:
        match node:
            case ast.ClassDef():
                yield from _named(node.body, f"{within}{node.name}.")
            case ast.FunctionDef():
                yield within + node.name, node
            case ast.Assign(targets=[target]) | ast.AnnAssign(target=target):
                yield within + ast.unparse(target), node


def _places(parent: ast.AST, *, raised: bool = False) -> Iterator[_Place]:
    """Yield each place inside *parent* where something that runs may be wrong."""
    raised = raised or isinstance(parent, ast.Raise)
    for field, value in ast.iter_fields(parent):
        if field in _UNRUN:
            continue
        for index, node in enumerate(value) if isinstance(value, list) else ((None, value),):
            if isinstance(node, ast.AST) and not _is_said(parent, node, raised=raised):
                yield _Place(parent, field, index, node)
                yield from _places(node, raised=raised)


def _is_said(parent: ast.AST, node: ast.AST, *, raised: bool) -> bool:
    """Say whether *node* only speaks to people or to the type checker."""
    if raised and (isinstance(node, ast.JoinedStr) or ast.unparse(node)[0] in "'\""):
        return True
    if isinstance(parent, ast.Compare) and isinstance(node, ast.Constant) and node.value is None:
        return True  # `is None` has its opposite already
    return _is_text(node) or (isinstance(parent, ast.Subscript) and isinstance(node, ast.Tuple))


def _is_text(node: Any) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _line_of(place: _Place) -> int:
    for node in (place.node, *ast.walk(place.node), place.parent):
        if hasattr(node, "lineno"):
            return int(node.lineno)
    raise ValueError(place)


def _difference(before: str, after: str) -> str:
    """Say in words of the code what was written, and what is written now."""
    old, new = before.split(), after.split()
    found = [
        (" ".join(old[a:b]), " ".join(new[c:d]))
        for what, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if what != "equal"
    ]
    return "; ".join(f"{was or 'nothing'} -> {now or 'nothing'}" for was, now in found)
