"""Support: reads the JSON Schemas in events/ and validates against them."""

import json
import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tests.support.template import ROOT

EVENTS = ROOT / "events"

Schema = dict[str, Any]


def load(path: str) -> Any:
    """Return the JSON file *path* of events/."""
    return json.loads((EVENTS / path).read_text(encoding="utf-8"))


def _pattern(
    _validator: object, pattern: str, instance: object, _schema: object
) -> Iterator[ValidationError]:
    """Match *pattern* as JSON Schema does: Python's ``$`` also matches before a final newline."""
    python = re.sub(r"\$(?=\)|$)", r"\\Z", pattern)
    if isinstance(instance, str) and not re.search(python, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


_Validator = validators.extend(  # type: ignore[no-untyped-call]  # its stubs do not have it
    Draft202012Validator, {"pattern": _pattern}
)

_files = [(path.name, load(f"schemas/{path.name}")) for path in EVENTS.glob("schemas/*.json")]
_REGISTRY: Registry[Any] = Registry().with_resources(
    (name, DRAFT202012.create_resource(schema)) for name, schema in _files
)


def errors(schema: Schema, value: object) -> list[str]:
    """Return the errors of *value* under *schema*; none if it is valid."""
    validator = _Validator(schema, registry=_REGISTRY, format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def closed(schema: Any) -> Any:
    """Return *schema* changed so that it refuses fields that it does not describe."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    more = {"additionalProperties": False} if "properties" in schema else {}
    return {key: closed(value) for key, value in schema.items()} | more


EVENT = closed(load("schemas/payment-succeeded.json"))
"""The event's schema without unknown fields: what payresult may send. Subscribers ignore more."""
