"""Keys for the emulator, and clients made with them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

REGION: Literal["eu-central-1"] = "eu-central-1"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody's keys on the emulator at *endpoint*, in REGION."""

    endpoint: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)

    def client(self, service: str) -> Any:
        """A boto3 client of *service*: no time-out of ours is longer than a minute."""
        session = boto3.Session(
            self.access_key_id, self.secret_access_key, self.session_token, REGION
        )
        config = Config(connect_timeout=5, read_timeout=60, max_pool_connections=32)
        return session.client(service, endpoint_url=self.endpoint, config=config)  # type: ignore[call-overload]  # the stubs know literal names only

    def user(self, name: str, action: str) -> Account:
        """A new IAM user that may do *action* and nothing else."""
        iam: IAMClient = self.client("iam")
        iam.create_user(UserName=name)
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Account(self.endpoint, key["AccessKeyId"], key["SecretAccessKey"])


def root(endpoint: str) -> Account:
    """The emulator's root, whose signature it never checks: only to make users with."""
    return Account(endpoint, "test", "test")
