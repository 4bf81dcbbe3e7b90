"""What Python source imports."""

import ast


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


def _run(node: ast.AST, *, typing_too: bool) -> list[ast.AST]:
    """Return *node* and all nodes inside it."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not typing_too:
        return []
    inner = [_run(child, typing_too=typing_too) for child in ast.iter_child_nodes(node)]
    return [node, *(each for nodes in inner for each in nodes)]


def libraries(tree: ast.AST) -> set[str]:
    """Return the top-level packages that *tree* imports."""
    return {name.partition(".")[0] for name in imports(tree)}
