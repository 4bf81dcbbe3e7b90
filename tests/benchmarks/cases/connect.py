"""A query on a new connection, by GatewayClient or by urllib3 with ``ca_certs=``.

The stub closes each connection after the response, so every call opens a new one.
"""

import os
import ssl

import urllib3

from payresult.gateway.client import GatewayClient

URL = os.environ["GATEWAY_BASE_URL"]

client = GatewayClient(URL, "P000818")
bundle = urllib3.PoolManager(ca_certs=ssl.get_default_verify_paths().openssl_cafile)


def handler(event: dict[str, str], _context: object) -> str:
    """Return the payRst of a query by GatewayClient ("ours") or by urllib3."""
    if event["by"] == "ours":
        return client.query(event["payId"]).pay_rst
    request = {"partnerCode": "P000818", "payId": event["payId"]}
    reply: dict[str, str] = bundle.request("POST", URL + "/resultQuery", json=request).json()
    return reply["payRst"]
