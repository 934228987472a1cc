"""Every appended event is a leaf of the store's tree, whoever appends it and whatever was rolled back in between."""

from __future__ import annotations

from pathlib import Path

import pytest
from eventsourcing.dcb.api import DCBEvent

from ledger.seal.leaf import leaf_bytes
from ledger.seal.merkle import Frontier, frontier_at, inclusion_proof, leaf_hash, verify_inclusion
from ledger.store.sqlite import SQLiteDCBRecorder


def event(number: int) -> DCBEvent:
    return DCBEvent("noted", b'{"n":%d}' % number, [f"n={number}"])


def root_of(recorder: SQLiteDCBRecorder) -> bytes:
    return frontier_at(recorder.head(), recorder.nodes()).root


def root_from_events(recorder: SQLiteDCBRecorder) -> bytes:
    """The root computed afresh from what is stored, without the stored hashes."""
    stored = [each.event for each in recorder.read()]
    leaves = [leaf_hash(leaf_bytes(each.type, each.tags, each.data)) for each in stored]
    return Frontier(0, ()).append(leaves)[0].root


def append_and_fail(recorder: SQLiteDCBRecorder, events: list[DCBEvent]) -> None:
    with recorder.transaction() as transaction:
        transaction.append(events)
        raise RuntimeError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "facts.sqlite"


def test_the_stored_tree_is_the_tree_of_the_stored_events(path: Path) -> None:
    recorder = SQLiteDCBRecorder(path)
    for number in range(13):
        recorder.append([event(number), event(100 + number)])
        assert root_of(recorder) == root_from_events(recorder)
    recorder.close()


def test_two_openers_of_one_file_continue_each_others_tree(path: Path) -> None:
    first, second = SQLiteDCBRecorder(path), SQLiteDCBRecorder(path)
    for number in range(20):
        (first if number % 3 else second).append([event(number)])
    assert root_of(first) == root_from_events(second)
    first.close()
    second.close()


def test_what_was_rolled_back_is_not_in_the_tree_even_where_others_took_its_places(path: Path) -> None:
    first, second = SQLiteDCBRecorder(path), SQLiteDCBRecorder(path)
    first.append([event(0)])
    with pytest.raises(RuntimeError):
        append_and_fail(first, [event(1), event(2)])
    second.append([event(3), event(4)])
    first.append([event(5)])
    assert root_of(first) == root_from_events(first)
    first.close()
    second.close()


def test_an_event_proves_that_it_is_in_the_log(path: Path) -> None:
    recorder = SQLiteDCBRecorder(path)
    recorder.append([event(number) for number in range(11)])
    proof = inclusion_proof(6, 11, recorder.nodes())
    leaf = leaf_hash(leaf_bytes("noted", ["n=6"], b'{"n":6}'))
    verify_inclusion(leaf_index=6, size=11, leaf=leaf, root=root_of(recorder), proof=proof)
    recorder.close()
