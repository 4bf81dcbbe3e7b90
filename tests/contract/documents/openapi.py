"""The OpenAPI document of the HTTP API: types from the code, examples from the running handler."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from tests.contract.documents import schemas
from tests.contract.documents.answers import Example
from tests.support.samples import GET, PUT, QUERY, SAMPLES, sample
from tests.support.template import ROOT

Document = dict[str, Any]

ANY_CALL = ("internal-error", "try-again")
"""Examples of what each call may answer, whichever of them it was recorded at."""

INTRODUCTION = """\
Payment results, queried from the payment gateway and stored.

Every request is signed with AWS Signature Version 4 (service `execute-api`). Where the deployment
names an issuer of tokens, GET takes a JWT instead. Bodies are JSON of at most 16 KiB; a field that
is not described here is refused. In answers, ignore fields that you do not know: there may be new
ones. Each problem has a `type` (RFC 9457) to branch on; its texts are for people.
"""

CALLS: Mapping[str, Document] = {
    GET: {
        "operationId": "getPayment",
        "summary": "A payment, by a live check unless it is settled",
        "description": "A settled payment comes from the table. Otherwise the gateway is asked, "
        "at most once in 2 s for a registered payment. A payId that nobody registered is asked "
        "about too, and stored only when it is paid; a deployment may refuse it instead (404).",
        "security": [{"awsSigV4": []}, {"jwt": []}],
    },
    PUT: {
        "operationId": "registerPayment",
        "summary": "Register a payment, and have it followed until it is settled",
        "description": "Fields that are absent say nothing, so registrations by HTTP and by "
        "queue add up. The same again is 202 again; another value for a known field is 409.",
        "security": [{"awsSigV4": []}],
    },
    QUERY: {
        "operationId": "queryPayments",
        "summary": "Up to 100 payments at once",
        "description": "Each is looked up as by GET. One that fails has its problem in its place.",
        "security": [{"awsSigV4": []}],
    },
}

BODIES = {PUT: ("RegistrationBody", False), QUERY: ("PayIdsBody", True)}
"""The schema of a request's body, and whether there must be one."""

SHAPE = {GET: "PaymentResponse", PUT: "PaymentResponse", QUERY: "QueryResponse"}

MEANINGS = {
    (GET, 200): "What is known of the payment",
    (PUT, 202): "Registered and followed",
    (QUERY, 200): "A payment or a problem for each payId, in the order asked",
}
PROBLEMS = {
    400: "Invalid request",
    404: "The payment is not registered, and this deployment requires it",
    409: "The payment is registered with another value",
    500: "Internal error",
    502: "The reply of the gateway is invalid, and nothing else is known of the payment",
    503: "Temporarily unavailable: ask again after Retry-After",
}


def document(examples: Iterable[Example]) -> Document:
    """Return the document, with *examples* where they belong."""
    known = list(examples)
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    paths: dict[str, Document] = {}
    for route in CALLS:
        method, path = route.split(" ")
        paths.setdefault(path, {})[method.lower()] = _operation(route, known)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "payresult",
            "version": pyproject["project"]["version"],
            "description": INTRODUCTION,
        },
        "servers": SERVERS,
        "paths": paths,
        "components": {
            "schemas": schemas.components(),
            "examples": {
                each.name: {"summary": each.summary, "value": each.body} for each in known
            },
            "responses": {"Other": OTHER},
            "headers": HEADERS,
            "securitySchemes": SECURITY,
        },
    }


def _operation(route: str, known: Iterable[Example]) -> Document:
    operation = dict(CALLS[route])
    if "{payId}" in route:
        operation["parameters"] = [PAY_ID]
    if route in BODIES:
        operation["requestBody"] = _body(route)
    mine = [each for each in known if each.route == route or each.name in ANY_CALL]
    statuses = sorted({each.status for each in mine})
    operation["responses"] = {
        str(status): _response(route, [each for each in mine if each.status == status])
        for status in statuses
    } | {"default": {"$ref": "#/components/responses/Other"}}
    return operation


def _body(route: str) -> Document:
    shape, required = BODIES[route]
    content = {
        "schema": _ref("schemas", shape),
        "example": json.loads(sample(SAMPLES[route])["body"]),
    }
    return {"required": required, "content": {"application/json": content}}


def _response(route: str, examples: list[Example]) -> Document:
    status, headers = examples[0].status, examples[0].headers
    content = {
        "schema": _ref("schemas", "Problem" if status in PROBLEMS else SHAPE[route]),
        "examples": {each.name: _ref("examples", each.name) for each in examples},
    }
    sent = {name for each in examples for name in each.headers} - {"Content-Type"}
    return {
        "description": PROBLEMS.get(status) or MEANINGS[route, status],
        "headers": {name: _ref("headers", name) for name in sorted(sent)},
        "content": {headers["Content-Type"]: content},
    }


def _ref(kind: str, name: str) -> Document:
    return {"$ref": f"#/components/{kind}/{name}"}


SERVERS = [
    {
        "url": "https://{apiId}.execute-api.{region}.amazonaws.com",
        "description": "A deployment: its output ApiUrl",
        "variables": {
            "apiId": {"default": "a1b2c3d4e5"},
            "region": {"default": "eu-central-1"},
        },
    },
    {
        "url": "http://127.0.0.1:{port}",
        "description": "The sandbox, which signs for its caller",
        "variables": {"port": {"default": "8080"}},
    },
]

PAY_ID = {"name": "payId", "in": "path", "required": True, "schema": schemas.pay_id()}

HEADERS = {
    "Cache-Control": {
        "description": "Responses must not be cached.",
        "schema": {"const": "no-store"},
    },
    "Retry-After": {
        "description": "Seconds after which to ask again; with a payment, while it is PENDING.",
        "schema": {"type": "integer", "minimum": 1},
    },
}

SECURITY = {
    "awsSigV4": {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "description": "AWS Signature Version 4 for the service execute-api.",
        "x-amazon-apigateway-authtype": "awsSigv4",
    },
    "jwt": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
}

OTHER = {
    "description": "API Gateway's own answers: not allowed (401, 403), no such path (404), too "
    "large (413), too many (429), no answer from us in time (503)",
    "content": {
        "application/json": {
            "schema": {"type": "object", "properties": {"message": {"type": ["string", "null"]}}},
            "example": {"message": "Forbidden"},
        }
    },
}
