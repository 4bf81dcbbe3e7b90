"""Dates of the gateway, read by payresult and by a calendar of our own."""

import json
from random import Random
from zoneinfo import ZoneInfo

from payresult.domain.reply import paid_at
from tests.fault_injection.oracle import Verdict
from tests.fault_injection.results import Outcome, Tick

FIXED = ZoneInfo("Etc/GMT-8")
SHANGHAI = ZoneInfo("Asia/Shanghai")
DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
ODD = (
    *("", " ", "2020-09-17", "18:11:10", "2020-09-17T18:11:10", "2020-9-17 18:11:10", "now"),
    *(
        "2020-09-17 18:11:10 ",
        "2020-09-17 18:11:10Z",
        "2020-09-17 18:11:10+08:00",
        "20200917181110",
    ),
    *("2020-09-17 18:11", "2020-09-17 18:11:10.5", "2020-09-17  18:11:10", "2020/09/17 18:11:10"),
    *("\u0662\u0660\u0662\u0660-09-17 18:11:10", "2020-09-17\n18:11:10", "-020-09-17 18:11:10"),
    *("2020-09-17 18:11:\uff11\uff10", "+2020-09-17 18:11:10", "2020-W38-4 18:11:10", "0" * 5000),
)


def dates(size: int, dice: Random, tick: Tick) -> Outcome:
    """Read *size* dates, right and wrong by a digit, both ways."""
    verdict, problems = Verdict(), list[str]()
    for number in range(size):
        text = ODD[number] if number < len(ODD) else _digits(dice)
        said, true = paid_at(text, FIXED), read(text)
        if said != true:
            (verdict.lost if said is None else verdict.false).append(ascii(text)[:60])
        elsewhere = paid_at(text, SHANGHAI)
        if elsewhere is not None and (true is None or elsewhere[:19] != true[:19]):
            problems.append(f"{text!a} became {elsewhere} in Shanghai")
        if paid_at(text, None) is not None:
            problems.append(f"{text!a} has a zone")
        json.dumps(said)
        tick(number / size)
    return Outcome(size, len(ODD), verdict, tuple(problems))


def _digits(dice: Random) -> str:
    """Write a date of which each part may be a little more than there is."""
    year, month, day = dice.randrange(10_000), dice.randrange(14), dice.randrange(33)
    hour, minute, second = dice.randrange(26), dice.randrange(62), dice.randrange(62)
    return f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"


def read(text: str) -> str | None:
    """Return the date as ISO 8601, eight hours east, by counting."""
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
