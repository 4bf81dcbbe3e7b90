"""Contract of the documents: links, anchors and paths lead somewhere; translations are in step."""

import re

import pytest

from tests.support.markdown import CODE, Document, documents, read
from tests.support.template import ROOT

DOCUMENTS = {each.name: each for each in documents()}
CHINESE = [name for name in DOCUMENTS if name.endswith(".zh-CN.md")]

A_COMMAND = re.compile(r"\b(?:make|cli/payresult|curl|aws|sam) \S|^[A-Z_]+=")
ADDRESS = re.compile(r"https?://[\w./-]+")
COMMENT = re.compile(r"(?:^|\s)# ", re.MULTILINE)


def english_of(name: str) -> Document:
    """Return the document that *name* translates."""
    return DOCUMENTS[name.replace(".zh-CN", "")]


def commands_within(document: Document) -> set[str]:
    """Return the commands within the sentences of a document."""
    return {code for code in CODE.findall(document.prose) if A_COMMAND.search(code)}


def test_the_documents_are_those_that_a_reader_expects() -> None:
    """One for each question; each but the changes has a link from README.md or from another."""
    linked = {
        (document.path.parent / link.partition("#")[0]).resolve()
        for document in DOCUMENTS.values()
        for link in document.links
    }
    assert {each.path.resolve() for each in DOCUMENTS.values()} <= linked
    asked = ("deploy", "operations", "subscribers", "performance", "cost", "decisions", "testing")
    assert {f"docs/{name}.md" for name in (*asked, "provider", "sandbox", "api")} <= {*DOCUMENTS}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_link_leads_to_a_file_and_to_a_heading_of_it(name: str) -> None:
    """Relative to the document, as GitHub resolves it."""
    document = DOCUMENTS[name]
    for link in document.links:
        path, _, anchor = link.partition("#")
        target = (document.path.parent / path).resolve() if path else document.path
        assert target.exists(), link
        if anchor:
            assert anchor in read(target).anchors, link


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_path_that_a_document_names_exists(name: str) -> None:
    """In sentences, commands and diagrams, from the top of the repository."""
    document = DOCUMENTS[name]
    bases = (ROOT, document.path.parent)
    found = {path for path in document.paths if any(any(base.glob(path)) for base in bases)}
    assert document.paths - found == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_can_be_read_everywhere(name: str) -> None:
    """No HTML in tables, and no comment in a block: an interactive zsh takes `#` for a word."""
    document = DOCUMENTS[name]
    assert "<br" not in document.text
    assert [block for block in document.commands if COMMENT.search(block)] == []


@pytest.mark.parametrize("name", CHINESE)
def test_a_translation_has_the_same_sections(name: str) -> None:
    """By level and anchor, so that a link to a section works in both."""
    mine, original = DOCUMENTS[name].headings, english_of(name).headings
    assert [(each.level, each.anchor) for each in mine[1:]] == [
        (each.level, each.anchor) for each in original[1:]
    ]


@pytest.mark.parametrize("name", CHINESE)
def test_a_translation_has_the_same_commands(name: str) -> None:
    """Each block, and each command and address within sentences."""
    mine, original = DOCUMENTS[name], english_of(name)
    assert mine.commands == original.commands
    assert commands_within(mine) == commands_within(original)
    assert set(ADDRESS.findall(mine.text)) == set(ADDRESS.findall(original.text))


@pytest.mark.parametrize("name", CHINESE)
def test_a_translation_has_the_same_rows(name: str) -> None:
    """As many tables and rows, and the same codes in their first cells."""
    mine, original = DOCUMENTS[name], english_of(name)
    assert len(mine.rows) == len(original.rows)
    codes = [[CODE.findall(row.split("|")[1]) for row in each.rows] for each in (mine, original)]
    assert codes[0] == codes[1]
