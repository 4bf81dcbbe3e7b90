"""Signed requests to the deployed HTTP API."""

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import NoCredentialsError, NoRegionError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from payresult_cli.errors import CommandError

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest

    from payresult_cli.stack import Stack

TOO_MANY_REQUESTS = 429
_OK, _FORBIDDEN = 200, 403
_TIMEOUT_SECONDS = 35  # API Gateway ends a call after 30


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response of the API."""

    status: int
    body: bytes


def send(request: "AWSPreparedRequest") -> HttpResponse:
    """Send *request*, as botocore sends its own: by HTTPS_PROXY, and trusting AWS_CA_BUNDLE.

    Only the sandbox is asked by HTTP, and no proxy reaches it. Certificates are verified.
    """
    session = URLLib3Session(
        verify=os.environ.get("AWS_CA_BUNDLE") or True,  # type: ignore[arg-type]  # or a path
        proxies=get_environ_proxies(request.url) if request.url.startswith("https:") else {},
        timeout=_TIMEOUT_SECONDS,
    )
    response = session.send(request)
    return HttpResponse(response.status_code, response.content)


def signed_post(stack: "Stack", path: str, body: object) -> "AWSPreparedRequest":
    """Return the signed request that posts *body* as JSON."""
    credentials, region = stack.session.get_credentials(), stack.session.region_name
    if credentials is None:
        raise NoCredentialsError
    if region is None:
        raise NoRegionError
    content = json.dumps(body)
    headers = {"Content-Type": "application/json"}
    request = AWSRequest("POST", stack.api_url + path, headers, content)
    SigV4Auth(credentials.get_frozen_credentials(), "execute-api", region).add_auth(request)
    return request.prepare()


def response_json(response: HttpResponse) -> Any:
    """Return the JSON object of a 200 response; CommandError for any other response."""
    if response.status == _FORBIDDEN:
        raise CommandError(
            "these credentials may not call the API: docs/operations.md lists the permissions"
        )
    if response.status == TOO_MANY_REQUESTS:
        raise CommandError(
            "the API rejects calls because there are too many: try again in a few seconds"
        )
    try:
        body = json.loads(response.body)
    except ValueError:
        body = None
    if response.status == _OK and isinstance(body, dict):
        return body
    detail = (body.get("detail") or body.get("message")) if isinstance(body, dict) else None
    reason = f": {detail}" if detail else ""
    raise CommandError(
        f"the API returned HTTP {response.status}{reason} (see the log of the api function)"
    )
