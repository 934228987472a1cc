"""R2, power loss: whatever the disk kept, all that was acknowledged is there, and nothing is half there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from random import Random
from typing import Any

import apsw
import pytest
from eventsourcing.dcb.api import DCBEvent

from ledger.store import sqlite_connections, sqlite_log_rewrite, sqlite_schema
from ledger.store.schema_object import SchemaObject
from ledger.store.sealing import Sealer
from ledger.store.sqlite import WriteTransaction
from tests.reliability.disk import Flushed, PowerLoss, Wrote
from tests.reliability.failed_flush import fail_the_power_after_a_failed_flush
from tests.reliability.power_loss import fail_the_power
from tests.reliability.soak_figures import SHORT

SHARES = 8


@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES))
def test_no_image_of_a_failed_disk_lacks_what_was_acknowledged(share: int) -> None:
    tally = fail_the_power(SHORT.power_loss_images // SHARES, seed=share)
    assert tally.losses == []
    assert tally.distinct >= SHORT.power_loss_images // SHARES
    assert tally.asked_again > 0, "no image was asked at the door"


@pytest.mark.slow
def test_what_is_acknowledged_after_a_flush_that_failed_is_not_lost_by_the_process_that_met_it() -> None:
    tally = fail_the_power(SHORT.power_loss_images // 10, seed=50, flushes_fail=True, restarts=False)
    assert tally.losses == []


@pytest.mark.parametrize("auditor_first", [False, True])
def test_a_commit_whose_flush_failed_does_not_take_with_it_what_the_next_process_acknowledges(
    auditor_first: bool,
) -> None:
    assert fail_the_power_after_a_failed_flush(300, auditor_first=auditor_first) == []


@pytest.mark.slow
def test_what_is_acknowledged_after_a_flush_that_failed_is_not_lost_by_the_next_process() -> None:
    tally = fail_the_power(SHORT.power_loss_images // 4, seed=60, flushes_fail=True)
    assert tally.losses == []


# --- the checks can fail --------------------------------------------------------------------------


def test_a_store_that_does_not_flush_each_commit_is_found_out() -> None:
    assert "lost" in fail_the_power(300, seed=90, synchronous="normal", store_only=True).kinds()


def test_a_door_on_a_store_that_does_not_flush_each_commit_is_found_out() -> None:
    assert "lost" in fail_the_power(400, seed=91, synchronous="normal").kinds()


def test_a_log_that_is_not_put_on_the_disk_again_by_the_next_process_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sqlite_log_rewrite, "_rewrite", lambda log: None)
    assert "lost" in fail_the_power_after_a_failed_flush(300)


def test_a_log_whose_name_is_not_flushed_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_log_rewrite, "take_name", lambda new, name: os.replace(new, name))
    assert "lost" in fail_the_power_after_a_failed_flush(300)


def test_an_auditor_who_comes_first_and_believes_the_log_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.store.sqlite_reading.lasting_log", lambda path, timeout_s: nullcontext())
    assert "lost" in fail_the_power_after_a_failed_flush(300, auditor_first=True)


def test_a_store_that_never_flushes_is_found_out() -> None:
    assert {"lost", "not-a-prefix"} < fail_the_power(600, seed=92, synchronous="off", store_only=True).kinds() | {""}


def test_a_flush_that_nobody_asks_for_at_all_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    open_store = sqlite_connections.open_store

    def careless(path: str, *, lock_timeout_s: int) -> apsw.Connection:
        connection = open_store(path, lock_timeout_s=lock_timeout_s)
        connection.pragma("synchronous", "normal")
        return connection

    monkeypatch.setattr("ledger.store.sqlite.open_store", careless)
    assert "lost" in fail_the_power(300, seed=93, store_only=True).kinds()


def test_half_a_commit_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    append = WriteTransaction.append

    def one_by_one(self: WriteTransaction, events: Sequence[DCBEvent]) -> int:
        for event in events:
            append(self, [event])
            self._connection.execute("COMMIT")
            self._connection.execute("BEGIN IMMEDIATE")
        return self.head

    monkeypatch.setattr(WriteTransaction, "append", one_by_one)
    assert "not-a-prefix" in fail_the_power(300, seed=94, store_only=True).kinds()


def test_a_seal_that_remembers_what_was_rolled_back_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(self: Sealer, head: int, events: Sequence[DCBEvent], reader: Any) -> list[bytes]:
        runs = seal(self, head, events, reader)
        return [bytes(len(run)) for run in runs]

    seal = Sealer.seal
    monkeypatch.setattr(Sealer, "seal", forgetful)
    assert fail_the_power(100, seed=95, store_only=True).kinds() == {"seal"}


def test_a_tag_that_is_missing_from_the_index_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    trigger = SchemaObject("trigger", "events_bring_their_tags")
    lossy = sqlite_schema._OBJECTS[trigger].replace("json_each(NEW.tags)", "json_each(NEW.tags) WHERE key < 3")
    monkeypatch.setitem(sqlite_schema._OBJECTS, trigger, lossy)
    assert fail_the_power(100, seed=96, store_only=True).kinds() == {"tags"}


# --- the disk itself ------------------------------------------------------------------------------


class WrittenDisk:
    """A disk with one file of two sectors, as far as :class:`PowerLoss` asks."""

    def __init__(self, *notes: Any) -> None:
        self.initial = {"f": (1, b"a" * 1024)}
        self.notes = list(notes)


def contents(*notes: Any) -> set[bytes]:
    disk: Any = WrittenDisk(*notes)
    return {image.files["f"] for image in PowerLoss(disk).images(3000, Random(1)) if image.at == len(notes)}


def test_a_flushed_write_is_never_lost() -> None:
    assert contents(Wrote(1, 0, b"b" * 1024), Flushed(1)) == {b"b" * 1024}


def test_sectors_that_were_not_flushed_survive_in_every_combination() -> None:
    found = contents(Wrote(1, 0, b"b" * 1024))
    assert {a * 512 + b * 512 for a in (b"a", b"b") for b in (b"a", b"b")} <= found
    assert any(len(set(content[:512])) == 2 for content in found), "no sector is torn"


def test_an_earlier_write_may_survive_a_later_one_to_the_same_place() -> None:
    found = contents(Wrote(1, 0, b"b" * 512), Wrote(1, 0, b"c" * 512))
    assert {bytes([found_one[0]]) for found_one in found} >= {b"a", b"b", b"c"}


def test_what_a_failed_flush_covered_stays_doubtful_after_the_next_one() -> None:
    notes = Wrote(1, 0, b"b" * 512), Flushed(1, failed=True), Wrote(1, 512, b"c" * 512), Flushed(1)
    found = contents(*notes)
    assert {content[512:] for content in found} == {b"c" * 512}
    assert {b"a" * 512, b"b" * 512} <= {content[:512] for content in found}
