"""JSON Schemas, made by pydantic out of ``payresult.schemas``."""

from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import (
    GenerateJsonSchema,
    JsonSchemaMode,
    JsonSchemaValue,
    models_json_schema,
)
from pydantic_core import core_schema

from payresult.schemas.events import EventData, EventMetadata, PaymentSucceeded
from payresult.schemas.fields import PayId
from payresult.schemas.requests import FollowUpMessage, OrderMessage, PayIdsBody, RegistrationBody
from payresult.schemas.responses import PaymentResponse, Problem, QueryResponse

Schema = dict[str, Any]

MESSAGES: dict[str, type[BaseModel]] = {
    "order-message": OrderMessage,
    "list-message": PayIdsBody,
    "follow-up-message": FollowUpMessage,
}
"""What the checks queue takes, by the name of its schema's file."""


class _Generator(GenerateJsonSchema):
    """Without the defaults and titles of fields; what payresult sends is never null."""

    def field_title_should_be_set(self, _schema: Any) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        sent = self.mode == "serialization"
        return self.generate_inner(schema["schema"]) if sent else super().nullable_schema(schema)


def files(event: Schema) -> dict[str, Schema]:
    """Return the schema files of the messages and of the event, by name; *event* is an example."""
    made = {name: _schema(model, "validation") for name, model in MESSAGES.items()}
    # Its parts are written out in their place: the file refers to nothing.
    parts = {"metadata": _schema(EventMetadata), "data": _schema(EventData)}
    made["payment-succeeded"] = _schema(PaymentSucceeded) | {"properties": parts}
    del made["payment-succeeded"]["$defs"]
    made["payment-succeeded"]["examples"] = [event]
    return {name: {"$schema": _Generator.schema_dialect} | schema for name, schema in made.items()}


def _schema(model: type[BaseModel], mode: JsonSchemaMode = "serialization") -> Schema:
    return model.model_json_schema(schema_generator=_Generator, mode=mode)


def pay_id() -> Schema:
    """Return the schema of a payId."""
    return TypeAdapter(PayId).json_schema()


def components() -> dict[str, Schema]:
    """Return the schemas of what the HTTP API takes and answers, as components of OpenAPI."""
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (RegistrationBody, "validation"),
        (PayIdsBody, "validation"),
        (PaymentResponse, "serialization"),
        (Problem, "serialization"),
        (QueryResponse, "serialization"),
    ]
    template = "#/components/schemas/{model}"
    _, made = models_json_schema(models, ref_template=template, schema_generator=_Generator)
    found: dict[str, Schema] = made["$defs"]
    return found
