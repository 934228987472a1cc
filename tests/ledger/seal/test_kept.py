"""The checkpoint that a folder keeps: signed only of a log that continues it, and never taken back."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from eventsourcing.dcb.api import DCBEvent

from ledger.errors import LedgerError
from ledger.seal import SealError, kept, rehashing
from ledger.seal.durable import FileFault, new_file
from ledger.seal.kept import CHECKPOINT, PUBLIC_KEYS, SIGNING_KEY, Keeper, LogNotContinued
from ledger.seal.keys import KeyFault, write_signer_key
from ledger.seal.merkle import EMPTY, NodeReader, RunReader, leaf_hash
from ledger.seal.note import Checkpoint, SignerKey, open_checkpoint, sign_checkpoint
from ledger.seal.rehashing import GrowingLog, NotAsSealed
from ledger.store.sqlite import SQLiteDCBRecorder

SIGNER = SignerKey("example.gov.cn/funding", bytes(range(32)))


@dataclass
class Growing(GrowingLog):
    """A log in memory. ``runs`` are the stored hashes: those of the events, unless somebody changed them."""

    events: list[bytes]
    runs: list[bytes] = field(default_factory=list)
    read: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.runs = self.runs or EMPTY.append([leaf_hash(leaf) for leaf in self.events])[1]

    def head(self) -> int:
        return len(self.events)

    def nodes(self) -> NodeReader:
        return RunReader(lambda wanted: {at: self.runs[at] for at in wanted if at < len(self.runs)})

    def leaves(self, first: int, last: int) -> list[tuple[int, bytes]]:
        self.read.append((first, last))
        return list(enumerate(self.events, 1))[first - 1 : last]

    def grow(self, *more: bytes) -> None:
        self.events += more
        self.runs = EMPTY.append([leaf_hash(leaf) for leaf in self.events])[1]

    def flip(self, position: int, at: int) -> None:
        """One bit of a byte of what is stored with an event."""
        run = self.runs[position - 1]
        self.runs[position - 1] = run[:at] + bytes([run[at] ^ 1]) + run[at + 1 :]


def log_of(*leaves: bytes) -> Growing:
    return Growing(list(leaves))


FIVE = [b"1", b"2", b"3", b"4", b"5"]
SEVEN = [*FIVE, b"6", b"7"]


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    write_signer_key(tmp_path / SIGNING_KEY, SIGNER)
    (tmp_path / PUBLIC_KEYS).write_text(SIGNER.verifier.encode() + "\n", encoding="utf-8")
    return Keeper(tmp_path)


def kept_size(keeper: Keeper) -> int | None:
    kept = keeper.kept()
    return None if kept is None else kept.size


def test_a_signed_checkpoint_does_not_state_another_log_and_is_kept(keeper: Keeper) -> None:
    signed = keeper.sign(log_of(*FIVE))
    opened = open_checkpoint(signed, [SIGNER.verifier]).checkpoint
    assert (opened.size, opened.root) == (5, EMPTY.append([leaf_hash(leaf) for leaf in FIVE])[0].root)
    assert (keeper.folder / CHECKPOINT).read_bytes() == signed
    assert keeper.kept() == opened


def test_a_log_that_grew_is_not_refused(keeper: Keeper) -> None:
    keeper.sign(log_of(*FIVE))
    keeper.require_continued(log_of(*SEVEN))
    keeper.sign(log_of(*SEVEN))
    assert kept_size(keeper) == 7


@pytest.mark.parametrize(
    "leaves",
    [FIVE[:4], [], [b"x", *FIVE[1:]], [*FIVE[:4], b"x", b"6", b"7"]],
    ids=["shorter", "empty", "another", "forked"],
)
def test_nothing_that_contradicts_the_kept_checkpoint_is_carried_on_or_signed(
    keeper: Keeper, leaves: list[bytes]
) -> None:
    before = keeper.sign(log_of(*FIVE))
    with pytest.raises(LogNotContinued):
        keeper.require_continued(log_of(*leaves))
    with pytest.raises(LogNotContinued):
        keeper.sign(log_of(*leaves))
    assert (keeper.folder / CHECKPOINT).read_bytes() == before


def test_the_kept_checkpoint_does_not_go_back_when_an_earlier_size_is_signed(keeper: Keeper) -> None:
    latest = keeper.sign(log_of(*SEVEN))
    earlier = open_checkpoint(keeper.sign(log_of(*SEVEN), size=5), [SIGNER.verifier]).checkpoint
    assert earlier.size == 5
    assert (keeper.folder / CHECKPOINT).read_bytes() == latest


def test_a_kept_checkpoint_that_was_edited_is_not_believed(keeper: Keeper) -> None:
    signed = keeper.sign(log_of(*FIVE))
    (keeper.folder / CHECKPOINT).write_bytes(signed.replace(b"\n5\n", b"\n4\n"))
    with pytest.raises(SealError):
        keeper.require_continued(log_of(*FIVE[:4]))


def test_a_kept_checkpoint_without_a_public_key_does_not_let_a_shorter_log_pass(keeper: Keeper) -> None:
    keeper.sign(log_of(*FIVE))
    (keeper.folder / PUBLIC_KEYS).unlink()
    keeper.require_continued(log_of(*FIVE))
    with pytest.raises(LogNotContinued):
        keeper.require_continued(log_of(*FIVE[:4]))


def test_without_a_key_nothing_is_signed_and_closing_does_not_fail(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    keeper.advance(log_of(*FIVE))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyFault, match="funding-ledger keys"):
        keeper.sign(log_of(*FIVE))


def test_a_folder_with_an_old_checkpoint_does_not_stay_behind_when_closed(keeper: Keeper) -> None:
    keeper.advance(log_of(*FIVE))
    keeper.advance(log_of(*SEVEN))
    assert kept_size(keeper) == 7


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
        keeper.sign(store)
    store.close()


def test_many_who_sign_at_once_do_not_take_back_the_checkpoint_that_is_kept(keeper: Keeper) -> None:
    log = log_of(*SEVEN)
    with ThreadPoolExecutor(7) as threads:
        for _ in range(5):
            (keeper.folder / CHECKPOINT).unlink(missing_ok=True)
            list(threads.map(lambda size: keeper.sign(log, size=size), (7, 6, 5, 4, 3, 2, 1)))
            assert kept_size(keeper) == 7


# ---- Somebody else records and signs meanwhile


def test_a_log_that_others_sign_while_one_waits_to_sign_is_not_called_shorter(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, alone = log_of(*FIVE), Keeper._alone
    waiting = [b"6"]

    @contextmanager
    def after_another(self: Keeper) -> Iterator[None]:
        if waiting:
            log.grow(waiting.pop())
            keeper.sign(log)
        with alone(self):
            yield

    monkeypatch.setattr(Keeper, "_alone", after_another)
    assert open_checkpoint(keeper.sign(log), [SIGNER.verifier]).checkpoint.size == 6


def test_a_log_that_others_sign_while_one_reads_what_was_kept_is_not_called_shorter(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, kept_now = log_of(*FIVE), Keeper.kept
    waiting = [b"6"]

    def after_another(self: Keeper) -> Checkpoint | None:
        if waiting:
            log.grow(waiting.pop())
            keeper.sign(log)
        return kept_now(self)

    keeper.sign(log)
    monkeypatch.setattr(Keeper, "kept", after_another)
    keeper.require_continued(log)
    assert not waiting


# ---- What is stored is not believed


@pytest.mark.parametrize("signed_before", [0, 3, 5])
def test_no_flipped_bit_of_a_stored_hash_gets_into_what_is_signed(keeper: Keeper, signed_before: int) -> None:
    true = EMPTY.append([leaf_hash(leaf) for leaf in SEVEN])[0].root
    refusals: list[tuple[int, int, LedgerError]] = []
    for position, run in enumerate(log_of(*SEVEN).runs, 1):
        for at in range(0, len(run), 32):
            (keeper.folder / CHECKPOINT).unlink(missing_ok=True)
            if signed_before:
                keeper.sign(log_of(*SEVEN), size=signed_before)
            log = log_of(*SEVEN)
            log.flip(position, at)
            try:
                signed = keeper.sign(log)
            except (NotAsSealed, LogNotContinued) as error:
                refusals.append((position, at, error))
                assert kept_size(keeper) == (signed_before or None)
            else:
                assert open_checkpoint(signed, [SIGNER.verifier]).checkpoint.root == true
    assert refusals
    for position, at, refusal in refusals:
        assert "funding-ledger verify" in refusal.text.en
        assert "funding-ledger verify" in refusal.text.zh
        if isinstance(refusal, NotAsSealed) and at == 0:
            assert refusal.text.en.startswith(f"position {position}: ")


@pytest.mark.parametrize("position", range(1, 8))
def test_an_event_that_was_changed_since_the_last_checkpoint_is_named_and_not_signed(
    keeper: Keeper, position: int
) -> None:
    log = log_of(*SEVEN)
    keeper.sign(log, size=3)
    log.events[position - 1] = b"x"
    if position <= 3:
        # What was signed then stays true, and is what is carried on.
        root = EMPTY.append([leaf_hash(leaf) for leaf in SEVEN])[0].root
        assert open_checkpoint(keeper.sign(log), [SIGNER.verifier]).checkpoint.root == root
        return
    with pytest.raises(NotAsSealed, match=f"^position {position}: "):
        keeper.sign(log)
    assert kept_size(keeper) == 3


def test_what_was_replaced_with_its_own_hash_is_not_signed(keeper: Keeper) -> None:
    log = log_of(*SEVEN)
    log.events[3] = b"x"
    log.runs[3] = leaf_hash(b"x") + log.runs[3][32:]
    with pytest.raises(NotAsSealed, match=r"^positions 3 to 4: "):
        keeper.sign(log)


def test_a_missing_event_is_not_signed_over(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehashing, "BATCH", 2)
    log = log_of(*SEVEN)
    whole = log.leaves
    monkeypatch.setattr(log, "leaves", lambda first, last: [one for one in whole(first, last) if one[0] != 4])
    with pytest.raises(NotAsSealed, match=r"^position 4: "):
        keeper.sign(log)


def test_an_earlier_size_is_not_signed_where_the_stored_hashes_do_not_lead_to_what_was_kept(keeper: Keeper) -> None:
    log = log_of(*SEVEN)
    keeper.sign(log)
    assert open_checkpoint(keeper.sign(log, size=0), [SIGNER.verifier]).checkpoint.root == EMPTY.root
    log.flip(5, 0)
    with pytest.raises(NotAsSealed, match="funding-ledger verify"):
        keeper.sign(log, size=5)


def test_only_what_is_new_is_read_to_sign_it_and_closing_does_not_take_long(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehashing, "BATCH", 2)
    monkeypatch.setattr(kept, "ADVANCED_MOST", 3)
    log = log_of(*SEVEN)
    keeper.advance(log)
    assert (kept_size(keeper), log.read) == (3, [(1, 2), (3, 3)])
    keeper.advance(log)
    assert (kept_size(keeper), log.read[2:]) == (6, [(4, 5), (6, 6)])
    keeper.sign(log)
    assert (kept_size(keeper), log.read[4:]) == (7, [(7, 7)])
    keeper.advance(log)
    assert len(log.read) == 5


# ---- A key of another log


def test_what_a_key_of_another_log_signs_is_not_kept(keeper: Keeper, tmp_path: Path) -> None:
    before = keeper.sign(log_of(*FIVE))
    for number, name in enumerate(("other.example", SIGNER.verifier.name)):
        other = SignerKey(name, bytes(32))
        write_signer_key(tmp_path / f"{number}.key", other)
        with pytest.raises(KeyFault, match="--signing-key") as caught:
            Keeper(tmp_path, tmp_path / f"{number}.key").sign(log_of(*SEVEN))
        assert other.verifier.label in caught.value.text.en
        assert other.verifier.label in caught.value.text.zh
    assert (keeper.folder / CHECKPOINT).read_bytes() == before
    # Nor one that the folder was given for another purpose.
    with (tmp_path / PUBLIC_KEYS).open("a", encoding="utf-8") as file:
        file.write(SignerKey("other.example", bytes(32)).verifier.encode() + "\n")
    with pytest.raises(KeyFault, match=SIGNER.verifier.name):
        Keeper(tmp_path, tmp_path / "0.key").sign(log_of(*SEVEN))
    assert (keeper.folder / CHECKPOINT).read_bytes() == before
    keeper.sign(log_of(*SEVEN))


def test_nothing_is_signed_that_nobody_could_check(keeper: Keeper) -> None:
    (keeper.folder / PUBLIC_KEYS).unlink()
    with pytest.raises(KeyFault, match="run funding-ledger keys"):
        keeper.sign(log_of(*FIVE))
    assert not (keeper.folder / CHECKPOINT).exists()
