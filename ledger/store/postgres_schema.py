"""What a PostgreSQL store looks like inside, and what is refused before anything is written to it.

::

    ledger.events      position 1, 2, 3 … without a gap, in the order of commits; type; tags;
                       run, the hashes of the Merkle subtrees that it completes; data, the very bytes
    ledger.event_tags  the index behind every query by tag: one row for each distinct tag of an event
    ledger.journal     the events with their data as JSON, for auditors' eyes

The database itself keeps both tables append-only, whoever writes: an event can only take the position after the last
committed one, so positions are in the order of commits even where a writer does not take the write lock; tags are
indexed by a trigger in the statement that inserts their event; UPDATE, DELETE and TRUNCATE are refused, also under
``session_replication_role = replica``. Only the owner of the tables could take this protection away: give the service
a role of its own (:func:`application_role_sql`).

A tag is indexed by the first 64 bits of its SHA-256, which makes the index 40 % smaller than one of the texts. Whoever
looks a tag up compares the event's own tags as well. PostgreSQL's own hash functions may change with a release, and then
a limit would silently find nothing; SHA-256 does not.
"""

from __future__ import annotations

import re
from typing import Any, Final

import psycopg
from psycopg import errors, sql

from ledger.errors import StoreFault, Text
from ledger.store.schema_object import SchemaObject
from ledger.store.schema_version import other_version

SCHEMA_VERSION: Final = 1
"""Kept in the comment on ``ledger.events``; raised by one with every change to the objects below."""

SERVER_REQUIRED: Final = 15

WRITE_LOCK: Final = 0x46644C67_0001
"""The advisory lock that a writing transaction holds (``FdLg``, 1). A table lock would ask for UPDATE rights, and would
stop for a vacuum of the table, which asks for no less than a second before it gives way."""

SCHEMA_LOCK: Final = 0x46644C67_0002
"""The advisory lock under which the schema is created."""

CHANNEL: Final = "ledger_events"
"""Notified with the last position by every transaction that records events.

A commit that notifies holds one lock of the whole server until it is flushed. Within a ledger that costs nothing, since its
commits come one after another already, under :data:`WRITE_LOCK`: measured in turns with and without, one writer commits 1.0
times as often (40 rounds). Two ledgers on one server take turns flushing: 0.9 times, and the more the slower the disk.
Notifying apart from the commit would cost a second one, and a notification lost with its process: give each busy ledger
a server of its own instead.
"""

DURABILITY: Final = "current_setting('fsync'), current_setting('full_page_writes')"
"""The columns that :func:`require_durable` asks for."""

_MARK: Final = "funding-ledger event store, schema version "

_REFUSE_CHANGE: Final = """
BEGIN
    RAISE EXCEPTION '% is append-only: nothing is ever changed or deleted; record a later event', TG_RELID::regclass;
END
"""

_REFUSE_TAGS: Final = """
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'ledger.event_tags is append-only: a tag is only written with its event';
    END IF;
    RETURN NULL;
END
"""

_ADMIT: Final = """
DECLARE
    first_added bigint;
    last_added bigint;
    count_added bigint;
BEGIN
    SELECT min(position), max(position), count(*) INTO first_added, last_added, count_added FROM added;
    IF count_added = 0 THEN
        RETURN NULL;
    END IF;
    IF last_added - first_added + 1 <> count_added
        OR first_added <> 1 + coalesce((SELECT max(position) FROM ledger.events WHERE position < first_added), 0)
    THEN
        RAISE EXCEPTION 'ledger.events is append-only: a new event takes the position after the last';
    END IF;
    INSERT INTO ledger.event_tags (tag_hash, position)
        SELECT DISTINCT
            ('x' || encode(substring(sha256(convert_to(tag, 'UTF8')) FOR 8), 'hex'))::bit(64)::bigint, position
        FROM added, unnest(tags) AS tag;
    PERFORM pg_notify('ledger_events', last_added::text);
    RETURN NULL;
END
"""

