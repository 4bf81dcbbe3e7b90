"""Replies of a gateway that has gone mad: bytes, headers and a status, out of dice."""

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from tests.fault_injection.fuzz_oracle import PARTNER, PAY_ID, ROOMY, Registered


class Fuzzed(NamedTuple):
    """An HTTP answer, and what was registered of the payment it is about."""

    status: int
    headers: dict[str, str]
    body: bytes
    registered: Registered


Members = list[tuple[str, str]]
"""Keys and values of an object, both as JSON text: so that they may be wrong."""

GOOD = {
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


def fuzzed(dice: Random) -> Fuzzed:
    """Return an answer: one in three is good but for its values, the others are broken too."""
    members = [(json.dumps(key), json.dumps(value)) for key, value in GOOD.items()]
    _revalue(members, dice)
    for _ in range(dice.choice((0, 0, 0, 1, 1, 2))):
        dice.choice(_STRUCTURE)(members, dice)
    body = _encoded(_written(members, dice), dice)
    for _ in range(dice.choice((0, 0, 0, 0, 1, 3))):
        body = dice.choice(_BYTES)(body, dice)
    status = 200 if dice.random() < 0.95 else dice.choice(STATUSES)
    return Fuzzed(status, _headers(dice), body, dice.choice(REGISTERED))


def worst() -> Iterator[Fuzzed]:
    """Yield answers of nearly 64 KiB that take as long to read as any."""
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
        yield Fuzzed(200, {"content-type": "application/json"}, text.encode(), REGISTERED[1])


def _revalue(members: Members, dice: Random) -> None:
    for place, (key, value) in enumerate(members):
        if key == '"payRst"' and dice.random() < 0.25:
            members[place] = key, _quoted(dice.choice(RESULTS), dice)
        elif key == '"payAmount"' and dice.random() < 0.4:
            members[place] = key, _quoted(dice.choice(AMOUNTS), dice)
        elif dice.random() < 0.03:
            members[place] = key, _quoted(json.loads(value), dice)
    if dice.random() < 0.5:
        dice.shuffle(members)


def _quoted(text: str, dice: Random) -> str:
    """Return *text* as JSON, raw, escaped where it must be, or escaped letter by letter."""
    way = dice.randrange(3)
    if way == 2:
        units = text.encode("utf-16-be", "surrogatepass")
        pairs = (units[at : at + 2].hex() for at in range(0, len(units), 2))
        return '"' + "".join(f"\\u{pair}" for pair in pairs) + '"'
    return json.dumps(text, ensure_ascii=way == 0)


def _drop(members: Members, dice: Random) -> None:
    if members:
        members.pop(dice.randrange(len(members)))


def _wrong_value(members: Members, dice: Random) -> None:
    if members:
        place = dice.randrange(len(members))
        members[place] = members[place][0], dice.choice(WRONG_VALUES)


def _twice(members: Members, dice: Random) -> None:
    """Say a thing again: the same, another, or under another spelling of the key."""
    if members:
        key, value = dice.choice(members)
        again = _quoted(json.loads(key), dice) if key.startswith('"') else key
        other = dice.choice((value, '"success"', '"wait"', f'"{PAY_ID}"', "null"))
        members.insert(dice.randrange(len(members) + 1), (again, other))


def _stranger(members: Members, dice: Random) -> None:
    keys = ("sign", "payrst", "payRst ", "PAYRST", "pay\u0280st", "operateCode", "", "__proto__")
    value = dice.choice((*WRONG_VALUES, '"success"'))
    members.insert(dice.randrange(len(members) + 1), (json.dumps(dice.choice(keys)), value))


def _bad_key(members: Members, dice: Random) -> None:
    if members:
        place = dice.randrange(len(members))
        members[place] = dice.choice(("payRst", "1", "null", "[]", '"\\ud800"')), members[place][1]


def _inside(members: Members, dice: Random) -> None:
    """Put another answer inside an unknown field, perhaps one that says a thing twice."""
    inner = '{"payRst":"success","payId":"x"' + dice.choice(("}", ',"payId":"y"}', "", "},"))
    members.append(('"data"', inner))


def _other_payment(members: Members, dice: Random) -> None:
    name = dice.choice(("payId", "partnerCode"))
    true = GOOD[name]
    other = dice.choice((true + " ", true[:-1], true + "\0", true.lower(), "\uff10" + true, "x"))
    members[:] = [(key, _quoted(other, dice) if key == f'"{name}"' else it) for key, it in members]


def _deep(members: Members, dice: Random) -> None:
    depth = dice.choice((*[10] * 20, *[150] * 10, 990, 3000, 20_000))
    opening = dice.choice(("[", '{"a":'))
    members.append(('"deep"', opening * depth + "1" + ("]" if opening == "[" else "}") * depth))


_STRUCTURE: tuple[Callable[[Members, Random], None], ...] = (
    *(_drop, _wrong_value, _wrong_value, _twice, _twice, _stranger, _bad_key, _inside),
    *(_other_payment, _deep),
)


def _written(members: Members, dice: Random) -> str:
    blank = dice.choice(("", "", " ", "\n\t", "\r\n", "\u00a0", "/**/"))
    comma = f"{blank},{blank}" if dice.random() < 0.98 else dice.choice((",,", " ", ";"))
    text = "{" + blank + comma.join(f"{key}{blank}:{blank}{it}" for key, it in members) + "}"
    if dice.random() < 0.05:
        around = (
            ("[", "]"),
            ("", text),
            (text, ""),
            ('"', '"'),
            ("x(", ")"),
            ("", "\0"),
            ("", ","),
        )
        before, after = dice.choice(around)
        text = before + text + after
    return text


def _encoded(text: str, dice: Random) -> bytes:
    encoding = dice.choice(ENCODINGS) if dice.random() < 0.05 else "utf-8"
    return text.encode(encoding, "replace" if encoding != "utf-8" else "surrogatepass")


def _flip(body: bytes, dice: Random) -> bytes:
    if not body:
        return body
    at = dice.randrange(len(body))
    return body[:at] + bytes([body[at] ^ (1 << dice.randrange(8))]) + body[at + 1 :]


def _insert(body: bytes, dice: Random) -> bytes:
    odd = (b"\0", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xf4\x90\x80\x80")
    at = dice.randrange(len(body) + 1)
    return body[:at] + dice.choice((*odd, b'"', b"\\", b"}", b",", b"\xc2")) + body[at:]


def _cut(body: bytes, dice: Random) -> bytes:
    start = dice.randrange(len(body) + 1)
    return body[:start] if dice.random() < 0.5 else body[:start] + body[start + 3 :]


def _splice(body: bytes, dice: Random) -> bytes:
    start, end = sorted(dice.randrange(len(body) + 1) for _ in range(2))
    return body[:end] + body[start:end] + body[end:]


def _swell(body: bytes, dice: Random) -> bytes:
    """To the limit and around it; seldom, for it takes as long as fifty others."""
    if dice.random() < 0.95:
        return body + b"\n"
    return body + b" " * (ROOMY - len(body) + dice.choice((-1, 0, 1)))


_BYTES: tuple[Callable[[bytes, Random], bytes], ...] = (
    *(_flip, _flip, _flip, _insert, _insert, _cut, _splice, _swell),
)


def _headers(dice: Random) -> dict[str, str]:
    headers = {"content-type": TYPES[0]}
    if dice.random() < 0.05:
        headers["content-type"] = dice.choice(TYPES)
    if dice.random() < 0.02:
        headers["content-encoding"] = dice.choice(("gzip", "Identity", "br", ""))
    if dice.random() < 0.05:
        headers["retry-after"] = dice.choice(
            ("5", "-5", "9" * 400, "Wed, 21 Oct 2015 07:28:00 +9999999999999999", "x", "\u0665")
        )
    return headers
