"""Contract: the stock SAM CLI makes and changes the stack, also around a restored table.

On the emulator instead of AWS. The emulator adds neither TTL nor point-in-time recovery to a table
that exists; CloudFormation does (AWS, AWS::DynamoDB::Table: no interruption).
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.credentials import REGION, root_credentials
from sandbox.emulator import Emulator
from sandbox.waiting import wait_for
from tests.support.template import ROOT, load, properties

SAM = [str(ROOT / ".venv-sam" / "bin" / "python"), "-m", "samcli"]
DEPLOY = [*SAM, "deploy", "--template-file", "template.yaml", "--no-confirm-changeset"]
GIVEN = ("PartnerCode=P000818", "Emulated=true")

IMPORTED = ROOT / "docs/restored-table.yaml"
NOT_RESTORED = {
    "StreamSpecification",
    "TimeToLiveSpecification",
    "PointInTimeRecoverySpecification",
    "DeletionProtectionEnabled",
}
"""AWS, "Restore a table in DynamoDB": to be set up again, as tags are, of which we have none."""

RESTORED = "payresult-2-Table-1E239BEBC36DE"
"""The emulator updates an imported table only under the name that it would have chosen itself.
On AWS a table without TableName keeps whatever name it has."""

ITEM = {"pk": {"S": "P000818#paid-1"}, "payId": {"S": "paid-1"}}


class Account:
    """The emulator, and *home*, where the SAM CLI keeps its files."""

    def __init__(self, endpoint: str, home: Path) -> None:
        self._endpoint = endpoint
        self._home = home

    def client(self, service: Any) -> Any:
        """Return a client of *service*."""
        return root_credentials(self._endpoint).client(service)

    def deploy(self, stack: str, *parameters: str) -> None:
        """Run `sam deploy` as a user would, with samconfig.toml and these *parameters*."""
        environment = {
            "PATH": os.defpath,
            "HOME": str(self._home),
            "AWS_ENDPOINT_URL": self._endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "SAM_CLI_TELEMETRY": "0",
            "SAM_CLI_POLL_DELAY": "0.2",  # seconds between polls of the stack; 5 by default
            "PYTHONUTF8": "1",
        }
        options = ["--stack-name", stack, "--parameter-overrides", *GIVEN, *parameters]
        ended = subprocess.run(  # noqa: S603 - our own command line
            [*DEPLOY, *options],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr

    def outputs(self, stack: str) -> dict[str, str]:
        """Return the outputs of *stack*."""
        [found] = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return {it["OutputKey"]: it["OutputValue"] for it in found["Outputs"]}

    def limit(self, stack: str) -> int:
        """Return the maximum concurrency of the checks queue."""
        name = self.outputs(stack)["ChecksFunctionName"]
        sources = self.client("lambda").list_event_source_mappings(FunctionName=name)
        [source] = sources["EventSourceMappings"]
        limit: int = source["ScalingConfig"]["MaximumConcurrency"]
        return limit


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account in which `payresult` is deployed with the defaults."""
    home = tmp_path_factory.mktemp("account")
    with Emulator(home / "emulator") as emulator:
        made = Account(emulator.endpoint, home)
        made.deploy("payresult")
        assert made.limit("payresult") == 5
        yield made


def test_a_second_deployment_sets_what_has_a_condition_in_the_template(account: Account) -> None:
    """The first one has made the stack."""
    chosen = ["MaximumConcurrency=7", "ApiReservedConcurrency=9", "RetentionDays=400"]
    origins = "CorsAllowOrigins='https://a.example,https://b.example'"
    account.deploy("payresult", *chosen, origins)
    assert account.limit("payresult") == 7
    api_id = account.outputs("payresult")["ApiId"]
    api = account.client("apigatewayv2").get_api(ApiId=api_id)
    assert "CorsConfiguration" in api  # the emulator loses what is in it


def test_the_template_of_the_import_describes_the_table_as_a_restore_leaves_it() -> None:
    """What it left out would be a change that the next deployment does not see, and never makes."""
    described = load(IMPORTED)["Resources"]["Table"]
    table = properties("Table")
    assert described["Properties"] == {
        name: value for name, value in table.items() if name not in NOT_RESTORED
    }
    assert set(table) >= NOT_RESTORED
    assert described["DeletionPolicy"] == described["UpdateReplacePolicy"] == "Retain"


def _import(cloudformation: Any, stack: str, table: str) -> None:
    """Make the stack *stack* of the restored *table*, as the page says."""
    given: dict[str, str] = {"StackName": stack, "ChangeSetName": "import"}
    cloudformation.create_change_set(
        **given,
        ChangeSetType="IMPORT",
        TemplateBody=IMPORTED.read_text(encoding="utf-8"),
        ResourcesToImport=[
            {
                "ResourceType": "AWS::DynamoDB::Table",
                "LogicalResourceId": "Table",
                "ResourceIdentifier": {"TableName": table},
            }
        ],
    )
    wait_for(
        "the change set",
        lambda: cloudformation.describe_change_set(**given)["Status"] == "CREATE_COMPLETE",
        10,
    )
    cloudformation.execute_change_set(**given)
    wait_for(
        "the import",
        lambda: (
            cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
            == "IMPORT_COMPLETE"
        ),
        10,
    )


def test_a_new_stack_takes_over_a_restored_table(account: Account) -> None:
    """With its items, and with stream and protection again, by the steps of docs/operations.md."""
    dynamodb = account.client("dynamodb")
    lost = account.outputs("payresult")["TableName"]
    dynamodb.put_item(TableName=lost, Item=ITEM)
    dynamodb.restore_table_to_point_in_time(
        SourceTableName=lost, TargetTableName=RESTORED, UseLatestRestorableTime=True
    )
    assert "LatestStreamArn" not in dynamodb.describe_table(TableName=RESTORED)["Table"]

    _import(account.client("cloudformation"), "payresult-2", RESTORED)
    account.deploy("payresult-2")

    assert account.outputs("payresult-2")["TableName"] == RESTORED
    found = dynamodb.get_item(TableName=RESTORED, Key={"pk": ITEM["pk"]})
    assert found["Item"] == ITEM
    table = dynamodb.describe_table(TableName=RESTORED)["Table"]
    assert table["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert table["DeletionProtectionEnabled"]
