"""The commands for auditors: keys, checkpoint, export, verify, certificate, backup and restore, and their exit status."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from api.cli.exits import Exit
from api.cli.program import program
from api.cli.speech import Language, Speech
from api.evidence import history_proof, keeper_of
from api.service import open_service
from ledger.seal.kept import LogNotContinued
from ledger.seal.merkle import leaf_hash, verify_inclusion
from ledger.seal.note import open_checkpoint
from tests.office import Office
from tests.reliability.tampering import unguarded, update

ENGLISH = program(Speech(Language.EN))
CHINESE = program(Speech(Language.ZH))


class Folder:
    """A data folder with one paid award and a signing key, and the command line pointed at it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.key = ""
        path.mkdir()
        office = Office(path)
        self.case = office.approved("国械注准20263010001")
        office.pay(self.case, 2_000_000_00, "流水1")
        office.close()

    def run(self, *arguments: str | Path, chinese: bool = False, data: Path | None = None) -> Result:
        environ = {"FUNDING_LEDGER_DATA": str(data or self.path), "LEDGER_DATABASE_URL": ""}
        command = CHINESE if chinese else ENGLISH
        result = CliRunner().invoke(command, [str(each) for each in arguments], env=environ)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def done(self, *arguments: str | Path, data: Path | None = None) -> Result:
        result = self.run(*arguments, data=data)
        assert result.exit_code == Exit.DONE, result.output
        return result

    def json(self, *arguments: str | Path, data: Path | None = None) -> Any:
        return json.loads(self.run(*arguments, "--json", data=data).stdout)

    def grow(self) -> None:
        office = self.another_office()
        office.submit("国械注准20263010002")
        office.close()

    def another_office(self) -> Office:
        """On the same store, a day later for each time, with idempotency keys of its own."""
        office = Office(self.path)
        office.run_id += office.head()
        office.clock.set(date(2026, 3, 2) + timedelta(days=office.head()))
        return office


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "data")
    folder.key = folder.done("keys", "--origin", "example.gov.cn/funding").stdout.strip()
    return folder


# ---- keys and checkpoints


def test_a_key_is_not_made_twice_and_its_log_not_renamed(folder: Folder, tmp_path: Path) -> None:
    again = folder.run("keys")
    assert again.exit_code == Exit.FAULT
    assert "exists" in again.stderr
    renamed = folder.run("keys", "--out", tmp_path / "new.key", "--origin", "other.example")
    assert renamed.exit_code == Exit.FAULT
    assert not (tmp_path / "new.key").exists()
    second = folder.done("keys", "--out", tmp_path / "new.key").stdout.strip()
    assert second.startswith("example.gov.cn/funding+")
    assert len((folder.path / "log.pub").read_text("utf-8").splitlines()) == 2
    assert (tmp_path / "new.key").stat().st_mode & 0o777 == 0o600


def test_a_key_kept_elsewhere_is_not_missed(folder: Folder, tmp_path: Path) -> None:
    shutil.move(folder.path / "log.key", tmp_path / "elsewhere.key")
    missing = folder.run("checkpoint")
    assert missing.exit_code == Exit.FAULT
    assert "funding-ledger keys" in missing.stderr
    folder.done("checkpoint", "--signing-key", tmp_path / "elsewhere.key")


def test_a_checkpoint_does_not_state_anything_but_the_log(folder: Folder, tmp_path: Path) -> None:
    printed = folder.done("checkpoint").stdout
    out = tmp_path / "kept"
    folder.done("checkpoint", "--out", out)
    assert out.read_text("utf-8") == printed
    opened = open_checkpoint(out.read_bytes(), keeper_of(folder.path).public_keys())
    assert opened.checkpoint.origin == "example.gov.cn/funding"
    assert folder.json("checkpoint")["size"] == opened.checkpoint.size
    assert folder.run("checkpoint", "--out", out).exit_code == Exit.FAULT
    assert folder.run("checkpoint", data=tmp_path / "nothing").exit_code == Exit.NOT_FOUND


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


