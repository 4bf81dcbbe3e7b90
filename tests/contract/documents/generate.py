"""All documents that are generated, by their path in events/."""

import json

from tests.contract.documents import answers, openapi, paid, schemas
from tests.support.template import ROOT

EVENTS = ROOT / "events"


def documents() -> dict[str, str]:
    """Return the text of each generated document."""
    stream_event, envelope = paid.stream_event_and_envelope()
    made = {
        "openapi.json": openapi.document(answers.examples()),
        "payment-succeeded.json": envelope,
        "invocations/publisher.json": stream_event,
    } | {
        f"schemas/{name}.json": schema for name, schema in schemas.files(envelope["detail"]).items()
    }
    return {path: _text(value) for path, value in made.items()}


def write() -> None:
    """Write them where they belong."""
    for path, text in documents().items():
        (EVENTS / path).write_text(text, encoding="utf-8")


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
