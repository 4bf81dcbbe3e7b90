"""The provider's signature of a request.

The rule is the Mall API's own (its Global Specification, "signContent"), and two of the
provider's published examples reproduce byte for byte with it: see ``tests/unit/test_signing.py``.
There is no secret in it. The signature is a checksum: it proves nothing to either side.
"""

import hashlib
import json
from collections.abc import Mapping


def sign(params: Mapping[str, str]) -> str:
    """Return the ``sign`` of *params*: 32 lower-case hexadecimal digits.

    Empty values and ``sign`` itself do not count. Keys are sorted, ``/`` and
    everything beyond ASCII stay as they are.
    """
    signed = {key: value for key, value in params.items() if value and key != "sign"}
    text = json.dumps(signed, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    # MD5 is the provider's choice; it protects nothing here, so FIPS need not refuse it.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
