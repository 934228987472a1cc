"""Connections to a SQLite store: how one is opened, who may use it, and what its errors mean to a caller."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import apsw

from ledger.errors import Fault, LedgerError, StoreFault, Text, Unavailable
from ledger.store import sqlite_schema
from ledger.store.sqlite_log_rewrite import lasting_log

_RETRY_SECONDS: Final = 0.0005
"""SQLite's own busy timeout sleeps up to 100 ms between two tries, which starves a process among others that
write without a pause (one of four: 1 % of the commits, up to 3 s for one); with this, each gets its share."""

WRITER_CACHE_KIB: Final = 8 * 1024
"""Enough for the inner pages of a tag index of millions. More costs more: where a page of the index was split, the commit
looks through all that is in memory (64 MiB: half a millisecond, one commit in fifteen, 20 of the 270 µs that a command of
sixteen clients takes), while a leaf that is not there comes from the system's own memory in 2 µs."""

READER_CACHE_KIB: Final = 32 * 1024
"""For each connection. Histories lie all over a long log, and the system's own cache may have let go of them."""

CHECKPOINT_PAGES: Final = 16_000
"""Pages (4 KiB) in the log before a commit also writes them back into the file, which takes some 100 ms for all who wait.
With 4,000 pages that met one command in fifty of sixteen clients (p99 52 ms), with 16,000 one in two hundred (10 ms)."""

LOG_KEPT_BYTES: Final = 64 * 1024 * 1024
"""A log that grew beyond this, by a long import or a long read, is cut back when it is reset."""


def open_store(path: str, *, lock_timeout_s: int) -> apsw.Connection:
    """Open the store's connection for writing; an empty or missing file becomes a store.

    Raises :class:`StoreFault` for a library, a file or a place that must not be used, and
    :class:`Unavailable` when other processes held the file for too long.
    """
    sqlite_schema.require_library(apsw.sqlite_lib_version())
    if path == ":memory:" or not path:
        raise StoreFault(
            Text(
                zh="账本必须存放在文件中（SQLITE_DBNAME），不能放在内存里。",
                en="The store is kept in a file: name one in SQLITE_DBNAME instead of a database in memory.",
            )
        )
    try:
        with lasting_log(path, timeout_s=lock_timeout_s):
            connection = _connect(path, lock_timeout_s=lock_timeout_s, create=True)
            try:
                sqlite_schema.settle(connection, path, timeout_s=lock_timeout_s)
                connection.pragma("synchronous", "full")
                # What a statement would undo is noted down by page: in memory, not in a file, which a batch wrote as
                # often as the log itself.
                connection.pragma("temp_store", "memory")
                connection.pragma("cache_size", -WRITER_CACHE_KIB)
                connection.pragma("journal_size_limit", LOG_KEPT_BYTES)
                connection.wal_autocheckpoint(CHECKPOINT_PAGES)
            except BaseException:
                connection.close()
                raise
    except apsw.CantOpenError as error:
        raise StoreFault(
            Text(
                zh=f"无法打开账本文件 {path}；请确认所在目录存在且当前用户可读写。",
                en=f"The store {path} cannot be opened. Its directory must exist, and this user must be able "
                "to read and write both the directory and the file.",
            )
        ) from error
    except apsw.Error as error:
        raise explained(error, path) from error
    return connection


def _open_reader(path: str, *, lock_timeout_s: int) -> apsw.Connection:
    with lasting_log(path, timeout_s=lock_timeout_s):
        # Not opened read-only: a reader must be able to take part in the log's shared memory.
        connection = _connect(path, lock_timeout_s=lock_timeout_s, create=False)
        try:
            connection.pragma("query_only", True)
            connection.pragma("cache_size", -READER_CACHE_KIB)
            connection.pragma("schema_version")  # reads, and so takes part in the log
        except BaseException:
            connection.close()
            raise
    return connection


