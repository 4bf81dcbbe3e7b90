"""Writes the documents in events/ that say what the code does (``make documents``).

Schemas come from ``payresult.schemas``, examples from the running handlers (``recorded.py``), and
the words about the HTTP API from ``openapi.yaml``. A test compares the files with all of it.
"""

import json
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
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
from tests.contract import recorded
from tests.support.samples import SAMPLES, WAIT, sample
from tests.support.template import ROOT

Document = dict[str, Any]

EVENTS = ROOT / "events"
HAND_WRITTEN = Path(__file__).with_name("openapi.yaml")

MESSAGES: dict[str, type[BaseModel]] = {
    "order-message": OrderMessage,
    "list-message": PayIdsBody,
    "follow-up-message": FollowUpMessage,
}
"""What the checks queue takes, by the name of its schema's file."""

HTTP: tuple[tuple[type[BaseModel], JsonSchemaMode], ...] = (
    (RegistrationBody, "validation"),
    (PayIdsBody, "validation"),
    (PaymentResponse, "serialization"),
    (Problem, "serialization"),
    (QueryResponse, "serialization"),
)
"""What the HTTP API takes and answers."""

ANY_CALL = ("internal-error", "try-again")
"""Examples of what each call may answer, whichever of them it was recorded at."""

WAIT_AS_GET = (
    *("settled", "review", "stale"),
    *("not-registered", "gateway-unavailable", "gateway-bad-reply"),
)
"""Examples of what waiting answers as GET does, at which they were recorded."""


class _Generator(GenerateJsonSchema):
    """Without the defaults and titles of fields; what payresult sends is never null."""

    def field_title_should_be_set(self, _schema: Any) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        sent = self.mode == "serialization"
        return self.generate_inner(schema["schema"]) if sent else super().nullable_schema(schema)


def documents() -> dict[str, str]:
    """Return the text of each generated document, by its path in events/."""
    stream_event, envelope, duplicate = recorded.stream_event_and_envelopes()
    made: Document = {
        "openapi.json": _openapi(recorded.examples()),
        "payment-succeeded.json": envelope,
        "payment-succeeded-duplicate.json": duplicate,
        "invocations/publisher.json": stream_event,
        "schemas/payment-succeeded.json": _event(envelope["detail"]),
    }
    for name, model in MESSAGES.items():
        made[f"schemas/{name}.json"] = _schema(model, "validation")
    for path, document in made.items():
        if path.startswith("schemas/"):
            made[path] = {"$schema": _Generator.schema_dialect} | document
    return {
        path: json.dumps(document, ensure_ascii=False, indent=2) + "\n"
        for path, document in made.items()
    }


def _schema(model: type[BaseModel], mode: JsonSchemaMode = "serialization") -> Document:
    return model.model_json_schema(schema_generator=_Generator, mode=mode)


def _event(example: Document) -> Document:
    """Return the event's schema; its parts are written out in their place, without references."""
    schema = _schema(PaymentSucceeded)
    del schema["$defs"]
    parts = {"metadata": _schema(EventMetadata), "data": _schema(EventData)}
    return schema | {"properties": parts, "examples": [example]}


def _openapi(examples: Sequence[recorded.Example]) -> Document:
    document: Document = yaml.safe_load(HAND_WRITTEN.read_text(encoding="utf-8"))
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    document["info"]["version"] = pyproject["project"]["version"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            route = f"{method.upper()} {path}"
            shared = ANY_CALL + (WAIT_AS_GET if route == WAIT else ())
            mine = [it for it in examples if it.route == route or it.name in shared]
            operation |= dict(_filled(route, operation, mine))
    _, schemas = models_json_schema(
        HTTP, ref_template="#/components/schemas/{model}", schema_generator=_Generator
    )
    shown = {it.name: {"summary": it.summary, "value": it.body} for it in examples}
    generated = {"schemas": schemas["$defs"], "examples": shown}
    document["components"] = generated | document["components"]
    return document


def _filled(
    route: str, operation: Document, examples: Sequence[recorded.Example]
) -> Iterator[tuple[str, object]]:
    """Yield what the code says of an operation: payId, body and responses."""
    if "parameters" in operation:
        pay_id, *others = operation["parameters"]
        yield "parameters", [pay_id | {"schema": TypeAdapter(PayId).json_schema()}, *others]
    if "requestBody" in operation:
        body = operation["requestBody"]
        example = json.loads(sample(SAMPLES[route])["body"])
        content = {"schema": _ref("schemas", body["schema"]), "example": example}
        yield (
            "requestBody",
            {"required": body["required"], "content": {"application/json": content}},
        )
    responses = dict(operation["responses"])
    statuses = {str(each.status) for each in examples}
    if statuses != responses.keys() - {"default"}:
        raise ValueError(f"{route}: openapi.yaml has {[*responses]}, the code {sorted(statuses)}")
    for status in statuses:
        mine = [each for each in examples if str(each.status) == status]
        responses[status] = _response(responses[status], mine)
    yield "responses", responses


def _response(described: Document, examples: Sequence[recorded.Example]) -> Document:
    [media_type] = {each.headers["Content-Type"] for each in examples}
    sent = {name for each in examples for name in each.headers} - {"Content-Type"}
    content = {
        "schema": _ref("schemas", described["schema"]),
        "examples": {each.name: _ref("examples", each.name) for each in examples},
    }
    return {
        "description": described["description"],
        "headers": {name: _ref("headers", name) for name in sorted(sent)},
        "content": {media_type: content},
    }


def _ref(kind: str, name: str) -> Document:
    return {"$ref": f"#/components/{kind}/{name}"}


if __name__ == "__main__":
    for path, text in documents().items():
        (EVENTS / path).write_text(text, encoding="utf-8")
