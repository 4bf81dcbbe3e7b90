"""JSON Schemas, out of the types that the code is held to."""

from typing import Any

from pydantic import TypeAdapter

from tests.contract.documents import shapes

Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"

MESSAGES: dict[str, type[Any]] = {
    "order-message": shapes.OrderMessage,
    "list-message": shapes.PayIdsBody,
    "follow-up-message": shapes.FollowUpMessage,
}
"""What the checks queue takes, by the name of its schema's file."""

SHAPES: tuple[Any, ...] = (
    shapes.RegistrationBody,
    shapes.PayIdsBody,
    shapes.Payment,
    shapes.Problem,
    shapes.QueryResults,
)
"""What the HTTP API takes and answers."""


def of_message(name: str) -> Schema:
    """Return the schema file for the message called *name*."""
    shape = MESSAGES[name]
    return {"$schema": DRAFT, "title": shape.__name__} | _tidy(TypeAdapter(shape).json_schema())


def of_pay_id() -> Schema:
    """Return the schema of a payId."""
    return _tidy(TypeAdapter(shapes.PayId).json_schema())


def components() -> dict[str, Schema]:
    """Return the schemas of SHAPES and of what they are made of, as components of OpenAPI."""
    adapters = [(shape, "validation", TypeAdapter(shape)) for shape in SHAPES]
    _, definitions = TypeAdapter.json_schemas(
        adapters,  # type: ignore[arg-type]  # it knows "validation" only as a Literal
        ref_template="#/components/schemas/{model}",
    )
    return {name: _tidy(schema) for name, schema in definitions["$defs"].items()}


def _tidy(schema: Schema) -> Schema:
    """Drop what pydantic adds by itself: each name once more as a title, and null defaults."""
    tidied = {key: value for key, value in schema.items() if key not in {"title", "default"}}
    if "properties" in schema:
        members = schema["properties"].items()
        tidied["properties"] = {name: _tidy(member) for name, member in members}
    if "items" in schema:
        tidied["items"] = _tidy(schema["items"])
    if "anyOf" in schema:
        tidied["anyOf"] = [_tidy(member) for member in schema["anyOf"]]
    return tidied
