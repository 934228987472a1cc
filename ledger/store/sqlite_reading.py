"""A SQLite store opened to be looked at: by path and for reading only, beside whoever writes, and left as it lies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final
from urllib.parse import quote

import apsw

from ledger.errors import Text, Unavailable
from ledger.seal.durable import NameUnusable
from ledger.store.sqlite_log_rewrite import lasting_log

BUSY_SECONDS: Final = 10
_NO_RIGHTS: Final = (apsw.ReadOnlyError, apsw.CantOpenError, apsw.PermissionsError)


class StillFile(apsw.Connection):
    """To a file in a folder where this user may not write, and where nobody else does at present: SQLite reads it without
    taking part in anything, and would not notice who begins to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._as_opened = _stamp(path)
        where = f"file:{quote(os.path.abspath(path))}?immutable=1"
        super().__init__(where, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)

    def require_still(self) -> None:
        """Raises ``Unavailable`` where somebody has begun to write to it: what was read meanwhile may be of two states."""
        if _stamp(self._path) != self._as_opened:
            raise Unavailable(
                Text(
                    f"读取账本文件{self._path}时有人写入了它，结果不能作数；请重试。",
                    f"Somebody wrote to the store {self._path} while it was read, so nothing was found out: try again.",
                )
            )


def open_for_reading(path: Path) -> apsw.Connection:
    """A connection that changes nothing, to a file that others may be writing to.

    Raises ``NameUnusable`` for what this user may not read, and errors of SQLite.
    """
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        # A service may start while this is open, and go on behind the log as it was found here.
        with lasting_log(str(path), timeout_s=BUSY_SECONDS):
            return _set_up(_connected(path))
    # Such as a backup that was put away: nobody can go on behind a log there.
    try:
        return _set_up(_connected(path))
    except _NO_RIGHTS as error:
        # A file that has a write-ahead log cannot be read without one; where none lies there, it is complete.
        if not os.access(path, os.R_OK) or _log_bytes(path):
            raise _not_permitted(path) from error
        return _set_up(StillFile(path))


def _connected(path: Path) -> apsw.Connection:
    try:
        return apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    except apsw.CantOpenError:
        # On a disk that cannot be written to.
        return apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)


def _set_up(connection: apsw.Connection) -> apsw.Connection:
    try:
        connection.set_busy_timeout(BUSY_SECONDS * 1000)
        # Else the last to close would write the log back into the file: what is looked at is left as it lies.
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        connection.pragma("query_only", True)
        connection.pragma("schema_version")  # reads, and so takes part in the log
    except BaseException:
        connection.close()
        raise
    return connection


def _stamp(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size, _log_bytes(path)


def _log_bytes(path: Path) -> int:
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size
    except OSError:
        return 0


def _not_permitted(path: Path) -> NameUnusable:
    return NameUnusable(
        Text(
            f"当前用户无权读取账本{path}：读取时需要能写入其所在目录；请以其所有者的身份运行，或读取它的备份。",
            f"This user may not read the store {path} as it lies: that takes the right to write to its folder. Run this as "
            "its owner, or on a backup of it.",
        )
    )
