"""P2: random HTTP responses of the gateway for C8, with faults in status, headers and body."""

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from tests.fault_injection.fuzz_oracle import MAX_BODY, PARTNER, PAY_ID, Registered


class FuzzedResponse(NamedTuple):
    """An HTTP response, and the registration of the payment that it is about."""

    status: int
    headers: dict[str, str]
    body: bytes
    registered: Registered


Members = list[tuple[str, str]]
"""Keys and values of an object, both as JSON text, which may be invalid."""

VALID = {
    "orderPeriod": "1",
    "packageType": "2",
    "partnerCode": PARTNER,
    "payAmount": "$19.99",
    "payId": PAY_ID,
    "payResultDate": "2020-09-17 18:11:10",
    "payRst": "success",
    "servicePlanShowName": "Singapore 2G 30-Days",
}
RESULTS = (
    *("success", "SUCCESS", "Success", "sUcCeSs"),
    *(" success", "success\n", "success\0", "succes", "successs", "wait", "fail", "", "true", "1"),
    *("\u017fuccess", "succe\u017fs", "\uff53\uff55\uff43\uff43\uff45\uff53\uff53"),
    *("success\u200b", "\ufeffsuccess", "s\u0301uccess", "\u0455uccess", "s\u00adccess"),
)
AMOUNTS = (
    *("$19.99", "19.99", "USD 19.99", "€19.99", "EUR 19.99", "¥19.99", "￥19.99", "£19.99"),
    *("$19.9", "$19.990", "$19.98", "$1999", "$0.01", "$1,999.00", "$1,99", "019.99", "+19.99"),
    *("-19.99", "19.99\n", " 19.99", "$ 19.99", "usd 19.99", "USD19.99", "1e1", "19,99", ""),
    *("\u0661\u0669.\u0669\u0669", "\uff11\uff19.\uff19\uff19", "19.\u0669\u0669", "1_9.99"),
    *("9" * 12, "9" * 13, "0", "0.00", "00", "NaN", "Infinity", "$", "USD "),
)
WRONG_VALUES = (
    *("null", "true", "false", "[]", "{}", '["success"]', '{"payRst":"success"}', "0", "-0"),
    *("1.0", "19.99", "1999", "1e999", "-1E+5", "01", "1.", ".5", "+1", "0x13", "NaN", "-Infinity"),
    *(PAY_ID, f"{PAY_ID}.0", "9" * 5000, '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\x"'),
    *('"\\ud83d\\ude00"', '"\\u12"', "'success'", "success", '"suc" "cess"', '"\n"', '"\t"', ""),
    *('"' + "x" * 3000 + '"', '"' + "\\u0001" * 900 + '"', "[" * 40 + "]" * 40, "[[[["),
)
REGISTERED = (
    *(Registered(), Registered("19.99"), Registered("19.99", "USD"), Registered("19.99", "EUR")),
    *(Registered("19.9"), Registered("1999"), Registered(None, "JPY"), Registered("0.01")),
)
TYPES = (
    *("application/json;charset=UTF-8", "application/json", "Application/JSON ; x=y", "text/html"),
    *("", "application/jsonp", "application/problem+json", "text/json", ";application/json"),
)
ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1", "gb18030", "cp037", "utf-7")
STATUSES = (200, 200, 200, 201, 204, 206, 301, 302, 400, 401, 403, 404, 409, 429, 500, 503, 599)


def random_response(rng: Random) -> FuzzedResponse:
    """Return a response. A third has random values only, the others have faults too."""
    members = [(json.dumps(key), json.dumps(value)) for key, value in VALID.items()]
    _change_values(members, rng)
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
        rng.choice(_MEMBER_FAULTS)(members, rng)
    body = _encoded(_written(members, rng), rng)
    for _ in range(rng.choice((0, 0, 0, 0, 1, 3))):
        body = rng.choice(_BYTE_FAULTS)(body, rng)
    status = 200 if rng.random() < 0.95 else rng.choice(STATUSES)
    return FuzzedResponse(status, _headers(rng), body, rng.choice(REGISTERED))


def slowest_responses() -> Iterator[FuzzedResponse]:
    """Yield responses of almost 64 KiB that take a parser the longest time."""
    start = '{"partnerCode":"P000818","payId":"20190321192436","payRst":"success","payAmount":'
    for text in (
        start + "9" * 65_000 + "}",
        start + '"1' + ",111" * 16_000 + '"}',
        start + "[" + "1," * 32_000 + "1]}",
        start + "[" + '"",' * 21_000 + "1]}",
        start + "[" + '{"a":1},' * 8000 + "1]}",
        start + "[" + '{"a":[[]]},' * 5900 + "1]}",
        start + '"' + "\\ud800" * 10_900 + '"}',
        "{" + ",".join(f'"{number}":1' for number in range(6000)) + "}",
        "[" * 65_000,
        '{"a":' * 13_000,
    ):
        yield FuzzedResponse(
            200, {"content-type": "application/json"}, text.encode(), REGISTERED[1]
        )


def _change_values(members: Members, rng: Random) -> None:
    for index, (key, value) in enumerate(members):
        if key == '"payRst"' and rng.random() < 0.25:
            members[index] = key, _quoted(rng.choice(RESULTS), rng)
        elif key == '"payAmount"' and rng.random() < 0.4:
            members[index] = key, _quoted(rng.choice(AMOUNTS), rng)
        elif rng.random() < 0.03:
            members[index] = key, _quoted(json.loads(value), rng)
    if rng.random() < 0.5:
        rng.shuffle(members)


