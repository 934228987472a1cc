"""The whole log in one file of JSON Lines, which an auditor can read, hash and keep.

::

    {"format":"funding-ledger-export","version":1,"origin":"…","size":3,"policies":[…]}
    ["application-submitted",["case=…",…],{"envelope":{…},"payload":{…}}]
    …one line for each event, which is exactly what its leaf is the hash of
    {"checkpoint":"…"}

The line of an event stands at its position plus one. The last line holds the signed checkpoint of exactly these events.
Described in docs/adr/0007.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from ledger.counted import counted
from ledger.errors import StoreFault, Text
from ledger.policy.model import Pin
from ledger.seal import SealError, line_ends
from ledger.seal.merkle import EMPTY, HASH_BYTES, leaf_hash
from ledger.seal.note import Checkpoint, Note
from ledger.seal.sealed_log import Finding, Row, SealedLog
from ledger.seal.verification import SPAN
from ledger.seal.wrong_event import changed

FORMAT: Final = "funding-ledger-export"
VERSION: Final = 1
WRONG_LENGTH: Final = "wrong-length"
LINE_BYTES_MOST: Final = 16 * 1024 * 1024
"""A line is one event: what is longer is no export of ours, and would only fill the memory."""


class ExportMalformed(SealError):
    """A file that is no export, or not a whole one."""

    code = "export-malformed"


class ExportHeader(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first line. ``policies`` are the texts that this ledger knew when it was written."""

    format: str
    version: int
    origin: str
    size: int
    policies: tuple[Pin, ...]


class _Closing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    checkpoint: str


