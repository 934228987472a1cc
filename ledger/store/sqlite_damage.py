"""What is found out about a SQLite file that cannot be read, or not all of it: what it is, which events there were, and what
SQLite says of its pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import apsw

from ledger.errors import Text, Unavailable
from ledger.seal.sealed_log import Finding, LogDamaged
from ledger.store import sqlite_schema

# Each names positions without looking at what is recorded there; a damaged page ends it.
_EVENT_POSITIONS: Final = "SELECT position FROM events ORDER BY position"
_INDEX_POSITIONS: Final = (
    "SELECT position FROM event_tags ORDER BY tag DESC, position DESC",
    "SELECT position FROM event_tags ORDER BY tag, position",
)
_EVENT_BYTES_LEAST: Final = 64
"""Less than any event takes: a file with a position beyond what it could hold has a hole, or a damaged number."""
_COMPLAINTS_MOST: Final = 3
_COMPLAINTS: Final = f"PRAGMA quick_check({_COMPLAINTS_MOST})"
_NOT_READ: Final = (
    apsw.SQLITE_IOERR_READ,
    apsw.SQLITE_IOERR_SHORT_READ,
    apsw.SQLITE_IOERR_CORRUPTFS,
    apsw.SQLITE_IOERR_DATA,
)


class StoreDamaged(LogDamaged):
    """A part of the file cannot be read; ``reason`` is what SQLite says of it."""

    def __init__(self, text: Text, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


Opening = Callable[[], AbstractContextManager[apsw.Connection]]
"""Gives the connection to a file; what cannot be read leaves as :class:`StoreDamaged`."""


def is_damage(error: apsw.Error) -> bool:
    """Whether something that is there cannot be read, rather than something written, locked or made."""
    return isinstance(error, apsw.CorruptError) or getattr(error, "extendedresult", None) in _NOT_READ


def is_of_another_program(opening: Opening) -> bool:
    """Whether it is a sound database, and nothing in it is of a ledger."""
    try:
        with opening() as connection:
            if connection.pragma("application_id") == sqlite_schema.APPLICATION_ID:
                return False
            names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        return bool(names) and not names & sqlite_schema.TABLES and not complaints(opening)
    except StoreDamaged:
        return False


def plausible(connection: apsw.Connection, last: int, path: Path) -> int:
    """How many events to look for. Where a position is beyond anything the file can hold, what is missing before it is
    found among as many as there are."""
    if last <= _events_most(path):
        return last
    there: int = connection.execute("SELECT count(*) FROM events").get
    return min(last, there)


def told_by_any_page(opening: Opening, path: Path) -> tuple[int, bool]:
    """How many events there are at least, where the last of them cannot be read; and whether there may be more."""
    last, more, most = 0, True, _events_most(path)
    for positions in (_EVENT_POSITIONS, *_INDEX_POSITIONS):
        try:
            with opening() as connection:
                for (position,) in connection.execute(positions):
                    last = max(last, position if isinstance(position, int) and position <= most else 0)
        except StoreDamaged:
            continue
        if positions != _EVENT_POSITIONS:
            # The whole index could be read, and every event stands in it.
            more = False
    return last, more


def complaints(opening: Opening) -> list[str]:
    """What SQLite finds wrong with the file, which names pages, or what kept it from looking."""
    lines: list[str] = []
    try:
        with opening() as connection:
            for (told,) in connection.execute(_COMPLAINTS):
                lines += [line for line in str(told).splitlines() if line.strip() and not line.startswith("***")]
    except StoreDamaged as damage:
        return lines[:_COMPLAINTS_MOST] or [damage.reason]
    return [] if lines == ["ok"] else lines[:_COMPLAINTS_MOST]


def _events_most(path: Path) -> int:
    return path.stat().st_size // _EVENT_BYTES_LEAST


# ---- Words


def locked(path: Path) -> Unavailable:
    return Unavailable(
        Text(
            f"账本文件{path}被他人锁定，未能读取；请待其完成（如备份、另一程序的事务）后重试。",
            f"Others keep the store {path} locked, and nothing was found out about it: wait until they are done (a "
            "backup, a transaction of another program), then try again.",
        )
    )


def not_a_store(path: Path, reason: str) -> Text:
    return Text(
        f"文件{path}不是可读的账本（{reason}）；请指定 facts.sqlite 或其备份。",
        f"{path} is not a store that can be read ({reason}); name a facts.sqlite or a backup of one.",
    )


def unreadable(path: Path, reason: str) -> Text:
    return Text(
        f"账本文件{path}有损坏，无法读取（{reason}）；请运行 funding-ledger verify 查明，检查磁盘，并从备份恢复。",
        f"The store {path} is damaged and cannot be read ({reason}): find out with funding-ledger verify, check the disk, "
        "and restore the store from a backup.",
    )


def page_unreadable(damage: StoreDamaged) -> LogDamaged:
    return LogDamaged(
        Text(
            f"存放该事件的数据页无法读取（{damage.reason}）",
            f"the page of the file that holds it cannot be read ({damage.reason})",
        )
    )


def index_unreadable(damage: StoreDamaged) -> LogDamaged:
    return LogDamaged(
        Text(
            f"索引中该事件的数据页无法读取（{damage.reason}）：不能确定按标签计算的限额或历史是否包含此事件",
            f"the page of the index where it belongs cannot be read ({damage.reason}): a limit or history read by tag may "
            "leave it out",
        )
    )


def damage_found(path: Path, complaints: Sequence[str]) -> Finding:
    return Finding(
        None,
        "store-damaged",
        Text(
            f"账本文件{path}有损坏（{'；'.join(complaints)}）。凡能读出的均已核对。请停止服务，保留该文件备查，检查磁盘，"
            "并从备份恢复：funding-ledger restore 备份 --checkpoint 检查点",
            f"the file {path} is damaged ({'; '.join(complaints)}). What could be read was checked. Stop the service, keep "
            "the file as evidence, check the disk, and restore a backup: funding-ledger restore BACKUP --checkpoint FILE",
        ),
    )
