"""Contract of template.yaml, layout: code, layers, logs and outputs exist and fit together."""

import pytest

from tests.support.template import FUNCTIONS, RESOURCES, ROOT, TEMPLATE, of_type, properties

TEXT = (ROOT / "template.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_handler_of_each_function_exists(name: str) -> None:
    """Its name is read by ``test_architecture``."""
    assert TEMPLATE["Globals"]["Function"]["Handler"] == "app.handler"
    assert (ROOT / properties(f"{name}Function")["CodeUri"]) == ROOT / "functions" / name.lower()


def test_the_layers_land_where_python_looks() -> None:
    """The build adds python/ itself, so ContentUri must not contain it."""
    layers = of_type("AWS::Serverless::LayerVersion")
    assert {name: layer["ContentUri"] for name, layer in layers.items()} == {
        "PayresultLayer": "layers/payresult/python",
        "DependenciesLayer": "layers/dependencies",
    }
    assert (ROOT / "layers/payresult/python/payresult/__init__.py").is_file()
    assert (ROOT / "layers/dependencies/requirements.txt").is_file()


def test_all_that_ships_is_made_by_one_recipe() -> None:
    """It compiles functions and layers to byte-code, which plain `sam build` does not."""
    made = {name: it["Metadata"] for name, it in RESOURCES.items() if "Metadata" in it}
    assert made.keys() >= of_type("AWS::Serverless::LayerVersion").keys()
    assert made.keys() >= of_type("AWS::Serverless::Function").keys()
    for metadata in made.values():
        assert metadata == {"BuildMethod": "makefile", "ContextPath": "layers"}


def test_functions_and_layers_agree_on_runtime_and_processor() -> None:
    """Each layer contains compiled code for both processors, so the functions may use either."""
    functions = TEMPLATE["Globals"]["Function"]
    assert functions["Runtime"] == "python3.13"
    assert functions["Architectures"] == [{"Ref": "Architecture"}]
    assert functions["Layers"] == [{"Ref": "PayresultLayer"}, {"Ref": "DependenciesLayer"}]
    processors = TEMPLATE["Parameters"]["Architecture"]["AllowedValues"]
    assert processors == ["arm64", "x86_64"]
    for layer in of_type("AWS::Serverless::LayerVersion").values():
        assert layer["CompatibleRuntimes"] == ["python3.13"]
        assert layer["CompatibleArchitectures"] == processors


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_logs_to_a_group_of_its_own(name: str) -> None:
    """A group that Lambda creates itself keeps its lines forever."""
    assert properties(f"{name}Function")["LoggingConfig"] == {"LogGroup": {"Ref": f"{name}Logs"}}


def test_every_log_group_forgets() -> None:
    """After the number of days in the parameter."""
    groups = of_type("AWS::Logs::LogGroup")
    assert set(groups) == {*(f"{name}Logs" for name in FUNCTIONS), "AccessLogs"}
    for group in groups.values():
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}
        assert "${AWS::StackName}" in group["LogGroupName"]["Fn::Sub"]


def test_the_outputs_are_what_a_user_needs() -> None:
    """Each has a description; the audit queue exists only with its parameter."""
    outputs = TEMPLATE["Outputs"]
    assert set(outputs) == {
        *("ApiUrl", "ApiId", "ChecksQueueUrl", "ChecksQueueArn", "DeadLetterQueueUrl"),
        *(
            "TableName",
            "SchemaVersion",
            "EventBusName",
            "EventBusArn",
            "AuditQueueUrl",
            "DashboardName",
        ),
        *(f"{name}FunctionName" for name in FUNCTIONS),
    }
    assert all(output["Description"] for output in outputs.values())
    conditional = {name: it["Condition"] for name, it in outputs.items() if "Condition" in it}
    assert conditional == {"AuditQueueUrl": "HasAuditQueue"}


def test_the_template_is_small_enough_for_cloudformation() -> None:
    """1 MB from S3, to which `sam deploy` uploads it (AWS, CloudFormation quotas; samconfig.toml).

    A tenth of it leaves room for what the transformation of SAM adds.
    """
    assert "resolve_s3 = true" in (ROOT / "samconfig.toml").read_text(encoding="utf-8")
    assert len(TEXT.encode()) <= 100_000


def test_the_template_is_written_in_the_yaml_that_cloudformation_reads() -> None:
    """CloudFormation supports no anchors and no aliases."""
    marks = [
        token
        for line in TEXT.splitlines()
        for token in line.split("#")[0].split()
        if token[0] in "&*" and token[1:].isalnum()
    ]
    assert marks == []
