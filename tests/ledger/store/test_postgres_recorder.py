"""One process, one recorder on PostgreSQL: what the SQLite store promises, and what is particular to this one."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem
from eventsourcing.dcb.persistence import DCBInfrastructureFactory
from eventsourcing.persistence import IntegrityError

from ledger.errors import StoreFault, Unavailable
from ledger.store import postgres_query
from ledger.store.postgres import Factory, PostgresDCBRecorder
from tests.fixtures.postgres import postgres_server_url, postgres_url, recorder, statement  # noqa: F401
from tests.ledger.store.test_sqlite_recorder import (  # noqa: F401 - the same promises, kept by this store's recorder
    event,
    tagged,
    test_a_batch_with_an_event_that_cannot_be_stored_records_nothing,
    test_a_failed_condition_records_nothing_of_the_batch,
    test_a_query_of_many_items_is_neither_cut_nor_refused,
    test_a_response_read_later_still_shows_the_instant_of_reading,
    test_a_tag_given_twice_is_kept_as_given_and_found_once,
    test_a_write_transaction_sees_its_own_events_and_others_see_them_after_the_commit,
    test_a_write_transaction_that_raises_leaves_no_trace,
    test_any_query_finds_what_the_librarys_memory_recorder_finds,
    test_append_and_read_keep_the_librarys_contract,
    test_append_and_subscribe_keep_the_librarys_contract,
    test_appending_no_events_is_a_programmers_error,
)


@pytest.mark.parametrize(
    "tag",
    ["", ",", '"', 'a","b', "\\", "\\u0041", "{}", "NULL", "\x1f", "\x7f", "\u2028", "限额/C5/某公司", "𠮷😀", "%_*'"],
)
def test_a_tag_of_any_characters_is_found_by_exactly_those_characters(
    recorder: PostgresDCBRecorder,  # noqa: F811
    tag: str,
) -> None:
    recorder.append([event(tag, "other"), event("other"), event(tag + " ")])
    assert [found.event.tags for found in recorder.read(tagged(tag))] == [[tag, "other"]]
    with recorder.transaction() as transaction:
        assert [found.position for found in transaction.histories([tag, "none"])[tag]] == [1]
    with recorder.transaction([tag]) as transaction:
        assert [found.position for found in transaction.histories([tag, "none"])[tag]] == [1]
    with pytest.raises(IntegrityError):
        recorder.append([event()], DCBAppendCondition(tagged(tag)))


@pytest.mark.parametrize("word", ["a\x00b", "\ud800"], ids=["NUL", "half a surrogate pair"])
def test_what_postgresql_cannot_keep_is_refused_and_never_found(recorder: PostgresDCBRecorder, word: str) -> None:  # noqa: F811
    with pytest.raises(StoreFault, match="Nothing was recorded"):
        recorder.append([event("fine"), event(word)])
    with pytest.raises(StoreFault, match="Nothing was recorded"):
        recorder.append([event("fine", type=word)])
    assert recorder.append([event("fine")]) == 1
    asked = [DCBQueryItem(tags=[word]), DCBQueryItem(types=[word]), DCBQueryItem(tags=["fine"], types=[word])]
    for query in [DCBQuery([item]) for item in asked] + [DCBQuery(asked), DCBQuery(asked[:2])]:
        assert list(recorder.read(query)) == []
    assert [found.position for found in recorder.read(DCBQuery([*asked, DCBQueryItem(tags=["fine"])]))] == [1]
    with recorder.transaction([word]) as transaction:
        assert transaction.histories([word]) == {word: []}


def test_bytes_are_kept_as_they_are(recorder: PostgresDCBRecorder) -> None:  # noqa: F811
    everything = [bytes(range(256)), b"", "数据".encode(), b"x" * 100_000]
    recorder.append([event("a", data=data) for data in everything])
    assert [found.event.data for found in recorder.read(tagged("a"))] == everything


def test_an_auditor_reads_the_events_with_plain_sql(recorder: PostgresDCBRecorder, postgres_url: str) -> None:  # noqa: F811
    recorder.append([event("case=1", data=json.dumps({"payload": {"amount_fen": 7, "名": "甲"}}).encode())])
    rows = statement(postgres_url, "SELECT position, tags, fact #>> '{payload,名}' FROM ledger.journal")
    assert rows == [(1, ["case=1"], "甲")]


def test_tags_of_one_hash_are_not_taken_for_each_other(
    recorder: PostgresDCBRecorder,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorder.append([event("a"), event("b"), event("a", "b")])
    hash_of_a = postgres_query.tag_hash("a")
    monkeypatch.setattr(postgres_query, "tag_hash", lambda tag: hash_of_a)
    assert [found.position for found in recorder.read(tagged("a"))] == [1, 3]
    assert [found.position for found in recorder.read(tagged("b"))] == [3]
    assert list(recorder.read(tagged("c"))) == []
    with recorder.transaction(["a", "c"]) as transaction:
        assert not transaction.matches(tagged("c"))
        found = transaction.histories(["a", "b", "c"])
        assert {tag: [each.position for each in events] for tag, events in found.items()} == {
            "a": [1, 3],
            "b": [3],
            "c": [],
        }


def test_histories_are_of_each_tag_and_include_what_the_transaction_appended(
    recorder: PostgresDCBRecorder,  # noqa: F811
) -> None:
    recorder.append([event("a", "b"), event("b"), event("a", "a", "c")])

    def positions(found: dict[str, Any]) -> dict[str, list[int]]:
        return {tag: [each.position for each in events] for tag, events in found.items()}

    for foreseen in ([], ["a"], ["a", "b", "none"]):
        with recorder.transaction(foreseen) as transaction:
            assert positions(transaction.histories(["a", "b", "none"])) == {"a": [1, 3], "b": [1, 2], "none": []}
            assert transaction.histories([]) == {}
    with recorder.transaction(["a", "none"]) as transaction:
        transaction.append([event("a", "none")])
        assert positions(transaction.histories(["a", "none"])) == {"a": [1, 3, 4], "none": [4]}
        transaction.append([event("none")])
        assert positions(transaction.histories(["a", "none"])) == {"a": [1, 3, 4], "none": [4, 5]}


@pytest.mark.parametrize(
    "query", [tagged("a"), tagged("a", "b"), DCBQuery([DCBQueryItem(tags=[t], types=["x"]) for t in "abcdef"])]
)
def test_queries_by_tag_read_index_ranges_and_never_scan_the_events(
    recorder: PostgresDCBRecorder,  # noqa: F811
    query: DCBQuery,
) -> None:
    recorder.append([event("a", "b", str(n)) for n in range(2_000)])
    for text, values in (
        postgres_query.selection(query, after=9, limit=9),
        postgres_query.match(query, after=9),
        postgres_query.histories(["a", "b"]),
    ):
        connection = recorder._address.connect()
        found = psycopg.RawCursor(connection).execute(f"EXPLAIN {text}", values, prepare=True).fetchall()
        connection.close()
        plan = "\n".join(line for (line,) in found)
        assert "event_tags_pkey" in plan
        assert "(tag_hash = " in plan
        if "LIMIT" in text:
            assert 'AND ("position" > ' in plan, plan
        assert "Seq Scan" not in plan, plan


def test_what_was_appended_is_there_when_the_database_is_opened_again(postgres_url: str) -> None:  # noqa: F811
    first = PostgresDCBRecorder(postgres_url)
    first.append([event("a", data="数据".encode())])
    first.close()
    second = PostgresDCBRecorder(postgres_url)
    assert [found.event.data.decode() for found in second.read(tagged("a"))] == ["数据"]
    second.close()


def test_a_closed_store_answers_unavailable_and_leaves_no_connection(postgres_url: str) -> None:  # noqa: F811
    recorder = PostgresDCBRecorder(postgres_url)  # noqa: F811
    recorder.append([event("a")])
    subscription = recorder.subscribe()
    next(subscription)
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
    assert list(subscription) == []
    left = (
        # A vacuum of the server's own may be at work in the database as well.
        "SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'"
    )
    for _ in range(50):
        if statement(postgres_url, left) == []:
            break
        statement(postgres_url, "SELECT pg_sleep(0.1)")
    assert statement(postgres_url, left) == []


def test_the_environment_chooses_this_store(postgres_url: str) -> None:  # noqa: F811
    env = {"PERSISTENCE_MODULE": "ledger.store.postgres", "POSTGRES_URL": postgres_url, "POSTGRES_LOCK_TIMEOUT": "3"}
    factory = DCBInfrastructureFactory.construct(env)  # type: ignore[type-abstract]
    recorder = factory.dcb_recorder()  # noqa: F811
    assert isinstance(factory, Factory)
    assert factory.dcb_recorder() is recorder
    assert recorder.append([DCBEvent("noted", b"")]) == 1
    factory.close()
    with pytest.raises(Unavailable):
        recorder.read()


@pytest.mark.parametrize(
    ("env", "named"),
    [
        ({}, "POSTGRES_URL"),
        ({"POSTGRES_URL": " "}, "POSTGRES_URL"),
        ({"POSTGRES_URL": "dbname=x", "POSTGRES_LOCK_TIMEOUT": "1.5"}, "POSTGRES_LOCK_TIMEOUT"),
        ({"POSTGRES_URL": "dbname=x", "POSTGRES_LOCK_TIMEOUT": "-1"}, "POSTGRES_LOCK_TIMEOUT"),
    ],
)
def test_an_environment_that_cannot_work_is_refused_with_the_key_to_set(env: dict[str, str], named: str) -> None:
    with pytest.raises(StoreFault, match=named):
        Factory(env).dcb_recorder()
