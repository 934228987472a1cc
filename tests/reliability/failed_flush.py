"""R2, the shortest way to a commit that reached the next process and not the disk.

A flush of the log fails, the process ends without writing anything back, the next one records and acknowledges; then the
power fails.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from random import Random

from eventsourcing.dcb.api import DCBEvent

from ledger.errors import Unavailable
from ledger.store.sqlite_log import SQLiteLog
from tests.reliability.disk import PowerLoss, RecordingDisk
from tests.reliability.power_loss import FACTS, Loss, Story, WitnessedStore, all_of, found_in, kill, laid_out
from tests.reliability.workplace import workplace


def fail_the_power_after_a_failed_flush(count: int, *, auditor_first: bool = False) -> list[str]:
    """The kinds of loss found in ``count`` images of the disk. The auditor comes first to see what the ended process left,
    and is still there when the next one starts.
    """
    chance, losses = Random(1), list[str]()
    with workplace("failed-flush") as place:
        disk, story = _lived(laid_out(place / "life", {}), auditor_first=auditor_first)
        for image in PowerLoss(disk).images(count, chance):
            try:
                found_in(image, story, laid_out(place / "image", {}), chance)
            except Loss as loss:
                losses.append(loss.kind)
    return losses


def _lived(folder: Path, *, auditor_first: bool) -> tuple[RecordingDisk, Story]:
    story, disk = Story(), RecordingDisk(f"failing-{folder.parent.name}", folder)
    with disk.in_use():
        first = WitnessedStore(folder / FACTS, disk, story)
        first.append([_event(1)])
        disk.fail_flush = True
        with suppress(Unavailable):
            first.append([_event(2)])
        assert not disk.fail_flush, "nothing was flushed"
        kill(first)
        auditor = SQLiteLog(folder / FACTS) if auditor_first else None
        second = WitnessedStore(folder / FACTS, disk, story)
        assert second.head() == 2, "the commit that failed did not reach the next process"
        second.append([_event(3)])
        story.events = all_of(second)
        if auditor is not None:
            auditor.close()
        kill(second)
    return disk, story


def _event(number: int) -> DCBEvent:
    return DCBEvent(type=f"kind-{number}", data=bytes(5000), tags=[f"tag-{number}"])
