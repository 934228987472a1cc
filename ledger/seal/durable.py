"""New files that are there whole or not at all: written beside, flushed, then given their name."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from ledger.errors import Fault, Text

UNFINISHED: Final = ".unfinished"
"""What the name of a file ends in until it is whole. One that is left over may be deleted."""


class FileFault(Fault):
    """A file that cannot be written or read, or that must not be replaced. Names the file."""

    code = "file-fault"


class NameUnusable(FileFault):
    """The name given for a file is taken, in a folder that does not exist, or where this user may not go: another name, or
    another user, will do. Unlike a disk that is full or fails."""


_OF_THE_NAME: Final = frozenset(
    {
        errno.EACCES,
        errno.EEXIST,
        errno.EISDIR,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
    }
)
"""What the system says of a name, whatever the state of the disk."""


@contextmanager
def new_file(path: Path, *, replace: bool = False) -> Iterator[BinaryIO]:
    """Write a file of this name; it appears when the ``with`` block ends well. Raises :class:`FileFault`.

    Without ``replace``, one that exists is left as it is.
    """
    require_free_name(path, replace=replace)
    beside = unfinished_beside(path)
    try:
        try:
            with beside.open("wb", buffering=1 << 20) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise failed(path, error) from error


def unfinished_beside(path: Path) -> Path:
    """A name in the same folder, hence on the same disk, that no other process uses."""
    return path.with_name(f".{path.name}.{os.getpid()}{UNFINISHED}")


def require_free_name(path: Path, *, replace: bool = False) -> None:
    """Raises :class:`NameUnusable` where a file of this name exists and must not be replaced, or has no folder."""
    if not path.parent.is_dir():
        raise NameUnusable(
            Text(f"目录{path.parent}不存在，请先建立", f"there is no folder {path.parent}; make it first")
        )
    if path.is_dir() or (not replace and os.path.lexists(path)):
        raise NameUnusable(
            Text(f"{path}已存在，未作改动；请另选文件名", f"{path} exists and was left as it is; choose another name")
        )


def sync_folder(folder: Path) -> None:
    """Make the names in a folder outlive a power cut. Raises ``OSError``."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_of_the_name(error: OSError) -> bool:
    """Whether another name, or another user, would do; else the disk or the system is at fault."""
    return error.errno in _OF_THE_NAME


def failed(path: Path, error: OSError) -> FileFault:
    reason = error.strerror or type(error).__name__
    kind = NameUnusable if is_of_the_name(error) else FileFault
    return kind(Text(f"无法读写文件{path}（{reason}）", f"{path} cannot be read or written: {reason}"))
