"""Contract: a restored table becomes a new stack's, by the steps of docs/operations.md.

Rehearsed on the emulator with the stock SAM CLI. The emulator adds neither TTL nor point-in-time
recovery to a table that exists; CloudFormation does (AWS, AWS::DynamoDB::Table: no interruption).
"""

from pathlib import Path
from typing import Any

from sandbox.credentials import root_credentials
from sandbox.emulator import Emulator
from sandbox.waiting import wait_for
from tests.contract.test_sam_deploy import deploy
from tests.support.template import ROOT, load, properties

TEMPLATE = ROOT / "docs/restored-table.yaml"
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

GIVEN = ("PartnerCode=P000818", "Emulated=true")
ITEM = {"pk": {"S": "P000818#paid-1"}, "payId": {"S": "paid-1"}}


def test_the_template_of_the_import_describes_the_table_as_a_restore_leaves_it() -> None:
    """What it left out would be a change that the next deployment does not see, and never makes."""
    described = load(TEMPLATE)["Resources"]["Table"]
    table = properties("Table")
    assert described["Properties"] == {
        name: value for name, value in table.items() if name not in NOT_RESTORED
    }
    assert set(table) >= NOT_RESTORED
    assert described["DeletionPolicy"] == described["UpdateReplacePolicy"] == "Retain"


def _table_of(cloudformation: Any, stack: str) -> str:
    outputs = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
    return str(next(it["OutputValue"] for it in outputs if it["OutputKey"] == "TableName"))


def _import(cloudformation: Any, stack: str, table: str) -> None:
    """Make the stack *stack* of the restored *table*, as the page says."""
    given: dict[str, str] = {"StackName": stack, "ChangeSetName": "import"}
    cloudformation.create_change_set(
        **given,
        ChangeSetType="IMPORT",
        TemplateBody=TEMPLATE.read_text(encoding="utf-8"),
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


def test_a_new_stack_takes_over_a_restored_table(tmp_path: Path) -> None:
    """With its items, and with stream and protection again."""
    with Emulator(tmp_path / "emulator") as emulator:
        deploy(emulator.endpoint, tmp_path, *GIVEN)
        credentials = root_credentials(emulator.endpoint)
        cloudformation: Any = credentials.client("cloudformation")
        dynamodb: Any = credentials.client("dynamodb")
        lost = _table_of(cloudformation, "payresult")
        dynamodb.put_item(TableName=lost, Item=ITEM)
        dynamodb.restore_table_to_point_in_time(
            SourceTableName=lost, TargetTableName=RESTORED, UseLatestRestorableTime=True
        )
        assert "LatestStreamArn" not in dynamodb.describe_table(TableName=RESTORED)["Table"]

        _import(cloudformation, "payresult-2", RESTORED)
        deploy(emulator.endpoint, tmp_path, *GIVEN, stack="payresult-2")

        assert _table_of(cloudformation, "payresult-2") == RESTORED
        found = dynamodb.get_item(TableName=RESTORED, Key={"pk": ITEM["pk"]})
        assert found["Item"] == ITEM
        table = dynamodb.describe_table(TableName=RESTORED)["Table"]
        assert table["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
        assert table["DeletionProtectionEnabled"]
