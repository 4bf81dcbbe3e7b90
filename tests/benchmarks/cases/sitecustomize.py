"""Makes every TLS context of the process trust the stubs' certificate authority too.

Python imports this module when it starts, in each case.
"""

import os
import ssl
from typing import Any

ROOT = os.environ["BENCHMARK_ROOT"]

_load = ssl.SSLContext.load_verify_locations
_load_default = ssl.SSLContext.set_default_verify_paths


def _load_and_trust(self: ssl.SSLContext, *args: Any, **named: Any) -> None:
    _load(self, *args, **named)
    _load(self, ROOT)


def _load_default_and_trust(self: ssl.SSLContext) -> None:
    _load_default(self)
    _load(self, ROOT)


ssl.SSLContext.load_verify_locations = _load_and_trust  # type: ignore[method-assign]  # intended
ssl.SSLContext.set_default_verify_paths = _load_default_and_trust  # type: ignore[method-assign]  # intended
