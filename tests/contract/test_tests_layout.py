"""Contract of the tests' layout: a folder imports ``tests.support`` and itself, and no other."""

import re

import pytest

from tests.support.template import ROOT

TESTS = ROOT / "tests"
FOLDERS = {
    folder.name: sorted(folder.rglob("*.py"))
    for folder in TESTS.iterdir()
    if (folder / "__init__.py").exists()
}


def folders_used(folder: str) -> set[str]:
    """Return the folders of tests/ that *folder* imports."""
    texts = [path.read_text(encoding="utf-8") for path in FOLDERS[folder]]
    imported = re.compile(r"^\s*(?:from|import) tests(?:\.| import )(\w+)", re.MULTILINE)
    return {name for text in texts for name in imported.findall(text)} & FOLDERS.keys()


def test_each_folder_is_known() -> None:
    """A folder without an __init__.py would not be read."""
    folders = {path.relative_to(TESTS).parts[0] for path in TESTS.rglob("*/*.py")}
    assert folders == FOLDERS.keys()
    assert "support" in folders


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_a_folder_stands_alone(folder: str) -> None:
    """Support itself imports no folder of tests at all."""
    assert folders_used(folder) <= {folder, "support"}


def test_each_file_says_first_which_contract_or_guarantee_it_holds() -> None:
    """By one of these words, so that what is proved can be listed."""
    tests = {path: path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py")}
    assert tests
    assert {
        p for p, text in tests.items() if not re.match('"""(Contract|Guarantee|P[1-8])', text)
    } == set()
