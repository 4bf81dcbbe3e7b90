"""Contract of payIds: what the layer takes, the page of the sandbox takes too."""

from pathlib import Path

import pytest

from payresult.schemas.fields import PAY_ID
from sandbox import page


@pytest.mark.parametrize("name", ["actions.py", "files/page.js", "files/index.html"])
def test_the_page_takes_the_pay_ids_that_the_layer_takes(name: str) -> None:
    """It shares no code with the layer, so the pattern is written there as well."""
    text = (Path(page.__file__).parent / name).read_text(encoding="utf-8")
    assert PAY_ID in text.replace("~\\-", "~-")  # a browser wants the hyphen escaped
