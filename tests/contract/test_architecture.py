"""Which way the arrows point: imports, clocks, chance and the environment, read from the source."""

import ast

import pytest

from tests.contract.template import ROOT

LAYER = ROOT / "layers/payresult/python/payresult"
MODULES = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in LAYER.glob("*.py")}
FUNCTIONS = {
    path.parent.name: ast.parse(path.read_text(encoding="utf-8"))
    for path in (ROOT / "functions").glob("*/*.py")
}

AWS = {"boto3", "botocore"}
HTTP = {"urllib3", "http", "socket", "ssl", "requests", "httpx"}
EDGES = {"store", "queue", "publisher", "gateway"}
SPEAKS_HTTP = {"gateway", "deadline", "dialing"}
PURE = {
    *("models", "errors", "signing", "fields", "schedule", "decide", "events"),
    *("registering", "replies", "strictjson", "writes", "expressions", "items", "view", "problems"),
}
CHANCE_AND_CLOCKS = {
    *("time.time", "time.time_ns", "time.monotonic", "time.sleep", "datetime.now"),
    *("datetime.utcnow", "datetime.today", "date.today", "uuid.uuid4", "uuid4", "os.urandom"),
}


def imports(tree: ast.AST, *, typing_too: bool = False) -> set[str]:
    """Return what *tree* imports, dotted; without what only the type checker sees."""
    found: set[str] = set()
    for node in _run(tree, typing_too=typing_too):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _run(node: ast.AST, *, typing_too: bool) -> list[ast.AST]:
    """Return *node* and all inside it that runs."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not typing_too:
        return []
    inner = [_run(child, typing_too=typing_too) for child in ast.iter_child_nodes(node)]
    return [node, *(each for nodes in inner for each in nodes)]


def packages(tree: ast.AST) -> set[str]:
    """Return the top-level packages that *tree* imports."""
    return {name.partition(".")[0] for name in imports(tree)}


def ours(tree: ast.AST, *, typing_too: bool = True) -> set[str]:
    """Return the modules of the layer that *tree* imports."""
    parts = [name.split(".") for name in imports(tree, typing_too=typing_too)]
    return {names[1] for names in parts if names[0] == "payresult"} & set(MODULES)


def calls(tree: ast.AST) -> set[str]:
    """Return what *tree* calls, as it is written."""
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def test_every_module_is_known_to_these_rules() -> None:
    """A list that names what is gone holds nothing."""
    assert set(MODULES) >= PURE | EDGES | SPEAKS_HTTP
    assert set(FUNCTIONS) == {"api", "checks", "publisher", "sweeper"}


def test_only_edges_and_wiring_know_aws() -> None:
    """Everything else is told by them."""
    knowing = {name for name, tree in MODULES.items() if packages(tree) & AWS}
    assert knowing == {"store", "publisher", "wiring"}


def test_only_the_wiring_makes_clients() -> None:
    """An edge is given its client."""
    ways = {"client", "resource", "create_client"}
    makers = {
        name
        for name, tree in MODULES.items()
        if ways & {call.rpartition(".")[2] for call in calls(tree)}
    }
    assert makers == {"wiring"}


def test_only_the_gateway_speaks_http() -> None:
    """With its two helpers."""
    assert {name for name, tree in MODULES.items() if packages(tree) & HTTP} == SPEAKS_HTTP


@pytest.mark.parametrize("name", sorted(PURE))
def test_a_pure_module_imports_pure_modules(name: str) -> None:
    """So that deciding can be tested, and read, without anything else."""
    allowed = PURE | ({"service"} if name == "problems" else set())  # for NotRegistered
    assert ours(MODULES[name]) <= allowed


@pytest.mark.parametrize("name", sorted(EDGES))
def test_an_edge_does_not_know_the_story(name: str) -> None:
    """Arrows point from the story to the edges."""
    story = {"service", "checker", "following", "sweeping", "outbox", "wiring", "settings"}
    assert not ours(MODULES[name]) & story


def test_only_the_wiring_joins_the_edges() -> None:
    """The story is given the gateway, and knows its type at most."""
    joining = {n for n, tree in MODULES.items() if "gateway" in ours(tree, typing_too=False)}
    assert joining == {"wiring"}
    assert not {name for name, tree in MODULES.items() if "wiring" in ours(tree)}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_no_cycle_of_imports_begins_at(name: str) -> None:
    """A module can be read after those that it imports."""
    seen: set[str] = set()
    ahead = ours(MODULES[name], typing_too=False)
    while ahead:
        seen |= ahead
        ahead = {new for one in ahead for new in ours(MODULES[one], typing_too=False)} - seen
    assert name not in seen


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


def test_clocks_and_chance_are_arguments() -> None:
    """Nobody asks for the time or throws dice by himself; the wiring hands both on."""
    rules = {name: tree for name, tree in MODULES.items() if name not in SPEAKS_HTTP}
    assert not {name for name, tree in rules.items() if calls(tree) & CHANCE_AND_CLOCKS}
    knowing = {name for name, tree in rules.items() if packages(tree) & {"time", "random"}}
    assert knowing == {"wiring"}


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_is_thin(name: str) -> None:
    """It knows the layer and powertools, and no other function."""
    standard = {"json", "os", "base64", "collections", "typing"}
    assert packages(FUNCTIONS[name]) <= standard | {"payresult", "aws_lambda_powertools"}


@pytest.mark.parametrize("name", ["api", "checks"])
def test_who_talks_to_the_gateway_cannot_send_events(name: str) -> None:
    """Only publisher and sweeper may; the others do not even import it."""
    reached: set[str] = set()
    ahead = ours(FUNCTIONS[name]) - {"wiring"}
    while ahead:
        reached |= ahead
        ahead = {new for one in ahead for new in ours(MODULES[one])} - reached
    assert not reached & {"publisher", "outbox", "wiring"}


def test_the_layer_is_one_package() -> None:
    """No second one, no package inside it, no utils."""
    folders = {path.name for path in LAYER.parent.rglob("*") if path.is_dir()}
    assert folders <= {"payresult", "__pycache__"}
    assert not {"utils", "common", "helpers", "base"} & set(MODULES)


def test_every_file_of_a_function_is_one_app() -> None:
    """Each folder is the root of a Lambda function."""
    files = set((ROOT / "functions").rglob("*.py"))
    assert files == {ROOT / "functions" / name / "app.py" for name in FUNCTIONS}
