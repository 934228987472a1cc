"""One process, one recorder: what eventsourcing promises of a recorder, and what this one adds."""

from __future__ import annotations

import random
from pathlib import Path

import apsw
import pytest
from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem
from eventsourcing.dcb.persistence import DCBInfrastructureFactory
from eventsourcing.dcb.popo import InMemoryDCBRecorder
from eventsourcing.dcb.tests import DCBRecorderTestCase
from eventsourcing.persistence import IntegrityError, ProgrammingError

from ledger.errors import StoreFault, Unavailable
from ledger.store import sqlite_query
from ledger.store.sqlite import Factory, SQLiteDCBRecorder


def tagged(*tags: str) -> DCBQuery:
    return DCBQuery([DCBQueryItem(tags=list(tags))])


def event(*tags: str, type: str = "noted", data: bytes = b"{}") -> DCBEvent:
    return DCBEvent(type, data, list(tags))


def test_append_and_read_keep_the_librarys_contract(recorder: SQLiteDCBRecorder) -> None:
    DCBRecorderTestCase()._test_append_read(recorder)


def test_append_and_subscribe_keep_the_librarys_contract(recorder: SQLiteDCBRecorder) -> None:
    DCBRecorderTestCase()._test_append_subscribe(recorder)


@pytest.mark.parametrize("seed", range(8))
def test_any_query_finds_what_the_librarys_memory_recorder_finds(recorder: SQLiteDCBRecorder, seed: int) -> None:
    chance = random.Random(seed)
    memory = InMemoryDCBRecorder()
    for _ in range(80):
        batch = [
            event(*chance.choices("abcde", k=chance.randrange(4)), type=chance.choice("xyz"))
            for _ in range(chance.randint(1, 3))
        ]
        assert recorder.append(batch) == memory.append(batch)
    for _ in range(150):
        items = [
            DCBQueryItem(
                types=chance.choices("wxyz", k=chance.choice((0, 0, 1, 2))),
                tags=chance.choices("abcdef", k=chance.choice((0, 1, 1, 2, 3))),
            )
            for _ in range(chance.choice((0, 1, 1, 2, 4, 7)))
        ]
        query = DCBQuery(items)
        after = chance.choice((None, 0, 7, 60, 10_000))
        limit = chance.choice((None, None, 0, 1, 10, 1_000))
        ours, theirs = recorder.read(query, after=after, limit=limit), memory.read(query, after=after, limit=limit)
        assert ours.head == theirs.head
        assert list(ours) == list(theirs)
        with recorder.transaction() as transaction:
            assert transaction.matches(query, after=after) == bool(list(memory.read(query, after=after)))


@pytest.mark.parametrize("count", [99, 100, 101, 501, 1_203])
def test_a_query_of_many_items_is_neither_cut_nor_refused(recorder: SQLiteDCBRecorder, count: int) -> None:
    recorder.append([event(f"tag-{n}", "all") for n in range(count)])
    query = DCBQuery([DCBQueryItem(tags=[f"tag-{n}", "all"], types=["noted"]) for n in range(count)])
    assert [found.position for found in recorder.read(query)] == list(range(1, count + 1))
    last_only = DCBQuery([*query.items[:-1], DCBQueryItem(tags=["none"])])
    with recorder.transaction() as transaction:
        assert transaction.matches(query, after=count - 1)
        assert not transaction.matches(last_only, after=count - 1)


def test_a_query_of_more_words_than_sqlite_can_bind_is_refused_not_cut(recorder: SQLiteDCBRecorder) -> None:
    recorder.append([event("a")])
    with pytest.raises(ProgrammingError, match="at most"):
        recorder.read(DCBQuery([DCBQueryItem(tags=[str(n)]) for n in range(sqlite_query.WORDS_MAX + 1)]))


@pytest.mark.parametrize(
    "tag",
    ["", ",", '"', 'a","b', "\\", "\\u0041", "a\x00b", "\x1f", "\x7f", "\u2028", "限额/C5/某公司", "𠮷😀", "%_*'"],
)
def test_a_tag_of_any_characters_is_found_by_exactly_those_characters(recorder: SQLiteDCBRecorder, tag: str) -> None:
    recorder.append([event(tag, "other"), event("other")])
    assert [found.event.tags for found in recorder.read(tagged(tag))] == [[tag, "other"]]
    with pytest.raises(IntegrityError):
        recorder.append([event()], DCBAppendCondition(tagged(tag)))


def test_a_tag_given_twice_is_kept_as_given_and_found_once(recorder: SQLiteDCBRecorder) -> None:
    recorder.append([event("a", "a", "b")])
    assert [found.event.tags for found in recorder.read(tagged("a"))] == [["a", "a", "b"]]


