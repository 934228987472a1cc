"""An export: exactly the sealed bytes, one event a line, and nothing that another reader could read otherwise."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from ledger.errors import StoreFault
from ledger.policy.model import Pin
from ledger.seal import verification
from ledger.seal.export import FORMAT, VERSION, ExportHeader, ExportLog, ExportMalformed, export_lines
from ledger.seal.merkle import EMPTY, leaf_hash
from ledger.seal.note import Checkpoint, SignerKey, sign_checkpoint
from ledger.seal.sealed_log import Row
from ledger.seal.verification import check_log
from tests.ledger.seal.rows import MemoryLog, event_row, sealed_rows

HEADER = {"format": FORMAT, "version": VERSION, "origin": "o", "policies": (Pin("p", 1, "ab"),)}
SIGNER = SignerKey("o", bytes(32))


def note_of(rows: Sequence[Row]) -> bytes:
    frontier, _ = EMPTY.append([leaf_hash(row.leaf) for row in rows])
    return sign_checkpoint(Checkpoint("o", frontier.size, frontier.root), [SIGNER])


def written(path: Path, log: MemoryLog, note: bytes | None = None) -> Path:
    header = ExportHeader(size=log.size, **HEADER)  # type: ignore[arg-type]
    path.write_bytes(b"".join(export_lines(log, header, note or note_of(log.all))))
    return path


@pytest.mark.parametrize("size", [0, 1, 5, 4096, 4100])
def test_what_is_read_back_is_not_other_than_what_was_sealed(tmp_path: Path, size: int) -> None:
    rows = sealed_rows(size)
    log = ExportLog(written(tmp_path / "x", MemoryLog(rows)))
    assert log.size == size
    assert log.checkpoint == note_of(rows)
    assert log.header.policies == (Pin("p", 1, "ab"),)
    read = [row for _, chunk in check_log(log, []) for row in chunk]
    assert [row._replace(run=None) for row in rows] == read
    assert [report.findings for report, _ in check_log(log, [])] == [[] for _ in range(-(-size // verification.SPAN))]
    log.close()


def test_a_line_of_an_event_is_not_anything_but_its_leaf(tmp_path: Path) -> None:
    rows = sealed_rows(3)
    lines = written(tmp_path / "x", MemoryLog(rows)).read_bytes().split(b"\n")
    assert lines[1:4] == [row.leaf for row in rows]
    assert json.loads(lines[0])["size"] == 3
    assert lines[5:] == [b""]


def test_an_event_that_is_missing_or_would_break_the_lines_is_not_exported(tmp_path: Path) -> None:
    log = MemoryLog(sealed_rows(5))
    with pytest.raises(StoreFault, match="3"):
        written(tmp_path / "gap", log.without(3))
    row = log.all[1]
    with pytest.raises(StoreFault, match="2"):
        written(tmp_path / "lines", log.with_row(row._replace(leaf=row.leaf.replace(b",", b",\n", 1))))


def test_an_event_that_was_changed_after_it_was_sealed_is_not_exported(tmp_path: Path) -> None:
    rows = sealed_rows(5)
    other = event_row(3, "somebody")
    with pytest.raises(StoreFault, match=r"position 3.*no export was kept.*funding-ledger verify"):
        written(tmp_path / "changed", MemoryLog(rows).with_row(other._replace(run=rows[2].run)), note_of(rows))
    # Also where somebody made all stored hashes anew.
    with pytest.raises(StoreFault, match="replaced together with its hash"):
        written(tmp_path / "resealed", MemoryLog(sealed_rows(5, p3="somebody")), note_of(rows))


WRONG = {
    "empty": lambda lines: [],
    "header only": lambda lines: lines[:1],
    "no header": lambda lines: lines[1:],
    "cut off": lambda lines: lines[:-1],
    "cut in a line": lambda lines: [*lines[:-1], lines[-1][:-3]],
    "something after": lambda lines: [*lines, b"{}\n"],
    "another version": lambda lines: [lines[0].replace(b'"version":1', b'"version":2'), *lines[1:]],
    "another format": lambda lines: [lines[0].replace(b"funding", b"feeding"), *lines[1:]],
    "another field": lambda lines: [lines[0].replace(b'"size"', b'"more":1,"size"'), *lines[1:]],
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_file_that_is_no_whole_export_is_not_read_as_one(tmp_path: Path, wrong: object) -> None:
    lines = written(tmp_path / "x", MemoryLog(sealed_rows(3))).read_bytes().splitlines(keepends=True)
    (tmp_path / "y").write_bytes(b"".join(wrong(lines)))  # type: ignore[operator]
    with pytest.raises(ExportMalformed):
        ExportLog(tmp_path / "y")


def test_a_line_written_otherwise_is_not_the_same_line(tmp_path: Path) -> None:
    lines = written(tmp_path / "x", MemoryLog(sealed_rows(3))).read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b'",[', b'", [', 1)
    (tmp_path / "y").write_bytes(b"".join(lines))
    ((report, _),) = check_log(ExportLog(tmp_path / "y"), [])
    assert (report.findings[0].position, report.findings[0].code) == (2, "unreadable")


def test_fewer_events_than_promised_do_not_pass(tmp_path: Path) -> None:
    lines = written(tmp_path / "x", MemoryLog(sealed_rows(5))).read_bytes().splitlines(keepends=True)
    (tmp_path / "y").write_bytes(b"".join([*lines[:4], lines[-1]]))
    (finding,) = ExportLog(tmp_path / "y").closing_findings()
    # Which line was taken out, its length does not tell.
    assert (finding.code, finding.position, finding.through) == ("wrong-length", 1, 5)
