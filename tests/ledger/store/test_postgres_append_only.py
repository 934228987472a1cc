"""Whoever writes to the database, with whatever SQL: recorded events and their tags stay as they are.

As the owner of the tables, whom the triggers hold back, and as the role that a service should have, which may not even try.
"""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from eventsourcing.dcb.api import DCBEvent, DCBQuery, DCBQueryItem

from ledger.errors import StoreFault
from ledger.store.postgres import PostgresDCBRecorder
from ledger.store.postgres_schema import application_role_sql
from tests.fixtures.postgres import (  # noqa: F401
    postgres_server_url,
    postgres_url,
    role_of,
    role_url,
    statement,
)

# ruff: noqa: F811

RECORDED = [DCBEvent("noted", b"1", ["a", "b"]), DCBEvent("noted", b"2", ["b"]), DCBEvent("noted", b"3", ["c"])]

ROW = "(position, type, tags, run, data) VALUES"
CHANGES = [
    "UPDATE ledger.events SET data = '' WHERE position = 2",
    "UPDATE ledger.events SET type = type",
    "UPDATE ledger.events SET run = ''",
    "UPDATE ledger.events SET position = 4 WHERE position = 3",
    "UPDATE ledger.event_tags SET position = 1",
    "DELETE FROM ledger.events",
    "DELETE FROM ledger.events WHERE position = 3",
    "DELETE FROM ledger.event_tags",
    "TRUNCATE ledger.events",
    "TRUNCATE ledger.event_tags",
    "TRUNCATE ledger.events, ledger.event_tags CASCADE",
    f"INSERT INTO ledger.events {ROW} (2, 'x', '{{}}', '', '') ON CONFLICT (position) DO UPDATE SET data = excluded.data",
    "MERGE INTO ledger.events AS e USING (SELECT 2 AS p) AS s ON e.position = s.p WHEN MATCHED THEN DELETE",
    "UPDATE ledger.journal SET type = 'x'",
]
INSERTIONS = [
    f"INSERT INTO ledger.events {ROW} (9, 'leaves a gap', '{{}}', '', '')",
    f"INSERT INTO ledger.events {ROW} (4, 'noted', '{{}}', '', ''), (6, 'leaves a gap', '{{}}', '', '')",
    f"INSERT INTO ledger.events {ROW} (0, 'before the first', '{{}}', '', '')",
    f"INSERT INTO ledger.events {ROW} (-1, 'before the first', '{{}}', '', '')",
    f"INSERT INTO ledger.events {ROW} (2, 'again', '{{}}', '', '')",
    f"INSERT INTO ledger.events {ROW} (4, 'no tags', NULL, '', '')",
    f"INSERT INTO ledger.events {ROW} (4, 'a tag is NULL', '{{NULL}}', '', '')",
    "INSERT INTO ledger.events (type, tags, run, data) VALUES ('no position', '{}', '', '')",
    "INSERT INTO ledger.event_tags (tag_hash, position) VALUES (7, 1)",
    "INSERT INTO ledger.event_tags SELECT tag_hash, 3 FROM ledger.event_tags WHERE position = 1",
]


@pytest.fixture
def url(postgres_url: str) -> str:
    recorder = PostgresDCBRecorder(postgres_url)
    recorder.append(RECORDED)
    recorder.close()
    return postgres_url


def assert_as_recorded(url: str) -> None:
    recorder = PostgresDCBRecorder(url)
    assert [(found.position, found.event) for found in recorder.read()] == list(enumerate(RECORDED, start=1))
    by_tag = {
        tag: [found.position for found in recorder.read(DCBQuery([DCBQueryItem(tags=[tag])]))]
        for tag in ("a", "b", "c")
    }
    assert by_tag == {"a": [1], "b": [1, 2], "c": [3]}
    assert statement(url, "SELECT count(*) FROM ledger.event_tags") == [(4,)]
    assert recorder.append([DCBEvent("noted", b"4")]) == 4
    recorder.close()


