"""The sample invocations in events/, and the routes of the API."""

import json
from typing import Any

from tests.support.template import ROOT

GET, PUT, QUERY = "GET /payments/{payId}", "PUT /payments/{payId}", "POST /payments/query"
WAIT = "GET /payments/{payId}/wait"
SAMPLES = {GET: "api-get", WAIT: "api-wait", PUT: "api-put", QUERY: "api-query"}
"""By route, the name of its sample."""


def sample(name: str) -> dict[str, Any]:
    """Return the invocation called *name* in events/."""
    path = ROOT / "events" / "invocations" / f"{name}.json"
    event: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return event
