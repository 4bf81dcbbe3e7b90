"""Contract of the sandbox, a product feature: it imports no test, and no code of payresult."""

import ast
from pathlib import Path

import pytest

import sandbox

FOLDER = Path(sandbox.__file__).parent
FORBIDDEN = {"tests", "payresult", "payresult_cli", "functions", "conftest"}


@pytest.mark.parametrize(
    "path", sorted(FOLDER.rglob("*.py")), ids=lambda path: str(path.relative_to(FOLDER))
)
def test_a_module_imports_no_tests_and_no_product_code(path: Path) -> None:
    """Its gateway and its client check payresult from outside."""
    imported: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module))
    assert not {name.partition(".")[0] for name in imported} & FORBIDDEN
