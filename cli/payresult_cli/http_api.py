"""Signed calls of the deployed HTTP API."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import NoCredentialsError, NoRegionError
from botocore.httpsession import URLLib3Session

from payresult_cli.errors import CommandError

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest

    from payresult_cli.stack import Stack

_OK, _FORBIDDEN, _BUSY = 200, 403, 429
_SECONDS = 35  # API Gateway ends a call at 30


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What came back."""

    status: int
    body: bytes


def send(request: "AWSPreparedRequest") -> HttpResponse:
    """Send *request*; certificates are checked."""
    response = URLLib3Session(timeout=_SECONDS).send(request)
    return HttpResponse(response.status_code, response.content)


def post(system: "Stack", path: str, body: object) -> "AWSPreparedRequest":
    """Return the signed request that posts *body*."""
    credentials, region = system.session.get_credentials(), system.session.region_name
    if credentials is None:
        raise NoCredentialsError
    if region is None:
        raise NoRegionError
    content = json.dumps(body)
    headers = {"Content-Type": "application/json"}
    request = AWSRequest("POST", system.api_url + path, headers, content)
    SigV4Auth(credentials.get_frozen_credentials(), "execute-api", region).add_auth(request)
    return request.prepare()


def content(answer: HttpResponse) -> Any:
    """Return the JSON of a good answer; any other is Refused."""
    if answer.status == _FORBIDDEN:
        raise CommandError(
            "these credentials may not call the API: docs/operations.md has the policy"
        )
    if answer.status == _BUSY:
        raise CommandError("the API is called too often at the moment: try again in some seconds")
    try:
        body = json.loads(answer.body)
    except ValueError:
        body = None
    if answer.status == _OK and isinstance(body, dict):
        return body
    said = (body.get("detail") or body.get("message")) if isinstance(body, dict) else None
    why = f": {said}" if said else ""
    raise CommandError(
        f"the API answered HTTP {answer.status}{why} (the api function's log says more)"
    )
