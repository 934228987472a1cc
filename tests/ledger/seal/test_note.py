"""Signed notes and checkpoints as C2SP signed-note and tlog-checkpoint have them."""

from __future__ import annotations

import base64
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.seal import SealError
from ledger.seal.merkle import EMPTY, EMPTY_ROOT, leaf_hash
from ledger.seal.note import (
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    Checkpoint,
    KeyMalformed,
    Note,
    NoteMalformed,
    Signature,
    SignatureWrong,
    SignerKey,
    VerifierKey,
    open_checkpoint,
    open_note,
    sign,
    sign_checkpoint,
)

ORIGIN = "example.gov.cn/funding"
# RFC 8032, section 7.1, test 1.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")

LOG = SignerKey(ORIGIN, SEED)
ROTATED = SignerKey(ORIGIN, bytes(32))
WITNESS = SignerKey("见证.example/一号", bytes(range(32)))
STRANGER = SignerKey("stranger.example", bytes(range(1, 33)))
CHECKPOINT = Checkpoint(ORIGIN, 3, EMPTY.append([leaf_hash(b"one"), leaf_hash(b"two"), leaf_hash(b"three")])[0].root)
SIGNED = sign_checkpoint(CHECKPOINT, [LOG])


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


# ---- keys as text ---------------------------------------------------------------------------------


def test_a_key_is_written_as_the_standard_says() -> None:
    key_id = sha256(ORIGIN.encode() + b"\n\x01" + PUBLIC).hexdigest()[:8]
    assert LOG.verifier == VerifierKey(ORIGIN, PUBLIC)
    assert LOG.verifier.encode() == f"{ORIGIN}+{key_id}+{base64_of(bytes([1]) + PUBLIC)}"
    assert LOG.encode_secret() == f"PRIVATE+KEY+{ORIGIN}+{key_id}+{base64_of(bytes([1]) + SEED)}"


@given(st.binary(min_size=32, max_size=32))
def test_a_key_read_back_is_the_one_that_was_written(seed: bytes) -> None:
    key = SignerKey(WITNESS.verifier.name, seed)
    assert SignerKey.parse(key.encode_secret()).encode_secret() == key.encode_secret()
    assert VerifierKey.parse(key.verifier.encode()) == key.verifier


def test_a_secret_does_not_get_into_a_log_by_way_of_a_repr_or_an_error() -> None:
    secret = LOG.encode_secret().rpartition("+")[2]
    assert secret not in repr(LOG)
    broken = LOG.encode_secret()[:-2]
    for parse in (SignerKey.parse, VerifierKey.parse):
        with pytest.raises(KeyMalformed) as caught:
            parse(broken)
        assert secret[:20] not in str(caught.value) + caught.value.text.zh


WRONG_KEYS = {
    "empty": "",
    "two parts": f"{ORIGIN}+{LOG.verifier.key_id.hex()}",
    "id of another name": VerifierKey("other.example", PUBLIC).encode().replace("other.example", ORIGIN),
    "id too short": LOG.verifier.encode().replace("+", "+0", 1)[:-1],
    "id in capitals": f"{ORIGIN}+{ROTATED.verifier.key_id.hex().upper()}+{base64_of(bytes([1]) + ROTATED.verifier.public)}",
    "no name": VerifierKey("x", PUBLIC).encode()[1:],
    "space in the name": VerifierKey("x", PUBLIC).encode().replace("x", "x y", 1),
    "another algorithm": f"{ORIGIN}+00000000+{base64_of(bytes([4]) + PUBLIC)}",
    "short key": f"{ORIGIN}+00000000+{base64_of(bytes([1]) + PUBLIC[:-1])}",
    "no key": f"{ORIGIN}+00000000+",
    "not base64": f"{ORIGIN}+00000000+????",
    "a newline": LOG.verifier.encode() + "\n",
}


@pytest.mark.parametrize("text", WRONG_KEYS.values(), ids=WRONG_KEYS.keys())
def test_a_key_that_is_not_exactly_in_form_is_refused(text: str) -> None:
    with pytest.raises(KeyMalformed):
        VerifierKey.parse(text)
    with pytest.raises(KeyMalformed):
        SignerKey.parse("PRIVATE+KEY+" + text)


def test_a_signing_key_is_not_taken_for_a_public_one_or_the_other_way_round() -> None:
    with pytest.raises(KeyMalformed, match="signing key"):
        VerifierKey.parse(LOG.encode_secret())
    with pytest.raises(KeyMalformed, match="PRIVATE"):
        SignerKey.parse(LOG.verifier.encode())


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u3000b", "a\nb", "a\0b", "\ud800"], ids=repr)
def test_a_name_that_would_break_a_signature_line_is_refused(name: str) -> None:
    with pytest.raises(KeyMalformed):
        SignerKey(name, SEED)


# ---- notes ----------------------------------------------------------------------------------------


def test_a_note_is_written_as_the_standard_says() -> None:
    signature = base64_of(LOG.verifier.key_id + LOG.sign(b"text\n"))
    assert sign("text\n", [LOG]).encode() == f"text\n\n— {ORIGIN} {signature}\n".encode()


notes = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=[chr(c) for c in range(32) if c != 10]))


@given(notes)
def test_any_text_that_may_be_signed_is_read_back_whole(text: str) -> None:
    text += "\n"
    data = sign(text, [LOG, WITNESS]).encode()
    opened = open_note(data, [WITNESS.verifier, LOG.verifier])
    assert opened.text == text
    assert opened.signed_by == (LOG.verifier, WITNESS.verifier)
    assert Note.parse(data).encode() == data


def test_no_byte_of_a_signed_note_can_be_changed() -> None:
    for at in range(len(SIGNED)):
        for bit in range(8):
            forged = SIGNED[:at] + bytes([SIGNED[at] ^ 1 << bit]) + SIGNED[at + 1 :]
            with pytest.raises(SealError):
                open_note(forged, [LOG.verifier])


def test_no_signed_note_can_be_cut_or_lengthened() -> None:
    for at in range(len(SIGNED)):
        with pytest.raises(SealError):
            open_note(SIGNED[:at], [LOG.verifier])
    for extra in (b"\n", b" ", b"\n\n", b"x"):
        with pytest.raises(SealError):
            open_note(SIGNED + extra, [LOG.verifier])
        with pytest.raises(SealError):
            open_note(extra + SIGNED, [LOG.verifier])


def test_signatures_of_strangers_are_ignored_and_do_not_make_a_note_true() -> None:
    data = sign("text\n", [STRANGER, LOG]).encode()
    assert open_note(data, [LOG.verifier]).signed_by == (LOG.verifier,)
    with pytest.raises(SignatureWrong, match="No known key"):
        open_note(data, [WITNESS.verifier])
    with pytest.raises(SignatureWrong, match="No known key"):
        open_note(data, [])


def test_a_signature_with_a_known_name_and_another_id_is_a_strangers() -> None:
    data = sign("text\n", [LOG]).encode()
    with pytest.raises(SignatureWrong, match="No known key"):
        open_note(data, [ROTATED.verifier])


def test_one_false_signature_of_a_known_key_spoils_the_note() -> None:
    other = sign("other\n", [WITNESS]).signatures[0]
    data = sign("text\n", [LOG]).with_signature(other).encode()
    assert open_note(data, [LOG.verifier]).text == "text\n"
    with pytest.raises(SignatureWrong, match="is false"):
        open_note(data, [LOG.verifier, WITNESS.verifier])


def test_a_key_that_signed_twice_counts_once() -> None:
    note = sign("text\n", [LOG])
    doubled = Note(note.text, note.signatures * 2).encode()
    assert open_note(doubled, [LOG.verifier]).signed_by == (LOG.verifier,)
    assert note.with_signature(note.signatures[0]) == note


def test_known_keys_that_cannot_be_told_apart_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VerifierKey, "key_id", property(lambda key: b"same"))
    data = sign("text\n", [LOG]).encode()
    assert open_note(data, [LOG.verifier, LOG.verifier]).signed_by == (LOG.verifier,)
    with pytest.raises(KeyMalformed, match="one name and one id"):
        open_note(data, [LOG.verifier, ROTATED.verifier])


def test_a_witness_adds_its_line_and_the_log_need_not_sign_again() -> None:
    line = Signature.parse(sign(CHECKPOINT.text, [WITNESS]).signatures[0].encode())
    both = Note.parse(SIGNED).with_signature(line).encode()
    assert both.startswith(SIGNED)
    opened = open_checkpoint(both, [LOG.verifier, WITNESS.verifier])
    assert opened.signed_by == (LOG.verifier, WITNESS.verifier)


def test_as_many_signatures_as_the_standard_asks_for_are_accepted_and_no_flood() -> None:
    def signed_by(count: int) -> bytes:
        return sign("text\n", [SignerKey(f"k{i}.example", SEED) for i in range(count)]).encode()

    known = [VerifierKey("k0.example", PUBLIC)]
    for count in (16, MAX_SIGNATURES):
        assert open_note(signed_by(count), known).text == "text\n"
    with pytest.raises(NoteMalformed, match="signatures"):
        open_note(signed_by(MAX_SIGNATURES + 1), known)
    with pytest.raises(NoteMalformed, match="bytes"):
        open_note(b"x" * (MAX_NOTE_BYTES + 1), known)


LINE = SIGNED.decode().splitlines()[-1]
WRONG_NOTES = {
    "empty": b"",
    "no signature": b"text\n\n",
    "no empty line": f"text\n{LINE}\n".encode(),
    "last newline missing": f"text\n\n{LINE}".encode(),
    "empty line between signatures": f"text\n\n{LINE}\n\n".encode(),
    "a hyphen for the dash": f"text\n\n{LINE}\n".encode().replace("—".encode(), b"-"),
    "two spaces": f"text\n\n{LINE}\n".replace("— ", "—  ").encode(),
    "space at the end": f"text\n\n{LINE} \n".encode(),
    "something other than a signature": f"text\n\n{LINE}\nmore\n".encode(),
    "no name": f"text\n\n—  {LINE.split()[2]}\n".encode(),
    "only a key id": f"text\n\n— {ORIGIN} {base64_of(b'1234')}\n".encode(),
    "base64 of the address bar": f"text\n\n— {ORIGIN} {'-_-_' * 17}\n".encode(),
    "base64 with loose bits": f"text\n\n— {ORIGIN} AAAAAAB=\n".encode(),
    "line ends of Windows": f"text\n\n{LINE}\n".replace("\n", "\r\n").encode(),
    "control character": f"te\x1bxt\n\n{LINE}\n".encode(),
    "not UTF-8": b"\xff\n\n" + LINE.encode() + b"\n",
}


@pytest.mark.parametrize("data", WRONG_NOTES.values(), ids=WRONG_NOTES.keys())
def test_a_note_that_is_not_exactly_in_form_is_refused(data: bytes) -> None:
    with pytest.raises(NoteMalformed):
        Note.parse(data)


@pytest.mark.parametrize("text", ["", "no newline", "a\rb\n", "a\0\n", "\ud800\n"], ids=repr)
def test_a_text_that_could_not_be_read_back_is_not_signed(text: str) -> None:
    with pytest.raises(NoteMalformed):
        sign(text, [LOG])


# ---- checkpoints ----------------------------------------------------------------------------------


def test_a_checkpoint_is_written_as_the_standard_says() -> None:
    assert CHECKPOINT.text == f"{ORIGIN}\n3\n{base64_of(CHECKPOINT.root)}\n"
    assert open_checkpoint(SIGNED, [LOG.verifier]).checkpoint == CHECKPOINT


def test_extension_lines_of_others_are_kept_as_they_are() -> None:
    extended = Checkpoint(ORIGIN, 3, CHECKPOINT.root, ("time 1", "anything"))
    assert open_checkpoint(sign_checkpoint(extended, [LOG]), [LOG.verifier]).checkpoint == extended


def test_an_empty_log_can_be_stated() -> None:
    empty = Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    assert open_checkpoint(sign_checkpoint(empty, [LOG]), [LOG.verifier]).checkpoint == empty


def test_a_checkpoint_signed_by_a_witness_alone_is_not_the_logs() -> None:
    data = sign(CHECKPOINT.text, [WITNESS]).encode()
    with pytest.raises(SignatureWrong, match=ORIGIN):
        open_checkpoint(data, [LOG.verifier, WITNESS.verifier])


def test_a_checkpoint_signed_with_either_key_of_a_rotated_log_is_true() -> None:
    for key in (LOG, ROTATED):
        data = sign_checkpoint(CHECKPOINT, [key])
        assert open_checkpoint(data, [LOG.verifier, ROTATED.verifier]).signed_by == (key.verifier,)


def test_a_log_does_not_sign_under_another_name() -> None:
    with pytest.raises(AssertionError):
        sign_checkpoint(CHECKPOINT, [WITNESS])


ROOT = base64_of(CHECKPOINT.root)
WRONG_CHECKPOINTS = {
    "two lines": f"{ORIGIN}\n3\n",
    "no origin": f"\n3\n{ROOT}\n",
    "leading zero": f"{ORIGIN}\n03\n{ROOT}\n",
    "plus sign": f"{ORIGIN}\n+3\n{ROOT}\n",
    "negative size": f"{ORIGIN}\n-3\n{ROOT}\n",
    "digits that are not ASCII": f"{ORIGIN}\n３\n{ROOT}\n",
    "underscore": f"{ORIGIN}\n1_000\n{ROOT}\n",
    "size of 64 bits": f"{ORIGIN}\n{2**63}\n{ROOT}\n",
    "endless size": f"{ORIGIN}\n{'9' * 10_000}\n{ROOT}\n",
    "root of 31 bytes": f"{ORIGIN}\n3\n{base64_of(CHECKPOINT.root[:-1])}\n",
    "root in hexadecimal": f"{ORIGIN}\n3\n{CHECKPOINT.root.hex()}\n",
    "space after the root": f"{ORIGIN}\n3\n{ROOT} \n",
    "empty extension line": f"{ORIGIN}\n3\n{ROOT}\n\n",
    "empty log with another root": f"{ORIGIN}\n0\n{ROOT}\n",
}


@pytest.mark.parametrize("text", WRONG_CHECKPOINTS.values(), ids=WRONG_CHECKPOINTS.keys())
def test_a_checkpoint_that_is_not_exactly_in_form_is_refused_though_it_is_signed(text: str) -> None:
    with pytest.raises(NoteMalformed):
        open_checkpoint(sign(text, [LOG]).encode(), [LOG.verifier])
