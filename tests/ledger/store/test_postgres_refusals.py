"""What a store on PostgreSQL refuses to open, with the reason and the remedy."""

from __future__ import annotations

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

from ledger.errors import StoreFault, Unavailable
from ledger.store import postgres_schema
from ledger.store.postgres import PostgresDCBRecorder
from ledger.store.postgres_connections import Address
from tests.fixtures.postgres import postgres_server_url, postgres_url, recorder, statement  # noqa: F401
from tests.ledger.store.test_sqlite_recorder import event, tagged

# ruff: noqa: F811

LEDGER_SESSIONS = (
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'funding-ledger' AND datname = current_database()"
)
SCHEMA = "SELECT oid::regclass::text, relkind FROM pg_class WHERE relnamespace = to_regnamespace('ledger') ORDER BY 1"


@pytest.mark.parametrize("scope", ["DATABASE", "ROLE"])
@pytest.mark.parametrize("value", ["off", "local", "remote_write"])
def test_commits_that_may_be_lost_are_refused_with_the_remedy(postgres_url: str, scope: str, value: str) -> None:
    info = conninfo_to_dict(postgres_url)
    if scope == "DATABASE":
        where = SQL("DATABASE {}").format(Identifier(str(info["dbname"])))
    else:
        where = SQL("ROLE CURRENT_USER IN DATABASE {}").format(Identifier(str(info["dbname"])))
    statement(postgres_url, SQL("ALTER {} SET synchronous_commit = {}").format(where, SQL(value)))
    with pytest.raises(StoreFault, match=f"synchronous_commit is {value}.*set it to on"):
        PostgresDCBRecorder(postgres_url)
    assert statement(postgres_url, SCHEMA) == []
    statement(postgres_url, SQL("ALTER {} SET synchronous_commit = {}").format(where, SQL("remote_apply")))
    PostgresDCBRecorder(postgres_url).close()


def test_commits_cannot_be_made_lossy_under_a_running_service(recorder: PostgresDCBRecorder, postgres_url: str) -> None:
    name = str(conninfo_to_dict(postgres_url)["dbname"])
    with recorder.transaction():
        pass
    statement(postgres_url, SQL("ALTER DATABASE {} SET synchronous_commit = off").format(Identifier(name)))
    for (pid,) in statement(postgres_url, LEDGER_SESSIONS):
        statement(postgres_url, "SELECT pg_terminate_backend(%s)", pid)
    with pytest.raises(Unavailable, match="synchronous_commit is off"):
        recorder.transaction().__enter__()
    statement(postgres_url, SQL("ALTER DATABASE {} RESET synchronous_commit").format(Identifier(name)))
    with recorder.transaction() as transaction:
        assert transaction.head == 0


@pytest.mark.parametrize(
    ("answer", "remedy"),
    [
        ((True, "on", "on", "on", "UTF8", ""), "name the primary"),
        ((False, "off", "on", "on", "UTF8", "00000001"), "set fsync = on"),
        ((False, "on", "off", "on", "UTF8", "00000001"), "set full_page_writes = on"),
        ((False, "on", "on", "on", "SQL_ASCII", "00000001"), "ENCODING 'UTF8'"),
    ],
)
def test_an_unfit_server_is_refused_with_the_remedy(answer: tuple[object, ...], remedy: str) -> None:
    class Server:
        """Says what a test server cannot be made to say without a server of its own."""

        class info:
            server_version = 150_000

        def execute(self, text: str) -> Server:
            return self

        def fetchone(self) -> tuple[object, ...]:
            return answer

    with pytest.raises(StoreFault, match=remedy):
        postgres_schema.require_server(Server(), "db@host")  # type: ignore[arg-type]


def test_an_old_server_is_refused(
    recorder: PostgresDCBRecorder, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    monkeypatch.setattr(postgres_schema, "SERVER_REQUIRED", 99)
    with pytest.raises(StoreFault, match="99 or later"):
        PostgresDCBRecorder(postgres_url)


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE SCHEMA ledger", "CREATE TABLE ledger.accounts (id int)"],
        ["CREATE SCHEMA ledger", "CREATE TABLE ledger.events (id int)"],
        ["CREATE SCHEMA ledger", "CREATE VIEW ledger.events AS SELECT 1"],
        ["CREATE SCHEMA ledger", "CREATE FUNCTION ledger.f() RETURNS int LANGUAGE sql AS 'SELECT 1'"],
    ],
)
def test_a_schema_of_another_program_is_refused_and_left_as_it_was(postgres_url: str, statements: list[str]) -> None:
    for text in statements:
        statement(postgres_url, text)
    before = statement(postgres_url, SCHEMA)
    with pytest.raises(StoreFault, match=r"not an event store of this program.*Name another database"):
        PostgresDCBRecorder(postgres_url)
    assert statement(postgres_url, SCHEMA) == before


def test_an_empty_schema_that_was_prepared_for_us_is_used(postgres_url: str) -> None:
    statement(postgres_url, "CREATE SCHEMA ledger")
    PostgresDCBRecorder(postgres_url).close()