def test_a_witness_is_not_sent_anything_but_the_note(folder: Folder) -> None:
    with witness(200) as (url, taken):
        printed = folder.done("checkpoint", "--post", url)
    assert taken == [printed.stdout.encode()]
    assert "the witness took it: 200" in printed.stderr


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_witness_that_did_not_take_it_is_not_passed_over(folder: Folder, status: int) -> None:
    with witness(status) as (url, _):
        result = folder.run("checkpoint", "--post", url)
    assert result.exit_code == Exit.FAULT
    assert str(status) in result.stderr


def test_a_witness_that_does_not_answer_is_not_waited_for_without_end(folder: Folder) -> None:
    with witness(200, slow=threading.Event()) as (url, _):
        result = folder.run("checkpoint", "--post", url, "--timeout", "0.2")
    assert result.exit_code == Exit.FAULT
    assert "0.2 seconds" in result.stderr


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "example.org", "http://127.0.0.1:1/x", "http://["])
def test_an_address_that_is_no_witness_is_told(folder: Folder, url: str) -> None:
    result = folder.run("checkpoint", "--post", url)
    assert result.exit_code == Exit.FAULT
    assert url in result.stderr


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
    assert folder.run("export", "-o", export).exit_code == Exit.FAULT, "nothing is overwritten"


def test_an_export_is_checked_where_there_is_no_ledger(folder: Folder, tmp_path: Path) -> None:
    export = tmp_path / "all.jsonl"
    folder.done("export", "-o", export)
    nowhere = tmp_path / "nowhere"
    folder.done("verify", export, "--key", folder.key, data=nowhere)
    without = folder.run("verify", export, data=nowhere)
    assert without.exit_code == Exit.FAULT
    assert "--key" in without.stderr
    assert not nowhere.exists()