_CREATE: Final = f"""
CREATE SCHEMA IF NOT EXISTS ledger;

CREATE TABLE ledger.events (
    position bigint PRIMARY KEY,
    type text NOT NULL,
    tags text[] NOT NULL,
    run bytea NOT NULL,
    data bytea NOT NULL
);
COMMENT ON TABLE ledger.events IS '{_MARK}{SCHEMA_VERSION}';

CREATE TABLE ledger.event_tags (
    tag_hash bigint NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (tag_hash, position)
);

CREATE VIEW ledger.journal AS
    SELECT position, type, tags, convert_from(data, 'UTF8')::json AS fact FROM ledger.events;

CREATE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $${_REFUSE_CHANGE}$$;
CREATE FUNCTION ledger.refuse_tags() RETURNS trigger LANGUAGE plpgsql AS $${_REFUSE_TAGS}$$;
CREATE FUNCTION ledger.admit() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $${_ADMIT}$$;
-- Else anyone could hang the owner's rights on a table of their own.
REVOKE EXECUTE ON FUNCTION ledger.admit() FROM PUBLIC;

CREATE TRIGGER events_are_admitted AFTER INSERT ON ledger.events
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger.admit();
CREATE TRIGGER events_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.events
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER event_tags_come_with_their_event BEFORE INSERT ON ledger.event_tags
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_tags();
CREATE TRIGGER event_tags_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.event_tags
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.events ENABLE ALWAYS TRIGGER events_are_admitted;
ALTER TABLE ledger.events ENABLE ALWAYS TRIGGER events_are_never_changed;
ALTER TABLE ledger.event_tags ENABLE ALWAYS TRIGGER event_tags_come_with_their_event;
ALTER TABLE ledger.event_tags ENABLE ALWAYS TRIGGER event_tags_are_never_changed;
"""

_LOOK: Final = """
SELECT 'any', '', '' FROM pg_namespace AS n
WHERE n.nspname = 'ledger' AND (
    EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid) OR EXISTS (SELECT FROM pg_proc WHERE pronamespace = n.oid)
)
UNION ALL
SELECT 'mark', '', obj_description(to_regclass('ledger.events'), 'pg_class')
UNION ALL
SELECT 'table', c.relname, concat_ws(' ', c.relkind, c.relpersistence, c.relhasrules, c.relrowsecurity, c.relhassubclass, (
    SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull,
        CASE WHEN atthasdef THEN 'default' END), ', ' ORDER BY attnum)
    FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
))
FROM pg_class AS c
WHERE c.oid IN (to_regclass('ledger.events'), to_regclass('ledger.event_tags'))
UNION ALL
SELECT 'index', i.relname, concat_ws(' ', x.indisunique, x.indisvalid, x.indkey)
FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
WHERE x.indrelid IN (to_regclass('ledger.events'), to_regclass('ledger.event_tags')) AND x.indisprimary
UNION ALL
SELECT 'trigger', t.tgname, concat_ws(' ', t.tgenabled, t.tgtype, c.relname, n.nspname || '.' || p.proname, p.pronargs,
    t.tgqual IS NULL, t.tgattr::text = '')
FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
    JOIN pg_proc AS p ON p.oid = t.tgfoid JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE t.tgrelid IN (to_regclass('ledger.events'), to_regclass('ledger.event_tags')) AND NOT t.tgisinternal
UNION ALL
SELECT 'function', p.proname, concat_ws(' ', l.lanname, p.prosecdef, p.proconfig) || p.prosrc
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace JOIN pg_language AS l ON l.oid = p.prolang
WHERE n.nspname = 'ledger' AND p.proname IN ('refuse_change', 'refuse_tags', 'admit') AND p.pronargs = 0
UNION ALL
SELECT 'constraint', c.conname, pg_get_constraintdef(c.oid) FROM pg_constraint AS c
WHERE c.conrelid IN (to_regclass('ledger.events'), to_regclass('ledger.event_tags')) AND c.contype NOT IN ('p', 'n')
"""
"""What there is of ours, by kind and name. No constraint is, but the primary keys, told by their indexes, and those that
columns are not null."""

_RIGHTS: Final = """
SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END,
    string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type), c.relname
FROM pg_class AS c, aclexplode(c.relacl) AS a
WHERE c.oid IN (to_regclass('ledger.events'), to_regclass('ledger.event_tags')) AND a.grantee <> c.relowner
    AND a.privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER')
GROUP BY 1, 3 ORDER BY 1, 3
"""
"""Who may do what only the owner of the tables should."""

_JOURNAL_SEEN: Final = "SELECT pg_get_viewdef(to_regclass('ledger.journal'))"

_FOREIGN: Final = """
SELECT CASE c.relkind WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view'
    WHEN 'm' THEN 'view' ELSE 'table' END, c.relname,
    EXISTS (SELECT FROM pg_index AS x WHERE x.indexrelid = c.oid
        AND x.indrelid IN (to_regclass('ledger.events'), to_regclass('ledger.event_tags')))
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'ledger' AND c.relname NOT IN ('events', 'event_tags', 'journal', 'events_pkey', 'event_tags_pkey')
    AND c.relkind <> 'c'
UNION ALL
SELECT 'function', p.proname, false
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname = 'ledger' AND NOT (p.proname IN ('refuse_change', 'refuse_tags', 'admit') AND p.pronargs = 0)
ORDER BY 1, 2
"""
"""What is not ours in our schema: kind, name, and whether it is an index of our tables. :data:`_LOOK` has triggers."""