class _Line(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    type_name: str
    tags: msgspec.Raw
    data: msgspec.Raw


_ENCODE = msgspec.json.Encoder().encode
_HEADER = msgspec.json.Decoder(ExportHeader, strict=True)
_CLOSING = msgspec.json.Decoder(_Closing, strict=True)
_LINE = msgspec.json.Decoder(_Line)


def export_lines(log: SealedLog, header: ExportHeader, checkpoint: bytes) -> Iterator[bytes]:
    """The lines of an export, each with its newline: memory for some thousand events, whatever the size.

    ``checkpoint`` is the signed one of ``header.size`` events, and each of them is compared with its seal, all of them with
    the checkpoint: what was changed since it was signed is not handed out. Raises ``StoreFault`` where one of them is not
    what was sealed, is missing, or could not stand on a line.
    """
    assert header.size <= log.size, "what is exported is there"
    yield _ENCODE(header) + b"\n"
    frontier = EMPTY
    for first in range(1, header.size + 1, SPAN):
        last = min(first + SPAN - 1, header.size)
        rows = log.rows(first, last)
        leaves: list[bytes] = []
        for position, row in zip(range(first, last + 1), rows, strict=False):
            if row.position != position or b"\n" in row.leaf:
                raise _not_exportable(position)
            leaves.append(leaf_hash(row.leaf))
            if row.run is not None and row.run[:HASH_BYTES] != leaves[-1]:
                raise _not_kept(changed(row, leaves[-1]))
            yield row.leaf + b"\n"
        if len(rows) != last - first + 1:
            raise _not_exportable(first + len(rows))
        frontier, _ = frontier.append(leaves)
    if frontier.root != Checkpoint.parse(Note.parse(checkpoint).text).root:
        raise _not_kept(_replaced(header.size))
    yield _ENCODE(_Closing(checkpoint.decode())) + b"\n"


class ExportLog(SealedLog):
    """An export to be checked. Raises :class:`ExportMalformed` for a file that does not begin and end as one.

    ``size`` is how many events the file holds. That these are as many as its header says, and of the log it names, is told
    by :meth:`closing_findings`; that its checkpoint is of all of them is for who checks it to ask.
    """

    divisible = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._offsets: list[int] = []
        header, closing = self._scan()
        try:
            self.header = _HEADER.decode(header)
        except msgspec.DecodeError as error:
            raise _malformed(path, "第一行不是导出文件的表头", f"its first line is no header ({error})") from error
        if (self.header.format, self.header.version) != (FORMAT, VERSION):
            raise _malformed(
                path,
                f"格式为{self.header.format}第{self.header.version}版，本程序只能读取{FORMAT}第{VERSION}版",
                f"it is {self.header.format} version {self.header.version}; this program reads {FORMAT} {VERSION}",
            )
        try:
            self.checkpoint = _CLOSING.decode(closing).checkpoint.encode()
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            raise _malformed(
                path,
                "最后一行不是检查点，文件可能不完整",
                "its last line is no checkpoint: the file may have been cut off",
            ) from error

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_file": None}

    @property
    def size(self) -> int:
        return self._size

    def rows(self, first: int, last: int) -> list[Row]:
        span = (first - 1) // SPAN
        file = self._open()
        file.seek(self._offsets[span])
        for _ in range(first - 1 - span * SPAN):
            self._line(file)
        return [_row(position, self._line(file)) for position in range(first, last + 1)]

    def findings(self, first: int, last: int) -> list[Finding]:
        return []

    def closing_findings(self) -> list[Finding]:
        return [*self._wrong_origin(), *self._wrong_length()]

    def _wrong_origin(self) -> list[Finding]:
        stated = Checkpoint.parse(Note.parse(self.checkpoint).text).origin
        if self.header.origin == stated:
            return []
        told = Text(
            f"表头写明日志{self.header.origin}，检查点出自{stated}",
            f"the header names the log {self.header.origin}, the checkpoint is of {stated}",
        )
        return [Finding(1, "another-origin", told)]

    def _wrong_length(self) -> list[Finding]:
        if self.header.size == self._size:
            return []
        told = Text(
            f"表头写明{self.header.size}个事件，文件中有{self._size}个",
            f"the header promises {counted(self.header.size, 'event')}, the file holds {self._size}",
        )
        # A line may have been taken out, or put in, anywhere.
        return [Finding(1, WRONG_LENGTH, told, through=max(self.header.size, self._size))]

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _scan(self) -> tuple[bytes, bytes]:
        """Where each span begins, and the first and the last line, in one pass."""
        file = self._open()
        header = self._line(file)
        lines, line, offset = 0, b"", len(header) + 1
        while True:
            if lines % SPAN == 0:
                self._offsets.append(offset)
            following = file.readline(LINE_BYTES_MOST + 1)
            if not following:
                break
            line = following
            offset += len(following)
            lines += 1
            self._require_line_end(line)
            if not line.endswith(b"\n"):
                raise _malformed(
                    self._path,
                    "最后一行没有换行符，文件不完整",
                    "a line is too long or has no end: the file was cut off",
                )
        if lines == 0:
            raise _malformed(self._path, "只有一行", "it has one line only")
        self._size = lines - 1
        return header, line.removesuffix(b"\n")

    def _line(self, file: BinaryIO) -> bytes:
        line = file.readline(LINE_BYTES_MOST + 1)
        self._require_line_end(line)
        if not line.endswith(b"\n"):
            raise _malformed(self._path, "有一行不完整", "a line is too long or has no end")
        return line[:-1]

    def _require_line_end(self, line: bytes) -> None:
        """Told before anything else is said of the line: to a reader of JSON it may look as it should."""
        if line.endswith(b"\r\n") or (b"\r" in line and not line.endswith(b"\n")):
            raise _malformed(self._path, line_ends.CHANGED.zh, line_ends.CHANGED.en)

    def _open(self) -> BinaryIO:
        if self._file is None:
            try:
                self._file = self._path.open("rb")
            except OSError as error:
                raise _malformed(
                    self._path, f"无法打开（{error.strerror}）", f"it cannot be opened ({error.strerror})"
                ) from error
        return self._file


def _row(position: int, line: bytes) -> Row:
    """A line as an event. One that is none is a row whose event cannot be read, for the check to find."""
    try:
        read = _LINE.decode(line)
    except msgspec.DecodeError:
        return Row(position, line, "", b"", line, None)
    tags, data = bytes(read.tags), bytes(read.data)
    if b"[%b,%b,%b]" % (_ENCODE(read.type_name), tags, data) != line:
        return Row(position, line, "", b"", line, None)
    return Row(position, line, read.type_name, tags, data, None)


def _not_exportable(position: int) -> StoreFault:
    return StoreFault(
        Text(
            f"第{position}号事件缺失或无法导出；请先运行 funding-ledger verify 查明。",
            f"The event at position {position} is missing or cannot be exported; run funding-ledger verify first.",
        )
    )


def _replaced(size: int) -> Finding:
    told = Text(
        f"前{size}个事件不是检查点所签的：其中有事件连同其哈希被替换",
        "up to there the events are not those that the checkpoint was signed of: one was replaced together with its hash",
    )
    return Finding(size, "not-of-checkpoint", told)


def _not_kept(finding: Finding) -> StoreFault:
    return StoreFault(
        Text(
            f"第{finding.position}号事件：{finding.text.zh}；未导出，请运行 funding-ledger verify 查明",
            f"position {finding.position}: {finding.text.en}; no export was kept, find out with funding-ledger verify",
        )
    )


def _malformed(path: Path, zh: str, en: str) -> ExportMalformed:
    return ExportMalformed(Text(f"文件{path}不是完整的导出文件：{zh}。", f"{path} is not a whole export: {en}."))
