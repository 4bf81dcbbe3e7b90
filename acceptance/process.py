"""Settings and signals of the process that runs the cases."""

import os
import signal

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def ignore_settings() -> None:
    """Take the caller's settings of AWS out of this process, and use no proxy for loopback.

    A session fails for an unknown AWS_PROFILE although it is given keys. Of NO_PROXY and no_proxy
    the latter counts (Python, urllib.request.getproxies).
    """
    for name in [each for each in os.environ if each.startswith("AWS_")]:
        del os.environ[name]
    own = os.environ.get("no_proxy", os.environ.get("NO_PROXY", ""))
    os.environ["no_proxy"] = f"127.0.0.1,{own}"


def stop_on_signals() -> None:
    """Let the first of STOP_SIGNALS end the run like Ctrl-C, with everything set back."""
    for each in STOP_SIGNALS:
        signal.signal(each, _stop)


def ignore_signals() -> None:
    """Let no signal interrupt the setting back.

    There may be two for one Ctrl-C or one terminal that was closed: of terminal and `make`.
    """
    for each in STOP_SIGNALS:
        signal.signal(each, signal.SIG_IGN)


def _stop(*_: object) -> None:
    ignore_signals()
    raise KeyboardInterrupt
