"""The commands for auditors: keys, checkpoint, export, verify and certificate, on both stores, and their exit status."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from api.cli.exits import Exit
from api.evidence import history_proof, keeper_of
from ledger.seal.merkle import leaf_hash, verify_inclusion
from ledger.seal.note import open_checkpoint
from tests.cli.audited_folder import (  # noqa: F401
    Folder,
    NewDatabase,
    NewUrl,
    folder,
    in_database,
    in_file,
    new_database,
    new_url,
    postgres_server_url,
)
from tests.fixtures.postgres import statement

# ruff: noqa: F811

# ---- keys and checkpoints


def test_a_key_is_not_made_twice_and_its_log_not_renamed(in_file: Folder, tmp_path: Path) -> None:
    again = in_file.run("keys")
    assert again.exit_code == Exit.MALFORMED
    assert "exists" in again.stderr
    renamed = in_file.run("keys", "--out", tmp_path / "new.key", "--origin", "other.example")
    assert renamed.exit_code == Exit.MALFORMED
    assert not (tmp_path / "new.key").exists()
    second = in_file.done("keys", "--out", tmp_path / "new.key").stdout.strip()
    assert second.startswith("example.gov.cn/funding+")
    assert len((in_file.path / "log.pub").read_text("utf-8").splitlines()) == 2
    assert (tmp_path / "new.key").stat().st_mode & 0o777 == 0o600


def test_a_key_kept_elsewhere_is_not_missed(in_file: Folder, tmp_path: Path) -> None:
    shutil.move(in_file.path / "log.key", tmp_path / "elsewhere.key")
    missing = in_file.run("checkpoint")
    assert missing.exit_code == Exit.MALFORMED
    assert "funding-ledger keys" in missing.stderr
    in_file.done("checkpoint", "--signing-key", tmp_path / "elsewhere.key")


def test_a_checkpoint_does_not_state_anything_but_the_log(folder: Folder, tmp_path: Path) -> None:
    printed = folder.done("checkpoint").stdout
    out = tmp_path / "kept"
    folder.done("checkpoint", "--out", out)
    assert out.read_text("utf-8") == printed
    opened = open_checkpoint(out.read_bytes(), keeper_of(folder.path).public_keys())
    assert opened.checkpoint.origin == "example.gov.cn/funding"
    assert folder.json("checkpoint")["size"] == opened.checkpoint.size
    assert folder.run("checkpoint", "--out", out).exit_code == Exit.MALFORMED
    without = folder.run("checkpoint", data=tmp_path / "nothing")
    # Where the facts lie in a database, what is missing is the key.
    assert without.exit_code == (Exit.MALFORMED if folder.url else Exit.NOT_FOUND)
    assert not (tmp_path / "nothing").exists()


@contextmanager
def witness(status: int, *, slow: threading.Event | None = None) -> Iterator[tuple[str, list[bytes]]]:
    taken: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(self.rfile.read(int(self.headers["Content-Length"])))
            if slow is not None:
                slow.wait(30)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/checkpoint", taken
    finally:
        if slow is not None:
            slow.set()
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_witness_is_not_sent_anything_but_the_note(in_file: Folder) -> None:
    with witness(200) as (url, taken):
        printed = in_file.done("checkpoint", "--post", url)
    assert taken == [printed.stdout.encode()]
    assert "the witness took it: 200" in printed.stderr


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_witness_that_did_not_take_it_is_not_passed_over(in_file: Folder, status: int) -> None:
    with witness(status) as (url, _):
        result = in_file.run("checkpoint", "--post", url)
    assert result.exit_code == Exit.FAULT
    assert str(status) in result.stderr


def test_a_witness_that_does_not_answer_is_not_waited_for_without_end(in_file: Folder) -> None:
    with witness(200, slow=threading.Event()) as (url, _):
        result = in_file.run("checkpoint", "--post", url, "--timeout", "0.2")
    assert result.exit_code == Exit.FAULT
    assert "0.2 seconds" in result.stderr


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://x/y",
        "example.org",
        "http://[",
        "http://",
        "https:x",
        "http://x:y/",
        "http://a..b/",
        "http://x/é",
        "http://x/a b",
        "",
    ],
)
def test_an_address_that_is_no_witness_is_told_before_anything_is_signed(
    in_file: Folder, tmp_path: Path, url: str
) -> None:
    (in_file.path / "checkpoint").unlink(missing_ok=True)
    for chinese, said in ((False, "https://HOST/"), (True, "https://主机/")):
        result = in_file.run("checkpoint", "--out", tmp_path / "kept", "--post", url, chinese=chinese)
        assert result.exit_code == Exit.MALFORMED
        assert url in result.stderr
        assert said in result.stderr
    assert not (tmp_path / "kept").exists()
    assert not (in_file.path / "checkpoint").exists()


def test_a_witness_that_cannot_be_reached_is_told(in_file: Folder) -> None:
    result = in_file.run("checkpoint", "--post", "http://127.0.0.1:1/x")
    assert result.exit_code == Exit.FAULT
    assert "http://127.0.0.1:1/x" in result.stderr


# ---- export and verify


def test_a_whole_store_and_its_export_are_not_called_wrong(folder: Folder, tmp_path: Path) -> None:
    kept, export = tmp_path / "kept", tmp_path / "all.jsonl"
    folder.done("checkpoint", "--out", kept)
    folder.grow()
    folder.done("export", "-o", export)
    for arguments in ((), (export,)):
        body = folder.json("verify", *arguments, "--checkpoint", kept, "--key", folder.key)
        assert body["whole"]
        assert body["first_wrong"] is None
        assert body["totals"]["paid_fen"] == 2_000_000_00
    shown = folder.run("verify", "--checkpoint", kept, chinese=True)
    assert shown.exit_code == Exit.DONE
    assert "核验通过" in shown.stdout
    assert "--key" in shown.stderr, "it is told where the key came from"
    lines = export.read_text("utf-8").splitlines()
    assert json.loads(lines[0])["policies"]
    assert folder.run("export", "-o", export).exit_code == Exit.MALFORMED, "nothing is overwritten"


def test_an_export_is_checked_where_there_is_no_ledger(folder: Folder, tmp_path: Path) -> None:
    export = tmp_path / "all.jsonl"
    folder.done("export", "-o", export)
    nowhere = tmp_path / "nowhere"
    folder.done("verify", export, "--key", folder.key, data=nowhere, url="")
    without = folder.run("verify", export, data=nowhere, url="")
    assert without.exit_code == Exit.MALFORMED
    assert "--key" in without.stderr
    assert not nowhere.exists()


def test_a_tampered_store_does_not_pass_and_its_first_wrong_event_is_named(folder: Folder, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    folder.done("checkpoint", "--out", kept)
    folder.tampered().update(14, data=b'{"envelope":{},"payload":{}}')
    body = folder.json("verify", "--checkpoint", kept)
    assert body["first_wrong"]["position"] == 14
    result = folder.run("verify", "--checkpoint", kept)
    assert result.exit_code == Exit.NOT_WHOLE
    assert "position 14" in result.stdout
    folder.tampered().unguard()
    assert folder.run("verify", "--checkpoint", kept).exit_code == Exit.NOT_WHOLE, "a changed schema does not stop it"


def test_a_tampered_export_does_not_pass(folder: Folder, tmp_path: Path) -> None:
    export = tmp_path / "all.jsonl"
    folder.done("export", "-o", export)
    whole = export.read_bytes()
    for old, new in ((b"\xe6\xb5\x81\xe6\xb0\xb41", b"\xe6\xb5\x81\xe6\xb0\xb49"), (b'"finance2"', b'"finance"')):
        assert old in whole
        export.write_bytes(whole.replace(old, new))
        assert folder.run("verify", export).exit_code == Exit.NOT_WHOLE
    for cut in (whole[:-5], whole[: len(whole) // 2], b"", whole + b"x\n"):
        export.write_bytes(cut)
        assert folder.run("verify", export).exit_code == Exit.NOT_WHOLE


@pytest.mark.parametrize("ends", [b"\r\n", b"\r"], ids=["Windows", "old Mac"])
def test_line_ends_that_a_mail_or_a_checkout_changed_are_not_called_wrong_events(
    in_file: Folder, tmp_path: Path, ends: bytes
) -> None:
    export, kept = tmp_path / "all.jsonl", tmp_path / "kept"
    in_file.done("export", "-o", export)
    in_file.done("checkpoint", "--out", kept)
    for changed, arguments in ((export, ("verify", export)), (kept, ("verify", "--checkpoint", kept))):
        whole = changed.read_bytes()
        changed.write_bytes(whole.replace(b"\n", ends))
        english, chinese = in_file.run(*arguments), in_file.run(*arguments, chinese=True)
        assert english.exit_code == chinese.exit_code == Exit.NOT_WHOLE
        assert "line ends were changed" in english.stderr
        assert "换行符在传送中被改动" in chinese.stderr
        assert str(changed) in english.stderr
        assert "position" not in english.output
        changed.write_bytes(whole)
        in_file.done(*arguments)


def test_one_line_end_that_was_changed_is_told_as_such(in_file: Folder, tmp_path: Path) -> None:
    export = tmp_path / "all.jsonl"
    in_file.done("export", "-o", export)
    lines = export.read_bytes().splitlines(keepends=True)
    for at in (0, 7, len(lines) - 1):
        export.write_bytes(b"".join([*lines[:at], lines[at].replace(b"\n", b"\r\n"), *lines[at + 1 :]]))
        result = in_file.run("verify", export)
        assert result.exit_code == Exit.NOT_WHOLE
        assert "line ends were changed" in result.stderr


def test_nothing_to_compare_with_is_not_called_whole(folder: Folder) -> None:
    result = folder.run("verify")
    assert result.exit_code == Exit.MALFORMED
    assert "--checkpoint" in result.stderr


def test_a_checkpoint_of_another_key_is_not_compared_with(folder: Folder, tmp_path: Path) -> None:
    kept, other = tmp_path / "kept", Folder(tmp_path / "other", url="")
    other.done("keys", "--origin", "example.gov.cn/funding")
    other.done("checkpoint", "--out", kept)
    result = folder.run("verify", "--checkpoint", kept)
    assert result.exit_code == Exit.NOT_WHOLE
    assert str(kept) in result.stderr
    assert folder.run("verify", "--checkpoint", kept, "--key", "nonsense").exit_code == Exit.MALFORMED


def test_a_check_does_not_change_what_it_checks_or_wait_for_who_writes(folder: Folder, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    folder.done("checkpoint", "--out", kept)
    office = folder.office()
    with office.store.transaction():
        before = {path.name: path.read_bytes() for path in folder.path.iterdir() if not path.name.endswith("-shm")}
        folder.done("verify", "--checkpoint", kept)
        assert {name: (folder.path / name).read_bytes() for name in before} == before
    office.close()
    if folder.url:
        written = "SELECT n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_all_tables WHERE schemaname = 'ledger'"
        before = dict(enumerate(statement(folder.url, written)))
        folder.done("verify", "--checkpoint", kept)
        assert dict(enumerate(statement(folder.url, written))) == before


# ---- certificates and proofs


def test_a_certificate_is_not_refused_by_its_verifier(folder: Folder, tmp_path: Path) -> None:
    out, kept = tmp_path / "certificate.json", tmp_path / "kept"
    folder.done("checkpoint", "--out", kept)
    folder.grow()
    shown = folder.run("certificate", f"awd-{folder.case}", "-o", out, chinese=True)
    assert shown.exit_code == Exit.DONE
    assert "资助6,000,000.00元" in shown.stdout
    content = json.loads(out.read_text("utf-8"))
    assert content["award"] == f"awd-{folder.case}"
    folder.done("certificate", folder.case, "-o", tmp_path / "earlier.json", "--checkpoint", kept)
    earlier = json.loads((tmp_path / "earlier.json").read_text("utf-8"))
    assert earlier["checkpoint"].encode() == kept.read_bytes()
    assert folder.run("certificate", folder.case, "-o", out).exit_code == Exit.MALFORMED
    assert folder.run("certificate", "awd-0000000000", "-o", tmp_path / "x").exit_code == Exit.NOT_FOUND
    assert folder.run("certificate", "nonsense", "-o", tmp_path / "x").exit_code == Exit.MALFORMED
    assert not (tmp_path / "x").exists()


def test_a_certificate_is_shown_to_continue_the_checkpoint_that_its_reader_kept(folder: Folder, tmp_path: Path) -> None:
    kept, out = tmp_path / "kept", tmp_path / "certificate.json"
    folder.done("checkpoint", "--out", kept)
    folder.grow()
    folder.done("certificate", folder.case, "-o", out, "--since", kept)
    content = json.loads(out.read_text("utf-8"))
    assert content["since"]["checkpoint"].encode() == kept.read_bytes()
    assert content["since"]["proof"]
    folder.done("certificate", folder.case, "-o", tmp_path / "same", "--since", kept, "--checkpoint", kept)
    assert json.loads((tmp_path / "same").read_text("utf-8"))["since"]["proof"] == []
    folder.done("checkpoint", "--out", tmp_path / "later")
    later = folder.run(
        "certificate", folder.case, "-o", tmp_path / "x", "--since", tmp_path / "later", "--checkpoint", kept
    )
    assert later.exit_code == Exit.MALFORMED
    assert "--since" in later.stderr
    no_note = folder.run("certificate", folder.case, "-o", tmp_path / "x", "--since", out)
    assert no_note.exit_code == Exit.MALFORMED
    assert f"{out} is no checkpoint" in no_note.stderr
    assert not (tmp_path / "x").exists()


def test_a_log_that_was_forked_is_not_certified_to_continue_what_was_kept(in_file: Folder, tmp_path: Path) -> None:
    other = Folder(tmp_path / "other")
    for name in ("log.key", "log.pub"):
        shutil.copy(in_file.path / name, other.path / name)
    other.grow()
    other.done("checkpoint", "--out", tmp_path / "kept")
    in_file.another_office().submit("国械注准20263010009")
    result = in_file.run("certificate", in_file.case, "-o", tmp_path / "x", "--since", tmp_path / "kept")
    assert result.exit_code == Exit.NOT_WHOLE
    assert str(tmp_path / "kept") in result.stderr
    assert "restore" not in result.stderr
    assert not (tmp_path / "x").exists()


def test_a_history_is_not_proven_beyond_what_was_signed(folder: Folder) -> None:
    with folder.service() as service:
        positions = [recorded.position for recorded in service.reader.history(folder.case)]
        assert history_proof(service.keeper, service.recorder, positions) is None
        service.keeper.sign(service.recorder, size=positions[2])
        proof = history_proof(service.keeper, service.recorder, positions)
        assert proof is not None
        assert proof.of(positions[3]) is None
        opened = open_checkpoint(proof.checkpoint.encode(), service.keeper.public_keys()).checkpoint
        for position, leaf in service.reader.leaves(folder.case, positions[2]):
            verify_inclusion(
                leaf_index=position - 1,
                size=proof.size,
                leaf=leaf_hash(leaf),
                root=opened.root,
                proof=proof.proofs[position],
            )


# ---- a database without a ledger, or without a server


READERS = (
    ("verify", "--key", "KEY", "--checkpoint", "CHECKPOINT"),
    ("export", "-o", "OUT"),
    ("checkpoint",),
    ("backup", "OUT"),
    ("certificate", "awd-7Q2M4X9KDB", "-o", "OUT"),
    ("trace", "awd-7Q2M4X9KDB"),
    ("limits", "91440300MA5FX3K72N"),
)


@pytest.mark.parametrize("arguments", READERS, ids=lambda arguments: arguments[0])
def test_a_command_that_only_reads_does_not_make_a_ledger_in_an_empty_database(
    in_file: Folder, tmp_path: Path, new_database: NewDatabase, arguments: tuple[str, ...]
) -> None:
    url, kept = new_database(), tmp_path / "kept"
    in_file.done("checkpoint", "--out", kept)
    stated = {"KEY": in_file.key, "CHECKPOINT": str(kept), "OUT": str(tmp_path / "out")}
    result = in_file.run(*(stated.get(word, word) for word in arguments), url=url)
    assert result.exit_code == Exit.NOT_FOUND
    assert f"no ledger in the database {conninfo_to_dict(url)['dbname']}" in result.stderr
    assert "funding-ledger serve" in result.stderr
    assert statement(url, "SELECT count(*) FROM pg_namespace WHERE nspname = 'ledger'") == [(0,)]
    assert not (tmp_path / "out").exists()


def test_a_folder_that_was_mistyped_is_not_made_beside_the_database(in_database: Folder, tmp_path: Path) -> None:
    result = in_database.run("limits", "91440300MA5FX3K72N", data=tmp_path / "dtaa")
    assert result.exit_code == Exit.NOT_FOUND
    assert "--data" in result.stderr
    assert not (tmp_path / "dtaa").exists()


def test_a_server_that_cannot_be_reached_is_not_called_a_broken_log(in_file: Folder, tmp_path: Path) -> None:
    url = f"postgresql://nobody:secret@/ledger?host={tmp_path}"
    in_file.done("checkpoint")
    result = in_file.run("verify", url=url)
    assert result.exit_code == Exit.FAULT
    assert "does not answer" in result.stderr
    assert "secret" not in result.output


def test_who_has_no_key_yet_is_told_the_command_that_makes_one_and_not_to_try_again(folder: Folder) -> None:
    """As a fresh demo leaves it: no key, no checkpoint."""
    for name in ("log.pub", "log.key", "checkpoint"):
        (folder.path / name).unlink(missing_ok=True)
    result = folder.run("verify")
    assert result.exit_code == Exit.MALFORMED
    assert "funding-ledger keys" in result.stderr


def test_a_folder_without_a_ledger_is_called_so_before_a_key_is_asked_for(folder: Folder, tmp_path: Path) -> None:
    result = folder.run("verify", data=tmp_path / "nothing-here", url="")
    assert result.exit_code == Exit.NOT_FOUND
