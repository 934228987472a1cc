"""Key files: what is written, who may read it, and what is said when one cannot be used."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.errors import Fault
from ledger.seal.durable import FileFault
from ledger.seal.keys import (
    MAX_FILE_BYTES,
    KeyFault,
    load_signer_key,
    load_verifier_keys,
    make_key,
    write_signer_key,
    write_verifier_key,
)
from ledger.seal.note import KeyMalformed, SignerKey

KEY = make_key("example.gov.cn/funding", lambda count: bytes(range(count)))
OTHER = make_key("witness.example", lambda count: bytes(count))


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "signing.key"
    write_signer_key(path, KEY)
    return path


@pytest.fixture(params=[0o000, 0o022, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def same(key: SignerKey, other: SignerKey) -> bool:
    return key.encode_secret() == other.encode_secret()


def test_a_new_key_uses_the_entropy_it_is_handed_and_nothing_else() -> None:
    assert same(make_key(KEY.verifier.name, lambda count: bytes(range(count))), KEY)
    assert not same(make_key(KEY.verifier.name, os.urandom), make_key(KEY.verifier.name, os.urandom))
    with pytest.raises(KeyMalformed):
        make_key("two words", os.urandom)


@pytest.mark.usefixtures("umask")
def test_only_its_owner_may_read_a_signing_key_whatever_the_umask(tmp_path: Path) -> None:
    secret, public = tmp_path / "signing.key", tmp_path / "public.key"
    write_signer_key(secret, KEY)
    write_verifier_key(public, KEY.verifier)
    assert mode_of(secret) == 0o600
    assert mode_of(public) == 0o644


def test_keys_read_back_are_the_ones_that_were_written(key_file: Path, tmp_path: Path) -> None:
    public = tmp_path / "public.key"
    write_verifier_key(public, KEY.verifier)
    assert same(load_signer_key(key_file), KEY)
    assert load_verifier_keys(public) == (KEY.verifier,)
    assert key_file.read_text(encoding="utf-8") == KEY.encode_secret() + "\n"


def test_a_key_file_is_never_overwritten(key_file: Path) -> None:
    before = key_file.read_bytes()
    with pytest.raises(KeyFault, match="exists"):
        write_signer_key(key_file, OTHER)
    with pytest.raises(KeyFault, match="exists"):
        write_verifier_key(key_file, OTHER.verifier)
    assert key_file.read_bytes() == before


def test_a_key_is_not_written_through_a_link_that_leads_elsewhere(tmp_path: Path) -> None:
    link, target = tmp_path / "signing.key", tmp_path / "elsewhere"
    link.symlink_to(target)
    with pytest.raises(KeyFault, match="exists"):
        write_signer_key(link, KEY)
    assert not target.exists()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "signing.key"
    with pytest.raises(KeyFault, match="missing"):
        write_signer_key(path, KEY)


def test_a_key_that_did_not_reach_the_disk_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    path = tmp_path / "signing.key"
    with pytest.raises(FileFault, match="No space left"):
        write_signer_key(path, KEY)
    assert not path.exists()


@pytest.mark.parametrize("mode", [0o604, 0o601, 0o602, 0o620, 0o644, 0o666], ids=oct)
def test_a_signing_key_that_others_may_read_or_change_is_refused(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    with pytest.raises(KeyFault, match="chmod 600"):
        load_signer_key(key_file)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o440, 0o640], ids=oct)
def test_a_signing_key_that_a_service_manager_handed_over_is_accepted(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    assert same(load_signer_key(key_file), KEY)


WRONG_FILES = {
    "empty": (b"", "exactly one"),
    "two keys": ((KEY.encode_secret() + "\n" + OTHER.encode_secret()).encode(), "exactly one"),
    "a public key": (KEY.verifier.encode().encode(), "PRIVATE"),
    "not text": (b"\xff\xfe", "UTF-8"),
    "a whole disk": (b"x" * (MAX_FILE_BYTES + 1), "too large"),
    "a letter lost": (KEY.encode_secret()[:-1].encode(), "base64"),
}


@pytest.mark.parametrize(("data", "said"), WRONG_FILES.values(), ids=WRONG_FILES.keys())
def test_what_is_wrong_with_a_signing_key_file_is_said_with_its_name_and_without_its_content(
    key_file: Path, data: bytes, said: str
) -> None:
    key_file.write_bytes(data)
    with pytest.raises(KeyFault, match=said) as caught:
        load_signer_key(key_file)
    assert "signing.key" in caught.value.text.en
    assert "signing.key" in caught.value.text.zh
    assert KEY.encode_secret()[-20:-2] not in str(caught.value)
    assert isinstance(caught.value, Fault)


def test_a_missing_key_file_is_named_with_the_systems_reason(tmp_path: Path) -> None:
    with pytest.raises(KeyFault, match=r"absent\.key.*No such file"):
        load_signer_key(tmp_path / "absent.key")
    with pytest.raises(KeyFault, match="directory"):
        load_verifier_keys(tmp_path)


def test_a_public_key_file_may_hold_the_keys_of_a_rotated_log_and_of_witnesses(tmp_path: Path) -> None:
    path = tmp_path / "public.key"
    path.write_text(f"{KEY.verifier.encode()}\r\n\n  {OTHER.verifier.encode()}\n", encoding="utf-8")
    assert load_verifier_keys(path) == (KEY.verifier, OTHER.verifier)


def test_a_signing_key_handed_out_as_a_public_one_is_refused_and_not_repeated(key_file: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyFault, match="signing key") as caught:
        load_verifier_keys(key_file)
    assert KEY.encode_secret() not in str(caught.value)
    empty = tmp_path / "empty.key"
    empty.touch()
    with pytest.raises(KeyFault, match="no key"):
        load_verifier_keys(empty)
