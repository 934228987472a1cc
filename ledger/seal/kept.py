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

from ledger.counted import counted
from ledger.errors import StoreFault, Text
from ledger.seal import SealError
from ledger.seal.durable import failed, new_file
from ledger.seal.keys import KeyFault, load_signer_key, load_verifier_keys
from ledger.seal.merkle import NodeReader, frontier_at
from ledger.seal.note import (
    MAX_NOTE_BYTES,
    Checkpoint,
    Note,
    OpenedCheckpoint,
    SignerKey,
    VerifierKey,
    open_checkpoint,
    sign_checkpoint,
)
from ledger.seal.rehashing import GrowingLog, root_to_sign

SIGNING_KEY: Final = "log.key"
PUBLIC_KEYS: Final = "log.pub"
CHECKPOINT: Final = "checkpoint"
CHECKPOINT_LOCK: Final = "checkpoint.lock"
"""A file of its own: who signs reads the log meanwhile, and opening a store takes a turn by a lock on the folder."""
ADVANCED_MOST: Final = 100_000
"""Events that are hashed and signed when a service closes or an answer needs a proof: about a second (docs/adr/0007)."""


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

    def require_continued(self, log: GrowingLog) -> None:
        """Raise :class:`LogNotContinued` where the log is shorter than the kept checkpoint, or another: one read of a few
        hashes, whatever the size of the log."""
        self._continued(self.kept(), log)

    def sign(self, log: GrowingLog, *, size: int | None = None) -> bytes:
        """A signed checkpoint of the log as it stands, or of its first ``size`` events. The latest is kept.

        What was not signed before is hashed from its bytes. Raises :class:`LogNotContinued` rather than contradict what was
        signed before, ``NotAsSealed`` where the stored hashes are not those of the events, ``KeyFault`` without a key of
        this log.
        """
        signer = self._signer()
        with self._alone():
            kept = self.kept()
            self._require_same_log(signer, kept)
            head = self._continued(kept, log)
            size = head if size is None else size
            assert size <= head, "what is signed is there"
            root = root_to_sign(log, size, kept)
            signed = sign_checkpoint(Checkpoint(signer.verifier.name, size, root), [signer])
            if kept is None or kept.size <= size:
                with new_file(self.folder / CHECKPOINT, replace=True) as file:
                    file.write(signed)
            return signed

    def advance(self, log: GrowingLog) -> None:
        """Keep a checkpoint of the log as it stands, where there is a key and something new: of :data:`ADVANCED_MOST`
        events more at most, so that nobody who closes a service waits long. The next time goes on from there."""
        if not self.can_sign:
            return
        kept = self.kept()
        start, head = 0 if kept is None else kept.size, log.head()
        if head > start:
            self.sign(log, size=min(head, start + ADVANCED_MOST))

    def _continued(self, kept: Checkpoint | None, log: GrowingLog) -> int:
        """How many events there are: asked after the kept checkpoint was read. A log that others append to, and sign, would
        otherwise seem shorter than what they keep of it meanwhile."""
        head = log.head()
        if kept is not None:
            require_continues(kept, head, log.nodes(), f"{self.folder / CHECKPOINT}")
        return head

    def _signer(self) -> SignerKey:
        """The signing key, which is one of the log's: what another has signed, nobody who checks this log would believe, and
        no service would start on it."""
        if not self.can_sign:
            raise KeyFault(
                Text(
                    f"没有签名密钥{self.key_path}；请先运行 funding-ledger keys",
                    f"there is no signing key {self.key_path}; make one with funding-ledger keys",
                )
            )
        signer = load_signer_key(self.key_path)
        path = self.folder / PUBLIC_KEYS
        if signer.verifier not in (load_verifier_keys(path) if path.is_file() else ()):
            raise KeyFault(
                Text(
                    f"{self.key_path} 是 {signer.verifier.label} 的私钥，其公钥不在 {path} 中，未签署任何内容。"
                    "若是其他账本的密钥，请用 --signing-key 指明本账本的；若是本账本的，请运行 funding-ledger keys"
                    "（私钥不在数据目录时加 --out 指明它），把公钥补入",
                    f"{self.key_path} is the key {signer.verifier.label}, whose public key is not in {path}; nothing was "
                    "signed. If it is another log's, name this log's own with --signing-key. If it is this log's, run "
                    "funding-ledger keys (with --out naming it, where it lies elsewhere), which adds the public key",
                )
            )
        return signer

    def _require_same_log(self, signer: SignerKey, kept: Checkpoint | None) -> None:
        if kept is not None and kept.origin != signer.verifier.name:
            raise KeyFault(
                Text(
                    f"{self.key_path} 是 {signer.verifier.label} 的私钥，而本账本的名称是{kept.origin}，未签署任何内容",
                    f"{self.key_path} is the key {signer.verifier.label}, and this log's name is {kept.origin}; nothing "
                    "was signed",
                )
            )

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
    return opened_as(path, read_note(path), known).checkpoint


def opened_as(path: Path, note: bytes, known: Sequence[VerifierKey]) -> OpenedCheckpoint:
    """A checkpoint that was read from a file, with its signature checked. Raises ``SealError`` that names the file."""
    try:
        return open_checkpoint(note, known)
    except SealError as error:
        raise type(error)(Text(f"{path}：{error.text.zh}", f"{path}: {error.text.en}")) from error


def require_continues(checkpoint: Checkpoint, head: int, reader: NodeReader, where: str) -> None:
    """Raise :class:`LogNotContinued` unless the log begins with all that the checkpoint states, by its stored hashes."""
    if head < checkpoint.size:
        raise LogNotContinued(
            Text(
                f"账本只有{head}个事件，而检查点（{where}）已有{checkpoint.size}个：账本可能被旧副本替换或截断。"
                "请恢复最新备份，或用 funding-ledger verify 查明。",
                f"The log has {counted(head, 'event')}; its kept checkpoint ({where}) has {checkpoint.size}. An old "
                "copy may have been put in its place, or the end was cut off: restore the newest backup, or find out with "
                "funding-ledger verify.",
            )
        )
    if frontier_at(checkpoint.size, reader).root != checkpoint.root:
        raise LogNotContinued(
            Text(
                f"账本的前{checkpoint.size}个事件与检查点（{where}）不符：这是另一个账本，或已被改动。"
                "请用 funding-ledger verify 查明，并从备份恢复。",
                f"The events up to position {checkpoint.size} are not those of the kept checkpoint ({where}): this is "
                "another log, or it was changed. Find out with funding-ledger verify, and restore it from a backup.",
            )
        )