def _quoted(text: str, rng: Random) -> str:
    """Return *text* as JSON: with raw characters, in ASCII, or with each character escaped."""
    style = rng.randrange(3)
    if style == 2:
        units = text.encode("utf-16-be", "surrogatepass")
        pairs = (units[at : at + 2].hex() for at in range(0, len(units), 2))
        return '"' + "".join(f"\\u{pair}" for pair in pairs) + '"'
    return json.dumps(text, ensure_ascii=style == 0)


def _drop(members: Members, rng: Random) -> None:
    if members:
        members.pop(rng.randrange(len(members)))


def _wrong_value(members: Members, rng: Random) -> None:
    if members:
        index = rng.randrange(len(members))
        members[index] = members[index][0], rng.choice(WRONG_VALUES)


def _duplicate_key(members: Members, rng: Random) -> None:
    """Repeat a key, perhaps escaped in another way, with the same or another value."""
    if members:
        key, value = rng.choice(members)
        again = _quoted(json.loads(key), rng) if key.startswith('"') else key
        other = rng.choice((value, '"success"', '"wait"', f'"{PAY_ID}"', "null"))
        members.insert(rng.randrange(len(members) + 1), (again, other))


def _unknown_key(members: Members, rng: Random) -> None:
    keys = ("sign", "payrst", "payRst ", "PAYRST", "pay\u0280st", "operateCode", "", "__proto__")
    value = rng.choice((*WRONG_VALUES, '"success"'))
    members.insert(rng.randrange(len(members) + 1), (json.dumps(rng.choice(keys)), value))


def _invalid_key(members: Members, rng: Random) -> None:
    if members:
        index = rng.randrange(len(members))
        members[index] = rng.choice(("payRst", "1", "null", "[]", '"\\ud800"')), members[index][1]


def _nested_reply(members: Members, rng: Random) -> None:
    """Put another reply inside an unknown field, perhaps with a duplicate key."""
    inner = '{"payRst":"success","payId":"x"' + rng.choice(("}", ',"payId":"y"}', "", "},"))
    members.append(('"data"', inner))


def _other_payment(members: Members, rng: Random) -> None:
    name = rng.choice(("payId", "partnerCode"))
    own = VALID[name]
    other = rng.choice((own + " ", own[:-1], own + "\0", own.lower(), "\uff10" + own, "x"))
    members[:] = [(key, _quoted(other, rng) if key == f'"{name}"' else it) for key, it in members]


def _deep(members: Members, rng: Random) -> None:
    depth = rng.choice((*[10] * 40, *[150] * 20, 990, 3000, 20_000))
    opening = rng.choice(("[", '{"a":'))
    members.append(('"deep"', opening * depth + "1" + ("]" if opening == "[" else "}") * depth))


_MEMBER_FAULTS: tuple[Callable[[Members, Random], None], ...] = (
    *(_drop, _wrong_value, _wrong_value, _duplicate_key, _duplicate_key, _unknown_key),
    *(_invalid_key, _nested_reply, _other_payment, _deep),
)


def _written(members: Members, rng: Random) -> str:
    blank = rng.choice(("", "", " ", "\n\t", "\r\n", "\u00a0", "/**/"))
    comma = f"{blank},{blank}" if rng.random() < 0.98 else rng.choice((",,", " ", ";"))
    text = "{" + blank + comma.join(f"{key}{blank}:{blank}{it}" for key, it in members) + "}"
    if rng.random() < 0.05:
        around = (
            ("[", "]"),
            ("", text),
            (text, ""),
            ('"', '"'),
            ("x(", ")"),
            ("", "\0"),
            ("", ","),
        )
        before, after = rng.choice(around)
        text = before + text + after
    return text


def _encoded(text: str, rng: Random) -> bytes:
    encoding = rng.choice(ENCODINGS) if rng.random() < 0.05 else "utf-8"
    return text.encode(encoding, "replace" if encoding != "utf-8" else "surrogatepass")


def _flip(body: bytes, rng: Random) -> bytes:
    if not body:
        return body
    at = rng.randrange(len(body))
    return body[:at] + bytes([body[at] ^ (1 << rng.randrange(8))]) + body[at + 1 :]


def _insert(body: bytes, rng: Random) -> bytes:
    odd = (b"\0", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xf4\x90\x80\x80")
    at = rng.randrange(len(body) + 1)
    return body[:at] + rng.choice((*odd, b'"', b"\\", b"}", b",", b"\xc2")) + body[at:]


def _cut(body: bytes, rng: Random) -> bytes:
    start = rng.randrange(len(body) + 1)
    return body[:start] if rng.random() < 0.5 else body[:start] + body[start + 3 :]


def _splice(body: bytes, rng: Random) -> bytes:
    start, end = sorted(rng.randrange(len(body) + 1) for _ in range(2))
    return body[:end] + body[start:end] + body[end:]


def _pad(body: bytes, rng: Random) -> bytes:
    """Pad to the size limit or one byte more or less; rarely, because it takes long to read."""
    if rng.random() < 0.95:
        return body + b"\n"
    return body + b" " * (MAX_BODY - len(body) + rng.choice((-1, 0, 1)))


_BYTE_FAULTS: tuple[Callable[[bytes, Random], bytes], ...] = (
    *(_flip, _flip, _flip, _insert, _insert, _cut, _splice, _pad),
)


def _headers(rng: Random) -> dict[str, str]:
    headers = {"content-type": TYPES[0]}
    if rng.random() < 0.05:
        headers["content-type"] = rng.choice(TYPES)
    if rng.random() < 0.02:
        headers["content-encoding"] = rng.choice(("gzip", "Identity", "br", ""))
    if rng.random() < 0.05:
        headers["retry-after"] = rng.choice(
            ("5", "-5", "9" * 400, "Wed, 21 Oct 2015 07:28:00 +9999999999999999", "x", "\u0665")
        )
    return headers
