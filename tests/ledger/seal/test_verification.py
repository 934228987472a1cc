"""The log part of a check: roots from the bytes alone, and the wrong event by its position."""

from __future__ import annotations

import pytest

from ledger.errors import Unavailable
from ledger.seal import verification
from ledger.seal.merkle import EMPTY, leaf_hash
from ledger.seal.note import Checkpoint
from ledger.seal.sealed_log import Finding, LogDamaged, Row
from ledger.seal.verification import Tree, check_log, in_order
from projections.verification import verify
from tests.ledger.seal.rows import MemoryLog, event_row, sealed_rows

SPAN = 8


@pytest.fixture(autouse=True)
def small_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "SPAN", SPAN)


def checked(log: MemoryLog, marks: list[int] | None = None) -> tuple[Tree, list[Finding]]:
    tree, findings = Tree(), []
    for report, _ in check_log(log, marks or []):
        findings += [*report.findings, *tree.add(report)]
    return tree, in_order(findings)


def root_of(rows: list[Row]) -> bytes:
    return EMPTY.append([leaf_hash(row.leaf) for row in rows])[0].root


@pytest.mark.parametrize("size", [1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40, 63, 64, 65, 100])
def test_a_root_put_together_of_spans_is_not_another_than_that_of_the_whole_tree(size: int) -> None:
    rows = sealed_rows(size)
    tree, findings = checked(MemoryLog(rows), list(range(1, size + 1)))
    assert findings == []
    assert {at: tree.roots[at] for at in range(1, size + 1)} == {at: root_of(rows[:at]) for at in range(1, size + 1)}


@pytest.mark.parametrize("position", [1, 2, 7, 8, 9, 16, 17, 33, 40])
def test_a_changed_event_is_not_named_wrongly_or_twice(position: int) -> None:
    rows = sealed_rows(40)
    forged = event_row(position, "forged")._replace(run=rows[position - 1].run)
    _, findings = checked(MemoryLog(rows).with_row(forged))
    assert [(finding.position, finding.code) for finding in findings] == [(position, "not-as-sealed")]
    assert findings[0].type_name == "role-granted"


@pytest.mark.parametrize("position", [1, 8, 9, 39, 40])
def test_a_missing_event_does_not_go_unnoticed(position: int) -> None:
    _, findings = checked(MemoryLog(sealed_rows(40)).without(position))
    assert (findings[0].position, findings[0].code) == (position, "missing")


@pytest.mark.parametrize("position", range(1, 33))
def test_no_byte_of_a_stored_hash_can_be_changed_unnoticed(position: int) -> None:
    rows = sealed_rows(32)
    run = rows[position - 1].run
    assert run is not None
    for at in range(0, len(run), 31):
        changed = run[:at] + bytes([run[at] ^ 1]) + run[at + 1 :]
        _, findings = checked(MemoryLog(rows).with_row(rows[position - 1]._replace(run=changed)))
        assert findings, (position, at)
        first = findings[0]
        assert first.position <= position <= (first.through or first.position), (position, at, first)


@pytest.mark.parametrize("position", [2, 8, 16, 32])
@pytest.mark.parametrize("cut", [-32, -1, 1, 32])
def test_a_stored_hash_of_another_length_does_not_pass(position: int, cut: int) -> None:
    rows = sealed_rows(32)
    run = rows[position - 1].run or b""
    wrong = run[:cut] if cut < 0 else run + bytes(cut)
    _, findings = checked(MemoryLog(rows).with_row(rows[position - 1]._replace(run=wrong)))
    assert findings
    assert findings[0].position <= position <= (findings[0].through or position)


def test_an_event_replaced_together_with_its_own_hash_is_not_overlooked() -> None:
    rows = sealed_rows(16)
    forged = event_row(5, "forged")
    forged = forged._replace(run=leaf_hash(forged.leaf))
    _, findings = checked(MemoryLog(rows).with_row(forged))
    assert (findings[0].code, findings[0].position, findings[0].through) == ("seal-contradicts", 5, 6)