@pytest.mark.parametrize("text", [*CHANGES, *INSERTIONS])
def test_plain_sql_of_the_owner_cannot_change_what_is_recorded(url: str, text: str) -> None:
    with pytest.raises(psycopg.Error):
        statement(url, text)
    assert_as_recorded(url)


@pytest.mark.parametrize("text", CHANGES[:11])
def test_pretending_to_replicate_does_not_switch_the_protection_off(url: str, text: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            connection.execute(text)
    assert_as_recorded(url)


def test_an_event_appended_by_plain_sql_is_indexed_by_its_tags(url: str) -> None:
    statement(url, f"INSERT INTO ledger.events {ROW} (4, 'noted', '{{a,a,d}}', '', '4')")
    recorder = PostgresDCBRecorder(url)
    for tag, positions in (("a", [1, 4]), ("d", [4])):
        found = recorder.read(DCBQuery([DCBQueryItem(tags=[tag])]))
        assert [each.position for each in found] == positions
    recorder.close()


def test_the_role_of_a_service_records_and_reads(url: str, role_url: str) -> None:
    statement(url, application_role_sql(role_of(role_url)))
    recorder = PostgresDCBRecorder(role_url)
    with recorder.subscribe(after=3) as subscription:
        assert recorder.append([DCBEvent("noted", b'{"n":4}', ["a"])]) == 4
        assert next(subscription).position == 4
    assert [found.position for found in recorder.read(DCBQuery([DCBQueryItem(tags=["a"])]))] == [1, 4]
    assert statement(role_url, "SELECT fact ->> 'n' FROM ledger.journal WHERE position = 4") == [("4",)]
    recorder.close()


@pytest.mark.parametrize(
    "text",
    [
        *CHANGES,
        "INSERT INTO ledger.event_tags (tag_hash, position) VALUES (7, 1)",
        "ALTER TABLE ledger.events DISABLE TRIGGER ALL",
        "DROP TRIGGER events_are_never_changed ON ledger.events",
        "DROP TABLE ledger.events",
        "ALTER TABLE ledger.events SET UNLOGGED",
        "CREATE OR REPLACE FUNCTION ledger.admit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
        "SET session_replication_role = replica",
        "BEGIN; LOCK TABLE ledger.events IN EXCLUSIVE MODE",
    ],
)
def test_the_role_of_a_service_has_no_right_to_change_anything(url: str, role_url: str, text: str) -> None:
    statement(url, application_role_sql(role_of(role_url)))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        statement(role_url, text)
    assert_as_recorded(url)


def test_nobody_borrows_the_owners_rights_through_a_trigger_of_their_own(url: str, role_url: str) -> None:
    statement(url, application_role_sql(role_of(role_url)))
    with psycopg.connect(role_url, autocommit=True) as connection:
        connection.execute("CREATE TEMP TABLE added (position bigint, tags text[])")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                "CREATE TRIGGER mine AFTER INSERT ON added REFERENCING NEW TABLE AS added "
                "FOR EACH STATEMENT EXECUTE FUNCTION ledger.admit()"
            )


def test_the_runbook_does_not_grant_other_rights_than_the_program_names() -> None:
    runbook = (Path(__file__).parents[3] / "docs" / "runbook.md").read_text("utf-8")
    assert application_role_sql("ledger_service") in runbook


def test_a_role_without_rights_is_told_who_can_give_them(url: str, role_url: str) -> None:
    with pytest.raises(StoreFault, match="let the owner"):
        PostgresDCBRecorder(role_url)
    statement(url, application_role_sql(role_of(role_url)))
    statement(url, f"REVOKE INSERT ON ledger.events FROM {role_of(role_url)}")
    reader = PostgresDCBRecorder(role_url)
    with pytest.raises(StoreFault, match="let the owner"):
        reader.append([DCBEvent("noted", b"")])
    assert reader.head() == 3
    reader.close()


def test_a_role_that_may_not_create_the_store_is_told_to_start_as_the_owner(role_url: str) -> None:
    with pytest.raises(StoreFault, match="start once as the owner"):
        PostgresDCBRecorder(role_url)
