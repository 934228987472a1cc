"""One task on a store, in a process that has done nothing else: prints the milliseconds it took."""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

from ledger.seal.merkle import consistency_proof, inclusion_proof
from ledger.store.sqlite_log import SQLiteLog


def main(task: str, path: Path, size: int) -> float:
    chance = random.Random()
    place, earlier = chance.randrange(1, size + 1), chance.randrange(1, size + 1)
    began = time.perf_counter()
    log = SQLiteLog(path)
    if task == "row":
        (found,) = log.rows(place, place)
        assert found.position == place
    else:
        nodes = log.nodes()
        assert inclusion_proof(place - 1, size, nodes) or size == 1
        assert consistency_proof(earlier, size, nodes) or earlier == size
    seconds = time.perf_counter() - began
    log.close()
    return seconds * 1e3


if __name__ == "__main__":
    sys.stdout.write(f"{main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))}\n")
