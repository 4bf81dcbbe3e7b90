"""Contract: README.md agrees with the repository, and README.zh-CN.md with README.md.

To fix the Chinese one: copy the block or row that a test names, and translate its comments.
"""

import re
from collections import defaultdict

import pytest

from sandbox.credentials import root_credentials
from sandbox.environment import Sandbox
from tests.support.template import ROOT, TEMPLATE

NAMES = ("README.md", "README.zh-CN.md")
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in NAMES}
ENGLISH, CHINESE = TEXTS.values()

FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMENT = re.compile(r"(?:^|\s+)# .*$", re.MULTILINE)
HEADING = re.compile(r'(?:^<a id="([^"]*)"></a>\n)?^(##+) (.+)$', re.MULTILINE)
FIRST_CELL = re.compile(r"^\| ((?:`[^|]+`|P\d)(?:, `[^|]+`)*) \|", re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
ADDRESS = re.compile(r"https?://[\w./-]+")

MOST_LINES = 200
A_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)+/?|[\w-]+\.(?:ini|json|md|py|toml|txt|yaml)")
A_COMMAND = re.compile(r"\b(?:make|cli/payresult|curl|aws|sam) \S|^[A-Z_]+=")
FOLDERS = re.compile(r"\b(?:functions|layers|tests|events|cli)/[\w./-]*\w")


def blocks(text: str) -> list[str]:
    """Return the code blocks, without their comments."""
    return [COMMENT.sub("", block) for block in FENCE.findall(text)]


def prose(text: str) -> str:
    """Return the text without its code blocks."""
    return FENCE.sub("", text)


def headings(text: str) -> list[tuple[str, str]]:
    """Return level and anchor of each heading; an anchor is explicit or made from the title."""
    return [
        (level, anchor or re.sub(r"[^\w-]", "", title.lower().replace(" ", "-")))
        for anchor, level, title in HEADING.findall(prose(text))
    ]


def settings() -> dict[str, str]:
    """Return the default of each parameter in the table of settings; a cell may name several."""
    table = ENGLISH.partition("\n## Settings\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+?`) \| (.*?) ?\| .*\|$", table, re.MULTILINE)
    return {name: default for names, default in rows for name in CODE.findall(names)}


def commands(text: str) -> set[str]:
    """Return the commands within the sentences of a text."""
    return {code for code in CODE.findall(prose(text)) if A_COMMAND.search(code)}


def paths(text: str) -> set[str]:
    """Return each path of the repository in a document: links, code and diagrams."""
    written = [code for code in CODE.findall(prose(text)) if A_PATH.fullmatch(code)]
    drawn = FOLDERS.findall("\n".join([*FENCE.findall(text), *commands(text)]))
    return {*LINK.findall(text), *written, *drawn}


@pytest.mark.parametrize("name", NAMES)
def test_each_path_that_a_readme_names_exists(name: str) -> None:
    """In links, sentences, commands and diagrams."""
    named = paths(TEXTS[name])
    assert {"functions/api", "template.yaml", "docs/operations.md", "cli/payresult"} <= named
    assert {path for path in named if not (ROOT / path).exists()} == set()


def test_the_readme_stays_short() -> None:
    """A reader can get an overview quickly."""
    assert len(ENGLISH.splitlines()) <= MOST_LINES


def test_the_table_of_settings_has_the_parameters_of_the_template() -> None:
    """All of them; defaults in digits or code are those of the template; "empty" means empty."""
    parameters = TEMPLATE["Parameters"]
    assert set(settings()) == set(parameters)
    for name, told in settings().items():
        plain = "" if told == "empty" else told.strip("`")
        if told == "empty" or told.isdigit() or told.startswith("`"):
            assert str(parameters[name]["Default"]) == plain, name
        if told == "none":
            assert "Default" not in parameters[name]


def test_commands_ask_the_sandbox_for_what_it_writes_down() -> None:
    """Each `$(out name)` is a key of outputs.json."""
    written = Sandbox(root_credentials("http://localhost"), defaultdict(str), "", "", None).outputs
    asked = set(re.findall(r"\$\(out (\w+)\)", "".join(blocks(ENGLISH))))
    assert asked
    assert asked <= set(written)


def test_the_chinese_readme_has_the_same_sections() -> None:
    """By level and anchor, so that a link to a section works in both."""
    assert headings(CHINESE) == headings(ENGLISH)
    assert len(headings(ENGLISH)) >= 8


def test_the_chinese_readme_has_the_same_commands() -> None:
    """Each code block, apart from its comments."""
    assert blocks(CHINESE) == blocks(ENGLISH)


def test_the_chinese_readme_has_the_same_rows() -> None:
    """Calls, guarantees, terms and settings, by their first cells."""
    assert FIRST_CELL.findall(CHINESE) == FIRST_CELL.findall(ENGLISH)
    assert len(FIRST_CELL.findall(ENGLISH)) >= 20


def test_the_chinese_readme_names_the_same_commands_and_addresses() -> None:
    """Commands and addresses within sentences."""
    assert commands(CHINESE) == commands(ENGLISH)
    assert set(ADDRESS.findall(CHINESE)) == set(ADDRESS.findall(ENGLISH))
