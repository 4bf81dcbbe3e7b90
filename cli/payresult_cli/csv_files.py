"""CSV files that people hand in: read line by line, and refused with the line that is wrong."""

import csv
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple, NoReturn

from payresult_cli.errors import CommandError

LIMIT = 1024
"""Characters in one field: far more than any value that payresult takes."""


class Row(NamedTuple):
    """A line of the file; ``fields`` by the names of the first line, empty ones left out."""

    line: int
    fields: dict[str, str]


def rows(path: Path, *, needs: Sequence[str], bare: bool = False) -> Iterator[Row]:
    """Yield the rows of *path*, UTF-8, whose first line names at least the columns *needs*.

    With *bare* a file without such a line is a list of the first of *needs*.
    """
    lines = _lines(path)
    first = next(lines, None)
    if first is None:
        raise CommandError(f"{path} is empty")
    names = _names(path, first[1], needs, bare=bare)
    for line, values in lines if names == first[1] else chain([first], lines):
        if len(values) != len(names):
            wrong(path, line, f"has {len(values)} values, not {len(names)}")
        yield Row(line, {name: value for name, value in zip(names, values, strict=True) if value})


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield what lines hold that hold something, each with its number."""
    csv.field_size_limit(LIMIT)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            for values in reader:
                if any(values):
                    yield reader.line_num, values
        except UnicodeDecodeError:
            raise CommandError(f"{path} is not UTF-8 text; nothing was done") from None
        except csv.Error as error:
            wrong(path, reader.line_num, f"is no CSV: {error}")


def wrong(path: Path, line: int, rule: str) -> NoReturn:
    """Refuse the file for this line."""
    raise CommandError(f"{path}, line {line} {rule}; nothing was done")


def _names(path: Path, first: list[str], needs: Sequence[str], *, bare: bool) -> list[str]:
    missing = [name for name in needs if name not in first]
    if bare and missing and len(first) == 1:
        return list(needs[:1])
    if missing:
        wrong(path, 1, f"must name the columns {', '.join(needs)}, separated by commas")
    if len(set(first)) < len(first):
        wrong(path, 1, "names a column twice")
    return first
