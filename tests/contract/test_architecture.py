"""Contract of the code's layout: which package imports which, read from the source.

functions → bootstrap → handlers → services → aws, gateway, schemas → domain → errors.
"""

import ast
from collections.abc import Iterator

import pytest

from tests.support.template import ROOT

LAYER = ROOT / "layers/payresult/python/payresult"
MODULES = {
    ".".join(path.relative_to(LAYER).with_suffix("").parts): ast.parse(
        path.read_text(encoding="utf-8")
    )
    for path in LAYER.rglob("*.py")
}
FUNCTIONS = {
    path.parent.name: ast.parse(path.read_text(encoding="utf-8"))
    for path in (ROOT / "functions").glob("*/*.py")
}

MAY_IMPORT = {
    "errors": set[str](),
    "strict_json": {"errors"},
    "domain": {"errors"},
    "schemas": {"domain", "errors", "strict_json"},
    "gateway": {"domain", "errors", "strict_json"},
    "aws": {"domain", "errors"},
    "services": {"aws", "domain", "errors", "gateway", "schemas"},
    "observability": {"domain", "errors"},
    "resources": {"errors"},
    "settings": {"domain", "errors", "resources"},
    "handlers": {"domain", "errors", "observability", "schemas", "services"},
    "bootstrap": {"aws", "gateway", "handlers", "resources", "services", "settings"},
}
"""The direction of all imports, by package; a package may always import itself."""

FOR_ANNOTATIONS = {"errors": {"domain"}}
"""Imports that only the type checker sees, against that direction: PaymentChanged has a Payment."""

AWS = {"boto3", "botocore"}
HTTP = {"urllib3", "http", "socket", "ssl", "requests", "httpx"}
TIME_AND_RANDOM = {"time", "random", "secrets", "os"}
READS_CLOCKS = {
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "uuid.uuid4", "uuid4"),
}


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


def ours(tree: ast.AST, *, typing_too: bool = True) -> set[str]:
    """Return the modules of the layer that *tree* imports."""
    names = imports(tree, typing_too=typing_too)
    dotted = {name.removeprefix("payresult.") for name in names if name.startswith("payresult.")}
    return {each for each in {*dotted, *(n.rpartition(".")[0] for n in dotted)} if each in MODULES}


def reached(tree: ast.AST) -> set[str]:
    """Return the modules of the layer that are loaded once *tree* is."""
    seen: set[str] = set()
    ahead = ours(tree, typing_too=False)
    while ahead:
        seen |= ahead
        ahead = {new for name in ahead for new in ours(MODULES[name], typing_too=False)} - seen
    return seen


def package(module: str) -> str:
    """Return the package, or the flat module, that *module* belongs to."""
    return module.partition(".")[0]


def calls(tree: ast.AST) -> set[str]:
    """Return what *tree* calls, as it is written."""
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def test_the_rules_name_each_package() -> None:
    """A rule about a package that is gone would hold nothing."""
    assert {package(name) for name in MODULES} - {"__init__"} == set(MAY_IMPORT)
    assert set(FUNCTIONS) == {"api", "checks", "publisher", "sweeper"}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_point_one_way(name: str) -> None:
    """From the functions to the domain, never back, and never from one edge to another."""
    own = package(name)
    allowed = MAY_IMPORT.get(own, set()) | {own}
    assert {package(each) for each in ours(MODULES[name], typing_too=False)} <= allowed
    typed = {package(each) for each in ours(MODULES[name])}
    assert typed <= allowed | FOR_ANNOTATIONS.get(own, set())


@pytest.mark.parametrize("name", sorted(MODULES))
def test_no_module_imports_itself_by_way_of_others(name: str) -> None:
    """A module can be read after those that it imports."""
    assert name not in reached(MODULES[name])


def test_boto3_is_used_in_aws_and_bootstrap_only() -> None:
    """Everything else is given a repository, a queue or a publisher."""
    assert {package(n) for n, tree in MODULES.items() if libraries(tree) & AWS} <= {
        "aws",
        "bootstrap",
    }


def test_only_bootstrap_makes_clients() -> None:
    """A class of ``aws`` is given its client."""
    ways = {"client", "resource", "create_client"}
    makers = {n for n, t in MODULES.items() if ways & {c.rpartition(".")[2] for c in calls(t)}}
    assert makers == {"bootstrap"}


def test_http_is_used_in_gateway_only() -> None:
    """And so are sockets and TLS."""
    assert {package(n) for n, tree in MODULES.items() if libraries(tree) & HTTP} == {"gateway"}


def test_the_environment_is_read_by_functions_only() -> None:
    """The layer is given a mapping."""
    attributes = {
        (name, node.attr)
        for name, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
    }
    assert not {name for name, attribute in attributes if attribute in {"environ", "getenv"}}
    assert all("os.environ" in ast.unparse(tree) for tree in FUNCTIONS.values())


def test_clocks_and_random_numbers_are_arguments() -> None:
    """Only ``bootstrap`` hands them in; connections count seconds on the monotonic clock."""
    using = {name for name, tree in MODULES.items() if libraries(tree) & TIME_AND_RANDOM}
    assert {package(name) for name in using} == {"bootstrap", "gateway"}
    assert not {name for name, tree in MODULES.items() if calls(tree) & READS_CLOCKS}


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_uses_one_name_of_the_layer(name: str) -> None:
    """A deployment replaces code and layers one after the other: for a while one of them is old.

    The names are those of every release. One that was released may never go, and a handler may
    use a new one only in the release after the one that brings it.
    """
    found = {ast.unparse(node) for node in FUNCTIONS[name].body[1:]}
    assert found == {
        "import os",
        f"from payresult.bootstrap import {name}_handler",
        f"handler = {name}_handler(os.environ)",
    }
    made = {node.name for node in MODULES["bootstrap"].body if isinstance(node, ast.FunctionDef)}
    assert f"{name}_handler" in made


@pytest.mark.parametrize("name", ["api", "checks"])
def test_a_function_that_asks_the_gateway_cannot_send_events(name: str) -> None:
    """Only publisher and sweeper may; the others do not even import what sends them."""
    loaded = reached(MODULES[f"handlers.{name}"])
    assert loaded
    assert not loaded & {"aws.eventbridge", "services.outbox", "bootstrap"}


def test_the_layer_is_one_package_of_six() -> None:
    """No second one at its side, nothing deeper, no utils."""
    folders = {str(p.relative_to(LAYER)) for p in LAYER.rglob("*") if p.is_dir()}
    wanted = {"domain", "schemas", "gateway", "aws", "services", "handlers"}
    assert {each for each in folders if not each.endswith("__pycache__")} == wanted
    assert {p.name for p in LAYER.parent.iterdir()} <= {"payresult", "__pycache__"}
    assert not {"utils", "common", "helpers", "base"} & {n.rpartition(".")[2] for n in MODULES}


def test_a_function_is_one_file() -> None:
    """Each folder is the root of a Lambda function."""
    files = set((ROOT / "functions").rglob("*.py"))
    assert files == {ROOT / "functions" / name / "app.py" for name in FUNCTIONS}
