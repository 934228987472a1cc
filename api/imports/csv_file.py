"""A CSV file as offices send them: UTF-8 or GB18030, with a byte-order mark or without, headed by Chinese or English."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ledger.errors import Text

BYTES_MOST: Final = 64 * 1024 * 1024
ROWS_MOST: Final = 100_000
CELL_LENGTH_MAX: Final = 2_000

_BYTE_ORDER_MARK: Final = "\ufeff"
"""In GB18030, too, a file may begin with one."""
_UNREADABLE: Final = {
    b"PK\x03\x04": Text(
        "这是 Excel 工作簿；请另存为“CSV UTF-8”后导入", "this is an Excel workbook; save it as CSV UTF-8"
    ),
    b"\xd0\xcf\x11\xe0": Text(
        "这是旧版 Excel 工作簿；请另存为“CSV UTF-8”", "this is an Excel workbook; save it as CSV UTF-8"
    ),
    codecs.BOM_UTF16_LE: Text("这是 UTF-16 文本；请另存为“CSV UTF-8”", "this is UTF-16 text; save it as CSV UTF-8"),
    codecs.BOM_UTF16_BE: Text("这是 UTF-16 文本；请另存为“CSV UTF-8”", "this is UTF-16 text; save it as CSV UTF-8"),
}


class NotCsv(Exception):
    """The file as a whole cannot be read; ``text`` says why and what to do."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


@dataclass(frozen=True, slots=True)
class Row:
    """``number`` as a spreadsheet counts, the heading being row 1; ``cells`` stripped of blanks at their ends."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows without any content are left out."""

    heading: tuple[str, ...]
    rows: tuple[Row, ...]


def read_sheet(content: bytes) -> Sheet:
    """Raises :class:`NotCsv`."""
    rows = list(_rows(_decoded(content)))
    if not rows:
        raise NotCsv(Text("文件是空的；第一行应为表头", "the file is empty; its first row should be the heading"))
    heading, *others = rows
    if len(others) > ROWS_MOST:
        raise NotCsv(Text(f"超过{ROWS_MOST}行，请分成几个文件", f"more than {ROWS_MOST} rows; split the file"))
    return Sheet(heading.cells, tuple(others))


def _decoded(content: bytes) -> str:
    if len(content) > BYTES_MOST:
        raise NotCsv(Text("文件超过64MB，请分成几个文件", "the file is larger than 64 MB; split it"))
    for mark, told in _UNREADABLE.items():
        if content.startswith(mark):
            raise NotCsv(told)
    # UTF-8 first: it hardly ever reads what was not written as such, and GB18030 reads nearly everything.
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text.removeprefix(_BYTE_ORDER_MARK)
    raise NotCsv(
        Text(
            "不是 UTF-8 或 GB18030 编码的文本；请另存为“CSV UTF-8”",
            "neither UTF-8 nor GB18030 text; save it as CSV UTF-8",
        )
    )


def _rows(text: str) -> Iterator[Row]:
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), strict=True), start=1):
            stripped = tuple(cell.strip() for cell in cells)
            if any(stripped):
                yield Row(number, stripped)
    except csv.Error as error:
        raise NotCsv(Text(f"不是完整的 CSV：{error}", f"not a sound CSV file: {error}")) from error


def column_letter(index: int) -> str:
    """``A``, ``B`` … ``Z``, ``AA`` …, as spreadsheets call their columns; ``index`` from 0."""
    letters = ""
    index += 1
    while index:
        index, place = divmod(index - 1, 26)
        letters = chr(ord("A") + place) + letters
    return letters
