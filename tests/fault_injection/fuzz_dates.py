"""C9: dates of the gateway, read by payresult and by a second implementation."""

import json
from random import Random
from zoneinfo import ZoneInfo

from payresult.domain.reply import paid_at
from tests.fault_injection.results import CampaignRun, OnProgress
from tests.support.oracle import Verdict

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


def dates(size: int, rng: Random, on_progress: OnProgress) -> CampaignRun:
    """Read *size* dates, valid and invalid, with both implementations."""
    verdict, problems = Verdict(), list[str]()
    for number in range(size):
        text = ODD[number] if number < len(ODD) else _digits(rng)
        found, expected = paid_at(text, FIXED), read(text)
        if found != expected:
            (verdict.lost if found is None else verdict.false).append(ascii(text)[:60])
        in_shanghai = paid_at(text, SHANGHAI)
        if in_shanghai is not None and (expected is None or in_shanghai[:19] != expected[:19]):
            problems.append(f"{text!a} became {in_shanghai} in Shanghai")
        if paid_at(text, None) is not None:
            problems.append(f"{text!a} has a time without a zone")
        json.dumps(found)
        on_progress(number / size)
    return CampaignRun(size, len(ODD), verdict, tuple(problems))


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
