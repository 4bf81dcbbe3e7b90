"""The mutants of a module: made by cosmic-ray from its operators and ours, compiled in memory."""

import ast
import re
import tomllib
from collections.abc import Iterator
from difflib import ndiff
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

from cosmic_ray import plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

from tests.mutation.operators import PROVIDER

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers" / "payresult" / "python" / "payresult"
CONFIG: dict[str, Any] = tomllib.loads(Path(__file__).with_name("mutation.toml").read_text("utf-8"))
_OPERATORS = re.compile(
    "|".join((*(f"core/{each}" for each in CONFIG["operators"]), "payresult/.*"))
)
_Place = tuple[int, int]
_Span = tuple[_Place, _Place]
_NOT_RUN = {"annotation", "returns", "decorator_list"}
_TEXTS = {"description", "examples", "text", "Literal", "TypeVar", "WithJsonSchema"}

plugins.OPERATOR_PROVIDERS["payresult"] = PROVIDER  # an entry point would need an installed package


class Mutant(NamedTuple):
    """A module with one change in a *definition*, and the lines before and after it."""

    module: str
    definition: str
    was: str
    now: str
    code: CodeType


def path(module: str) -> Path:
    """Return the file of *module*."""
    return LAYER / f"{module.replace('.', '/')}.py"


def unchanged(module: str) -> Mutant:
    """Return the control, which must survive: *module* without a change."""
    file = path(module)
    return Mutant(module, "", "", "", compile(file.read_text("utf-8"), str(file), "exec"))


def mutants(module: str, source: str) -> Iterator[Mutant]:
    """Yield each mutant of *module* that is valid Python and differs from the others."""
    tree, seen = ast.parse(source), {_dump(source)}
    skipped = [_span(node, source) for node in _without_effect(tree)]
    definitions = {name: _span(node, source) for node in tree.body if (name := _name(node))}
    for start, end, operator, number in _changes(source):
        names = [name for name, span in definitions.items() if _within((start, end), span)]
        if not names or any(_within((start, end), span) for span in skipped):
            continue
        text = mutate_code(source, plugins.get_operator(operator)(), number)
        # "*" in parameters is no operator, and "/" in its place changes no call.
        if (dump := _dump(text)) and dump not in seen and "posonlyargs=[arg" not in dump:
            seen.add(dump)
            lines = list(ndiff(source.splitlines(), text.splitlines()))
            was, now = (" ".join(x[2:].strip() for x in lines if x[0] == sign) for sign in "-+")
            yield Mutant(module, names[0], was, now, compile(text, str(path(module)), "exec"))


def _changes(source: str) -> list[tuple[_Place, _Place, str, int]]:
    """Return start, end, operator and number of each change to *source*, in its order."""
    nodes = list(ast_nodes(get_ast(source)))
    wanted = [name for name in plugins.operator_names() if _OPERATORS.fullmatch(name)]
    found = []
    for name in wanted:
        operator = plugins.get_operator(name)()
        places = [place for node in nodes for place in operator.mutation_positions(node)]
        found += [(*place, name, number) for number, place in enumerate(places)]
    return sorted(found, key=lambda each: (each[0], *each[2:]))


def _dump(source: str) -> str:
    """Return what Python reads in *source*: "" if it is not valid."""
    try:
        return ast.dump(ast.parse(source))
    except SyntaxError:
        return ""


def _name(node: ast.stmt) -> str:
    """Return the name of a function, class or constant, or ""."""
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.Assign(targets=[target]) | ast.AnnAssign(target=target):
            return ast.unparse(target)
    return ""


def _without_effect(node: ast.AST, *, raised: bool = False) -> Iterator[ast.AST]:
    """Yield what is never run, or only a text for people or for the type checker."""
    yield from [node] if _is_text(node, raised=raised) else []
    for field, value in ast.iter_fields(node):
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, ast.AST):
                # pydantic calls what is called in an annotation
                calls = field != "decorator_list" and ast.Call in map(type, ast.walk(each))
                yield from [each] if field in _NOT_RUN and not calls else []
                yield from _without_effect(each, raised=raised or isinstance(node, ast.Raise))


def _is_text(node: ast.AST, *, raised: bool) -> bool:
    match node:
        case ast.keyword(arg=name) | ast.Call(func=ast.Name(name)) | ast.Subscript(ast.Name(name)):
            return name in _TEXTS
        case ast.JoinedStr() | ast.Constant(value=str()):
            return raised
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _span(node: Any, source: str) -> _Span:
    """Return where *node* starts and ends; ast counts bytes, and cosmic-ray characters."""
    lines = source.splitlines()
    places = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
    start, end = ((row, len(lines[row - 1].encode()[:column].decode())) for row, column in places)
    return start, end


def _within(place: _Span, span: _Span) -> bool:
    return span[0] <= place[0] and place[1] <= span[1]
