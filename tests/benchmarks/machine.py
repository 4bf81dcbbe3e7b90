"""A description of the machine that figures are measured on."""

import os
import platform
from importlib.metadata import version
from typing import Any

PACKAGES = ("botocore", "aws-lambda-powertools", "pydantic-core", "urllib3")


def machine() -> dict[str, Any]:
    """Return the cores, the architecture, the system and the versions of packages."""
    return {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }
