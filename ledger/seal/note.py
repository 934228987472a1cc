"""Signed notes and checkpoints: C2SP signed-note and tlog-checkpoint, with Ed25519.

A note is a text, an empty line, and one line for each signature. A checkpoint is a note whose text states how long a
log is and what its root is::

    example.gov.cn/funding
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — example.gov.cn/funding Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeO…

The text of a verifier key is ``<name>+<key id>+<base64>`` as signed-note has it; that of a signing key,
``PRIVATE+KEY+<name>+<key id>+<base64>``, is Go's (golang.org/x/mod/sumdb/note): the standard leaves it open.
One text has one reading here: anything the standard does not allow is refused, and so is base64 that another encoder
would have written otherwise.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.errors import Text
from ledger.seal import SealError, line_ends
from ledger.seal.merkle import EMPTY_ROOT, HASH_BYTES, SIZE_LIMIT

MAX_NOTE_BYTES: Final = 1_000_000
MAX_SIGNATURES: Final = 100
"""The standard asks for a bound, and that 16 be accepted; Go's implementation has this one."""

_ED25519: Final = b"\x01"
_KEY_BYTES: Final = 32
_KEY_ID_BYTES: Final = 4
_DASH: Final = "— "
_PRIVATE: Final = "PRIVATE+KEY+"
_TOLD_MOST: Final = 100
_SIGNERS_TOLD: Final = 5
"""Of what nobody vouches for, no more is repeated than tells whose it claims to be."""
_SIGNATURE_LINE: Final = re.compile("(?:^|[\r\n])— ".encode())
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


class NoteMalformed(SealError):
    """A note or checkpoint that is not in the standard's form."""

    code = "note-malformed"


class KeyMalformed(SealError):
    """The text of a key that is not in the standard's form. Never repeats the text, which may be secret."""

    code = "key-malformed"


class KeyTypeUnknown(KeyMalformed):
    """A key of a type that is not checked here, for instance a witness's cosignature/v1 (C2SP tlog-cosignature)."""


class SignatureWrong(SealError):
    """A note that no known key signed, or with a signature of a known key that is false."""

    code = "signature-wrong"


