"""The root that a log is about to sign, from the bytes of its events: a stored hash may be wrong, and a signature would make
it a statement that no honest log can ever continue.

What was signed before is built upon, so that the cost is that of the events since then. Only stored hashes below an earlier
checkpoint are taken from the store: they lead to its root, and no others do.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from ledger.errors import StoreFault, Text
from ledger.seal.merkle import (
    EMPTY,
    EMPTY_ROOT,
    HASH_BYTES,
    Frontier,
    NodeReader,
    ProofWrong,
    consistency_proof,
    frontier_at,
    leaf_hash,
    run_length,
    verify_consistency,
)
from ledger.seal.note import Checkpoint
from ledger.seal.sealed_log import Finding, Row
from ledger.seal.wrong_event import changed, contradiction, missing

BATCH: Final = 1024
"""Events read at a time: memory for so many, whatever the size of the log."""


class NotAsSealed(StoreFault):
    """The events of a log are not what its stored hashes say: nothing is stated of it until somebody has looked."""

    code = "not-as-sealed"


class GrowingLog(Protocol):
    """A log in use, to which others append: a checkpoint is signed of what it is when it is asked."""

    @abstractmethod
    def head(self) -> int:
        """How many events there are now."""
        ...

    @abstractmethod
    def nodes(self) -> NodeReader:
        """The stored hashes."""
        ...

    @abstractmethod
    def leaves(self, first: int, last: int) -> Sequence[tuple[int, bytes]]:
        """The events from one position to another, as they lie there: each position, and what its leaf is the hash of."""
        ...


def root_to_sign(log: GrowingLog, size: int, kept: Checkpoint | None) -> bytes:
    """The root of the first ``size`` events. ``kept`` is what was signed last, of which the stored hashes are known to be
    those. Raises :class:`NotAsSealed`, which names the first event that is not what its seal was made of.
    """
    nodes = log.nodes()
    if kept is not None and size < kept.size:
        return _earlier_root(size, kept, nodes)
    before = EMPTY if kept is None else frontier_at(kept.size, nodes)
    frontier = before
    for leaves in _batches(log, before.size, size):
        frontier, _ = frontier.append(leaves)
    if frontier.edge != frontier_at(size, nodes).edge:
        raise _refused(_first_difference(log, before, size))
    return frontier.root


def _earlier_root(size: int, kept: Checkpoint, nodes: NodeReader) -> bytes:
    if size == 0:
        return EMPTY_ROOT
    root = frontier_at(size, nodes).root
    proof = consistency_proof(size, kept.size, nodes)
    try:
        verify_consistency(size=size, root=root, later_size=kept.size, later_root=kept.root, proof=proof)
    except ProofWrong as error:
        raise _refused(contradiction(1, kept.size)) from error
    return root


def _batches(log: GrowingLog, start: int, end: int) -> Iterator[list[bytes]]:
    """The leaf hashes of the events after one size, up to another. Raises :class:`NotAsSealed` for one that is missing."""
    for first in range(start + 1, end + 1, BATCH):
        last = min(first + BATCH - 1, end)
        found = log.leaves(first, last)
        positions = [position for position, _ in found]
        if positions != list(range(first, last + 1)):
            raise _refused(missing(_first_gap(positions, first)))
        yield [leaf_hash(leaf) for _, leaf in found]


def _first_gap(positions: Sequence[int], first: int) -> int:
    in_place = (index for index, position in enumerate(positions) if position != first + index)
    return first + next(in_place, len(positions))


def _first_difference(log: GrowingLog, frontier: Frontier, size: int) -> Finding:
    """Only where something is wrong: every stored hash since then, one by one."""
    nodes = log.nodes()
    for leaves in _batches(log, frontier.size, size):
        start = frontier.size
        frontier, runs = frontier.append(leaves)
        for index, run in enumerate(runs, start):
            levels = range(run_length(index))
            stored = nodes.nodes([(level, index >> level) for level in levels])
            if stored[0] != leaves[index - start]:
                row = Row(index + 1, b"", "", b"", b"", stored[0])
                return changed(row, leaves[index - start])
            for level in levels:
                if stored[level] != run[level * HASH_BYTES : (level + 1) * HASH_BYTES]:
                    return contradiction(index + 2 - (1 << level), index + 1)
    return contradiction(1, size)


def _refused(finding: Finding) -> NotAsSealed:
    # What is about a range says so itself.
    alone = finding.through is None
    zh, en = (f"第{finding.position}号事件：", f"position {finding.position}: ") if alone else ("", "")
    return NotAsSealed(
        Text(
            f"{zh}{finding.text.zh}；未签署检查点，请运行 funding-ledger verify 查明",
            f"{en}{finding.text.en}; nothing was signed, find out with funding-ledger verify",
        )
    )
