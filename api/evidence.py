"""What an auditor's command opens of a data folder: its log, its key and its checkpoints, without the service."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.database import FACTS, database_url, require_driver
from api.occupancy import make_folder
from ledger.errors import NotFound, Text
from ledger.identity import Entropy
from ledger.seal.durable import new_file
from ledger.seal.kept import CHECKPOINT, PUBLIC_KEYS, SIGNING_KEY, Keeper, open_kept, read_note
from ledger.seal.keys import KeyFault, load_signer_key, load_verifier_keys, make_key, write_signer_key
from ledger.seal.merkle import inclusion_proofs
from ledger.seal.note import Checkpoint, KeyMalformed, Note, SignerKey, VerifierKey
from ledger.store.contract import LedgerStore
from ledger.store.sqlite_log import SQLiteLog
from ledger.store.stored_log import StoredLog

KEY_VARIABLE: Final = "FUNDING_LEDGER_SIGNING_KEY"
"""Names the signing key where it does not lie in the data folder."""


def keeper_of(data: Path, signing_key: Path | None = None) -> Keeper:
    """The seal of a data folder. The key lies where it is said to, else where the environment says, else in the folder."""
    named = os.environ.get(KEY_VARIABLE)
    return Keeper(data, signing_key or (Path(named) if named else None))


def open_log(data: Path, *, damaged: bool = False) -> StoredLog:
    """The log of a data folder, as it lies there or in the database that the environment names.

    Creates nothing. Raises ``NotFound`` where there is none, ``StoreFault`` for a file that cannot be read; with
    ``damaged`` its damage is among the findings instead.
    """
    if url := database_url():
        require_driver()
        # Only here: the driver need not be installed where there is no such database.
        from ledger.store.postgres_log import PostgresLog

        return PostgresLog(url)
    if not (data / FACTS).is_file():
        raise NotFound(
            Text(
                f"目录{data}里没有账本。请用 --data 指明目录。",
                f"there is no ledger in {data}; name its folder with --data.",
            )
        )
    return SQLiteLog(data / FACTS, damaged=damaged)


class NoKeyNamed(KeyFault):
    """Nobody named a public key, and the folder has none."""


def new_key(keeper: Keeper, origin: str | None, entropy: Entropy) -> VerifierKey:
    """Make the signing key of a data folder, and add its public key to those of the folder. Raises ``KeyFault``.

    The log keeps its name for ever: a second key is of the same origin as the first. Where making one was cut off after the
    secret was written, that is finished.
    """
    make_folder(keeper.folder)
    path = keeper.folder / PUBLIC_KEYS
    known = load_verifier_keys(path) if path.is_file() else ()
    if known and origin not in (None, known[0].name):
        raise KeyFault(
            Text(
                f"本账本的名称是{known[0].name}，不能改为{origin}：已发出的检查点以该名称签署",
                f"this log's name is {known[0].name} and cannot become {origin}: its checkpoints are signed by that name",
            )
        )
    key = _half_made(keeper, known, origin)
    if key is None:
        _require_keys_not_lost(keeper.folder, known)
        name = known[0].name if known else origin
        key = make_key(f"funding-ledger/{entropy(4).hex()}" if name is None else name, entropy)
        write_signer_key(keeper.key_path, key)
    before = path.read_bytes() if path.is_file() else b""
    with new_file(path, replace=True) as file:
        file.write(before if before.endswith(b"\n") or not before else before + b"\n")
        file.write(f"{key.verifier.encode()}\n".encode())
    return key.verifier


def _require_keys_not_lost(folder: Path, known: Sequence[VerifierKey]) -> None:
    """Beside a first key, the checkpoint that was kept would be one that no known key has signed."""
    if not known and (folder / CHECKPOINT).is_file():
        raise KeyFault(
            Text(
                f"{folder / PUBLIC_KEYS} 缺失，而 {folder / CHECKPOINT} 是用原来的密钥签署的；请先恢复 {PUBLIC_KEYS}"
                "（每份备份中都有），再生成新密钥",
                f"{folder / PUBLIC_KEYS} is missing, and {folder / CHECKPOINT} was signed with a key of before: put "
                f"{PUBLIC_KEYS} back first (every backup has it), then make a new key",
            )
        )


def _half_made(keeper: Keeper, known: Sequence[VerifierKey], origin: str | None) -> SignerKey | None:
    """The signing key that lies there already, whose public key the folder does not know: making it was cut off. None where
    there is none, or where nothing is missing. Raises ``KeyFault`` for one of another log."""
    in_folder = keeper.key_path == keeper.folder / SIGNING_KEY
    # One that lies elsewhere may be another log's; only a log that has a name can tell.
    if not keeper.key_path.is_file() or not (in_folder or known):
        return None
    try:
        key = load_signer_key(keeper.key_path)
    except KeyFault:
        if in_folder:
            raise
        return None
    if key.verifier in known:
        return None
    name = known[0].name if known else origin
    if name not in (None, key.verifier.name):
        raise KeyFault(
            Text(
                f"{keeper.key_path} 是 {key.verifier.label} 的私钥，不是{name}的；未作改动，请另选文件名",
                f"{keeper.key_path} is the key {key.verifier.label}, not one of {name}; it was left as it is, choose "
                "another name",
            )
        )
    if not known and (keeper.folder / CHECKPOINT).is_file():
        open_kept(keeper.folder / CHECKPOINT, [key.verifier])
    return key


def keys_named(
    named: Sequence[str], data: Path, remark: Callable[[Text], None] = lambda text: None
) -> tuple[VerifierKey, ...]:
    """Public keys as text or as files that hold them; those of the data folder where none is named."""
    if not named:
        if not (data / PUBLIC_KEYS).is_file():
            raise NoKeyNamed(
                Text(
                    "需要公钥才能核对签名：请用 --key 给出公钥或公钥文件；本账本还没有密钥时，"
                    "先用 funding-ledger keys 生成，再用 checkpoint 签署检查点",
                    "a public key is needed to check signatures: name it, or its file, with --key; where this ledger has "
                    "no key yet, make one with funding-ledger keys, and sign with checkpoint",
                )
            )
        return load_verifier_keys(data / PUBLIC_KEYS, remark)
    keys: list[VerifierKey] = []
    for text in named:
        try:
            keys.append(VerifierKey.parse(text))
        except KeyMalformed:
            if not Path(text).is_file():
                raise
            keys += load_verifier_keys(Path(text), remark)
    return tuple(keys)


@dataclass(frozen=True, slots=True)
class HistoryProof:
    """Proofs of some events against the checkpoint that was last kept. Later events have none yet."""

    checkpoint: str
    size: int
    proofs: dict[int, tuple[bytes, ...]]

    def of(self, position: int) -> list[str] | None:
        """The hashes in base64, as a certificate has them."""
        found = self.proofs.get(position)
        return None if found is None else [base64.b64encode(hashed).decode() for hashed in found]


def history_proof(keeper: Keeper, recorder: LedgerStore, positions: Sequence[int]) -> HistoryProof | None:
    """For ``GET /awards/{id}/history``: signs nothing, reads a few hashes. None where no checkpoint was kept yet."""
    kept = keeper.kept()
    if kept is None or kept.size == 0:
        return None
    note = read_note(keeper.folder / CHECKPOINT).decode()
    # Another may have been kept meanwhile: what is proven is what is shown.
    kept = Checkpoint.parse(Note.parse(note.encode()).text)
    covered = [position for position in positions if position <= kept.size]
    found = inclusion_proofs([position - 1 for position in covered], kept.size, recorder.nodes())
    return HistoryProof(note, kept.size, dict(zip(covered, found, strict=True)))
