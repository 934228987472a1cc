"""P7 and P8: what sealing costs, and how long a proof takes a process that has just started."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from eventsourcing.dcb.api import DCBEvent

from ledger.seal.merkle import NodeReader
from ledger.store.sealing import Sealer
from ledger.store.sqlite import SQLiteDCBRecorder
from tests.bench.biglog import big_log
from tests.bench.measuring import ROOT, Bench, Goal, Row, interleaved, rates, row
from tests.bench.peers import closing
from tests.bench.till import Till


class NoSealer(Sealer):
    """Stores nothing beside an event."""

    def seal(self, head: int, events: Sequence[DCBEvent], reader: NodeReader) -> list[bytes]:
        return [b""] * len(events)


def overhead(bench: Bench) -> Row:
    sizes, folder = bench.sizes, bench.place("p7")
    sealed, bare = SQLiteDCBRecorder(folder / "sealed.sqlite"), SQLiteDCBRecorder(folder / "bare.sqlite")
    bare._sealer = NoSealer()
    count = sizes.rounds * sizes.slices * sizes.bulk
    with closing(sealed, bare):
        ours, without = Till(sealed, "P7", settling=count), Till(bare, "P7", settling=count)
        pairs = rates(sizes, sizes.bulk, ours.settle_all, without.settle_all)
    # Of seconds for each, not of how many a second: what sealing adds.
    costs = [(1e6 / value, 1e6 / anchor) for value, anchor in pairs]
    what = "microseconds a disbursement, many to a commit, sealed; anchor: the same store without sealing"
    return row("P7", what, costs, Goal(1.05, at_least=False))


def cold_proofs(bench: Bench) -> Row:
    sizes, log = bench.sizes, big_log(bench)

    def process(task: str) -> float:
        """Milliseconds, in a process of its own, that has loaded its modules and touched no store."""
        command = [sys.executable, "-m", "tests.bench.cold", task, str(log.path), str(log.head)]
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        return float(said) / sizes.proofs

    pairs = interleaved(sizes.rounds, sizes.proofs, lambda: process("proofs"), lambda: process("row"))
    what = (
        f"milliseconds for an inclusion and a consistency proof at {log.head:,} events, from opening the store, in a cold "
        "process; anchor: reading one event by its position, likewise"
    )
    return row("P8", what, pairs, Goal(10, at_least=False))
