"""That template.yaml names code, layers, logs and outputs that are there."""

import ast

import pytest

from tests.contract.template import FUNCTIONS, RESOURCES, ROOT, TEMPLATE, of_type, properties

TEXT = (ROOT / "template.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_handler_of_each_function_exists(name: str) -> None:
    """app.handler in the folder that CodeUri names, with an event and a context."""
    code = ROOT / properties(f"{name}Function")["CodeUri"] / "app.py"
    assert TEMPLATE["Globals"]["Function"]["Handler"] == "app.handler"
    tree = ast.parse(code.read_text(encoding="utf-8"))
    (handler,) = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "handler"
    ]
    assert len(handler.args.args) == 2


def test_the_layers_land_where_python_looks() -> None:
    """SAM adds python/ itself wherever there is a BuildMethod, so ContentUri must not hold it."""
    pairs = {
        name: (it["Properties"]["ContentUri"], it["Metadata"]["BuildMethod"])
        for name, it in RESOURCES.items()
        if it["Type"] == "AWS::Serverless::LayerVersion"
    }
    assert pairs == {
        "PayresultLayer": ("layers/payresult/python", "python3.13"),
        "DependenciesLayer": ("layers/dependencies", "python3.13"),
    }
    assert (ROOT / "layers/payresult/python/payresult/__init__.py").is_file()
    assert (ROOT / "layers/dependencies/requirements.txt").is_file()


def test_functions_and_layers_agree_on_runtime_and_processor() -> None:
    """A layer built for another one fails at its first import of compiled code."""
    functions = TEMPLATE["Globals"]["Function"]
    assert functions["Runtime"] == "python3.13"
    assert functions["Architectures"] == [{"Ref": "Architecture"}]
    assert functions["Layers"] == [{"Ref": "PayresultLayer"}, {"Ref": "DependenciesLayer"}]
    for name, layer in of_type("AWS::Serverless::LayerVersion").items():
        assert layer["CompatibleRuntimes"] == ["python3.13"]
        assert layer["CompatibleArchitectures"] == [{"Ref": "Architecture"}]
        assert RESOURCES[name]["Metadata"]["BuildArchitecture"] == {"Ref": "Architecture"}
    assert TEMPLATE["Parameters"]["Architecture"]["AllowedValues"] == ["arm64", "x86_64"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_logs_to_a_group_of_its_own(name: str) -> None:
    """A group that Lambda made by itself would keep its lines for ever."""
    assert properties(f"{name}Function")["LoggingConfig"] == {"LogGroup": {"Ref": f"{name}Logs"}}


def test_every_log_group_forgets() -> None:
    """After as many days as the parameter says."""
    groups = of_type("AWS::Logs::LogGroup")
    assert set(groups) == {*(f"{name}Logs" for name in FUNCTIONS), "AccessLogs"}
    for group in groups.values():
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}
        assert "${AWS::StackName}" in group["LogGroupName"]["Fn::Sub"]


def test_the_outputs_are_what_a_user_needs() -> None:
    """Each is described; the audit queue is there only with its parameter."""
    outputs = TEMPLATE["Outputs"]
    assert set(outputs) == {
        *("ApiUrl", "ApiId", "ChecksQueueUrl", "ChecksQueueArn", "DeadLetterQueueUrl"),
        *("TableName", "EventBusName", "EventBusArn", "AuditQueueUrl", "DashboardName"),
        *(f"{name}FunctionName" for name in FUNCTIONS),
    }
    assert all(output["Description"] for output in outputs.values())
    conditional = {name: it["Condition"] for name, it in outputs.items() if "Condition" in it}
    assert conditional == {"AuditQueueUrl": "HasAuditQueue"}


def test_the_template_fits_into_a_request_to_cloudformation() -> None:
    """51,200 bytes (AWS, CloudFormation quotas), less what the addresses of uploaded code add."""
    assert len(TEXT.encode()) <= 51_200 - 1_000


def test_the_template_is_written_in_the_yaml_that_cloudformation_reads() -> None:
    """It knows no anchors and no aliases."""
    marks = [
        token
        for line in TEXT.splitlines()
        for token in line.split("#")[0].split()
        if token[0] in "&*" and token[1:].isalnum()
    ]
    assert marks == []
