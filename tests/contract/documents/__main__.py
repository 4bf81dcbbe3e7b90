"""Run with ``python -m tests.contract.documents``."""

import sys
from pathlib import Path

# pytest finds the layer by pyproject.toml; outside it, nobody has said where it is.
sys.path.insert(0, str(Path(__file__).parents[3] / "layers" / "payresult" / "python"))

from tests.contract.documents.generate import write

write()
