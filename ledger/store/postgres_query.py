"""Queries and events as PostgreSQL takes them: statements of fixed text, and arrays in the server's binary form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from struct import Struct
from typing import Final

from eventsourcing.dcb.api import DCBEvent, DCBQuery, DCBSequencedEvent

from ledger.errors import StoreFault, Text
from ledger.store.postgres_schema import DURABILITY, WRITE_LOCK

Row = tuple[int, str, list[str], bytes]
Statement = tuple[str, tuple[object, ...]]
Insertion = list[bytes]
"""The parameters of the prepared insertion, in binary form."""


_TEXT_OID: Final = 25
_BYTEA_OID: Final = 17
_ARRAY_HEADER: Final = Struct("!iiIii").pack
_LENGTH: Final = Struct("!i").pack
_BIGINT: Final = Struct("!q").pack


# Every connection plans each statement once, for any values (see postgres_connections): the texts must be such that the
# one plan is right for a tag with one event and for a tag with a million.

_EVERY: Final = """
SELECT position, type, tags, data FROM ledger.events WHERE position > $1::bigint ORDER BY position LIMIT $2::bigint"""

_BY_TAG: Final = """
SELECT e.position, e.type, e.tags, e.data
FROM ledger.event_tags AS t JOIN ledger.events AS e ON e.position = t.position
WHERE t.tag_hash = $3::bigint AND t.position > $1::bigint
    AND e.tags @> $4::text[] AND ($5::text[] IS NULL OR e.type = ANY ($5::text[]))
