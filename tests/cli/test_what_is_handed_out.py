"""Exports, certificates and verdicts: nothing false is handed out, and no more is said than the evidence shows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from api.cli.exits import Exit
from ledger.seal.note import Note
from tests.cli.audited_folder import (  # noqa: F401
    Folder,
    folder,
    in_file,
    new_database,
    new_url,
    postgres_server_url,
)

# ruff: noqa: F811


# ---- A store that was tampered with


@pytest.mark.beside_the_door
@pytest.mark.parametrize("signed", [False, True], ids=["never signed", "signed before"])
def test_nothing_is_handed_out_of_a_store_that_was_tampered_with(folder: Folder, tmp_path: Path, signed: bool) -> None:
    if signed:
        folder.done("checkpoint")
        folder.grow()
    tampered = folder.tampered()
    position = tampered.position_of("award-approved")
    data: bytes = tampered.row(position)["data"]
    assert b"600000000" in data
    tampered.update(position, data=data.replace(b"600000000", b"700000000"))
    for command in (("export", "-o", "OUT"), ("certificate", folder.case, "-o", "OUT"), ("backup", "OUT")):
        for chinese in (False, True):
            arguments = [str(tmp_path / "out") if word == "OUT" else word for word in command]
            result = folder.run(*arguments, chinese=chinese)
            assert result.exit_code == Exit.FAULT, result.output
            assert "funding-ledger verify" in result.stderr
            assert command[0] == "backup" or str(position) in result.stderr
            assert not (tmp_path / "out").exists()
    tampered.update(position, data=data)
    folder.done("export", "-o", tmp_path / "out")


def test_a_certificate_against_a_kept_checkpoint_is_checked_before_it_is_written(
    folder: Folder, tmp_path: Path
) -> None:
    folder.done("checkpoint", "--out", tmp_path / "kept")
    folder.grow()
    folder.done("checkpoint")
    tampered = folder.tampered()
    run: bytes = tampered.row(14)["run"]
    tampered.update(14, run=bytes([run[0] ^ 1]) + run[1:])
    again = ("--checkpoint", tmp_path / "kept")
    result = folder.run("certificate", folder.case, "-o", tmp_path / "x", *again)
    assert result.exit_code == Exit.FAULT
    assert "no certificate was written" in result.stderr
    assert not (tmp_path / "x").exists()


# ---- Which event is wrong


def taken_out(export: Path, position: int, *, corrected: bool) -> int:
    """An export with the line of an event taken out; how many it had."""
    lines = export.read_bytes().splitlines(keepends=True)
    header = json.loads(lines[0])
    size: int = header["size"]
    if corrected:
        lines[0] = lines[0].replace(b'"size":%d' % size, b'"size":%d' % (size - 1))
    export.write_bytes(b"".join([*lines[:position], *lines[position + 1 :]]))
    return size


@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("position", [2, 17, -1], ids=["early", "late", "the last"])
def test_the_last_event_is_not_blamed_for_one_that_was_taken_out_of_the_middle(
    in_file: Folder, tmp_path: Path, corrected: bool, position: int
) -> None:
    kept, export = tmp_path / "kept", tmp_path / "all.jsonl"
    in_file.done("checkpoint", "--out", kept)
    known = in_file.head()
    in_file.grow()
    in_file.done("export", "-o", export)
    size = in_file.head()
    position = size if position < 0 else position
    assert taken_out(export, position, corrected=corrected) == size
    for arguments in ((), ("--checkpoint", kept)):
        body = in_file.json("verify", export, *arguments)
        codes = ("shorter-than-checkpoint", "not-of-checkpoint")
        (told_by,) = [finding for finding in body["findings"] if finding["code"] in codes]
        assert told_by["position"] <= position <= told_by.get("through", told_by["position"])
        assert told_by["code"] == (
            "not-of-checkpoint" if arguments and position <= known else "shorter-than-checkpoint"
        )
        first = body["first_wrong"]
        assert first["position"] <= position or "through" not in first, (
            "an event that shows it, or a range that holds it"
        )
        if arguments and position > known:
            assert told_by["position"] == known + 1, "the earlier checkpoint tells from where on"
        for finding in body["findings"]:
            if finding["code"] == "wrong-length":
                assert finding["position"] <= position <= finding["through"]
    told = in_file.run("verify", export).stdout
    assert "this checkpoint cannot tell" in told
    assert "are gone" not in told
    assert "由此检查点看不出来" in in_file.run("verify", export, chinese=True).stdout


def test_a_log_that_ends_at_an_earlier_checkpoint_is_told_from_where_on_it_lacks_events(
    in_file: Folder, tmp_path: Path
) -> None:
    in_file.done("backup", tmp_path / "old")
    size = in_file.head()
    in_file.grow()
    in_file.done("checkpoint")
    # And a fork of the same length, rightly signed.
    other = Folder(tmp_path / "other")
    for name in ("log.key", "log.pub"):
        shutil.copy(in_file.path / name, other.path / name)
    other.done("backup", tmp_path / "fork")
    for source in ("old", "fork"):
        body = in_file.json("restore", tmp_path / source, "--key", in_file.key)
        assert not body["restored"]
        assert (body["first_wrong"]["code"], body["first_wrong"]["position"]) == ("shorter-than-checkpoint", size + 1)
        told = in_file.run("restore", tmp_path / source, "--key", in_file.key)
        assert told.exit_code == Exit.NOT_WHOLE
        assert "if the log was forked" in told.stdout
        assert f"Up to position {size} the events are those of the checkpoint {tmp_path / source}" in told.stdout
        assert (
            str(tmp_path / source)
            in in_file.run("restore", tmp_path / source, "--key", in_file.key, chinese=True).stdout
        )


# ---- What is no checkpoint, or of another key


@pytest.mark.parametrize(
    "content",
    [b"", b"hello\n", b"\xff\xfe\x00", b'{"a":1}', b"x" * 2_000_000],
    ids=["empty", "text", "no text", "JSON", "long"],
)
def test_a_file_that_is_no_checkpoint_says_nothing_against_the_log(
    in_file: Folder, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "file").write_bytes(content)
    in_file.done("backup", tmp_path / "backup")
    for command in (
        ("verify", "--checkpoint"),
        ("restore", tmp_path / "backup", "--checkpoint"),
        ("certificate", in_file.case, "-o", tmp_path / "x", "--since"),
        ("certificate", in_file.case, "-o", tmp_path / "x", "--checkpoint"),
    ):
        for chinese, said in ((False, "is no checkpoint"), (True, "不是检查点")):
            result = in_file.run(*command, tmp_path / "file", chinese=chinese)
            assert result.exit_code == Exit.MALFORMED
            assert f"{tmp_path / 'file'} {said}" in result.stderr
    # What the folder keeps under that name is another matter.
    (in_file.path / "checkpoint").write_bytes(content)
    assert in_file.run("verify").exit_code == Exit.NOT_WHOLE


def test_a_checkpoint_of_a_key_that_was_not_named_tells_whose_it_is_and_what_was_tried(
    in_file: Folder, tmp_path: Path
) -> None:
    kept, old = tmp_path / "kept", in_file.key
    in_file.done("checkpoint", "--out", kept)
    shutil.move(in_file.path / "log.key", tmp_path / "old.key")
    new = in_file.done("keys").stdout.strip()
    in_file.done("checkpoint")
    in_file.done("export", "-o", tmp_path / "all.jsonl")
    in_file.done("verify", "--checkpoint", kept)
    in_file.done("verify", "--checkpoint", kept, "--key", old, "--key", new)
    label = {key: "+".join(key.split("+")[:2]) for key in (old, new)}
    (in_file.path / "log.pub").write_text(new + "\n", encoding="utf-8")
    for arguments, path, signer, tried in (
        (("verify", "--checkpoint", kept, "--key", new), kept, old, new),
        (("verify", "--key", old), in_file.path / "checkpoint", new, old),
        (("verify", tmp_path / "all.jsonl", "--key", old), tmp_path / "all.jsonl", new, old),
        (("certificate", in_file.case, "-o", tmp_path / "x", "--since", kept), kept, old, new),
        (("certificate", in_file.case, "-o", tmp_path / "x", "--checkpoint", kept), kept, old, new),
    ):
        result = in_file.run(*arguments)
        assert result.exit_code == Exit.NOT_WHOLE
        assert result.stderr.startswith(f"{path}: ")
        assert "a note of example.gov.cn/funding" in result.stderr
        assert f"under the name of {label[signer]}; tried were {label[tried]}" in result.stderr
        assert "both are needed" in result.stderr
        assert "新旧公钥" in in_file.run(*arguments, chinese=True).stderr
    assert Note.parse(kept.read_bytes()).text.startswith("example.gov.cn/funding\n")
