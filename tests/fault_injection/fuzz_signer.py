"""C11: the signature, against one made by other means; and no two requests with the same one."""

import hashlib
from collections.abc import Callable
from random import Random

from payresult.gateway.signing import sign
from tests.fault_injection.oracle import Verdict
from tests.fault_injection.results import Outcome, Tick

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


def joined(params: Params) -> str:
    """Sign as one does who forgets the quotes: a control."""
    text = "&".join(f"{key}={params[key]}" for key in sorted(params) if key != "sign")
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def signatures(size: int, dice: Random, tick: Tick, signer: Signer = sign) -> Outcome:
    """Sign *size* requests, each also with a separator moved from a value into the next."""
    problems, seen, faults = list[str](), dict[str, str](), 0
    for number in range(size):
        params = {name: _value(dice) for name in dice.sample(NAMES, dice.randint(1, 7))}
        for request in (params, _shifted(params, dice)):
            content = _content(request)
            made = signer(request)
            if made != digest(request):
                problems.append(f"another signature: {content!a}")
            if seen.setdefault(made, content) != content:
                problems.append(f"two contents, one signature: {content!a}")
            faults += request is not params
        tick(number / size)
    return Outcome(size, faults, Verdict(), tuple(problems))


def _value(dice: Random) -> str:
    return "".join(dice.choices(PIECES, k=dice.randint(0, 4)))


def _shifted(params: Params, dice: Random) -> Params:
    """Write two neighbours as one: what a signer that only joins takes for the same request."""
    names = sorted(params)
    if len(names) < 2:
        return params | {"sign": _value(dice)}
    place = dice.randrange(len(names) - 1)
    one, two = names[place], names[place + 1]
    glue = dice.choice((f'","{two}":"', f"&{two}=", f",{two}:", two))
    rest = {name: value for name, value in params.items() if name not in {one, two}}
    return rest | {one: params[one] + glue + params[two]}


def digest(params: Params) -> str:
    """Return the signature that is due."""
    return hashlib.md5(_content(params).encode(), usedforsecurity=False).hexdigest()


def _content(params: Params) -> str:
    """The text that is signed, put together by hand."""
    members = [
        f"{_quoted(name)}:{_quoted(params[name])}"
        for name in sorted(params)
        if name != "sign" and params[name] != ""
    ]
    return "{" + ",".join(members) + "}"


def _quoted(text: str) -> str:
    return '"' + "".join(_escaped(each) for each in text) + '"'


def _escaped(letter: str) -> str:
    if letter in SHORT:
        return SHORT[letter]
    return f"\\u{ord(letter):04x}" if letter < " " else letter
