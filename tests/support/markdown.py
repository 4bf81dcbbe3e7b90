"""Support: reads the project's Markdown documents: blocks, headings, links, paths, tables."""

import re
from pathlib import Path
from typing import NamedTuple

from tests.support.template import ROOT

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
ROW = re.compile(r"^\|.*\|$", re.MULTILINE)

_HEADING = re.compile(r"^(##*) (.+)$", re.MULTILINE)
_ANCHOR = re.compile(r'<a id="([^"]+)"></a>')
_LINK = re.compile(r"\]\(([^)\s]+)\)|^\[[\w-]+\]: (\S+)$|(?:src|srcset)=\"([^\"]+)\"", re.MULTILINE)
_TARGET = re.compile(r"\]\([^)]*\)")
_FOLDERS = "functions|layers|tests|events|cli|sandbox|docs|requirements"
_PATH = re.compile(rf"(?<![\w./#$-])(?:{_FOLDERS})/[\w./*-]*\w")


class Heading(NamedTuple):
    """A heading: its level and the anchors that a link may name."""

    level: int
    anchor: str
    slug: str


class Document(NamedTuple):
    """A document of the project."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        """Its path in the repository."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def prose(self) -> str:
        """The text without its code blocks."""
        return FENCE.sub("", self.text)

    @property
    def commands(self) -> list[str]:
        """The code blocks of shell commands, without their common indentation."""
        return [
            re.sub(rf"^{indent}", "", block, flags=re.MULTILINE)
            for indent, language, block in FENCE.findall(self.text)
            if language in {"", "sh"}
        ]

    @property
    def headings(self) -> list[Heading]:
        """The headings in order; the anchor is explicit or made as GitHub does."""
        found, start = [], 0
        for match in _HEADING.finditer(self.prose):
            explicit = _ANCHOR.findall(self.prose[start : match.start()])
            slug = slug_of(match[2])
            anchor = explicit[-1] if explicit else slug
            found.append(Heading(len(match[1]), anchor, slug))
            start = match.end()
        return found

    @property
    def anchors(self) -> set[str]:
        """All that may stand behind `#` in a link to this document."""
        headings = {name for each in self.headings for name in (each.anchor, each.slug)}
        return headings | set(_ANCHOR.findall(self.prose))

    @property
    def links(self) -> list[str]:
        """The targets of the links that lead to a file or section of the project."""
        found = ["".join(forms) for forms in _LINK.findall(self.prose)]
        return [target for target in found if "://" not in target]

    @property
    def paths(self) -> set[str]:
        """What looks like a path from the top of the repository, in code and in blocks."""
        code = [*CODE.findall(self.prose), *(block for _, _, block in FENCE.findall(self.text))]
        return {path for text in code for path in _PATH.findall(text)}

    @property
    def rows(self) -> list[str]:
        """The lines of tables as a reader sees them: without the targets of links."""
        return [_TARGET.sub("]", row) for row in ROW.findall(self.prose)]


def slug_of(title: str) -> str:
    """The anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def read(path: Path) -> Document:
    """The document at *path*."""
    return Document(path, path.read_text(encoding="utf-8"))


def documents() -> list[Document]:
    """Every document of the project: at the top, in docs/ and in events/."""
    folders = (ROOT.glob("*.md"), (ROOT / "docs").rglob("*.md"), (ROOT / "events").rglob("*.md"))
    return [read(path) for found in folders for path in sorted(found)]