def test_other_schemas_of_the_database_are_nobodys_business(postgres_url: str) -> None:
    statement(postgres_url, "CREATE TABLE events (id int)")
    PostgresDCBRecorder(postgres_url).close()


@pytest.mark.parametrize(
    ("version", "remedy"),
    [(postgres_schema.SCHEMA_VERSION + 1, "upgrade"), (postgres_schema.SCHEMA_VERSION - 1, "restore")],
)
def test_a_store_of_another_schema_version_is_refused_with_what_to_do(
    postgres_url: str, version: int, remedy: str
) -> None:
    PostgresDCBRecorder(postgres_url).close()
    statement(postgres_url, f"COMMENT ON TABLE ledger.events IS 'funding-ledger event store, schema version {version}'")
    with pytest.raises(StoreFault, match=f"schema version {version}.*{remedy}"):
        PostgresDCBRecorder(postgres_url)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("DROP TRIGGER events_are_never_changed ON ledger.events", "events_are_never_changed"),
        ("ALTER TABLE ledger.events DISABLE TRIGGER events_are_admitted", "events_are_admitted"),
        ("ALTER TABLE ledger.events ENABLE TRIGGER events_are_never_changed", "events_are_never_changed"),
        ("DROP TABLE ledger.event_tags", "event_tags"),
        ("ALTER TABLE ledger.events ADD COLUMN note text", "events"),
        ("ALTER TABLE ledger.events ALTER data DROP NOT NULL", "events"),
        ("ALTER TABLE ledger.event_tags SET UNLOGGED", "event_tags"),
        ("ALTER TABLE ledger.events DROP CONSTRAINT events_pkey", "events_pkey"),
        ("ALTER TABLE ledger.events ENABLE ROW LEVEL SECURITY", "events"),
        ("CREATE RULE lost AS ON INSERT TO ledger.events DO INSTEAD NOTHING", "events"),
        (
            "CREATE OR REPLACE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql "
            "AS $$ BEGIN RETURN NULL; END $$",
            "refuse_change",
        ),
        (
            "CREATE TRIGGER extra BEFORE INSERT ON ledger.events FOR EACH ROW "
            "EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "extra",
        ),
    ],
)
def test_a_store_whose_protection_was_taken_away_is_refused(postgres_url: str, text: str, named: str) -> None:
    PostgresDCBRecorder(postgres_url).close()
    statement(postgres_url, text)
    with pytest.raises(StoreFault, match=f"changed.*{named}"):
        PostgresDCBRecorder(postgres_url)


def test_an_address_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(StoreFault, match="postgresql://USER:PASSWORD@HOST/DATABASE"):
        PostgresDCBRecorder("mysql://root@localhost/ledger")


def test_a_server_that_is_not_there_is_unavailable_and_no_password_is_told(postgres_url: str) -> None:
    url = make_conninfo(postgres_url, host="127.0.0.1", port=1, user="somebody", password="hush-hush")
    with pytest.raises(Unavailable, match="did not answer") as caught:
        PostgresDCBRecorder(url)
    assert "hush-hush" not in caught.value.text.en + caught.value.text.zh


def test_settings_of_the_role_do_not_reach_the_ledger(postgres_url: str) -> None:
    name = Identifier(str(conninfo_to_dict(postgres_url)["dbname"]))
    for setting in (
        "default_transaction_isolation = 'serializable'",
        "search_path = 'nowhere'",
        "bytea_output = 'escape'",
        "standard_conforming_strings = off",
        "client_encoding = 'LATIN1'",
        "default_transaction_read_only = on",
    ):
        statement(postgres_url, SQL("ALTER DATABASE {} SET ").format(name) + SQL(setting))
    first, second = PostgresDCBRecorder(postgres_url), PostgresDCBRecorder(postgres_url)
    assert [each.append([event('限额\\"', data=b"\\\x00\xff")]) for each in (first, second, first)] == [1, 2, 3]
    assert [found.event.data for found in second.read(tagged('限额\\"'))] == [b"\\\x00\xff"] * 3
    first.close()
    second.close()


@pytest.mark.parametrize(
    "address",
    [
        "postgres:/ledger:hushhush@127.0.0.1/ledger",
        "ledger:hushhush@127.0.0.1/ledger",
        "postgresql://ledger:hush%hush@127.0.0.1/ledger",
        "postgresql://ledger:hush@hush@127.0.0.1/ledger",
    ],
)
def test_an_address_that_was_mistyped_is_told_without_the_password(address: str) -> None:
    with pytest.raises(StoreFault) as refused:
        PostgresDCBRecorder(address)
    for told in (refused.value.text.zh, refused.value.text.en, str(refused.value.__context__ or "")):
        assert "hush" not in told
    assert "%40" in refused.value.text.en


def test_a_socket_in_no_folder_is_an_address() -> None:
    assert Address("postgresql://ledger@/ledger?host=@ledger", 1).name == "ledger@@ledger"
