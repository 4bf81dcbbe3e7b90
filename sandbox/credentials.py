"""Credentials for the emulator, and boto3 clients that use them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import boto3
import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

REGION: Literal["eu-central-1"] = "eu-central-1"

_NO_SETTINGS: dict[str, Any] = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
"""Of a botocore session that reads no AWS_PROFILE and no file, as in payresult_cli.stack."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key for the emulator at *endpoint*, in REGION."""

    endpoint: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)

    def client(self, service: str) -> Any:
        """A boto3 client of *service*; no call waits longer than a minute."""
        config = Config(
            connect_timeout=5,
            read_timeout=60,
            max_pool_connections=32,
            proxies={},  # HTTP_PROXY is not for loopback
        )
        return _session(self).client(service, endpoint_url=self.endpoint, config=config)  # type: ignore[call-overload]  # the stubs know literal names only

    def create_user(self, name: str, action: str) -> Credentials:
        """The credentials of a new IAM user who may do *action* and nothing else."""
        iam: IAMClient = self.client("iam")
        iam.create_user(UserName=name)
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Credentials(self.endpoint, key["AccessKeyId"], key["SecretAccessKey"])


@cache
def _session(credentials: Credentials) -> boto3.Session:
    """One session for each key: it reads botocore's service descriptions once."""
    return boto3.Session(
        credentials.access_key_id,
        credentials.secret_access_key,
        credentials.session_token,
        REGION,
        botocore.session.Session(_NO_SETTINGS),
    )


def root_credentials(endpoint: str) -> Credentials:
    """The emulator's root user, whose signature it does not verify: only for creating users."""
    return Credentials(endpoint, "test", "test")