_JOURNAL: Final = """
SELECT "position", type, tags, (convert_from(data, 'UTF8'::name))::json AS fact FROM ledger.events"""

_SOUND: Final = {
    ("table", "events"): "r p f f f position bigint t, type text t, tags text[] t, run bytea t, data bytea t",
    ("table", "event_tags"): "r p f f f tag_hash bigint t, position bigint t",
    ("index", "events_pkey"): "t t 1",
    ("index", "event_tags_pkey"): "t t 1 2",
    ("trigger", "events_are_admitted"): "A 4 events ledger.admit 0 t t",
    ("trigger", "events_are_never_changed"): "A 58 events ledger.refuse_change 0 t t",
    ("trigger", "event_tags_come_with_their_event"): "A 6 event_tags ledger.refuse_tags 0 t t",
    ("trigger", "event_tags_are_never_changed"): "A 58 event_tags ledger.refuse_change 0 t t",
    ("function", "refuse_change"): "plpgsql f" + _REFUSE_CHANGE,
    ("function", "refuse_tags"): "plpgsql f" + _REFUSE_TAGS,
    ("function", "admit"): 'plpgsql t {"search_path=pg_catalog, pg_temp"}' + _ADMIT,
}

Connection = psycopg.Connection[Any]

_Seen = dict[tuple[str, str], str | None]
"""Definitions by kind and name, as :data:`_LOOK` finds them."""


def application_role_sql(role: str) -> str:
    """The statements that let ``role`` record and read events, and nothing else. Run them as the tables' owner."""
    return (
        sql.SQL(
            "GRANT USAGE ON SCHEMA ledger TO {role};\n"
            "GRANT SELECT, INSERT ON ledger.events TO {role};\n"
            "GRANT SELECT ON ledger.event_tags, ledger.journal TO {role};\n"
        )
        .format(role=sql.Identifier(role))
        .as_string(None)
    )


def require_server(connection: Connection, name: str) -> str:
    """Refuse a server whose commits may not last, or that must not be written to. Returns its timeline.

    Another timeline than before means that another server took over, perhaps without the last commits of this one.
    Raises :class:`StoreFault`.
    """
    row = connection.execute(
        f"SELECT pg_is_in_recovery(), {DURABILITY}, current_setting('synchronous_commit'), "
        "getdatabaseencoding(), CASE WHEN pg_is_in_recovery() THEN '' "
        "ELSE left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) END"
    ).fetchone()
    assert row is not None
    standby, fsync, full_page_writes, synchronous_commit, encoding, timeline = row
    major = connection.info.server_version // 10_000
    if major < SERVER_REQUIRED:
        raise _unfit(
            name,
            Text(
                f"服务器版本为{major}，需要{SERVER_REQUIRED}或更高版本，请升级",
                f"it runs PostgreSQL {major}; {SERVER_REQUIRED} or later is needed: upgrade the server",
            ),
        )
    if standby:
        raise _unfit(name, Text("它是只读副本，请改用主库", "it is a replica: name the primary server in the address"))
    require_durable(fsync, full_page_writes, name)
    if synchronous_commit not in ("on", "remote_apply"):
        raise _unfit(
            name,
            Text(
                f"synchronous_commit为{synchronous_commit}，已答复的提交可能丢失；请执行 "
                "ALTER ROLE … RESET synchronous_commit 或在postgresql.conf中设为on",
                f"synchronous_commit is {synchronous_commit}, so a commit that was answered may be lost: set it to on "
                "where it was changed (ALTER ROLE … RESET, ALTER DATABASE … RESET, postgresql.conf)",
            ),
        )
    if encoding != "UTF8":
        raise _unfit(
            name,
            Text(
                f"字符编码为{encoding}，请新建编码为UTF8的数据库",
                f"its encoding is {encoding}: create a database with ENCODING 'UTF8'",
            ),
        )
    return str(timeline)


def require_durable(fsync: str, full_page_writes: str, name: str) -> None:
    """Refuse a server with these settings (:data:`DURABILITY`) if a power failure may lose or tear what it committed.

    Either can be switched off under a running service. Raises :class:`StoreFault`.
    """
    for setting, value in (("fsync", fsync), ("full_page_writes", full_page_writes)):
        if value != "on":
            raise _unfit(
                name,
                Text(
                    f"{setting}已关闭，断电会丢失或损坏数据；请在postgresql.conf中设为on并重新加载",
                    f"{setting} is off, so a power failure loses or corrupts data: "
                    f"set {setting} = on in postgresql.conf and reload the server",
                ),
            )


