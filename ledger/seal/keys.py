"""Key files: the signing key, which must stay secret, and the public keys that others check with.

A file holds the text of keys (``ledger.seal.note``), one to a line: a signing key file exactly one, a public key
file as many as are trusted, for instance a log's old and new key and those of its witnesses. Witnesses have keys of types
that are not checked here (C2SP tlog-cosignature): these lines are passed over, as their signatures are.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ledger.errors import Fault, Text
from ledger.identity import Entropy
from ledger.seal.durable import failed, is_of_the_name, sync_folder
from ledger.seal.note import KeyMalformed, KeyTypeUnknown, SignerKey, VerifierKey

MAX_FILE_BYTES: Final = 65_536

_SEED_BYTES: Final = 32
_SECRET_MODE: Final = 0o600
_PUBLIC_MODE: Final = 0o644
# A group may read the key: that is how service managers hand a secret to a service that runs as another user.
_UNSAFE_MODE: Final = stat.S_IWGRP | stat.S_IRWXO


class KeyFault(Fault):
    """A key file that cannot be used or written. Names the file, and never what is in it."""

    code = "key-fault"


def make_key(name: str, entropy: Entropy) -> SignerKey:
    """A new key for the log of this name, e.g. ``example.gov.cn/funding``. Raises ``KeyMalformed`` for a bad name."""
    return SignerKey(name, entropy(_SEED_BYTES))


def write_signer_key(path: Path, key: SignerKey) -> None:
    """Write a signing key to a new file that only its owner may read. Raises :class:`KeyFault`.

    Never overwrites: a lost signing key cannot be had back, and with it goes the log's name.
    """
    _write_new(path, key.encode_secret() + "\n", _SECRET_MODE)


def write_verifier_key(path: Path, key: VerifierKey) -> None:
    """Write a public key to a new file. Raises :class:`KeyFault`."""
    _write_new(path, key.encode() + "\n", _PUBLIC_MODE)


def load_signer_key(path: Path) -> SignerKey:
    """Read a signing key, and refuse one that others may read or change. Raises :class:`KeyFault`."""
    lines, mode = _lines(path)
    if len(lines) != 1:
        raise _fault(path, zh="应恰好有一个签名密钥", en="it must hold exactly one signing key")
    try:
        key = SignerKey.parse(lines[0])
    except KeyMalformed as error:
        raise _unusable(path, error) from error
    # Only of a key: nobody is to change the mode of a file that was named by mistake.
    if mode & _UNSAFE_MODE:
        raise _fault(
            path,
            zh=f"其他用户可读取或修改（权限 {stat.S_IMODE(mode):04o}），请执行 chmod 600",
            en=f"others may read or change it (mode {stat.S_IMODE(mode):04o}): run chmod 600 on it, "
            "and make a new key if somebody may have read it",
        )
    return key


def load_verifier_keys(path: Path, remark: Callable[[Text], None] = lambda text: None) -> tuple[VerifierKey, ...]:
    """Read public keys, one to a line; empty lines are passed over, and keys of types that are not checked here, with a
    remark. Raises :class:`KeyFault`."""
    lines, _ = _lines(path)
    if not lines:
        raise _fault(path, zh="没有公钥", en="it holds no key")
    keys: list[VerifierKey] = []
    others: list[str] = []
    for line in lines:
        try:
            keys.append(VerifierKey.parse(line))
        except KeyTypeUnknown:
            others.append(line.partition("+")[0])
        except KeyMalformed as error:
            raise _unusable(path, error) from error
    named = ", ".join(others)
    if not keys:
        raise _fault(
            path,
            zh=f"其中没有可核对的公钥（{named}：类型不支持，仅支持 Ed25519）",
            en=f"it holds no key that can be checked here ({named}: of another type than Ed25519)",
        )
    if others:
        remark(
            Text(
                zh=f"{path}：略过 {named} 的公钥，其类型不支持（仅支持 Ed25519，类型 1），其签名未核对",
                en=f"{path}: the key of {named} was passed over, being of another type than Ed25519 (type 1); signatures "
                "by it are not checked",
            )
        )
    return tuple(keys)


def _write_new(path: Path, text: str, mode: int) -> None:
    try:
        # O_EXCL makes the check and the creation one step, and does not follow a link that somebody left there.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    except FileExistsError as error:
        raise _fault(
            path, zh="已存在，未作改动；请另选文件名", en="it exists and was left as it is; choose another name"
        ) from error
    except OSError as error:
        raise _failed(path, error) from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            # The umask may have taken a permission away.
            os.fchmod(file.fileno(), mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        # Checkpoints may be published with this key at once: its name must outlive a power cut too.
        sync_folder(path.parent)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise _failed(path, error) from error


def _lines(path: Path) -> tuple[list[str], int]:
    """What stands in a file, and its mode."""
    try:
        with path.open("rb") as file:
            # Asked of the open file: the name could come to stand for another one in between.
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise _failed(path, error) from error
    if len(data) > MAX_FILE_BYTES:
        raise _fault(path, zh="文件过大，不是密钥文件", en="it is too large to be a key file")
    try:
        # Some editors put a mark before what they save.
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _fault(path, zh="不是 UTF-8 文本", en="it is not UTF-8 text") from error
    return [line.strip() for line in text.splitlines() if line.strip()], mode


def _failed(path: Path, error: OSError) -> Fault:
    if not is_of_the_name(error):
        return failed(path, error)
    reason = error.strerror or type(error).__name__
    return _fault(path, zh=f"无法读写（{reason}）", en=f"the system says: {reason}")


def _unusable(path: Path, error: KeyMalformed) -> KeyFault:
    return KeyFault(Text(zh=f"密钥文件 {path}：{error.text.zh}", en=f"In the key file {path}: {error.text.en}"))


def _fault(path: Path, *, zh: str, en: str) -> KeyFault:
    return KeyFault(Text(zh=f"密钥文件 {path} {zh}。", en=f"The key file {path} cannot be used: {en}."))
