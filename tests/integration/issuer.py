"""An issuer of tokens on loopback; it publishes its key as OpenID Connect requires."""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.support.json_server import Request, json_server

HOUR = 3600


class Issuer:
    """Signs tokens with a key of its own; its URL is their ``iss``."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def token(self, **claims: Any) -> str:
        """Return a token that is valid for an hour; *claims* are added or replace its own."""
        now = int(time.time())
        payload = {"iss": self.url, "sub": "user-1", "iat": now - 1, "exp": now + HOUR} | claims
        signed = f"{_part({'alg': 'RS256', 'typ': 'JWT', 'kid': 'key-1'})}.{_part(payload)}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_encoded(signature)}"

    def documents(self) -> dict[str, dict[str, Any]]:
        """Return the published documents by path."""
        numbers = self._key.public_key().public_numbers()
        n, e = (number.to_bytes(256, "big").lstrip(b"\0") for number in (numbers.n, numbers.e))
        key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "key-1"}
        return {
            "/.well-known/openid-configuration": {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/keys",
            },
            "/keys": {"keys": [key | {"n": _encoded(n), "e": _encoded(e)}]},
        }


def unsigned(token: str) -> str:
    """Return *token* without its signature, with the algorithm ``none``."""
    return f"{_part({'alg': 'none', 'typ': 'JWT', 'kid': 'key-1'})}.{token.split('.')[1]}."


@contextmanager
def start_issuer() -> Iterator[Issuer]:
    """An issuer that listens until the end of the block."""

    def answer(request: Request) -> tuple[int, dict[str, Any]]:
        return 200, issuer.documents().get(request.path, {})

    with json_server(answer) as url:
        issuer = Issuer(url)
        yield issuer


def _part(value: dict[str, Any]) -> str:
    return _encoded(json.dumps(value).encode())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
