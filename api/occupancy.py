"""Whether a data folder is in use: every open service holds a shared lock on a file of the folder for as long as it runs."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from ledger.errors import Fault, LedgerError, StoreFault, Text
from ledger.seal.durable import failed, is_of_the_name

LOCK: Final = "in-use"


class FolderInUse(LedgerError):
    code = "folder-in-use"


class FolderUnusable(StoreFault):
    """The data folder that was named cannot be made or written to: another will do."""


def occupy(data: Path) -> IO[bytes]:
    """Make the folder where it is missing, and mark it as in use until the returned file is closed.

    Raises :class:`FolderUnusable` where the folder cannot be made or written to.
    """
    make_folder(data)
    lock = _lock_file(data)
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


def make_folder(data: Path) -> None:
    """Make the data folder where it is missing. Raises :class:`FolderUnusable` where it cannot be made or written to."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        if not os.access(data, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise _unusable(data, error) from error


def require_unoccupied(data: Path) -> None:
    """Raise :class:`FolderInUse` while any service is open on the folder: its files must not be replaced under it."""
    if not (data / LOCK).exists():
        return
    with sole_use(data):
        pass


@contextmanager
def sole_use(data: Path) -> Iterator[None]:
    """Have the folder to oneself for the ``with`` block: a service that is opened meanwhile waits for its end.

    Raises :class:`FolderInUse` while any service is open on it, ``FolderUnusable`` where the folder cannot be written to.
    """
    with _lock_file(data) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderInUse(
                Text(
                    f"数据目录{data}正被运行中的服务使用，请先停止该服务",
                    f"the data folder {data} is in use by a running service; stop that first",
                )
            ) from error
        yield


def _lock_file(data: Path) -> IO[bytes]:
    try:
        return (data / LOCK).open("ab")
    except OSError as error:
        raise _unusable(data, error) from error


def _unusable(data: Path, error: OSError) -> Fault:
    if not is_of_the_name(error):
        return failed(data, error)
    return FolderUnusable(
        Text(
            f"数据目录{data}无法使用（{error.strerror}）；请用 --data 另选一个可写的目录",
            f"the data folder {data} cannot be used ({error.strerror}); choose one that can be written to with --data",
        )
    )
