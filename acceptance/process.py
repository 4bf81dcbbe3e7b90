"""Settings of the process that runs the cases."""

import os


def ignore_settings() -> None:
    """Take the caller's settings of AWS out of this process, and use no proxy for loopback.

    A session fails for an unknown AWS_PROFILE although it is given keys. Of NO_PROXY and no_proxy
    the latter counts (Python, urllib.request.getproxies).
    """
    for name in [each for each in os.environ if each.startswith("AWS_")]:
        del os.environ[name]
    own = os.environ.get("no_proxy", os.environ.get("NO_PROXY", ""))
    os.environ["no_proxy"] = f"127.0.0.1,{own}"
