"""C11: signatures equal those of a second implementation, and differ for different requests."""

import hashlib
from collections.abc import Callable
from random import Random

from payresult.gateway.signing import sign
from tests.fault_injection.results import CampaignRun, OnProgress
from tests.support.oracle import Verdict

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
Signer = Callable[[Params], str]


def sign_joined(params: Params) -> str:
    """Sign ``key=value`` pairs without quoting them: a control."""
    text = "&".join(f"{key}={params[key]}" for key in sorted(params) if key != "sign")
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def signatures(
    size: int, rng: Random, on_progress: OnProgress, signer: Signer = sign
) -> CampaignRun:
    """Sign *size* requests, each also with two of its values written as one."""
    problems, seen, faults = list[str](), dict[str, str](), 0
    for number in range(size):
        params = {name: _value(rng) for name in rng.sample(NAMES, rng.randint(1, 7))}
        for request in (params, _shifted(params, rng)):
            content = _content(request)
            signature = signer(request)
            if signature != digest(request):
                problems.append(f"wrong signature: {content!a}")
            if seen.setdefault(signature, content) != content:
                problems.append(f"same signature as other content: {content!a}")
            faults += request is not params
        on_progress(number / size)
    return CampaignRun(size, faults, Verdict(), tuple(problems))


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