@pytest.mark.parametrize(
    "query", [tagged("a"), tagged("a", "b"), DCBQuery([DCBQueryItem(tags=[t], types=["x"]) for t in "abcdef"])]
)
def test_queries_by_tag_read_index_ranges_and_never_scan_the_events(path: str, query: DCBQuery) -> None:
    SQLiteDCBRecorder(path).close()
    connection = apsw.Connection(path)
    for sql, bindings in (
        sqlite_query.selection(query, after=0, upto=9, limit=9),
        sqlite_query.match(query, after=0, upto=9),
    ):
        plan = [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", bindings)]
        assert any("USING PRIMARY KEY (tag=? AND position" in step for step in plan), plan
        assert not any(step.startswith(("SCAN e", "SCAN t")) or "TEMP B-TREE" in step for step in plan), plan
    connection.close()


def test_a_statement_is_planned_anew_for_every_tag(recorder: SQLiteDCBRecorder) -> None:
    planned: list[int] = []

    def asked_while_planning(operation: int, *about: str | None) -> int:
        planned.append(operation)
        return apsw.SQLITE_OK

    with recorder.transaction() as transaction:
        transaction._connection.authorizer = asked_while_planning
        transaction.histories(["tag=0"])
        once = len(planned)
        transaction.histories([f"tag={n}" for n in range(1, 20)])
        transaction._connection.authorizer = None
    assert 0 < once == len(planned)


def test_a_batch_writes_down_what_it_would_undo_in_a_file(recorder: SQLiteDCBRecorder) -> None:
    with recorder.transaction() as transaction:
        in_memory = 2
        assert transaction._connection.pragma("temp_store") == in_memory


def test_a_failed_condition_records_nothing_of_the_batch(recorder: SQLiteDCBRecorder) -> None:
    recorder.append([event("a")])
    with pytest.raises(IntegrityError):
        recorder.append([event("b"), event("c")], DCBAppendCondition(tagged("a")))
    assert recorder.head() == 1
    assert recorder.append([event("d")]) == 2


def test_a_batch_with_an_event_that_cannot_be_stored_records_nothing(recorder: SQLiteDCBRecorder) -> None:
    with pytest.raises(StoreFault):
        recorder.append([event("a"), DCBEvent("noted", b"{}", "b")])  # type: ignore[arg-type]
    assert recorder.head() == 0
    assert recorder.append([event("a")]) == 1


def test_appending_no_events_is_a_programmers_error(recorder: SQLiteDCBRecorder) -> None:
    with pytest.raises(ProgrammingError):
        recorder.append([])


def test_a_write_transaction_sees_its_own_events_and_others_see_them_after_the_commit(
    recorder: SQLiteDCBRecorder,
) -> None:
    with recorder.transaction() as transaction:
        assert transaction.append([event("a"), event("b")]) == 2
        assert transaction.matches(tagged("b"))
        assert not transaction.matches(tagged("b"), after=2)
        assert len(list(transaction.read(tagged("a")))) == 1
        assert recorder.head() == 0
        assert transaction.append([event("c")]) == 3
    assert recorder.head() == 3


def test_a_write_transaction_that_raises_leaves_no_trace(recorder: SQLiteDCBRecorder) -> None:
    def append_and_fail() -> None:
        with recorder.transaction() as transaction:
            transaction.append([event("a")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        append_and_fail()
    assert list(recorder.read()) == []
    assert recorder.append([event("b")]) == 1


def test_a_response_read_later_still_shows_the_instant_of_reading(recorder: SQLiteDCBRecorder) -> None:
    recorder.append([event("a")])
    response = recorder.read(tagged("a"))
    recorder.append([event("a")])
    assert response.head == 1
    assert [found.position for found in response] == [1]


def test_what_was_appended_is_there_when_the_file_is_opened_again(path: str) -> None:
    first = SQLiteDCBRecorder(path)
    first.append([event("a", data="数据".encode())])
    first.close()
    second = SQLiteDCBRecorder(path)
    assert [found.event.data.decode() for found in second.read(tagged("a"))] == ["数据"]
    second.close()


def test_a_closed_store_answers_unavailable_and_leaves_only_its_file(path: str) -> None:
    recorder = SQLiteDCBRecorder(path)
    recorder.append([event("a")])
    recorder.head()
    recorder.close()
    recorder.close()
    for use in (
        recorder.head,
        recorder.read,
        recorder.subscribe,
        lambda: recorder.append([event("a")]),
        lambda: recorder.transaction().__enter__(),
    ):
        with pytest.raises(Unavailable, match="closed"):
            use()
    # The last connection to close writes the log back and removes it: one left open would keep it.
    assert [entry.name for entry in Path(path).parent.iterdir()] == [Path(path).name]


def test_the_environment_chooses_this_store(path: str) -> None:
    env = {"PERSISTENCE_MODULE": "ledger.store.sqlite", "SQLITE_DBNAME": path, "SQLITE_LOCK_TIMEOUT": "3"}
    factory = DCBInfrastructureFactory.construct(env)  # type: ignore[type-abstract]
    recorder = factory.dcb_recorder()
    assert isinstance(factory, Factory)
    assert factory.dcb_recorder() is recorder
    assert recorder.append([event("a")]) == 1
    factory.close()
    with pytest.raises(Unavailable):
        recorder.read()


@pytest.mark.parametrize(
    ("env", "named"),
    [
        ({}, "SQLITE_DBNAME"),
        ({"SQLITE_DBNAME": " "}, "SQLITE_DBNAME"),
        ({"SQLITE_DBNAME": "x.db", "SQLITE_LOCK_TIMEOUT": "1.5"}, "SQLITE_LOCK_TIMEOUT"),
        ({"SQLITE_DBNAME": "x.db", "SQLITE_LOCK_TIMEOUT": "-1"}, "SQLITE_LOCK_TIMEOUT"),
    ],
)
def test_an_environment_that_cannot_be_meant_is_refused_by_key(env: dict[str, str], named: str) -> None:
    with pytest.raises(StoreFault, match=named):
        Factory(env)
