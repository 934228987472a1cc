"""The checkpoint that a folder keeps: signed only of a log that continues it, and never taken back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from eventsourcing.dcb.api import DCBEvent

from ledger.seal import SealError
from ledger.seal.durable import FileFault, new_file
from ledger.seal.kept import CHECKPOINT, PUBLIC_KEYS, SIGNING_KEY, Keeper, LogNotContinued
from ledger.seal.keys import KeyFault, write_signer_key
from ledger.seal.merkle import EMPTY, NodeReader, RunReader, leaf_hash
from ledger.seal.note import Checkpoint, SignerKey, open_checkpoint, sign_checkpoint
from ledger.store.sqlite import SQLiteDCBRecorder

SIGNER = SignerKey("example.gov.cn/funding", bytes(range(32)))


def nodes_of(*leaves: bytes) -> NodeReader:
    _, runs = EMPTY.append([leaf_hash(leaf) for leaf in leaves])
    return RunReader(lambda wanted: {at: runs[at] for at in wanted if at < len(runs)})


FIVE = [b"1", b"2", b"3", b"4", b"5"]
SEVEN = [*FIVE, b"6", b"7"]


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    write_signer_key(tmp_path / SIGNING_KEY, SIGNER)
    (tmp_path / PUBLIC_KEYS).write_text(SIGNER.verifier.encode() + "\n", encoding="utf-8")
    return Keeper(tmp_path)


def test_a_signed_checkpoint_does_not_state_another_log_and_is_kept(keeper: Keeper) -> None:
    signed = keeper.sign(5, nodes_of(*FIVE))
    opened = open_checkpoint(signed, [SIGNER.verifier]).checkpoint
    assert (opened.size, opened.root) == (5, EMPTY.append([leaf_hash(leaf) for leaf in FIVE])[0].root)
    assert (keeper.folder / CHECKPOINT).read_bytes() == signed
    assert keeper.kept() == opened


def test_a_log_that_grew_is_not_refused(keeper: Keeper) -> None:
    keeper.sign(5, nodes_of(*FIVE))
    keeper.require_continued(7, nodes_of(*SEVEN))
    keeper.sign(7, nodes_of(*SEVEN))
    kept = keeper.kept()
    assert kept is not None
    assert kept.size == 7


@pytest.mark.parametrize(
    ("head", "leaves"),
    [(4, FIVE[:4]), (0, []), (5, [b"x", *FIVE[1:]]), (7, [*FIVE[:4], b"x", b"6", b"7"])],
    ids=["shorter", "empty", "another", "forked"],
)
def test_nothing_that_contradicts_the_kept_checkpoint_is_carried_on_or_signed(
    keeper: Keeper, head: int, leaves: list[bytes]
) -> None:
    before = keeper.sign(5, nodes_of(*FIVE))
    with pytest.raises(LogNotContinued):
        keeper.require_continued(head, nodes_of(*leaves))
    with pytest.raises(LogNotContinued):
        keeper.sign(head, nodes_of(*leaves))
    assert (keeper.folder / CHECKPOINT).read_bytes() == before


def test_the_kept_checkpoint_does_not_go_back_when_an_earlier_size_is_signed(keeper: Keeper) -> None:
    latest = keeper.sign(7, nodes_of(*SEVEN))
    earlier = open_checkpoint(keeper.sign(7, nodes_of(*SEVEN), size=5), [SIGNER.verifier]).checkpoint
    assert earlier.size == 5
    assert (keeper.folder / CHECKPOINT).read_bytes() == latest


def test_a_kept_checkpoint_that_was_edited_is_not_believed(keeper: Keeper) -> None:
    signed = keeper.sign(5, nodes_of(*FIVE))
    (keeper.folder / CHECKPOINT).write_bytes(signed.replace(b"\n5\n", b"\n4\n"))
    with pytest.raises(SealError):
        keeper.require_continued(4, nodes_of(*FIVE[:4]))


def test_a_kept_checkpoint_without_a_public_key_does_not_let_a_shorter_log_pass(keeper: Keeper) -> None:
    keeper.sign(5, nodes_of(*FIVE))
    (keeper.folder / PUBLIC_KEYS).unlink()
    keeper.require_continued(5, nodes_of(*FIVE))
    with pytest.raises(LogNotContinued):
        keeper.require_continued(4, nodes_of(*FIVE[:4]))


def test_without_a_key_nothing_is_signed_and_closing_does_not_fail(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    keeper.advance(5, nodes_of(*FIVE))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyFault, match="funding-ledger keys"):
        keeper.sign(5, nodes_of(*FIVE))


def test_a_folder_with_an_old_checkpoint_does_not_stay_behind_when_closed(keeper: Keeper) -> None:
    keeper.advance(5, nodes_of(*FIVE))
    keeper.advance(7, nodes_of(*SEVEN))
    kept = keeper.kept()
    assert kept is not None
    assert kept.size == 7


def test_a_checkpoint_of_another_key_is_not_taken_for_ours(keeper: Keeper) -> None:
    other = SignerKey("other.example", bytes(32))
    forged = sign_checkpoint(Checkpoint("other.example", 0, EMPTY.root), [other])
    (keeper.folder / CHECKPOINT).write_bytes(forged)
    with pytest.raises(SealError, match=CHECKPOINT):
        keeper.kept()


def test_a_new_file_is_not_there_in_part_and_does_not_replace_another(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with pytest.raises(ZeroDivisionError), new_file(path) as file:
        file.write(b"%d" % (1 // 0))
    assert list(tmp_path.iterdir()) == []
    with new_file(path) as file:
        file.write(b"whole")
    with pytest.raises(FileFault), new_file(path):
        pass
    assert path.read_bytes() == b"whole"
    with pytest.raises(FileFault), new_file(tmp_path / "gone" / "out"):
        pass


def test_who_signs_is_not_held_up_by_himself_where_the_store_needs_another_connection(keeper: Keeper) -> None:
    """To open one takes a turn by a lock on the folder, which is the keeper's folder too."""
    store = SQLiteDCBRecorder(keeper.folder / "facts.sqlite", lock_timeout_s=0)
    store.append([DCBEvent("noted", b"1", [])])
    with store._readers.lend():
        keeper.sign(1, store.nodes())
    store.close()


def test_many_who_sign_at_once_do_not_take_back_the_checkpoint_that_is_kept(keeper: Keeper) -> None:
    nodes = nodes_of(*SEVEN)
    with ThreadPoolExecutor(7) as threads:
        for _ in range(5):
            (keeper.folder / CHECKPOINT).unlink(missing_ok=True)
            list(threads.map(lambda size: keeper.sign(7, nodes, size=size), (7, 6, 5, 4, 3, 2, 1)))
            kept = keeper.kept()
            assert kept is not None
            assert kept.size == 7