# ---- Keys


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key and the name it signs under. ``public`` is 32 bytes (RFC 8032)."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not _is_name(self.name):
            raise _key_malformed(
                zh="密钥名称不得为空，不得含空格、加号或控制字符",
                en="its name must not be empty and must hold no space, plus sign or control character",
            )
        assert len(self.public) == _KEY_BYTES, "an Ed25519 public key has 32 bytes"

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell keys of one name apart. Not a fingerprint: they are too few to rely on."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:_KEY_ID_BYTES]

    @property
    def label(self) -> str:
        """What it is called where people are told of it: ``<name>+<key id>``."""
        return f"{self.name}+{self.key_id.hex()}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read ``<name>+<key id>+<base64>``. Raises :class:`KeyMalformed`."""
        if text.startswith(_PRIVATE):
            raise _key_malformed(zh="此处需要公钥，给出的是私钥", en="it is a signing key, and a public key is needed")
        name, key_id, public = _key_parts(text)
        key = cls(name, public)
        _require_key_id(key, key_id)
        return key

    def encode(self) -> str:
        return _key_text(self.name, self.key_id, self.public)

    def verifies(self, message: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


class SignerKey:
    """A secret key and the name it signs under. ``seed`` is its 32 secret bytes (RFC 8032)."""

    __slots__ = ("_private", "_seed", "verifier")

    def __init__(self, name: str, seed: bytes) -> None:
        assert len(seed) == _KEY_BYTES, "an Ed25519 secret key has 32 bytes"
        self._seed = seed
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier: Final = VerifierKey(name, self._private.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        # A key gets into logs and tracebacks by its repr, and the seed must not.
        return f"SignerKey({self.verifier.name!r}, id {self.verifier.key_id.hex()})"

    @classmethod
    def parse(cls, text: str) -> SignerKey:
        """Read ``PRIVATE+KEY+<name>+<key id>+<base64>``. Raises :class:`KeyMalformed`."""
        if not text.startswith(_PRIVATE):
            raise _key_malformed(
                zh="此处需要签名私钥（以 PRIVATE+KEY+ 开头）", en="a signing key begins with PRIVATE+KEY+"
            )
        name, key_id, seed = _key_parts(text.removeprefix(_PRIVATE))
        key = cls(name, seed)
        _require_key_id(key.verifier, key_id)
        return key

    def encode_secret(self) -> str:
        """The text that :meth:`parse` reads. Whoever has it can sign as this log."""
        return _PRIVATE + _key_text(self.verifier.name, self.verifier.key_id, self._seed)

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)


def _is_name(name: str) -> bool:
    return bool(name) and _is_utf8(name) and not any(c.isspace() or c == "+" or c < " " for c in name)


def _key_parts(text: str) -> tuple[str, bytes, bytes]:
    # Base64 may itself hold a plus sign: only the first two divide.
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise _key_malformed(
            zh="格式应为“名称+编号+密钥”", en="it must be a name, an id and a key, divided by plus signs"
        )
    name, key_id, key = parts
    material = _from_base64(key)
    if re.fullmatch(r"[0-9a-f]{8}", key_id, re.ASCII) is None or not material:
        raise _key_malformed(
            zh="编号须为 8 位小写十六进制数，密钥须为 base64",
            en="the id must be 8 hexadecimal digits in lower case, the key base64",
        )
    if material[:1] != _ED25519:
        raise KeyTypeUnknown(
            _unusable(
                zh=f"不支持类型为 {material[0]} 的密钥，仅支持 Ed25519（类型 1）",
                en=f"it is of type {material[0]}; only Ed25519, type 1, is supported",
            )
        )
    if len(material) != 1 + _KEY_BYTES:
        raise _key_malformed(zh="Ed25519 密钥须为 32 字节", en="an Ed25519 key has 32 bytes")
    return name, bytes.fromhex(key_id), material[1:]


def _key_text(name: str, key_id: bytes, key: bytes) -> str:
    return f"{name}+{key_id.hex()}+{_to_base64(_ED25519 + key)}"


def _require_key_id(key: VerifierKey, key_id: bytes) -> None:
    if key.key_id != key_id:
        raise _key_malformed(
            zh="编号与名称和密钥不符，可能抄录有误",
            en="its id does not belong to its name and key; it may have been copied wrongly",
        )


# ---- Notes


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line of a note. ``signature`` is at least one byte; 64 for Ed25519."""

    name: str
    key_id: bytes
    signature: bytes

    @classmethod
    def parse(cls, line: str) -> Signature:
        """Read one line, without its newline. Raises :class:`NoteMalformed`."""
        name, space, encoded = line.removeprefix(_DASH).partition(" ")
        decoded = _from_base64(encoded)
        if not line.startswith(_DASH) or not space or not _is_name(name):
            raise _note_malformed(zh="签名行的格式有误", en="a signature line is not a dash, a name and base64")
        if decoded is None or len(decoded) <= _KEY_ID_BYTES:
            raise _note_malformed(zh="签名行的 base64 有误", en="the base64 of a signature line is wrong")
        return cls(name, decoded[:_KEY_ID_BYTES], decoded[_KEY_ID_BYTES:])

    def encode(self) -> str:
        return f"{_DASH}{self.name} {_to_base64(self.key_id + self.signature)}"


@dataclass(frozen=True, slots=True)
class Note:
    """A text, ending in a newline, and its signatures, which may be true or false: see :func:`open_note`."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, data: bytes) -> Note:
        """Read a signed note. Raises :class:`NoteMalformed`."""
        if len(data) > MAX_NOTE_BYTES:
            raise _note_malformed(zh=f"超过 {MAX_NOTE_BYTES} 字节", en=f"it has more than {MAX_NOTE_BYTES} bytes")
        try:
            whole = data.decode()
        except UnicodeDecodeError as error:
            raise _note_malformed(zh="不是 UTF-8 文本", en="it is not UTF-8") from error
        if "\r" in whole:
            raise _note_malformed(zh=line_ends.CHANGED.zh, en=line_ends.CHANGED.en)
        # The text may itself hold empty lines: the last one divides.
        text, divider, lines = whole.rpartition("\n\n")
        if not divider or not lines.endswith("\n"):
            raise _note_malformed(
                zh="应为正文、一个空行和若干签名行，每行以换行符结束",
                en="it must be a text, an empty line and signature lines, each ending in a newline",
            )
        signatures = lines[:-1].split("\n")
        if len(signatures) > MAX_SIGNATURES:
            raise _note_malformed(
                zh=f"签名超过 {MAX_SIGNATURES} 个", en=f"it has more than {MAX_SIGNATURES} signatures"
            )
        _require_text(text + "\n")
        return cls(text + "\n", tuple(Signature.parse(line) for line in signatures))

    def encode(self) -> bytes:
        assert self.signatures, "a note is signed"
        lines = "".join(signature.encode() + "\n" for signature in self.signatures)
        return f"{self.text}\n{lines}".encode()

    def with_signature(self, signature: Signature) -> Note:
        """This note with one more signature, for instance a witness's; one by the same key is replaced."""
        same = (signature.name, signature.key_id)
        others = tuple(one for one in self.signatures if (one.name, one.key_id) != same)
        return Note(self.text, (*others, signature))


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """The text of a note and those of the known keys that truly signed it: at least one, each once."""

    text: str
    signed_by: tuple[VerifierKey, ...]


def looks_signed(data: bytes) -> bool:
    """Whether a file may be a signed note at all, whole or not: it has a line that begins as a signature does."""
    return len(data) <= MAX_NOTE_BYTES and _SIGNATURE_LINE.search(data) is not None


def sign(text: str, signers: Sequence[SignerKey]) -> Note:
    """Sign a text, which must end in a newline, with each of the keys. Raises :class:`NoteMalformed`."""
    assert signers, "a note is signed by somebody"
    _require_text(text)
    note = Note(text, ())
    for signer in signers:
        key = signer.verifier
        note = note.with_signature(Signature(key.name, key.key_id, signer.sign(text.encode())))
    return note


def open_note(data: bytes, known: Iterable[VerifierKey]) -> OpenedNote:
    """Read a note and check the signatures of all known keys on it; those of other keys are ignored.

    Raises :class:`NoteMalformed`; :class:`SignatureWrong` where a known key's signature is false, or none is there.
    """
    note = Note.parse(data)
    keys: dict[tuple[str, bytes], VerifierKey] = {}
    for key in known:
        other = keys.setdefault((key.name, key.key_id), key)
        if other != key:
            raise _key_malformed(zh="两个公钥的名称和编号相同", en="two known keys have one name and one id")
    signed_by: dict[VerifierKey, None] = {}
    for line in note.signatures:
        signer = keys.get((line.name, line.key_id))
        if signer is None:
            continue
        if not signer.verifies(note.text.encode(), line.signature):
            raise SignatureWrong(
                Text(
                    zh=f"{line.name} 的签名与内容不符：内容或签名已被改动。",
                    en=f"The signature of {line.name} is false: the text or the signature was changed.",
                )
            )
        signed_by[signer] = None
    if not signed_by:
        raise _signed_by_nobody_known(note, tuple(keys.values()))
    return OpenedNote(note.text, tuple(signed_by))


def _signed_by_nobody_known(note: Note, tried: Sequence[VerifierKey]) -> SignatureWrong:
    origin = note.text.partition("\n")[0][:_TOLD_MOST]
    signers = ", ".join(f"{line.name}+{line.key_id.hex()}"[:_TOLD_MOST] for line in note.signatures[:_SIGNERS_TOLD])
    keys = ", ".join(key.label for key in tried) or "-"
    return SignatureWrong(
        Text(
            zh=f"没有任何已知公钥的签名，内容不可信：这是 {origin} 的文本，署名 {signers}；已试公钥 {keys}。"
            "更换过密钥的，新旧公钥都须用 --key 给出，或都写在 log.pub 中。",
            en=f"No known key has signed this, so its text means nothing: it is a note of {origin}, under the name of "
            f"{signers}; tried were {keys}. After a change of key both are needed, the old and the new, with --key or in "
            "log.pub.",
        )
    )


def _require_text(text: str) -> None:
    if not text.endswith("\n"):
        raise _note_malformed(zh="正文须以换行符结束", en="its text must end in a newline")
    if not _is_utf8(text) or any(c < " " and c != "\n" for c in text):
        raise _note_malformed(
            zh="正文含控制字符（例如 Windows 换行符）",
            en="it holds control characters, for instance the line ends of Windows",
        )


# ---- Checkpoints


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log states: that its first ``size`` events have this ``root``, of 32 bytes.

    ``origin`` is the log's own name. ``extensions`` are further lines, which mean nothing here and are kept so that
    the text of others' checkpoints does not change.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text to sign."""
        lines = (self.origin, str(self.size), _to_base64(self.root), *self.extensions)
        return "".join(line + "\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the text of an opened note. Raises :class:`NoteMalformed`."""
        _require_text(text)
        lines = text[:-1].split("\n")
        if len(lines) < 3 or not all(lines):
            raise _note_malformed(
                zh="检查点至少须有来源、大小、根哈希三行，且无空行",
                en="a checkpoint has an origin, a size and a root, and no empty line",
            )
        origin, size_text, root_text, *extensions = lines
        if _SIZE.fullmatch(size_text) is None or int(size_text) >= SIZE_LIMIT:
            raise _note_malformed(zh="检查点的大小有误", en="the size of the checkpoint is not a number of events")
        size, root = int(size_text), _from_base64(root_text)
        if root is None or len(root) != HASH_BYTES:
            raise _note_malformed(
                zh="检查点的根哈希须为 32 字节的 base64", en="the root of the checkpoint must be 32 bytes in base64"
            )
        if size == 0 and root != EMPTY_ROOT:
            raise _note_malformed(zh="空日志的根哈希有误", en="an empty log has another root")
        return cls(origin, size, root, tuple(extensions))


@dataclass(frozen=True, slots=True)
class OpenedCheckpoint:
    """A checkpoint that its own log signed, and all the known keys that signed it."""

    checkpoint: Checkpoint
    signed_by: tuple[VerifierKey, ...]


def sign_checkpoint(checkpoint: Checkpoint, signers: Sequence[SignerKey]) -> bytes:
    """The signed checkpoint, as a file or a witness takes it. One signer's name must be the origin.

    A log must never sign two checkpoints of which one does not continue the other: the caller sees to that.
    """
    assert any(signer.verifier.name == checkpoint.origin for signer in signers), "a log signs under its own name"
    assert Checkpoint.parse(checkpoint.text) == checkpoint, "what is signed can be read"
    return sign(checkpoint.text, signers).encode()


def open_checkpoint(data: bytes, known: Iterable[VerifierKey]) -> OpenedCheckpoint:
    """Read a signed checkpoint and check it against the known keys, of the log and of witnesses.

    A key is the log's own if its name is the origin; a witness alone does not make a checkpoint true. Raises
    :class:`NoteMalformed` and :class:`SignatureWrong`.
    """
    opened = open_note(data, known)
    checkpoint = Checkpoint.parse(opened.text)
    if all(key.name != checkpoint.origin for key in opened.signed_by):
        raise SignatureWrong(
            Text(
                zh=f"检查点没有其来源 {checkpoint.origin} 本身的有效签名。",
                en=f"The checkpoint is not signed by {checkpoint.origin}, the log that it speaks of.",
            )
        )
    return OpenedCheckpoint(checkpoint, opened.signed_by)


# ---- Text


def _to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _from_base64(text: str) -> bytes | None:
    """The bytes, or None: also where another text would stand for the same bytes."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if _to_base64(data) == text else None


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _note_malformed(*, zh: str, en: str) -> NoteMalformed:
    return NoteMalformed(Text(zh=f"签名文本格式有误：{zh}。", en=f"The signed note cannot be read: {en}."))


def _key_malformed(*, zh: str, en: str) -> KeyMalformed:
    return KeyMalformed(_unusable(zh=zh, en=en))


def _unusable(*, zh: str, en: str) -> Text:
    return Text(zh=f"密钥有误：{zh}。", en=f"The key cannot be used: {en}.")
