"""A query on a connection of its own: our client, or urllib3 with ``ca_certs=``.

The stub closes each connection after the answer, so every call opens one.
"""

import os
import ssl

import urllib3

from payresult.gateway.client import GatewayClient

URL = os.environ["GATEWAY_BASE_URL"]

ours = GatewayClient(URL, "P000818")
bundle = urllib3.PoolManager(ca_certs=ssl.get_default_verify_paths().openssl_cafile)


def handler(event: dict[str, str], _context: object) -> str:
    """Return what the gateway says, asked by ours or by urllib3."""
    if event["by"] == "ours":
        return ours.query(event["payId"]).pay_rst
    asked = {"partnerCode": "P000818", "payId": event["payId"]}
    answer: dict[str, str] = bundle.request("POST", URL + "/resultQuery", json=asked).json()
    return answer["payRst"]