def _connect(path: str, *, lock_timeout_s: int, create: bool) -> apsw.Connection:
    flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if create else 0)
    connection = apsw.Connection(path, flags=flags)
    connection.set_busy_handler(_patience(lock_timeout_s))
    # One plan for each statement. Else SQLite plans anew whenever a value that it looked at has changed, which is at every
    # call: 7 µs to look for a tag instead of 1.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    return connection


def _patience(timeout_s: int) -> Callable[[int], bool]:
    """A busy handler: given the number of tries so far, waits and tells whether to try again."""
    deadline = time.monotonic()

    def wait(tries: int) -> bool:
        nonlocal deadline
        now = time.monotonic()
        if tries == 0:
            deadline = now + timeout_s
        if now >= deadline:
            return False
        time.sleep(_RETRY_SECONDS)
        return True

    return wait


class Readers:
    """Connections for reading, each lent to one thread at a time; as many as there were reads at once."""

    def __init__(self, path: str, *, lock_timeout_s: int) -> None:
        self._path = path
        self._lock_timeout_s = lock_timeout_s
        self._idle: list[apsw.Connection] = []
        self._lent = 0
        self._closed = False
        self._changed = threading.Condition()

    @contextmanager
    def lend(self) -> Iterator[apsw.Connection]:
        """A connection for reading. Errors of SQLite leave as errors of the ledger."""
        with self._changed:
            if self._closed:
                raise closed(self._path)
            self._lent += 1
            connection = self._idle.pop() if self._idle else None
        try:
            if connection is None:
                connection = _open_reader(self._path, lock_timeout_s=self._lock_timeout_s)
            yield connection
        except apsw.Error as error:
            raise explained(error, self._path) from error
        finally:
            with self._changed:
                self._lent -= 1
                if connection is not None:
                    self._idle.append(connection)
                self._changed.notify_all()

    def close(self) -> None:
        """Let reads under way finish, then close every connection."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: self._lent == 0)
            while self._idle:
                self._idle.pop().close()


def closed(path: str) -> Unavailable:
    return Unavailable(
        Text(
            zh=f"账本 {path} 已关闭；服务恢复后请用同一幂等键重试。",
            en=f"The store {path} is closed. Repeat with the same key when the service is back.",
        )
    )


def busy(path: str) -> Unavailable:
    return Unavailable(
        Text(
            zh=f"账本 {path} 正忙，未作任何记录；请用同一幂等键重试。",
            en=f"Others kept the store {path} locked for too long. Nothing was recorded: repeat with the same key.",
        )
    )


def explained(error: apsw.Error, path: str) -> LedgerError:
    """What an error of SQLite means to whoever asked for the read or the write.

    A transaction that met one is rolled back, so nothing is ever half-written. After an I/O error in a commit
    its pages may lie in the log all the same: unless a later commit takes their place, a restart after a crash
    finds them there and completes it. Hence "not known"; the idempotency key finds out.
    """
    if isinstance(error, apsw.BusyError | apsw.LockedError | apsw.ProtocolError):
        return busy(path)
    if isinstance(error, apsw.FullError):
        return Unavailable(
            Text(
                zh=f"磁盘已满，账本 {path} 未作任何记录；请清理磁盘空间，然后用同一幂等键重试。",
                en=f"The disk that holds the store {path} is full. Nothing was recorded: free some space, "
                "then repeat with the same key.",
            )
        )
    if isinstance(error, apsw.IOError | apsw.CantOpenError | apsw.NoMemError | apsw.InterruptError):
        return Unavailable(
            Text(
                zh=f"读写账本 {path} 时出错（{error}），结果未知；请用同一幂等键重试。",
                en=f"Reading or writing the store {path} failed ({error}), and it is not known whether "
                "anything was recorded. Repeat with the same key.",
            )
        )
    return _fault(error, path)


def _fault(error: apsw.Error, path: str) -> Fault:
    return StoreFault(
        Text(
            zh=f"账本 {path} 出现故障（{error}），未作任何记录；请停用服务，检查磁盘，并从备份恢复。",
            en=f"The store {path} is damaged or was changed from outside ({error}). Nothing was recorded: "
            "stop the service, check the disk, and restore the store from a backup.",
        )
    )
