"""What is signed: by whom, of which events, and what becomes of it while others record, sign, or do not answer."""

from __future__ import annotations

import base64
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from api import evidence
from api.cli import verify as verify_command
from api.cli.exits import Exit
from api.evidence import keeper_of, new_key
from api.service import open_service
from ledger.seal.kept import Keeper
from ledger.seal.note import Checkpoint, Note
from tests.cli.audited_folder import (  # noqa: F401
    Folder,
    folder,
    in_file,
    new_database,
    new_url,
    postgres_server_url,
)

# ruff: noqa: F811

WITNESS = "witness.example+00000000+" + base64.b64encode(b"\x04" + bytes(32)).decode()
"""As C2SP tlog-cosignature has them: type 4."""


def size_of(note: bytes) -> int:
    return Checkpoint.parse(Note.parse(note).text).size


# ---- While others sign


def test_a_log_that_another_signs_while_it_is_checked_is_not_called_cut_off(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.done("checkpoint")
    real = verify_command.keys_named

    def late(*arguments: object, **named: object) -> object:
        """Between the opening of the log and the reading of what was kept, where these were the other way round."""
        folder.grow()
        folder.done("checkpoint")
        return real(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(verify_command, "keys_named", late)
    folder.done("verify")


def test_a_service_that_starts_while_another_signs_is_not_kept_from_it(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.done("checkpoint")
    real, others = Keeper.require_continued, [folder]

    def late(self: Keeper, *arguments: object) -> None:
        if others:
            others.pop().grow()
            folder.done("checkpoint")
        real(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Keeper, "require_continued", late)
    open_service(folder.path, database_url=folder.url or None).close()
    assert not others


def test_a_checkpoint_of_a_log_that_grew_since_it_was_opened_is_of_all_of_it(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, others = Keeper.sign, [folder]

    def late(self: Keeper, *arguments: object, **named: object) -> bytes:
        if others:
            others.pop().grow()
            folder.done("checkpoint")
        return real(self, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Keeper, "sign", late)
    for command in (("checkpoint",), ("export", "-o", folder.path / "all.jsonl")):
        others[:] = [folder]
        folder.done(*command)
    folder.done("verify", folder.path / "all.jsonl")


# ---- A stored hash is not believed


def test_no_false_checkpoint_is_signed_of_a_flipped_hash(folder: Folder, tmp_path: Path) -> None:
    tampered = folder.tampered()
    run: bytes = tampered.row(16)["run"]
    tampered.update(16, run=run[:-1] + bytes([run[-1] ^ 1]))
    for command in (
        ("checkpoint",),
        ("export", "-o", tmp_path / "x"),
        ("certificate", folder.case, "-o", tmp_path / "x"),
    ):
        for chinese in (False, True):
            result = folder.run(*command, chinese=chinese)
            assert result.exit_code == Exit.FAULT
            assert "16" in result.stderr
            assert "funding-ledger verify" in result.stderr
        assert not (tmp_path / "x").exists()
    folder.service().close()
    assert not (folder.path / "checkpoint").exists(), "nor when a service is closed"


# ---- The key of another log


def test_a_key_of_another_log_stops_nothing(in_file: Folder, tmp_path: Path) -> None:
    other = Folder(tmp_path / "other")
    other.done("keys", "--origin", "other.example")
    in_file.done("checkpoint")
    before = (in_file.path / "checkpoint").read_bytes()
    for command in (("checkpoint",), ("export", "-o", tmp_path / "x"), ("backup", tmp_path / "x")):
        for chinese in (False, True):
            result = in_file.run(*command, "--signing-key", other.path / "log.key", chinese=chinese)
            assert result.exit_code == Exit.MALFORMED
            assert "other.example+" in result.stderr
    assert (in_file.path / "checkpoint").read_bytes() == before
    in_file.done("verify")
    in_file.done("users", "list")
    in_file.done("backup", tmp_path / "backup")


def test_a_key_whose_making_was_cut_off_is_finished(in_file: Folder, tmp_path: Path) -> None:
    in_file.done("checkpoint")
    for number, key in enumerate((in_file.path / "log.key", tmp_path / "elsewhere.key")):
        shutil.move(in_file.path / "log.key", tmp_path / f"old{number}.key")
        out = () if key.parent == in_file.path else ("--out", key)

        @contextmanager
        def cut_off(*arguments: object, **named: object) -> Iterator[None]:
            raise KeyboardInterrupt
            yield

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(evidence, "new_file", cut_off)
            with pytest.raises(KeyboardInterrupt):
                new_key(keeper_of(in_file.path, key), None, os.urandom)
        sign = ("checkpoint", "--signing-key", key)
        refused = in_file.run(*sign)
        assert refused.exit_code == Exit.MALFORMED
        assert "run funding-ledger keys" in refused.stderr
        in_file.done("verify")
        public = in_file.done("keys", *out).stdout.strip()
        assert public in (in_file.path / "log.pub").read_text("utf-8").splitlines()
        in_file.done(*sign)
        assert in_file.run("keys", *out).exit_code == Exit.MALFORMED, "now it exists, and nothing is missing"
        in_file.done("verify")
        shutil.copy(tmp_path / "old0.key", in_file.path / "log.key")


def test_a_key_of_another_log_is_not_taken_for_one_that_was_cut_off(in_file: Folder, tmp_path: Path) -> None:
    other = Folder(tmp_path / "other")
    other.done("keys", "--origin", "other.example")
    before = (in_file.path / "log.pub").read_bytes()
    result = in_file.run("keys", "--out", other.path / "log.key")
    assert result.exit_code == Exit.MALFORMED
    assert "other.example+" in result.stderr
    fresh = Folder(tmp_path / "fresh")
    assert fresh.run("keys", "--out", other.path / "log.key").exit_code == Exit.MALFORMED
    assert not (fresh.path / "log.pub").exists()
    assert (in_file.path / "log.pub").read_bytes() == before


def test_a_first_key_is_not_made_beside_a_checkpoint_that_another_signed(in_file: Folder) -> None:
    in_file.done("checkpoint")
    pub = (in_file.path / "log.pub").read_bytes()
    for name in ("log.key", "log.pub"):
        (in_file.path / name).unlink()
    result = in_file.run("keys")
    assert result.exit_code == Exit.MALFORMED
    assert "put log.pub back" in result.stderr
    assert not (in_file.path / "log.key").exists()
    (in_file.path / "log.pub").write_bytes(pub)
    in_file.done("keys")
    in_file.done("checkpoint")
    in_file.done("verify")


def test_a_log_is_not_given_an_empty_name_or_a_made_up_one_instead(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "data")
    result = folder.run("keys", "--origin", "")
    assert result.exit_code == Exit.MALFORMED
    assert "must not be empty" in result.stderr
    assert not (folder.path / "log.pub").exists()
    assert not (folder.path / "log.key").exists()


def test_a_file_that_is_no_key_is_called_so_and_its_mode_left_alone(in_file: Folder, tmp_path: Path) -> None:
    (tmp_path / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\nx:x:1:1::/:\n", encoding="utf-8")
    (tmp_path / "passwd").chmod(0o644)
    result = in_file.run("checkpoint", "--signing-key", tmp_path / "passwd")
    assert result.exit_code == Exit.MALFORMED
    assert "exactly one signing key" in result.stderr
    assert "chmod" not in result.stderr


# ---- The keys of witnesses


def test_the_key_of_a_witness_in_log_pub_is_kept_and_passed_over_with_a_remark(in_file: Folder, tmp_path: Path) -> None:
    in_file.done("checkpoint", "--out", tmp_path / "kept")
    with (in_file.path / "log.pub").open("a", encoding="utf-8") as file:
        file.write(WITNESS)  # without an end of line
    (tmp_path / "named").write_text(f"{WITNESS}\n{in_file.key}\n", encoding="utf-8")
    for arguments in ((), ("--key", tmp_path / "named")):
        result = in_file.done("verify", "--checkpoint", tmp_path / "kept", *arguments)
        assert "the key of witness.example was passed over" in result.stderr
    shutil.move(in_file.path / "log.key", tmp_path / "old.key")
    in_file.done("keys")
    assert WITNESS in (in_file.path / "log.pub").read_text("utf-8").splitlines()
    in_file.done("checkpoint")
    (tmp_path / "named").write_text(WITNESS, encoding="utf-8")
    alone = in_file.run("verify", "--checkpoint", tmp_path / "kept", "--key", tmp_path / "named")
    assert alone.exit_code == Exit.MALFORMED
    assert "no key that can be checked" in alone.stderr


# ---- A witness that does not take it


@contextmanager
def witness(*answers: int) -> Iterator[tuple[str, list[tuple[bytes, str | None]]]]:
    """Answers each request in turn. Gives its address and what it was sent, with how it was authorized."""
    taken: list[tuple[bytes, str | None]] = []
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            note = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append((note, self.headers["Authorization"]))
            self.send_response(left.pop(0))
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}/add", taken
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_same_line_sends_the_same_checkpoint_again(folder: Folder, tmp_path: Path) -> None:
    out = tmp_path / "2026-03-31.checkpoint"
    with witness(503, 200, 200) as (address, taken):
        line = ("checkpoint", "--out", out, "--post", f"http://{address}")
        failed = folder.run(*line)
        assert failed.exit_code == Exit.FAULT
        assert "the same line again" in failed.stderr
        first = out.read_bytes()
        folder.grow()
        again = folder.done(*line)
        assert "it is sent as it is" in again.stderr
        assert folder.json(*line)["size"] == size_of(first)
    assert [note for note, _ in taken] == [first] * 3
    assert out.read_bytes() == first
    assert folder.run(*line[:-2]).exit_code == Exit.MALFORMED, "and without a witness nothing is written over"


def test_a_file_that_is_no_checkpoint_of_this_log_is_neither_sent_nor_written_over(
    in_file: Folder, tmp_path: Path
) -> None:
    other = Folder(tmp_path / "other")
    for name in ("log.key", "log.pub"):
        shutil.copy(in_file.path / name, other.path / name)
    other.grow()
    other.done("checkpoint", "--out", tmp_path / "forked")
    (tmp_path / "notes").write_text("mine", encoding="utf-8")
    with witness() as (address, taken):
        for name in ("forked", "notes"):
            before = (tmp_path / name).read_bytes()
            result = in_file.run("checkpoint", "--out", tmp_path / name, "--post", f"http://{address}")
            assert result.exit_code == Exit.MALFORMED
            assert "exists and was left as it is" in result.stderr
            assert (tmp_path / name).read_bytes() == before
    assert taken == []


def test_what_a_witness_did_not_take_is_not_lost(in_file: Folder) -> None:
    with witness(500, 500) as (address, taken):
        printed = in_file.run("checkpoint", "--post", f"http://{address}")
        body = in_file.json("checkpoint", "--post", f"http://{address}")
    assert printed.exit_code == Exit.FAULT
    assert printed.stdout.encode() == taken[0][0]
    assert body["note"].encode() == taken[1][0]
    assert (body["witness"], body["code"]) == (None, "unavailable")


def test_a_password_in_the_address_of_a_witness_is_used_and_never_told(in_file: Folder) -> None:
    with witness(200, 401) as (address, taken):
        url = f"http://office:p%40ss-word@{address}"
        results = [in_file.done("checkpoint", "--post", url), in_file.run("checkpoint", "--post", url)]
    assert {header for _, header in taken} == {"Basic " + base64.b64encode(b"office:p@ss-word").decode()}
    wrong = (
        "http://office:p%40ss-word@",
        "http://office:p%40ss-word@127.0.0.1:1/x",
        "http://o:p%40ss-word@a b/",
        "http://o:p/ss-word@127.0.0.1/",
        "o:ss-word@127.0.0.1/",
    )
    results += [in_file.run("checkpoint", "--post", url, chinese=chinese) for url in wrong for chinese in (False, True)]
    for result in results:
        assert "ss-word" not in result.output
    assert f"http://{address} did not take it: it answered 401" in results[1].stderr
