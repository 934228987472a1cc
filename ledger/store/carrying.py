"""A log carried into an empty store, event by event: the bytes stay the same, the hashes over them are made anew.

So a backup of one kind of store can be restored into the other, and an export into either (docs/adr/0010).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import apsw
import msgspec
from eventsourcing.dcb.api import DCBEvent

from ledger.counted import counted
from ledger.errors import StoreFault, Text
from ledger.seal.durable import failed
from ledger.seal.leaf import leaf_bytes
from ledger.seal.merkle import EMPTY, frontier_at, leaf_hash
from ledger.seal.sealed_log import Row, SealedLog
from ledger.seal.verification import SPAN
from ledger.store.contract import LedgerStore
from ledger.store.sqlite import SQLiteDCBRecorder
from ledger.store.sqlite_connections import explained

_decode_tags = msgspec.json.Decoder(list[str]).decode

Progress = Callable[[int], None]
"""Told the position reached."""

UNWATCHED: Final[Progress] = lambda position: None  # noqa: E731 - what a caller who does not ask is told


class NotEmpty(StoreFault):
    """A store that holds events already. Nothing was carried into it."""

    code = "store-not-empty"


def carry(source: SealedLog, target: LedgerStore, root: bytes, progress: Progress = UNWATCHED) -> None:
    """Append all events of ``source`` to an empty store, in one transaction: all of them are there afterwards, or none.

    ``root`` is the Merkle root that they must come to. Takes memory for some thousand events. Raises :class:`NotEmpty`,
    ``StoreFault`` where ``source`` is not what the root was made of, and what reading and appending raise.
    """
    frontier = EMPTY
    with target.transaction() as transaction:
        if transaction.head:
            raise NotEmpty(
                Text(
                    f"其中已有{transaction.head}个事件，未作改动；请指定新的空数据库",
                    f"it holds {counted(transaction.head, 'event')} already and was left as it is; name a new, empty "
                    "database",
                )
            )
        for first in range(1, source.size + 1, SPAN):
            last = min(first + SPAN - 1, source.size)
            events = [_event(row) for row in source.rows(first, last)]
            transaction.append(events)
            leaves = [leaf_hash(leaf_bytes(event.type, event.tags, event.data)) for event in events]
            frontier, _ = frontier.append(leaves)
            progress(last)
        # What the store made of them too: before the commit, so that a store that says otherwise is left empty.
        stored = frontier_at(source.size, transaction.nodes()).root
        if frontier.size != source.size or not frontier.root == stored == root:
            raise StoreFault(
                Text(
                    "事件的内容与封存的哈希不符，副本未保留；请运行 funding-ledger verify 查明。",
                    "The events are not what their seal was made of, and no copy was kept; find out with "
                    "funding-ledger verify.",
                )
            )


def carry_into_file(source: SealedLog, path: Path, root: bytes, progress: Progress = UNWATCHED) -> None:
    """:func:`carry` into a new SQLite store: one file, flushed, without a log beside it. Raises as it does."""
    assert not path.exists(), "a copy is a new file"
    store = SQLiteDCBRecorder(path)
    try:
        carry(source, store, root, progress)
    finally:
        store.close()
    try:
        connection = apsw.Connection(str(path))
        try:
            connection.pragma("journal_mode", "delete")
        finally:
            connection.close()
        with path.open("rb") as file:
            os.fsync(file.fileno())
    except apsw.Error as error:
        raise explained(error, str(path)) from error
    except OSError as error:
        raise failed(path, error) from error


def _event(row: Row) -> DCBEvent:
    try:
        return DCBEvent(type=row.type_name, data=row.data, tags=_decode_tags(row.tags))
    except msgspec.DecodeError as error:
        raise StoreFault(
            Text(f"第{row.position}号事件无法读取", f"the event at position {row.position} cannot be read")
        ) from error
