"""A DCB query as SQL: pure text and bindings, no connection.

A query's *shape* is the number of tags and types of each of its items. Text depends on the shape alone, so
that the few shapes a program uses are built once and stay in every connection's statement cache; tags and
types are bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

import msgspec
from eventsourcing.dcb.api import DCBQuery
from eventsourcing.persistence import ProgrammingError

Shape = tuple[tuple[int, int], ...]
Bindings = list[str | int]

EVERYTHING: Final = 2**63 - 1
"""As a bound on positions or on the number of events: no bound."""

WORDS_MAX: Final = 32_000
"""The most tags and types that one query may name, all items together (SQLite binds up to 32,766 values)."""

# SQLite takes at most 500 terms in one compound SELECT, and expressions at most 1,000 deep.
_TERMS_MAX: Final = 100

_SPAN: Final = "position > ?1 AND position <= ?2"
_COLUMNS: Final = "position, type, tags, data"
_RUNS: Final = """
SELECT position - 1, ifnull(CAST(run AS BLOB), x'') FROM events WHERE position IN (SELECT value FROM json_each(?))"""
_encode = msgspec.json.Encoder().encode


def selection(query: DCBQuery | None, *, after: int, upto: int, limit: int) -> tuple[str, Bindings]:
    """The statement for ``position, type, tags, data`` of matching events in the order of positions."""
    shape, words = _analysed(query)
    return _selection_text(shape), [after, upto, limit, *words]


def match(query: DCBQuery | None, *, after: int, upto: int) -> tuple[str, Bindings]:
    """The statement that yields 1 if any event matches, else 0."""
    shape, words = _analysed(query)
    return _match_text(shape), [after, upto, *words]


def runs(leaves: Sequence[int]) -> tuple[str, Bindings]:
    """The statement for the stored runs of some leaves; a leaf's index is its event's position less one.

    As bytes, whatever they are: what was damaged is found by its hash.
    """
    return _RUNS, [_encode([leaf + 1 for leaf in leaves]).decode()]


def _analysed(query: DCBQuery | None) -> tuple[Shape, list[str]]:
    """The query's shape and its words in the order of binding. The empty shape asks for every event."""
    shape: list[tuple[int, int]] = []
    words: list[str] = []
    for item in query.items if query else ():
        if not item.tags and not item.types:
            return (), []
        tags, types = dict.fromkeys(item.tags), dict.fromkeys(item.types)
        shape.append((len(tags), len(types)))
        words += tags
        words += types
    if len(words) > WORDS_MAX:
        raise ProgrammingError(f"A query names at most {WORDS_MAX} tags and types, this one {len(words)}")
    return tuple(shape), words


@lru_cache(maxsize=256)
def _selection_text(shape: Shape) -> str:
    if not shape:
        return f"SELECT {_COLUMNS} FROM events WHERE {_SPAN} ORDER BY position LIMIT ?3"
    # CROSS JOIN keeps SQLite from scanning the events instead of looking up what was found. Every item comes
    # in the order of positions, so the union is a merge that stops at the limit.
    return (
        f"SELECT e.position, e.type, e.tags, e.data FROM ({_union(list(_items(shape, bound=3)))}) AS found "
        "CROSS JOIN events AS e ON e.position = found.position ORDER BY found.position LIMIT ?3"
    )


@lru_cache(maxsize=256)
def _match_text(shape: Shape) -> str:
    if not shape:
        return f"SELECT EXISTS (SELECT 1 FROM events WHERE {_SPAN})"
    items = list(_items(shape, bound=2))
    if len(items) <= _TERMS_MAX:
        return f"SELECT {' OR '.join(f'EXISTS ({item})' for item in items)}"
    return f"SELECT EXISTS ({_union(items)})"


def _items(shape: Shape, *, bound: int) -> Iterator[str]:
    """For each item, the SELECT of the positions of events that carry all its tags and have one of its types.

    ``bound`` is the number of the last binding used before the first word.
    """
    for tag_count, type_count in shape:
        tags = [f"?{bound + n}" for n in range(1, tag_count + 1)]
        bound += tag_count
        types = ", ".join(f"?{bound + n}" for n in range(1, type_count + 1))
        bound += type_count
        if not tags:
            yield f"SELECT position FROM events WHERE {_SPAN} AND type IN ({types})"
            continue
        text = f"SELECT position FROM event_tags AS t WHERE tag = {tags[0]} AND {_SPAN}"
        for tag in tags[1:]:
            text += f" AND EXISTS (SELECT 1 FROM event_tags WHERE tag = {tag} AND position = t.position)"
        if types:
            text += f" AND EXISTS (SELECT 1 FROM events WHERE position = t.position AND type IN ({types}))"
        yield text


def _union(items: list[str]) -> str:
    """Distinct positions of all items."""
    if len(items) == 1:
        return items[0]
    if len(items) <= _TERMS_MAX:
        return " UNION ".join(items)
    chunks = [items[n : n + _TERMS_MAX] for n in range(0, len(items), _TERMS_MAX)]
    return " UNION ".join(f"SELECT position FROM ({_union(chunk)})" for chunk in chunks)