def test_an_event_that_cannot_be_read_or_bears_wrong_tags_does_not_pass() -> None:
    rows = sealed_rows(3)
    unreadable = rows[1]._replace(data=b"{}")
    _, findings = checked(MemoryLog(rows).with_row(unreadable))
    assert (findings[0].position, findings[0].code) == (2, "unreadable")
    _, findings = checked(MemoryLog(rows).with_row(rows[1]._replace(tags=b'["person=other"]')))
    assert (findings[0].position, findings[0].code) == (2, "wrong-tags")


def test_a_log_shared_by_processes_is_not_checked_differently(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    rows = sealed_rows(verification.SPAN + 5)
    forged = event_row(4099, "forged")._replace(run=rows[4098].run)
    log = MemoryLog(rows).with_row(forged)
    alone, shared = ([report for report, _ in check_log(log, [7, 4100], jobs=jobs)] for jobs in (1, 2))
    assert alone == shared
    assert [finding.position for report in shared for finding in report.findings] == [4099]


def test_a_range_does_not_hide_the_event_that_is_known_exactly() -> None:
    somewhere = Finding(1, "not-of-checkpoint", event_text(), through=9)
    exact = Finding(4, "not-as-sealed", event_text())
    later = Finding(20, "missing", event_text())
    assert in_order([somewhere, later, exact]) == [exact, somewhere, later]


def event_text() -> verification.Text:
    return verification.Text("", "")


class HoledLog(MemoryLog):
    """Of which some events, and the index of others, cannot be read."""

    def __init__(self, rows: list[Row], events: set[int], index: set[int]) -> None:
        super().__init__(rows)
        self.events, self.index, self.asked = events, index, 0

    def rows(self, first: int, last: int) -> list[Row]:
        self.asked += 1
        if self.events & set(range(first, last + 1)):
            raise LogDamaged(event_text())
        return super().rows(first, last)

    def findings(self, first: int, last: int) -> list[Finding]:
        if self.index & set(range(first, last + 1)):
            raise LogDamaged(event_text())
        return []


def test_a_damaged_index_does_not_hide_an_event_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    rows = sealed_rows(400)
    log = HoledLog(rows, events={350}, index=set(range(2, 320, 2)))
    verdict = verify(log, [Checkpoint("test", 400, root_of(rows))])
    codes = {finding.code for finding in verdict.findings}
    assert "not-compared" in codes
    assert "not-of-checkpoint" not in codes, "nobody can tell"
    assert verdict.unkept > 0, "else nothing was pushed out"


def test_an_event_that_is_gone_is_not_excused_by_a_later_one_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()
    rows = sealed_rows(40)
    log = HoledLog([row for row in rows if row.position != 5], events={20}, index=set())
    log.claimed = 40
    verdict = verify(log, [Checkpoint("test", 40, root_of(rows))])
    assert verdict.first is not None
    assert (verdict.first.position, verdict.first.code) == (5, "missing")
    assert "not-of-checkpoint" in {finding.code for finding in verdict.findings}


def test_what_stands_side_by_side_in_an_index_that_cannot_be_read_is_told_at_once() -> None:
    _, findings = checked(HoledLog(sealed_rows(8), events=set(), index={1, 2, 3, 6, 8}))
    assert [(one.position, one.through) for one in findings] == [(1, 3), (6, None), (8, None)]


def test_a_log_that_others_hold_is_not_asked_event_by_event(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def rows(self: MemoryLog, first: int, last: int) -> list[Row]:
        asked.append((first, last))
        raise Unavailable(event_text())

    monkeypatch.setattr(MemoryLog, "rows", rows)
    with pytest.raises(Unavailable):
        checked(MemoryLog(sealed_rows(8)))
    assert asked == [(1, 8)]


@pytest.mark.parametrize("position", [1, 5, 8, 9, 16, 20])
def test_a_second_event_of_a_position_does_not_go_unnoticed(position: int) -> None:
    rows = sealed_rows(20)
    twins = [*rows[:position], event_row(position, "forged")._replace(run=rows[position - 1].run), *rows[position:]]
    tree, findings = checked(MemoryLog(twins, claimed=20), [20])
    assert [(one.position, one.code) for one in findings] == [(position, "duplicate")]
    assert tree.roots[20] == root_of(rows), "the others are compared all the same"
