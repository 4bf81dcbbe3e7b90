"""Contract of the end of sandbox and acceptance run: which signals stop them."""

import signal
from collections.abc import Iterator

import pytest

from sandbox.signals import STOP_SIGNALS, Stopped, catch_stop_signals


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Each signal does afterwards what it did before."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_stops_it(number: signal.Signals) -> None:
    """Once: the clean-up is not interrupted."""
    signal.signal(number, signal.SIG_DFL)  # these tests may run under nohup themselves
    catch_stop_signals()
    with pytest.raises(Stopped):
        signal.raise_signal(number)
    for each in STOP_SIGNALS:
        signal.raise_signal(each)


def test_with_nohup_it_goes_on_when_its_terminal_is_closed() -> None:
    """SIGHUP is ignored, as it was; SIGINT is not, which a job in the background ignores."""
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    catch_stop_signals()
    signal.raise_signal(signal.SIGHUP)
    with pytest.raises(Stopped):
        signal.raise_signal(signal.SIGINT)
