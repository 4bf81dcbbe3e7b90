"""The provider's side of `/resultQuery`, as its page describes it: validation and reply."""

import hashlib
import json
from typing import Any

FIELDS = ("partnerCode", "payId", "sign", "tradeTime", "tradeType", "version")
"""The fields of a request; the page requires each of them as a non-empty string."""

PRICE = "$19.99"
"""The amount of each simulated payment, except those with the answer `wrong`."""

WRONG_PRICE = "$1.00"


def sign_of(request: dict[str, str]) -> str:
    """The sign of *request* by the provider's rule."""
    signed = {name: text for name, text in request.items() if name != "sign" and text}
    content = json.dumps(signed, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.md5(content.encode(), usedforsecurity=False).hexdigest()


def verdict_on(request: Any) -> str:
    """`ok`, or the reason why the request is invalid, for people and assertions."""
    if not isinstance(request, dict) or sorted(request) != sorted(FIELDS):
        return "fields differ from the six"
    if not all(isinstance(text, str) and text for text in request.values()):
        return "a field is empty or not a string"
    if request["sign"] != sign_of(request):
        return "wrong sign"
    if (request["tradeType"], request["version"]) != ("resultQuery", "3.0"):
        return "wrong tradeType or version"
    return "ok"


def reply_to(request: dict[str, str], answer: str) -> dict[str, str]:
    """The eight fields of the page; it documents `success` only, so `waiting` is our choice."""
    return {
        "orderPeriod": "1",
        "packageType": "2",
        "partnerCode": request["partnerCode"],
        "payAmount": WRONG_PRICE if answer == "wrong" else PRICE,
        "payId": request["payId"],
        "payResultDate": "2020-09-17 18:11:10",
        "payRst": "waiting" if answer == "pending" else "success",
        "servicePlanShowName": "Singapore 2G 30-Days",
    }
