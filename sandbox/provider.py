"""The provider's side of `/resultQuery`, read off its page: what it checks, what it answers."""

import hashlib
import json
from typing import Any

FIELDS = ("partnerCode", "payId", "sign", "tradeTime", "tradeType", "version")
"""The fields of a request; the page demands each of them, as a string that is not empty."""

PRICE = "$19.99"
"""What every simulated payment costs, but the wrong ones."""

WRONG_PRICE = "$1.00"


def sign_of(request: dict[str, str]) -> str:
    """The signature that the provider's rule gives *request*."""
    signed = {name: text for name, text in request.items() if name != "sign" and text}
    content = json.dumps(signed, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.md5(content.encode(), usedforsecurity=False).hexdigest()


def verdict_on(request: Any) -> str:
    """`ok`, or what is wrong with a request: a word for people and for assertions."""
    if not isinstance(request, dict) or sorted(request) != sorted(FIELDS):
        return "other fields than the six"
    if not all(isinstance(text, str) and text for text in request.values()):
        return "a field that is empty or no string"
    if request["sign"] != sign_of(request):
        return "wrong sign"
    if (request["tradeType"], request["version"]) != ("resultQuery", "3.0"):
        return "wrong tradeType or version"
    return "ok"


def reply_to(request: dict[str, str], answer: str) -> dict[str, str]:
    """The page's eight fields for *request*; `waiting` is ours, it shows no value but `success`."""
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
