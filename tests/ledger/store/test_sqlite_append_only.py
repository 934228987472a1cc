"""Whoever writes to the file, with whatever SQL: recorded events and their tags stay as they are.

The statements run through Python's ``sqlite3`` in another process, as an administrator's tool would.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from eventsourcing.dcb.api import DCBEvent, DCBQuery, DCBQueryItem

from ledger.store.sqlite import SQLiteDCBRecorder

RECORDED = [DCBEvent("noted", b"1", ["a", "b"]), DCBEvent("noted", b"2", ["b"]), DCBEvent("noted", b"3", ["c"])]

EVENT_STATEMENTS = [
    "UPDATE events SET data = x'00' WHERE position = 2",
    "UPDATE events SET type = type",
    "UPDATE OR REPLACE events SET position = 1 WHERE position = 3",
    "UPDATE OR IGNORE events SET position = 4 WHERE position = 3",
    "DELETE FROM events",
    "DELETE FROM events WHERE position = 3",
    "REPLACE INTO events VALUES (2, 'noted', '[\"b\"]', x'', x'00')",
    "INSERT OR REPLACE INTO events VALUES (3, 'noted', '[\"c\"]', x'', x'33')",
    "INSERT INTO events VALUES (2, 'x', '[]', x'', x'00') ON CONFLICT (position) DO UPDATE SET data = excluded.data",
    "INSERT OR IGNORE INTO events VALUES (9, 'leaves a gap', '[]', x'', x'00')",
    "INSERT INTO events VALUES (0, 'before the first', '[]', x'', x'00')",
    "INSERT INTO events VALUES (-1, 'before the first', '[]', x'', x'00')",
    "INSERT INTO events (type, tags, run, data) VALUES ('no position', '[]', x'', x'00')",
]
TAG_STATEMENTS = [
    "UPDATE event_tags SET tag = 'z' WHERE position = 3",
    "UPDATE OR REPLACE event_tags SET position = 1 WHERE tag = 'b' AND position = 2",
    "DELETE FROM event_tags",
    "DELETE FROM event_tags WHERE tag = 'a'",
    "INSERT INTO event_tags VALUES ('late', 1)",
    "INSERT OR REPLACE INTO event_tags VALUES ('late', 3)",
    "INSERT OR IGNORE INTO event_tags VALUES ('A', 1)",
    "INSERT INTO event_tags VALUES ('early', 4)",
    "INSERT INTO event_tags SELECT 'a', position FROM events WHERE position > 1",
]
BROKEN_STATEMENTS = [
    "INSERT INTO event_tags VALUES ('a', 1)",
    "INSERT INTO events VALUES (4, 'tags are no array', '{\"a\": \"b\"}', x'', x'00')",
    "INSERT INTO events VALUES (4, 'tags are no JSON', 'a, b', x'', x'00')",
    "INSERT INTO events VALUES (4, 'data is no blob', '[]', x'', 'text')",
]


@pytest.fixture
def run_elsewhere(path: str, start_worker: Callable[..., Any], go: Callable[..., None]) -> Callable[[str], str | None]:
    recorder = SQLiteDCBRecorder(path)
    recorder.append(RECORDED)
    recorder.close()

    def run(statement: str) -> str | None:
        worker = start_worker("sql", path, statement)
        go(worker)
        error: str | None = json.loads(worker.communicate()[0])
        return error

    return run


def assert_as_recorded(path: str) -> None:
    recorder = SQLiteDCBRecorder(path)
    assert [(found.position, found.event) for found in recorder.read()] == list(enumerate(RECORDED, start=1))
    by_tag = {
        tag: [found.position for found in recorder.read(DCBQuery([DCBQueryItem(tags=[tag])]))]
        for tag in ("a", "b", "c", "z", "A", "late", "early")
    }
    assert by_tag == {"a": [1], "b": [1, 2], "c": [3], "z": [], "A": [], "late": [], "early": []}
    assert recorder.append([DCBEvent("noted", b"4")]) == 4
    recorder.close()


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        *((statement, "events are append-only") for statement in EVENT_STATEMENTS),
        *((statement, "event tags are append-only") for statement in TAG_STATEMENTS),
        *((statement, "") for statement in BROKEN_STATEMENTS),
    ],
)
def test_plain_sql_cannot_change_what_is_recorded(
    path: str, run_elsewhere: Callable[[str], str | None], statement: str, reason: str
) -> None:
    error = run_elsewhere(statement)
    assert error is not None, "the statement went through"
    assert reason in error
    assert_as_recorded(path)


@pytest.mark.parametrize("verb", ["INSERT OR REPLACE", "INSERT OR IGNORE"])
def test_repeating_a_tag_that_its_event_carries_changes_nothing(
    path: str, run_elsewhere: Callable[[str], str | None], verb: str
) -> None:
    run_elsewhere(f"{verb} INTO event_tags VALUES ('a', 1)")
    assert_as_recorded(path)


def test_an_event_appended_by_plain_sql_is_indexed_by_its_tags(
    path: str, run_elsewhere: Callable[[str], str | None]
) -> None:
    assert run_elsewhere("INSERT OR REPLACE INTO events VALUES (4, 'noted', '[\"a\",\"a\",\"d\"]', x'', x'34')") is None
    recorder = SQLiteDCBRecorder(path)
    for tag, positions in (("a", [1, 4]), ("d", [4])):
        found = recorder.read(DCBQuery([DCBQueryItem(tags=[tag])]))
        assert [each.position for each in found] == positions
    recorder.close()


def test_the_tests_client_is_another_sqlite_that_does_not_share_our_settings() -> None:
    connection = sqlite3.connect(":memory:")
    assert connection.execute("PRAGMA recursive_triggers").fetchone() == (0,)
    connection.close()
