"""Generates the mutants of a module: its code with one change each."""

import ast
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from types import CodeType
from typing import Any

from tests.mutation.operators import replacements

_SKIPPED = {"annotation", "returns", "decorator_list", "type_params", "ctx"}
"""Fields that have no effect at run time (the only decorator in use is that of a dataclass)."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one change: the original *line*, the *mutation*, and the compiled code.

    *function* is the name of a definition at the top level or in a class, also of a constant.
    """

    module: str
    function: str
    line: str
    mutation: str
    code: CodeType


@dataclass(frozen=True, slots=True)
class _Location:
    """The location of a node: a field of its parent, with an index if the field is a list."""

    parent: ast.AST
    field: str
    index: int | None
    node: ast.AST

    def replace(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def mutants(module: str, source: str, path: str) -> Iterator[Mutant]:
    """Yield each mutant of *module*, which has *source* and is at *path*."""
    tree, lines = ast.parse(source), source.splitlines()
    for name, top in _definitions(tree.body):
        before = ast.unparse(top)
        for location in _locations(top):
            for other in replacements(location.node):
                location.replace(ast.copy_location(other, location.node))
                ast.fix_missing_locations(top)
                code = compile(tree, path, "exec")
                line = lines[_line_of(location) - 1].strip()
                yield Mutant(module, name, line, _difference(before, ast.unparse(top)), code)
            location.replace(location.node)


def unchanged(module: str, source: str, path: str) -> Mutant:
    """Return the control, which must survive: the module without a change."""
    return Mutant(module, "", "", "", compile(source, path, "exec"))


def fingerprint(source: str) -> str:
    """Return a hash of the code, independent of comments, docstrings and the version of Python."""
    return hashlib.sha256(repr(_structure(ast.parse(source).body)).encode()).hexdigest()


def _structure(value: Any) -> Any:
    if isinstance(value, list):
        return [_structure(each) for each in value if not _is_docstring(each)]
    if not isinstance(value, ast.AST):
        return repr(value)
    fields = ((name, inner) for name, inner in ast.iter_fields(value) if inner not in (None, []))
    return type(value).__name__, [(name, _structure(inner)) for name, inner in fields]


def _definitions(body: Sequence[ast.stmt], within: str = "") -> Iterator[tuple[str, ast.stmt]]:
    """Yield the definitions at the top level by name, and those in classes as ``Class.name``."""
    for node in body:
        match node:
            case ast.ClassDef():
                yield from _definitions(node.body, f"{within}{node.name}.")
            case ast.FunctionDef():
                yield within + node.name, node
            case ast.Assign(targets=[target]) | ast.AnnAssign(target=target):
                yield within + ast.unparse(target), node


def _locations(parent: ast.AST, *, raised: bool = False) -> Iterator[_Location]:
    """Yield each location inside *parent* that has an effect at run time."""
    raised = raised or isinstance(parent, ast.Raise)
    for field, value in ast.iter_fields(parent):
        if field in _SKIPPED:
            continue
        for index, node in enumerate(value) if isinstance(value, list) else ((None, value),):
            if isinstance(node, ast.AST) and not _has_no_effect(parent, node, raised=raised):
                yield _Location(parent, field, index, node)
                yield from _locations(node, raised=raised)


def _has_no_effect(parent: ast.AST, node: ast.AST, *, raised: bool) -> bool:
    """Say whether *node* is an error text, a docstring, or for the type checker only."""
    if raised and (isinstance(node, ast.JoinedStr) or ast.unparse(node)[0] in "'\""):
        return True
    if isinstance(parent, ast.Compare) and isinstance(node, ast.Constant) and node.value is None:
        return True  # the operator of `is None` is mutated instead
    is_index = isinstance(parent, ast.Subscript) and isinstance(node, ast.Tuple)
    return _is_docstring(node) or is_index


def _is_docstring(node: Any) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _line_of(location: _Location) -> int:
    for node in (location.node, *ast.walk(location.node), location.parent):
        if hasattr(node, "lineno"):
            return int(node.lineno)
    raise ValueError(location)


def _difference(before: str, after: str) -> str:
    """Return the changed words of the code as "before -> after"."""
    old, new = before.split(), after.split()
    found = [
        (" ".join(old[a:b]), " ".join(new[c:d]))
        for what, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if what != "equal"
    ]
    return "; ".join(f"{was or 'nothing'} -> {now or 'nothing'}" for was, now in found)
