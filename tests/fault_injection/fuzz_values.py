"""P2: C9 dates and C11 signatures, compared with a second implementation of each."""

import hashlib
from random import Random
from zoneinfo import ZoneInfo

from payresult.domain.reply import paid_at
from payresult.gateway.signing import sign
from tests.fault_injection.fuzz_oracle import compare
from tests.fault_injection.results import Run

FIXED = ZoneInfo("Etc/GMT-8")
SHANGHAI = ZoneInfo("Asia/Shanghai")
DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
ODD = (
    *("", " ", "2020-09-17", "18:11:10", "2020-09-17T18:11:10", "2020-9-17 18:11:10", "now"),
    *("2020-09-17 18:11:10 ", "2020-09-17 18:11:10Z", "2020-09-17 18:11:10+08:00"),
    *("20200917181110", "2020-09-17 18:11", "2020-09-17 18:11:10.5", "2020-09-17  18:11:10"),
    *("2020/09/17 18:11:10", "\u0662\u0660\u0662\u0660-09-17 18:11:10", "2020-09-17\n18:11:10"),
    *("-020-09-17 18:11:10", "2020-09-17 18:11:\uff11\uff10", "+2020-09-17 18:11:10"),
    *("2020-W38-4 18:11:10", "0" * 5000),
)
NAMES = (
    *("partnerCode", "payId", "tradeTime", "tradeType", "version", "sign", "a", "aa", "ab", "A"),
    *("\u4e2d", "\u00e9", "e\u0301", "\U0001f600", '"', "\\", "", "a\nb"),
)
PIECES = (
    *("", "", "a", "b", "ab", '"', '":"', '","', "\\", "\\u0041", "/", "</", "{}", ",", ":", " "),
    *("\n", "\t", "\b", "\x01", "\x7f", "\u2028", "\u4e2d\u6587", "\U0001f600", "&amp;", "=", "&"),
    *("success", "20190321192436", "P000818", "true", "null", "0"),
)
SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}

Params = dict[str, str]


def dates(run: Run) -> None:
    """Read dates, valid and invalid, with both implementations."""
    run.faults = len(ODD)
    for number in run.numbers():
        text = ODD[number] if number < len(ODD) else _digits(run.rng)
        found, expected = paid_at(text, FIXED), read(text)
        compare(text, found, expected, run.verdict)
        in_shanghai = paid_at(text, SHANGHAI)
        if in_shanghai is not None and (expected is None or in_shanghai[:19] != expected[:19]):
            run.problems.append(f"{text!a} became {in_shanghai} in Shanghai")
        if paid_at(text, None) is not None:
            run.problems.append(f"{text!a} has a time without a zone")


def read_bytes_as_date(data: bytes) -> None:
    """Compare the values of a date, for ``fuzz_coverage``."""
    text = data.decode("utf-8", "replace")
    assert paid_at(text, FIXED) == read(text)


def _digits(rng: Random) -> str:
    """Return a date of which each part may exceed its maximum by one or two."""
    year, month, day = rng.randrange(10_000), rng.randrange(14), rng.randrange(33)
    hour, minute, second = rng.randrange(26), rng.randrange(62), rng.randrange(62)
    return f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"


def read(text: str) -> str | None:
    """Return a date as ISO 8601 with the offset +08:00, None if it is invalid."""
    shape = "".join("0" if "0" <= each <= "9" else each for each in text)
    if shape != "0000-00-00 00:00:00":
        return None
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
    if year < 1 or not 1 <= month <= 12:
        return None
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= day <= DAYS[month - 1] + leap:
        return None
    if int(text[11:13]) > 23 or int(text[14:16]) > 59 or int(text[17:19]) > 59:
        return None
    return f"{text[:10]}T{text[11:]}+08:00"


def sign_joined(params: Params) -> str:
    """Sign ``key=value`` pairs without quoting them: a control."""
    text = "&".join(f"{key}={params[key]}" for key in sorted(params) if key != "sign")
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def signatures(run: Run) -> None:
    """Sign requests, each also with two of its values written as one."""
    signer, seen = run.design or sign, dict[str, str]()
    for _ in run.numbers():
        names = run.rng.sample(NAMES, run.rng.randint(1, 7))
        params = {name: _value(run.rng) for name in names}
        for request in (params, _shifted(params, run.rng)):
            content = _content(request)
            signature = signer(request)
            if signature != digest(request):
                run.problems.append(f"wrong signature: {content!a}")
            if seen.setdefault(signature, content) != content:
                run.problems.append(f"same signature as other content: {content!a}")
            run.faults += request is not params


def sign_bytes(data: bytes) -> None:
    """Compare the signatures of parameters, separated by zero bytes, for ``fuzz_coverage``."""
    parts = data.decode("utf-8", "replace").split("\0")
    params = dict(zip(parts[::2], parts[1::2], strict=False))
    assert sign(params) == digest(params)


def _value(rng: Random) -> str:
    return "".join(rng.choices(PIECES, k=rng.randint(0, 4)))


def _shifted(params: Params, rng: Random) -> Params:
    """Join two parameters into one value, which unquoted joining does not distinguish."""
    names = sorted(params)
    if len(names) < 2:
        return params | {"sign": _value(rng)}
    index = rng.randrange(len(names) - 1)
    one, two = names[index], names[index + 1]
    glue = rng.choice((f'","{two}":"', f"&{two}=", f",{two}:", two))
    rest = {name: value for name, value in params.items() if name not in {one, two}}
    return rest | {one: params[one] + glue + params[two]}


def digest(params: Params) -> str:
    """Return the expected signature."""
    return hashlib.md5(_content(params).encode(), usedforsecurity=False).hexdigest()


def _content(params: Params) -> str:
    """Return the signed text: JSON without blanks, sorted, without `sign` and empty values."""
    members = [
        f"{_quoted(name)}:{_quoted(params[name])}"
        for name in sorted(params)
        if name != "sign" and params[name] != ""
    ]
    return "{" + ",".join(members) + "}"


def _quoted(text: str) -> str:
    return '"' + "".join(_escaped(each) for each in text) + '"'


def _escaped(character: str) -> str:
    if character in SHORT:
        return SHORT[character]
    return f"\\u{ord(character):04x}" if character < " " else character