def settle(connection: Connection, name: str) -> None:
    """Create the store in a database without one, or make sure that it is a store this program can use.

    Any number of processes may do this to one empty database at once. A database that is refused is not written to.
    Raises :class:`StoreFault`, or what psycopg raises where the server did not answer in time.
    """
    if not _is_blank(connection, name):
        return
    try:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
            # Another process may have come first while this one waited; its store is as good as ours.
            if _is_blank(connection, name):
                connection.execute(_CREATE)
    except errors.InsufficientPrivilege as error:
        raise StoreFault(
            Text(
                zh=f"数据库 {name} 尚无账本，当前角色无权创建；请先用数据库所有者启动一次，再授权本角色。",
                en=f"The database {name} holds no store yet, and this role may not create one: start once as the "
                "owner of the database, then grant this role its rights (application_role_sql).",
            )
        ) from error


def holds_something(connection: Connection) -> bool:
    """Whether anything lies in the schema ``ledger``, ours or not."""
    return ("any", "") in _seen(connection)


def changed_objects(connection: Connection) -> list[SchemaObject]:
    """Our objects that are missing or changed, and triggers and indexes of our tables that are not ours: for evidence,
    which is read whatever became of them. Raises :class:`StoreFault` for a store that a newer program wrote."""
    found = _seen(connection)
    version = _version(found)
    if version is not None and version > SCHEMA_VERSION:
        raise other_version(Text("数据库", "database"), connection.info.dbname, version, SCHEMA_VERSION)
    mark = [] if version == SCHEMA_VERSION else [SchemaObject("comment", "events")]
    added = [SchemaObject(kind, name) for kind, name, touches_ours in connection.execute(_FOREIGN) if touches_ours]
    return [*_changed(found), *mark, *added, *_journal(connection)]


def foreign_objects(connection: Connection) -> list[SchemaObject]:
    """What lies in our schema, is not ours, and does not touch our tables."""
    return [SchemaObject(kind, name) for kind, name, touches_ours in connection.execute(_FOREIGN) if not touches_ours]


def rights_to_change(connection: Connection) -> list[tuple[str, str, str]]:
    """Roles beside the owner that may change or delete events as far as rights go, each with what and on which table. The
    triggers still refuse it; the rights were to be a second line."""
    return [(role, rights, table) for role, rights, table in connection.execute(_RIGHTS)]


def _is_blank(connection: Connection, name: str) -> bool:
    """True where there is nothing in the schema ``ledger``, False for a store of ours; anything else is refused."""
    found = _seen(connection)
    if ("any", "") not in found:
        return True
    version = _version(found)
    if version is None:
        raise StoreFault(
            Text(
                zh=f"数据库 {name} 中的 ledger 模式不是本系统的账本，未作任何改动；请指定另一个数据库。",
                en=f"The schema ledger in {name} is not an event store of this program. Nothing was changed in it. "
                "Name another database.",
            )
        )
    if version != SCHEMA_VERSION:
        raise other_version(Text("数据库", "database"), name, version, SCHEMA_VERSION)
    if changed := [one.name for one in _changed(found)]:
        raise StoreFault(
            Text(
                zh=f"数据库 {name} 的账本结构已被改动（{'、'.join(changed)}），请查明原因并从备份恢复。",
                en=f"The schema of the store {name} has been changed ({', '.join(changed)}), so what keeps it "
                "append-only may be gone. Find out who changed it, and restore the store from a backup.",
            )
        )
    return False


def _seen(connection: Connection) -> _Seen:
    found: _Seen = {}
    for kind, name, definition in connection.execute(_LOOK).fetchall():
        # Two tables may have triggers of one name: neither hides the other.
        found[kind, name] = f"{found[kind, name]}; {definition}" if (kind, name) in found else definition
    return found


def _version(found: _Seen) -> int | None:
    mark = re.fullmatch(re.escape(_MARK) + r"(\d+)", found["mark", ""] or "")
    return None if mark is None else int(mark[1])


def _changed(found: _Seen) -> list[SchemaObject]:
    kinds = {"table", "index", "trigger", "function", "constraint"}
    return sorted(
        SchemaObject(*key)
        for key in found.keys() | _SOUND.keys()
        if key[0] in kinds and found.get(key) != _SOUND.get(key)
    )


def _journal(connection: Connection) -> list[SchemaObject]:
    """The view, where it shows something else than it should. Servers write what it is in more words or fewer."""
    row = connection.execute(_JOURNAL_SEEN).fetchone()
    shown = str((row and row[0]) or "").replace(" events.", " ").replace("(events.", "(").rstrip(";")
    return [] if shown.split() == _JOURNAL.split() else [SchemaObject("view", "journal")]


def _unfit(name: str, reason: Text) -> StoreFault:
    return StoreFault(
        Text(
            zh=f"数据库 {name} 不能存放账本：{reason.zh}。",
            en=f"The database {name} cannot hold the ledger: {reason.en}.",
        )
    )
