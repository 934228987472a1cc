"""The log that the last process left behind is put on the disk again before anybody goes on behind it.

When a flush fails, the system takes what it covered for written and never tries again, yet goes on showing it to whoever
reads. A commit that was rolled back then lies whole in the write-ahead log. The process that met the failure writes over it;
the next one to start finds a valid commit there, takes it as recorded and goes on behind it, and a power failure then ends
the log at bytes that never reached the disk, whatever was acknowledged after them (docs/adr/0009).

So whoever opens a store that nobody else has open, and finds a log, first writes the log into a new file, flushes that, and
gives it the log's name. The bytes are the same; nothing that is on the disk is written over, so the power may fail at any
moment. While others have the store open there is nothing to do: the end of the log is then what they say it is, and they
did this before.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

import apsw

from ledger.seal.durable import sync_folder

_PIECE_BYTES: Final = 1 << 16
"""SQLite's Unix VFS takes at most 17 bits of a length in one write, and calls the disk full when none are left."""
_RETRY_SECONDS: Final = 0.005


@contextmanager
def lasting_log(path: str, *, timeout_s: int) -> Iterator[None]:
    """Open the store's file within the ``with`` block: its log is on the disk, and nobody else opens or closes it meanwhile.

    "Nobody" are the programs of this project. Connect and read something before the block ends: it is the first read that
    takes part in the log. Raises ``apsw.BusyError`` when others took longer than ``timeout_s``, and other errors of SQLite
    where the log could not be written; it is then as it was.
    """
    file = os.path.realpath(path)
    with sole_turn(file, timeout_s=timeout_s):
        if _size(_log_of(file)) and os.path.exists(file):
            with alone_with(file) as alone:
                if alone:
                    _rewrite(_log_of(file))
        yield


def leave(connection: apsw.Connection, path: str, *, timeout_s: int) -> None:
    """Close a connection at an instant when nobody opens the store: they find it either open or left. Never raises."""
    with ExitStack() as turn:
        with suppress(apsw.Error):
            turn.enter_context(sole_turn(path, timeout_s=timeout_s))
        with suppress(apsw.Error):
            connection.close()


@contextmanager
def sole_turn(path: str, *, timeout_s: int) -> Iterator[None]:
    """Take turns with every other process, and thread, that opens or closes a store of the same folder."""
    try:
        folder = os.open(os.path.dirname(os.path.realpath(path)), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise apsw.CantOpenError(str(error)) from error
    try:
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    raise apsw.BusyError("another process is opening the store") from error
            time.sleep(_RETRY_SECONDS)
        yield
    finally:
        os.close(folder)


@contextmanager
def alone_with(file: str) -> Iterator[bool]:
    """Whether nobody has the store open; if so, nobody opens it before the block ends.

    Every connection that takes part in the log holds a shared lock on the file for as long as it does.
    """
    with _opened(file, apsw.SQLITE_OPEN_MAIN_DB) as main:
        try:
            for lock in (apsw.SQLITE_LOCK_SHARED, apsw.SQLITE_LOCK_RESERVED, apsw.SQLITE_LOCK_EXCLUSIVE):
                main.xLock(lock)
            alone = True
        except apsw.BusyError:
            alone = False
        try:
            yield alone
        finally:
            main.xUnlock(apsw.SQLITE_LOCK_NONE)


@contextmanager
def _opened(file: str, flags: int) -> Iterator[apsw.VFSFile]:
    """A file as SQLite opens it: the locks are those that its connections see, also the ones in this process."""
    opened = apsw.VFSFile("", file, [flags | apsw.SQLITE_OPEN_READWRITE, 0])
    try:
        yield opened
    finally:
        opened.xClose()


def _rewrite(log: str) -> None:
    copy = f"{log}-again"
    try:
        _copy(log, copy)
        take_name(copy, log)
    except OSError as error:
        kind = apsw.FullError if error.errno == errno.ENOSPC else apsw.IOError
        raise kind(f"writing the log again: {error}") from error
    finally:
        remove(copy)


def _copy(log: str, copy: str) -> None:
    """A new file with the same bytes, flushed; one that an earlier attempt left is written over."""
    with open(log, "rb") as source, _opened(copy, apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_CREATE) as target:
        target.xTruncate(0)
        offset = 0
        while piece := source.read(_PIECE_BYTES):
            target.xWrite(piece, offset)
            offset += len(piece)
        target.xSync(apsw.SQLITE_SYNC_NORMAL)


def take_name(new: str, name: str) -> None:
    """Lastingly, and at once. Raises ``OSError``."""
    os.replace(new, name)
    sync_folder(Path(name).parent)


def remove(file: str) -> None:
    with suppress(OSError):
        os.unlink(file)


def _log_of(file: str) -> str:
    return f"{file}-wal"


def _size(file: str) -> int:
    try:
        return os.stat(file).st_size
    except FileNotFoundError:
        return 0
