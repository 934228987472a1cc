"""The checkpoint that a data folder keeps of its own log, and the signing of the next one.

::

    log.key      the signing key, unless it lies elsewhere        log.pub           the public keys, one to a line
    checkpoint   the last checkpoint signed here                  checkpoint.lock   held by who signs the next

A log that has become shorter than its kept checkpoint, or another, is not carried on: an old copy may have been put in
its place, and whatever was recorded on top of it would contradict what others have already been shown. That is a
safeguard against mistakes. Whoever can write to the folder can replace the kept checkpoint too; against that, others
must keep one.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.errors import StoreFault, Text
from ledger.seal import SealError
from ledger.seal.durable import failed, new_file
from ledger.seal.keys import KeyFault, load_signer_key, load_verifier_keys
from ledger.seal.merkle import NodeReader, frontier_at
from ledger.seal.note import MAX_NOTE_BYTES, Checkpoint, Note, VerifierKey, open_checkpoint, sign_checkpoint

SIGNING_KEY: Final = "log.key"
PUBLIC_KEYS: Final = "log.pub"
CHECKPOINT: Final = "checkpoint"
CHECKPOINT_LOCK: Final = "checkpoint.lock"
"""A file of its own: who signs reads the log meanwhile, and opening a store takes a turn by a lock on the folder."""


class LogNotContinued(StoreFault):
    """A log that does not continue what was once signed of it."""

    code = "log-not-continued"


@dataclass(frozen=True, slots=True)
class Keeper:
    """The seal of one data folder. ``signing_key`` is where the key lies if not in the folder."""

    folder: Path
    signing_key: Path | None = None

    @property
    def key_path(self) -> Path:
        return self.signing_key or self.folder / SIGNING_KEY

    @property
    def can_sign(self) -> bool:
        return self.key_path.is_file()

    def public_keys(self) -> tuple[VerifierKey, ...]:
        """The folder's own public keys. Raises ``KeyFault`` where there are none."""
        return load_verifier_keys(self.folder / PUBLIC_KEYS)

    def kept(self) -> Checkpoint | None:
        """What the folder kept. Its signature is checked where the folder has its public key.

        Raises ``SealError`` or a ``Fault`` where it cannot be read.
        """
        path = self.folder / CHECKPOINT
        if not path.is_file():
            return None
        if (self.folder / PUBLIC_KEYS).is_file():
            return open_kept(path, self.public_keys())
        return Checkpoint.parse(Note.parse(read_note(path)).text)

    def require_continued(self, head: int, reader: NodeReader) -> None:
        """Raise :class:`LogNotContinued` where the log is shorter than the kept checkpoint, or another: one read of a few
        hashes, whatever the size of the log."""
        if (kept := self.kept()) is not None:
            require_continues(kept, head, reader, f"{self.folder / CHECKPOINT}")

    def sign(self, head: int, reader: NodeReader, *, size: int | None = None) -> bytes:
        """A signed checkpoint of the log as it stands, or of its first ``size`` events. The latest is kept.

        Raises :class:`LogNotContinued` rather than contradict what was signed before, ``KeyFault`` without a key.
        """
        if not self.can_sign:
            raise KeyFault(
                Text(
                    f"没有签名密钥{self.key_path}；请先运行 funding-ledger keys",
                    f"there is no signing key {self.key_path}; make one with funding-ledger keys",
                )
            )
        signer = load_signer_key(self.key_path)
        with self._alone():
            self.require_continued(head, reader)
            size = head if size is None else size
            root = frontier_at(size, reader).root
            signed = sign_checkpoint(Checkpoint(signer.verifier.name, size, root), [signer])
            kept = self.kept()
            if kept is None or kept.size <= size:
                with new_file(self.folder / CHECKPOINT, replace=True) as file:
                    file.write(signed)
            return signed

    def advance(self, head: int, reader: NodeReader) -> None:
        """Keep a checkpoint of the log as it stands, where there is a key and something new."""
        if not self.can_sign:
            return
        kept = self.kept()
        if head > 0 and (kept is None or kept.size < head):
            self.sign(head, reader)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One at a time, over all processes: the checkpoint that is kept never goes back."""
        lock = self.folder / CHECKPOINT_LOCK
        try:
            descriptor = os.open(lock, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise failed(lock, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def read_note(path: Path) -> bytes:
    """The bytes of a checkpoint file. Raises ``FileFault``."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_NOTE_BYTES + 1)
    except OSError as error:
        raise failed(path, error) from error


def open_kept(path: Path, known: Sequence[VerifierKey]) -> Checkpoint:
    """A checkpoint file, with its signature checked. Raises ``FileFault``, and ``SealError`` that names the file."""
    try:
        return open_checkpoint(read_note(path), known).checkpoint
    except SealError as error:
        raise type(error)(Text(f"{path}：{error.text.zh}", f"{path}: {error.text.en}")) from error


def require_continues(checkpoint: Checkpoint, head: int, reader: NodeReader, where: str) -> None:
    """Raise :class:`LogNotContinued` unless the log begins with all that the checkpoint states, by its stored hashes."""
    if head < checkpoint.size:
        raise LogNotContinued(
            Text(
                f"账本只有{head}个事件，而检查点（{where}）已有{checkpoint.size}个：账本可能被旧副本替换或截断。"
                "请恢复最新备份，或用 funding-ledger verify 查明。",
                f"The log has {head} events; its kept checkpoint ({where}) has {checkpoint.size}. An old copy may have been "
                "put in its place, or the end was cut off: restore the newest backup, or find out with "
                "funding-ledger verify.",
            )
        )
    if frontier_at(checkpoint.size, reader).root != checkpoint.root:
        raise LogNotContinued(
            Text(
                f"账本的前{checkpoint.size}个事件与检查点（{where}）不符：这是另一个账本，或已被改动。"
                "请用 funding-ledger verify 查明，并从备份恢复。",
                f"The first {checkpoint.size} events are not those of the kept checkpoint ({where}): this is another "
                "log, or it was changed. Find out with funding-ledger verify, and restore it from a backup.",
            )
        )