ORDER BY t.position LIMIT $2::bigint"""

# $3, $4, $5: for each item with tags, the hash of the first, and all tags and types as array literals; $6: the types that
# items without tags ask for. Each item yields its own first events; more of them cannot be among the first of all.
_BY_ITEMS: Final = """
SELECT position, type, tags, data FROM ledger.events WHERE position IN (
    SELECT found.position
    FROM unnest($3::bigint[], $4::text[], $5::text[]) AS item (tag_hash, tags, types) CROSS JOIN LATERAL (
        SELECT t.position
        FROM ledger.event_tags AS t JOIN ledger.events AS e ON e.position = t.position
        WHERE t.tag_hash = item.tag_hash AND t.position > $1::bigint
            AND e.tags @> item.tags::text[] AND (item.types IS NULL OR e.type = ANY (item.types::text[]))
        ORDER BY t.position LIMIT $2::bigint
    ) AS found
) ORDER BY position LIMIT $2::bigint"""

_BY_TYPE: Final = """
SELECT position, type, tags, data FROM ledger.events
WHERE position > $1::bigint AND type = ANY ($3::text[]) ORDER BY position LIMIT $2::bigint"""

_BY_ITEMS_OR_TYPE: Final = f"""
SELECT position, type, tags, data FROM (
    SELECT * FROM ({_BY_ITEMS}) AS by_items UNION SELECT * FROM ({_BY_TYPE.replace("$3", "$6")}) AS by_type
) AS either ORDER BY position LIMIT $2::bigint"""

HEAD: Final = "SELECT coalesce(max(position), 0) FROM ledger.events"

RUN: Final = "SELECT run FROM ledger.events WHERE position = %s"

# What every write begins with: the last position, its run, and what must not have changed since the service started.
_STATE: Final = f"""
SELECT coalesce(last.position, 0), last.run, {DURABILITY}
FROM (VALUES (1)) AS one LEFT JOIN (
    SELECT position, run FROM ledger.events ORDER BY position DESC LIMIT 1
) AS last ON true"""

INSERT_NAME: Final = b"ledger_insert"
_INSERT: Final = """
INSERT INTO ledger.events (position, type, tags, run, data)
SELECT $1::bigint + number, type, tags::text[], run, data
FROM unnest($2::text[], $3::text[], $4::bytea[], $5::bytea[]) WITH ORDINALITY AS added (type, tags, run, data, number)"""

_RUNS: Final = "SELECT position - 1, run FROM ledger.events WHERE position = ANY ($1::bigint[])"

_HISTORIES: Final = """
SELECT position, type, tags, data FROM ledger.events
WHERE position > 0 AND position IN (SELECT position FROM ledger.event_tags WHERE tag_hash = ANY ($1::bigint[]))
ORDER BY position"""

PREPARE: Final = f"""
PREPARE ledger_lock AS SELECT pg_advisory_xact_lock({WRITE_LOCK});
PREPARE ledger_state AS {_STATE};
PREPARE ledger_histories AS {_HISTORIES};
PREPARE {INSERT_NAME.decode()} AS {_INSERT};
"""

_BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; EXECUTE ledger_lock; EXECUTE ledger_state"


def begin(foreseen: Sequence[str]) -> str:
    """Begin, take the write lock, then look at the store's state and the histories: four statements in one round trip.

    The state is one row: head, run of the last event (NULL in an empty store), and :data:`DURABILITY`.

    The lock is a statement of its own, and the isolation is stated, because the head must be looked up in a snapshot that
    is taken when the lock is held.
    """
    return f"{_BEGIN}; EXECUTE ledger_histories('{{{_hashes(foreseen)}}}')" if foreseen else _BEGIN


def histories(tags: Sequence[str]) -> Statement:
    """The statement for all events that carry any of the tags (or a tag of the same hash), in order."""
    return _HISTORIES, (f"{{{_hashes(tags)}}}",)


def by_tag(tags: Sequence[str], rows: Iterable[Row]) -> dict[str, list[DCBSequencedEvent]]:
    """The rows of :func:`histories`, each under those of the tags that it carries."""
    found: dict[str, list[DCBSequencedEvent]] = {tag: [] for tag in tags}
    for event in map(sequenced, rows):
        for tag in dict.fromkeys(event.event.tags):
            if tag in found:
                found[tag].append(event)
    return found


def insertion(head: int, events: Sequence[DCBEvent], seal: Callable[[], list[bytes]]) -> Insertion:
    """The parameters that insert the events after the head, with the runs that ``seal`` gives for them.

    Raises :class:`StoreFault` for what cannot be kept, before it seals anything.
    """
    types, tags, data = [], [], []
    for event in events:
        if type(event.data) is not bytes or type(event.tags) is not list:
            raise _unkept(event, "its data is not bytes, or its tags are not a list")
        try:
            literal = _literal(event.tags).encode()
            type_ = event.type.encode()
        except UnicodeEncodeError:
            raise _unkept(event, "its type or a tag is not Unicode text") from None
        if b"\0" in literal or b"\0" in type_:
            raise _unkept(event, "its type or a tag contains the character NUL")
        types.append(type_)
        tags.append(literal)
        data.append(event.data)
    return [
        _BIGINT(head),
        _array(_TEXT_OID, types),
        _array(_TEXT_OID, tags),
        _array(_BYTEA_OID, seal()),
        _array(_BYTEA_OID, data),
    ]


def runs(leaves: Sequence[int]) -> Statement:
    """The statement for the stored runs of some leaves; a leaf's index is its event's position less one."""
    return _RUNS, ([leaf + 1 for leaf in leaves],)


def selection(query: DCBQuery | None, *, after: int, limit: int | None) -> Statement:
    """The statement for matching events in order, in one snapshot with the head.

    It yields ``head, position, type, tags, data`` for each; one row of the head alone where nothing matches.
    """
    text, values = _selection(query, after, limit)
    return (
        f"SELECT head, found.* FROM ({HEAD}) AS h (head) LEFT JOIN LATERAL ({text}) AS found ON true",
        values,
    )


def match(query: DCBQuery | None, *, after: int) -> Statement:
    """The statement that yields whether any event after the position matches."""
    text, values = _selection(query, after, 1)
    return f"SELECT EXISTS ({text})", values


def sequenced(row: Row) -> DCBSequencedEvent:
    position, type_, tags, data = row
    return DCBSequencedEvent(DCBEvent(type=type_, data=data, tags=tags), position)


def _selection(query: DCBQuery | None, after: int, limit: int | None) -> Statement:
    items = query.items if query else []
    if not items or any(not item.tags and not item.types for item in items):
        return _EVERY, (after, limit)
    tagged = [item for item in items if item.tags and all(map(_is_kept, item.tags))]
    types = [type_ for item in items if not item.tags for type_ in item.types if _is_kept(type_)]
    if len(items) == len(tagged) == 1:
        tags, own_types = tagged[0].tags, [*filter(_is_kept, tagged[0].types)]
        return _BY_TAG, (after, limit, tag_hash(tags[0]), tags, own_types if tagged[0].types else None)
    if not tagged:
        return _BY_TYPE, (after, limit, types)
    columns = (
        [tag_hash(item.tags[0]) for item in tagged],
        [_literal(item.tags) for item in tagged],
        [_literal([*filter(_is_kept, item.types)]) if item.types else None for item in tagged],
    )
    if not types:
        return _BY_ITEMS, (after, limit, *columns)
    return _BY_ITEMS_OR_TYPE, (after, limit, *columns, types)


def tag_hash(tag: str) -> int:
    """What ``ledger.event_tags`` keeps of a tag; the trigger computes the same."""
    return int.from_bytes(sha256(tag.encode()).digest()[:8], "big", signed=True)


def _hashes(tags: Sequence[str]) -> str:
    return ",".join(str(tag_hash(tag)) for tag in tags if _is_kept(tag))


def _is_kept(word: str) -> bool:
    """Whether there can be such a tag or type in the store; where not, whoever asks for it finds nothing."""
    return "\0" not in word and (word.isascii() or not any("\ud800" <= character <= "\udfff" for character in word))


def _literal(words: Sequence[str]) -> str:
    """A one-dimensional ``text[]`` as PostgreSQL reads it."""
    quoted = '","'.join(words)
    if quoted.count('"') > 2 * (len(words) - 1) or "\\" in quoted:
        quoted = '","'.join(word.replace("\\", "\\\\").replace('"', '\\"') for word in words)
    return f'{{"{quoted}"}}' if words else "{}"


def _array(oid: int, items: Sequence[bytes]) -> bytes:
    parts = [_ARRAY_HEADER(1, 0, oid, len(items), 1)]
    for item in items:
        parts.append(_LENGTH(len(item)))
        parts.append(item)
    return b"".join(parts)


def _unkept(event: DCBEvent, reason: str) -> StoreFault:
    return StoreFault(
        Text(
            zh=f"事件“{event.type}”无法存入账本（{reason}），未作任何记录；这是程序错误，请报告。",
            en=f"The event {event.type!r} cannot be kept: {reason}. Nothing was recorded. "
            "This is a mistake in the program: report it.",
        )
    )
