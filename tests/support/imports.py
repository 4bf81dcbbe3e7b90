"""Support: what Python source imports."""

import ast
from collections.abc import Iterator


def imports(tree: ast.AST, *, typing_too: bool = True) -> set[str]:
    """Return what *tree* imports, dotted; *typing_too* adds what only the type checker sees."""
    found: set[str] = set()
    for node in _run(tree, typing_too=typing_too):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _run(node: ast.AST, *, typing_too: bool) -> Iterator[ast.AST]:
    """Yield *node* and all statements inside it."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not typing_too:
        return
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.expr):  # no expression imports anything
            yield from _run(child, typing_too=typing_too)


def libraries(tree: ast.AST) -> set[str]:
    """Return the top-level packages that *tree* imports."""
    return {name.partition(".")[0] for name in imports(tree)}
