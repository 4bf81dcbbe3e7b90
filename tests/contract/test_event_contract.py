"""Contract with subscribers: version 1 of the event, AsyncAPI, and events/README.md."""

import copy
import json
import re
from collections.abc import Callable

import pytest
import yaml

from tests.support.schemas import EVENT, EVENTS, Schema, load
from tests.support.template import ROOT, walk

PAY_ID = "20190321192436"
README = (EVENTS / "README.md").read_text(encoding="utf-8")
VERSION_1 = json.loads((ROOT / "tests/contract/payment-succeeded.v1.json").read_text("utf-8"))


def published(old: Schema, new: Schema, where: str = "$") -> list[str]:
    """Return where *new* is incompatible with *old*.

    Subscribers validate new events with the old schema, and archived events with the new one,
    so only a new optional field is compatible.
    """
    words = {"description", "examples", "title", "$schema"}
    rules = (set(old) | set(new)) - words - {"properties"}
    broken = [f"{where}: {rule}" for rule in sorted(rules) if old.get(rule) != new.get(rule)]
    for name, schema in old.get("properties", {}).items():
        kept = new.get("properties", {}).get(name)
        here = f"{where}.{name}"
        broken += [f"{here}: gone"] if kept is None else published(schema, kept, here)
    return broken


def test_version_1_is_as_it_was_published() -> None:
    """Except for added fields."""
    assert published(VERSION_1, load("schemas/payment-succeeded.json")) == []


def _data(schema: Schema) -> Schema:
    data: Schema = schema["properties"]["data"]
    return data


CHANGES: dict[str, Callable[[Schema], object]] = {
    "a field is gone": lambda it: _data(it)["properties"].pop("orderPeriod"),
    "a field may be absent now": lambda it: _data(it)["required"].remove("payId"),
    "a field is required now": lambda it: _data(it)["required"].append("orderId"),
    "a new field is required": lambda it: (
        _data(it)["properties"].update(cardType={"type": "string"}),
        _data(it)["required"].append("cardType"),
    ),
    "a type is another": lambda it: _data(it)["properties"]["amount"].update(type="number"),
    "a type is wider": lambda it: _data(it)["properties"]["amount"].update(type=["string", "null"]),
    "a type is narrower": lambda it: _data(it)["properties"]["packageUnit"].update(enum=["day"]),
    "a limit is wider": lambda it: _data(it)["properties"]["payAmount"].update(maxLength=1024),
    "a pattern is gone": lambda it: _data(it)["properties"]["currency"].pop("pattern"),
    "unknown fields are refused": lambda it: _data(it).update(additionalProperties=False),
    "the version is another": lambda it: it["properties"]["metadata"]["properties"][
        "schemaVersion"
    ].update(const="2"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_any_other_change_of_version_1_is_seen(name: str) -> None:
    """The check of version 1 detects each incompatible change."""
    changed = copy.deepcopy(VERSION_1)
    CHANGES[name](changed)
    assert published(VERSION_1, changed)


def test_version_1_may_gain_a_field_and_other_words() -> None:
    """Nothing else is compatible."""
    changed = copy.deepcopy(VERSION_1)
    _data(changed)["properties"]["cardType"] = {"type": "string"}
    _data(changed)["description"] = "The payment, in other words."
    assert published(VERSION_1, changed) == []


def test_asyncapi_only_refers_to_the_schemas() -> None:
    """It refers to each of them, and to channels and messages that exist in it."""
    text = (EVENTS / "asyncapi.yaml").read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    targets = [it["$ref"] for it in walk(document) if isinstance(it, dict) and "$ref" in it]
    files = {target for target in targets if not target.startswith("#")}
    inside = {"schemas/payment-succeeded.json"}  # the envelope refers to it
    assert files | inside == {f"schemas/{path.name}" for path in EVENTS.glob("schemas/*.json")}
    for target in targets:
        found = document
        for step in target.removeprefix("#/").split("/") if target.startswith("#") else ():
            found = found[step]
    channels = document["channels"].values()
    payloads = [it["payload"] for channel in channels for it in channel["messages"].values()]
    assert all(list(payload) == ["$ref"] for payload in payloads)


def test_the_table_of_fields_is_that_of_the_schema() -> None:
    """Each field, in its order, with a sample's value, and "never" if it is required.

    ``duplicateOf`` is in the sample of a second payment only.
    """
    rows = re.findall(r"^\| `(\w+)\.(\w+)` \| `(.+?)` \| .* \| (.*?) \|$", README, re.MULTILINE)
    parts = EVENT["properties"]
    assert [(part, name) for part, name, *_ in rows] == [
        (part, name) for part in parts for name in parts[part]["properties"]
    ]
    detail = load("payment-succeeded.json")["detail"]
    second = load("payment-succeeded-duplicate.json")["detail"]
    detail["data"]["duplicateOf"] = second["data"]["duplicateOf"]
    for part, name, shown, absent in rows:
        assert shown == detail[part][name]
        assert (absent == "never") is (name in parts[part]["required"]), name


def test_the_page_names_each_file_and_no_other() -> None:
    """By its path or by a pattern; the subscriber application has a README of its own."""
    named = set(re.findall(r"`((?:\w+/)?[\w*-]+\.(?:json|yaml))`", README))
    files = {path for name in named for path in EVENTS.glob(name)}
    assert all(list(EVENTS.glob(name)) for name in named)
    there = {*EVENTS.rglob("*.json"), *EVENTS.rglob("*.yaml")}
    assert files == {path for path in there if EVENTS / "subscriber" not in path.parents}
    for path in re.findall(r"(?:file://|--event )(\S+)", README):
        assert (ROOT / path).is_file()
