"""Reads CSV files that users provide; an invalid line is named by its number."""

import csv
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple, NoReturn

from payresult_cli.errors import CommandError
from payresult_cli.formatting import format_count

MAX_FIELD_CHARACTERS = 1024
"""Longer than any value that payresult accepts."""

MAX_LINES_NAMED = 20
"""Of the invalid lines of a file: more do not help to see what is wrong with it."""


class CsvRow(NamedTuple):
    """One row: the number of its line, and its values that are not empty by column name."""

    line_number: int
    fields: dict[str, str]


def read_csv(
    path: Path, *, required: Sequence[str], header_optional: bool = False
) -> Iterator[CsvRow]:
    """Yield the rows of *path*: UTF-8, with a header that names at least the *required* columns.

    With *header_optional*, a file of one column without a header is a list of the first of
    *required*. CommandError if the file or one of its lines is invalid.
    """
    lines = _lines(path)
    first = next(lines, None)
    if first is None:
        raise CommandError(f"{path} is empty")
    names = _column_names(path, first[1], required, header_optional=header_optional)
    for line_number, values in lines if names == first[1] else chain([first], lines):
        if len(values) != len(names):
            reject_line(
                path,
                line_number,
                f"has {format_count(len(values), 'value')}, expected {len(names)}",
            )
        fields = {name: value for name, value in zip(names, values, strict=True) if value}
        yield CsvRow(line_number, fields)


def reject_line(path: Path, line_number: int, reason: str) -> NoReturn:
    """Raise CommandError about a line of *path*."""
    reject_lines(path, [(line_number, reason)])


def reject_lines(path: Path, problems: Sequence[tuple[int, str]]) -> NoReturn:
    """Raise CommandError about lines of *path*: pairs of number and reason."""
    named = [f"line {number} {reason}" for number, reason in problems[:MAX_LINES_NAMED]]
    if len(problems) > len(named):
        named.append(f"and {len(problems) - len(named):,} more")
    raise CommandError(f"{path}, {'; '.join(named)}; nothing was done")


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield number and values of each line that is not empty."""
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            for values in reader:
                if any(values):
                    yield reader.line_num, values
        except UnicodeDecodeError:
            raise CommandError(f"{path} is not UTF-8 text; nothing was done") from None
        except csv.Error as error:
            reject_line(path, reader.line_num, f"is not valid CSV: {error}")


def _column_names(
    path: Path, first: list[str], required: Sequence[str], *, header_optional: bool
) -> list[str]:
    missing = [name for name in required if name not in first]
    if header_optional and missing and len(first) == 1:
        return list(required[:1])
    if missing:
        reject_line(path, 1, f"must name the columns {', '.join(required)}, separated by commas")
    if len(set(first)) < len(first):
        reject_line(path, 1, "names a column twice")
    return first