def test_a_tampered_store_does_not_pass_and_its_first_wrong_event_is_named(folder: Folder, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    folder.done("checkpoint", "--out", kept)
    facts = folder.path / "facts.sqlite"
    update(facts, 14, data=b'{"envelope":{},"payload":{}}')
    body = folder.json("verify", "--checkpoint", kept)
    assert body["first_wrong"]["position"] == 14
    result = folder.run("verify", "--checkpoint", kept)
    assert result.exit_code == Exit.NOT_WHOLE
    assert "position 14" in result.stdout
    with unguarded(facts, put_back=False):
        pass
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


def test_nothing_to_compare_with_is_not_called_whole(folder: Folder) -> None:
    result = folder.run("verify")
    assert result.exit_code == Exit.MALFORMED
    assert "--checkpoint" in result.stderr


def test_a_checkpoint_of_another_key_is_not_compared_with(folder: Folder, tmp_path: Path) -> None:
    kept, other = tmp_path / "kept", Folder(tmp_path / "other")
    other.done("keys", "--origin", "example.gov.cn/funding")
    other.done("checkpoint", "--out", kept)
    result = folder.run("verify", "--checkpoint", kept)
    assert result.exit_code == Exit.NOT_WHOLE
    assert str(kept) in result.stderr
    assert folder.run("verify", "--checkpoint", kept, "--key", "nonsense").exit_code == Exit.MALFORMED


def test_a_check_does_not_change_what_it_checks_or_wait_for_who_writes(folder: Folder, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    folder.done("checkpoint", "--out", kept)
    office = Office(folder.path)
    with office.store.transaction():
        before = {path.name: path.read_bytes() for path in folder.path.iterdir() if not path.name.endswith("-shm")}
        folder.done("verify", "--checkpoint", kept)
        assert {name: (folder.path / name).read_bytes() for name in before} == before
    office.close()


# ---- certificates and proofs


def test_a_certificate_is_not_refused_by_its_verifier(folder: Folder, tmp_path: Path) -> None:
    out, kept = tmp_path / "certificate.json", tmp_path / "kept"
    folder.done("checkpoint", "--out", kept)
    folder.grow()
    shown = folder.run("certificate", f"awd-{folder.case}", "-o", out, chinese=True)
    assert shown.exit_code == Exit.DONE
    assert "资助6000000.00元" in shown.stdout
    content = json.loads(out.read_text("utf-8"))
    assert content["award"] == f"awd-{folder.case}"
    folder.done("certificate", folder.case, "-o", tmp_path / "earlier.json", "--checkpoint", kept)
    earlier = json.loads((tmp_path / "earlier.json").read_text("utf-8"))
    assert earlier["checkpoint"].encode() == kept.read_bytes()
    assert folder.run("certificate", folder.case, "-o", out).exit_code == Exit.FAULT
    assert folder.run("certificate", "awd-0000000000", "-o", tmp_path / "x").exit_code == Exit.NOT_FOUND
    assert folder.run("certificate", "nonsense", "-o", tmp_path / "x").exit_code == Exit.MALFORMED
    assert not (tmp_path / "x").exists()


def test_a_history_is_not_proven_beyond_what_was_signed(folder: Folder) -> None:
    with open_service(folder.path) as service:
        positions = [recorded.position for recorded in service.reader.history(folder.case)]
        assert history_proof(service.keeper, service.recorder, positions) is None
        size = service.recorder.head()
        service.keeper.sign(size, service.recorder.nodes(), size=positions[2])
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


# ---- backup, restore and the start


@pytest.fixture(params=["folder", "one file"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / ("backup" if request.param == "folder" else "backup.sqlite")


def test_a_backup_taken_while_others_write_is_not_torn_and_comes_back_whole(
    folder: Folder, tmp_path: Path, target: Path
) -> None:
    office = folder.another_office()
    office.submit("国械注准20263010005")
    made = folder.json("backup", target)
    with office.store.transaction():
        folder.done("backup", tmp_path / "another")
    office.close()
    assert made["events"] == office_head(folder.path)
    assert not list(tmp_path.glob("*.unfinished")), "nothing half-done stays"
    fresh = tmp_path / "fresh"
    folder.done("restore", target, data=fresh)
    assert folder.json("verify", data=fresh)["events"] == made["events"]
    with open_service(fresh) as service:
        assert service.reader.case(folder.case).settled_fen == 2_000_000_00
    assert folder.run("backup", target).exit_code == Exit.FAULT, "a backup is never overwritten"


def office_head(path: Path) -> int:
    office = Office(path)
    head = office.head()
    office.close()
    return head


def test_credentials_are_not_in_a_backup_unless_asked_for(folder: Folder, tmp_path: Path) -> None:
    with open_service(folder.path) as service:
        service.credentials.add_user("wanglan", "secret")
    folder.done("backup", tmp_path / "without")
    folder.done("backup", tmp_path / "with", "--credentials")
    assert not (tmp_path / "without" / "credentials.sqlite").exists()
    copied = sqlite3.connect(tmp_path / "with" / "credentials.sqlite")
    assert copied.execute("SELECT username FROM users").fetchall() == [("wanglan",)]
    copied.close()
    for path in (tmp_path / "with").iterdir():
        assert "key" not in path.name, "the signing key is in no backup"


def test_a_log_that_is_replaced_is_not_lost(folder: Folder, tmp_path: Path) -> None:
    folder.done("backup", tmp_path / "backup")
    before = (folder.path / "facts.sqlite").read_bytes()
    body = folder.json("restore", tmp_path / "backup")
    assert body["restored"]
    assert Path(body["aside"]).read_bytes()[100:] == before[100:]
    folder.done("verify")


def test_a_backup_behind_the_log_that_lies_there_is_not_restored(folder: Folder, tmp_path: Path) -> None:
    folder.done("backup", tmp_path / "backup")
    (folder.path / "checkpoint").unlink()
    folder.grow()
    result = folder.run("restore", tmp_path / "backup")
    assert result.exit_code == Exit.REFUSED
    assert "facts would be lost" in result.stderr


def test_a_backup_behind_a_kept_checkpoint_is_not_restored(folder: Folder, tmp_path: Path) -> None:
    folder.done("backup", tmp_path / "backup")
    folder.grow()
    folder.done("checkpoint", "--out", tmp_path / "kept")
    fresh = tmp_path / "fresh"
    result = folder.run("restore", tmp_path / "backup", "--checkpoint", tmp_path / "kept", data=fresh)
    assert result.exit_code == Exit.NOT_WHOLE
    assert not (fresh / "facts.sqlite").exists()
    assert not list(fresh.iterdir())
    here = folder.run("restore", tmp_path / "backup")
    assert here.exit_code == Exit.NOT_WHOLE, "the folder's own kept checkpoint is heeded too"


def test_a_tampered_or_forked_backup_is_not_restored(folder: Folder, tmp_path: Path) -> None:
    folder.done("backup", tmp_path / "backup")
    update(tmp_path / "backup" / "facts.sqlite", 14, data=b'{"envelope":{},"payload":{}}')
    result = folder.run("restore", tmp_path / "backup", data=tmp_path / "fresh")
    assert result.exit_code == Exit.NOT_WHOLE
    assert "position 14" in result.stdout
    assert not (tmp_path / "fresh" / "facts.sqlite").exists()


def test_a_store_in_use_is_not_replaced(folder: Folder, tmp_path: Path) -> None:
    folder.done("backup", tmp_path / "backup")
    office = Office(folder.path)
    result = folder.run("restore", tmp_path / "backup")
    office.close()
    assert result.exit_code == Exit.FAULT
    assert "stop the service" in result.stderr
    assert not list(folder.path.glob("*before-restore*"))


def test_a_log_that_can_no_longer_be_read_does_not_stop_a_restore_that_is_vouched_for(
    folder: Folder, tmp_path: Path
) -> None:
    folder.done("backup", tmp_path / "backup")
    (folder.path / "facts.sqlite").write_bytes(b"rubbish" * 1000)
    kept = folder.path / "checkpoint"
    moved = kept.rename(tmp_path / "kept")
    refused = folder.run("restore", tmp_path / "backup")
    assert refused.exit_code == Exit.REFUSED
    assert "--checkpoint" in refused.stderr
    folder.done("restore", tmp_path / "backup", "--checkpoint", moved)
    folder.done("verify")
    aside = folder.path / "facts.sqlite.before-restore-1"
    assert aside.read_bytes().startswith(b"rubbish")


def test_something_else_is_not_taken_for_a_backup(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert folder.run("restore", tmp_path / "empty").exit_code == Exit.NOT_FOUND
    (tmp_path / "x.sqlite").write_bytes(b"rubbish" * 1000)
    assert folder.run("restore", tmp_path / "x.sqlite", data=tmp_path / "fresh").exit_code == Exit.FAULT


def test_facts_in_postgres_are_not_backed_up_as_if_they_lay_here(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {"FUNDING_LEDGER_DATA": str(folder.path), "LEDGER_DATABASE_URL": "postgresql:///ledger"}
    result = CliRunner().invoke(ENGLISH, ["backup", str(tmp_path / "b")], env=environ)
    assert result.exit_code == Exit.REFUSED
    assert "pg_dump" in result.stderr


def test_a_service_does_not_start_on_a_shorter_or_another_log(folder: Folder, tmp_path: Path) -> None:
    """R14."""
    older = shutil.copytree(folder.path, tmp_path / "older")
    with open_service(folder.path) as service:
        service.credentials.add_user("x", "y")
    assert (folder.path / "checkpoint").is_file(), "kept when it was closed"
    folder.grow()
    folder.done("checkpoint")
    shutil.copy(older / "facts.sqlite", folder.path / "facts.sqlite")
    with pytest.raises(LogNotContinued, match="restore the newest backup"):
        open_service(folder.path)
    result = folder.run("limits", "91440300MA5FX3K72N")
    assert result.exit_code == Exit.FAULT
    other = Folder(tmp_path / "other")
    other.grow()
    other.grow()
    shutil.copy(other.path / "facts.sqlite", folder.path / "facts.sqlite")
    with pytest.raises(LogNotContinued):
        open_service(folder.path)
    (folder.path / "facts.sqlite").unlink()
    with pytest.raises(LogNotContinued):
        open_service(folder.path)


def test_a_service_without_a_key_is_not_kept_from_starting(tmp_path: Path) -> None:
    for _ in range(2):
        with open_service(tmp_path / "data"):
            pass
    assert not (tmp_path / "data" / "checkpoint").exists()
