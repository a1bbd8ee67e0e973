"""Comma-separated sheets whose every fault is named by file and line.

The form: UTF-8 text, one header, then one row a line, no quoting. A byte order mark, Windows line
ends, blanks around a cell and empty lines at the end are forgiven; nothing else is.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from specie.values.catalogue import ErrorCode
from specie.values.errors import SpecieError
from specie.workload.limits import LINE_CHARACTERS_MAX, SHEET_BYTES_MAX, SHEET_LINES_MAX

LINE_FIRST: Final = 1
SHOWN_CHARACTERS_MAX: Final = 40
NUMBER: Final = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class SheetForm:
    """What a sheet must look like: its file name and its header."""

    file: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One row, which knows where it stands."""

    file: str
    line: int
    cells: Mapping[str, str]

    def get_text(self, column: str) -> str:
        """The cell as it is written, without blanks around it."""
        return self.cells[column]

    def get_number(self, column: str, low: float, high: float) -> float:
        """The cell as a finite number within the bounds, both included."""
        text = self.cells[column]
        if NUMBER.fullmatch(text) is None:
            raise self.build_error(f"{column} is not a finite number: {show(text)}")
        number = float(text)
        if not low <= number <= high:
            raise self.build_error(f"{column} is not within {low:g} to {high:g}: {show(text)}")
        return number

    def get_integer(self, column: str, low: int, high: int) -> int:
        """The cell as a whole number within the bounds (`1e+05` is one: statisticians write it)."""
        number = self.get_number(column, low, high)
        if not number.is_integer():
            raise self.build_error(f"{column} is not a whole number: {show(self.cells[column])}")
        return int(number)

    def build_error(self, reason: str) -> SpecieError:
        """The error that this row has."""
        return build_malformed(self.file, self.line, reason)


def read_sheet(files: Mapping[str, str], form: SheetForm) -> Iterator[Row]:
    """All rows of one sheet, at least one; `PROFILE_MISSING` if there is no such sheet."""
    if form.file not in files:
        raise build_missing(form.file, "the file is missing")
    lines = _split_lines(form.file, files[form.file])
    _check_header(form, lines[0])
    if len(lines) == 1:
        raise build_malformed(form.file, LINE_FIRST + 1, "no row after the header")
    for line, text in enumerate(lines[1:], start=LINE_FIRST + 1):
        yield _read_row(form, line, text)


def build_malformed(file: str, line: int, reason: str) -> SpecieError:
    """The error for what is wrong in a sheet."""
    return SpecieError(ErrorCode.PROFILE_MALFORMED, f"{file}:{line}: {reason}")


def build_missing(file: str, reason: str) -> SpecieError:
    """The error for a sheet that is not there; its line is the first, where it should begin."""
    return SpecieError(ErrorCode.PROFILE_MISSING, f"{file}:{LINE_FIRST}: {reason}")


def show(text: str) -> str:
    """A cell as an error message may hold it: short, printable, in quotes."""
    return ascii(text[:SHOWN_CHARACTERS_MAX])


def _split_lines(file: str, text: str) -> list[str]:
    """Lines as editors count them: only line feeds end one, so that line numbers agree."""
    if len(text) > SHEET_BYTES_MAX or text.count("\n") > SHEET_LINES_MAX:
        line = text.count("\n", 0, SHEET_BYTES_MAX) + 1
        raise build_malformed(file, min(line, SHEET_LINES_MAX + 1), "the file is too large")
    body = text.removeprefix("\ufeff").rstrip("\r\n")
    if not body.strip():
        raise build_malformed(file, LINE_FIRST, "the file is empty")
    return body.split("\n")


def _check_header(form: SheetForm, text: str) -> None:
    found = _split_cells(text)
    missing = [column for column in form.columns if column not in found]
    if missing:
        raise build_malformed(form.file, LINE_FIRST, f"column {missing[0]} is missing")
    if found != form.columns:
        expected = ",".join(form.columns)
        raise build_malformed(form.file, LINE_FIRST, f"the header is not {expected}")


def _read_row(form: SheetForm, line: int, text: str) -> Row:
    if len(text) > LINE_CHARACTERS_MAX:
        raise build_malformed(form.file, line, f"longer than {LINE_CHARACTERS_MAX} characters")
    cells = _split_cells(text)
    if len(cells) != len(form.columns):
        reason = f"{len(cells)} cells instead of {len(form.columns)}"
        raise build_malformed(form.file, line, reason)
    return Row(form.file, line, dict(zip(form.columns, cells, strict=True)))


def _split_cells(text: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in text.split(","))
