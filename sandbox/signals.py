"""The signals that stop a program, which then cleans up."""

import signal
from typing import NoReturn

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """One of STOP_SIGNALS has arrived."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def catch_stop_signals() -> None:
    """Raise Stopped at the first of STOP_SIGNALS, but not at a SIGHUP that nohup has ignored.

    A job in the background of a shell ignores SIGINT too; that one can be sent on purpose only.
    """
    for number in STOP_SIGNALS:
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def ignore_stop_signals() -> None:
    """Let no signal interrupt the clean-up.

    There may be two for one Ctrl-C or one terminal that was closed: of terminal and `make`.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _stop(number: int, _: object) -> NoReturn:
    ignore_stop_signals()
    raise Stopped(number)
