"""A sheet's cells under their headings: which column is which, and what no cell may hold, told by row and column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from api.imports.csv_file import CELL_LENGTH_MAX, Row, column_letter
from api.imports.values import plain
from ledger.errors import Text

Names = Mapping[str, Sequence[str]]
"""Field → what offices call its column, the usual name first; the field's own name will do as well."""

_UNITS: Final = ("万元", "亿元", "元")
_FORMULA_STARTS: Final = ("=", "+", "-", "@")


@dataclass(frozen=True, slots=True)
class CellError:
    """What is wrong with one cell: ``row`` as a spreadsheet counts, ``column`` its heading, ``letter`` its letter.

    The heading itself is row 1; column and letter are empty where a row as a whole is at fault. A column that is missing is
    called as the reader would write it.
    """

    row: int
    column: Text
    letter: str
    code: str
    text: Text


@dataclass(frozen=True, slots=True)
class Column:
    """``name`` is a field, or else the heading itself; ``unit`` that of its amounts."""

    heading: str
    letter: str
    name: str
    unit: str


def read_heading(heading: tuple[str, ...], names: Names, needed: Sequence[str]) -> tuple[list[Column], list[CellError]]:
    """The columns, and what is wrong with them: one that stands twice, or one of ``needed`` that is missing."""
    fields = {alias: field for field, aliases in names.items() for alias in (field, *aliases)}
    columns: list[Column] = []
    errors: list[CellError] = []
    for index, cell in enumerate(heading):
        name, unit = _without_unit(plain(cell))
        column = Column(cell, column_letter(index), fields.get(name.lower(), name), unit)
        if any(column.name == other.name for other in columns):
            told = Text(f"表头“{cell}”与前面的列重复", f"the heading {cell!r} stands twice")
            errors.append(CellError(1, as_written(cell), column.letter, "repeated-column", told))
        columns.append(column)
    for field in needed:
        if all(column.name != field for column in columns):
            label = names[field][0]
            told = Text(f"缺少“{label}”一列", f"the column {field} (“{label}”) is missing")
            errors.append(CellError(1, Text(label, field), "", "missing-column", told))
    return columns, errors


def as_written(heading: str) -> Text:
    """A heading that stands in the file, which is the same in every language."""
    return Text(heading, heading)


def in_order(errors: Iterable[CellError]) -> tuple[CellError, ...]:
    """As one looks for them in the sheet: row after row, and in each from left to right."""
    return tuple(sorted(errors, key=lambda error: (error.row, len(error.letter), error.letter)))


def no_rows() -> CellError:
    return CellError(1, as_written(""), "", "no-rows", Text("表头之下没有数据", "there is nothing below the heading"))


def _without_unit(heading: str) -> tuple[str, str]:
    """``实际投入研发费用(万元)`` → the name and its unit. Headings are NFKC, so brackets are half-width."""
    for unit in _UNITS:
        if heading.endswith(f"({unit})"):
            return heading.removesuffix(f"({unit})"), unit
    return heading, "元"


class Cells:
    """One row under its headings."""

    def __init__(self, row: Row, columns: Sequence[Column]) -> None:
        self._row = row
        self._columns = {column.name: column for column in columns}
        self._texts = {column.name: text for column, text in zip(columns, row.cells, strict=False)}
        self._beyond = row.cells[len(columns) :]

    def text(self, name: str) -> str:
        return self._texts.get(name, "")

    def unit(self, name: str) -> str:
        return self._columns[name].unit

    def __contains__(self, name: str) -> bool:
        """Whether there is such a column."""
        return name in self._columns

    def others(self, names: Names) -> Iterator[tuple[str, str]]:
        """What is filled in under headings that are none of these fields."""
        for name, text in self._texts.items():
            if text and name not in names:
                yield name, text

    def errors(self) -> Iterator[CellError]:
        """What no cell may hold."""
        if any(self._beyond):
            told = Text("单元格多于表头的列数", "there are more cells than headings")
            yield CellError(self._row.number, as_written(""), "", "too-many-cells", told)
        for name, text in self._texts.items():
            if text.startswith(_FORMULA_STARTS):
                told = Text("单元格是公式或带符号，请填写其值", "a formula or a signed value; write the value itself")
                yield self.error(name, "formula", told)
            elif len(text) > CELL_LENGTH_MAX:
                told = Text(f"超过{CELL_LENGTH_MAX}个字符", f"longer than {CELL_LENGTH_MAX} characters")
                yield self.error(name, "too-long", told)

    def error(self, name: str, code: str, text: Text, called: Text | None = None) -> CellError:
        """A complaint about a field, at its cell; without a letter where there is no such column, which is then ``called``
        so."""
        column = self._columns.get(name)
        heading, letter = (
            (called or as_written(name), "") if column is None else (as_written(column.heading), column.letter)
        )
        return CellError(self._row.number, heading, letter, code, text)
