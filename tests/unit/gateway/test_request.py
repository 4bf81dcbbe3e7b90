"""Contract with the gateway: the documented query, signed, with the time in milliseconds."""

import json

from payresult.gateway.protocol import request_body
from payresult.gateway.signing import sign


def test_the_query_is_the_documented_one() -> None:
    """Its fields are in the provider's document, resultQuery, version 3.0."""
    body = request_body("20190321192436", partner_code="P000818", now=1_790_000_000.1239)
    params = json.loads(body)
    assert params.pop("sign") == sign(params)
    assert params == {
        "partnerCode": "P000818",
        "payId": "20190321192436",
        "tradeTime": "1790000000123",
        "tradeType": "resultQuery",
        "version": "3.0",
    }
