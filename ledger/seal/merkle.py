"""The Merkle tree over the events: RFC 9162, section 2 (the tree of RFC 6962), with SHA-256.

Leaves are numbered from 0: the event at position p is leaf p - 1. The node (level, index) is the hash over the
complete subtree of 2**level leaves that begins at leaf index * 2**level. Only such nodes are kept: they never
change once they exist, and every other hash is a combination of a few of them.

**What is stored.** Leaf i completes one subtree at each level from 0 to the number of one bits at the end of i.
Their hashes, from the leaf upwards, are its *run*: 32 bytes for every second leaf, 64 for every fourth, and so on.
One run is stored with each event and nothing else: 2n - popcount(n) hashes for n events, 64 bytes an event on
average. The node (level, index) is part ``level`` of the run of the last leaf it covers, so a node is found by
arithmetic, without an index, and a store stays append-only: no run is ever touched again.

Weighed on SQLite with 400,000 to 1,000,000 events: a run costs 87 bytes in its event's own row, where a commit touches
no page more for it (75 in a table of its own, and a page more). One row for each node: 91, and a page for each level
touched. Without the leaf hashes: 44, but then a changed event spoils its neighbour's proofs and cannot be told from
it. Tiles as in tlog-tiles (levels 0, 8, 16): 46, and twice the time for a cold proof, which hashes up to 255 leaves
for each tile.

Nothing here reads a store: hashes come from a :class:`NodeReader`, asked once for each operation.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Protocol

from ledger.errors import StoreFault, Text
from ledger.seal import SealError

HASH_BYTES: Final = 32

EMPTY_ROOT: Final = sha256(b"").digest()
"""The root of the tree without leaves. It can be stated, but nothing can be proven from it or to it."""

SIZE_LIMIT: Final = 2**63
"""One more than the largest size: a position is a signed 64-bit number in both databases."""

# Section 2.1.1: a leaf can never be passed off as a node, or a node as a leaf.
_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"


class ProofWrong(SealError):
    """A proof that does not lead to the root it was given for, or that no honest log would give."""

    code = "proof-wrong"


def leaf_hash(data: bytes) -> bytes:
    """The hash of one leaf, from the event's canonical bytes."""
    return sha256(_LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of the node above two hashes of 32 bytes."""
    return sha256(_NODE + left + right).digest()


NodeId = tuple[int, int]
"""(level, index): the complete subtree of 2**level leaves that begins at leaf index * 2**level."""


def last_leaf(node: NodeId) -> int:
    """The leaf that completes this subtree, whose run holds its hash."""
    level, index = node
    return (index + 1 << level) - 1


class NodeReader(Protocol):
    """Where hashes of complete subtrees come from. A store answers ``nodes`` with one query."""

    @abstractmethod
    def nodes(self, ids: Sequence[NodeId]) -> Sequence[bytes]:
        """The hashes of these nodes, in the order asked. Raises ``StoreFault`` where one is missing."""
        ...

    def node(self, level: int, index: int) -> bytes:
        """The hash of one node. Raises ``StoreFault`` where it is missing."""
        return self.nodes([(level, index)])[0]


# ---- Growing the tree


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that must be known of a tree to append to it: its size, and its complete subtrees from left to right.

    ``edge`` holds one hash for each one bit of ``size``, the largest subtree first. A frontier is a value: when
    the transaction that stores the runs is rolled back, the frontier from before it is still true.
    """

    size: int
    edge: tuple[bytes, ...]

    def __post_init__(self) -> None:
        assert 0 <= self.size < SIZE_LIMIT, "a size is a position in the log"
        assert len(self.edge) == self.size.bit_count(), "one hash for each complete subtree at the right edge"
        assert {HASH_BYTES}.issuperset(map(len, self.edge)), "SHA-256 gives 32 bytes"

    @property
    def root(self) -> bytes:
        """The Merkle tree hash of all leaves so far; :data:`EMPTY_ROOT` when there are none."""
        return combined(self.edge) if self.edge else EMPTY_ROOT

    def append(self, leaf_hashes: Sequence[bytes]) -> tuple[Frontier, list[bytes]]:
        """The frontier after these leaves, and the run to store with each of them.

        Costs one hash a leaf on average, whatever the size of the tree.
        """
        edge = list(self.edge)
        runs: list[bytes] = []
        position = self.size
        for hashed in leaf_hashes:
            assert len(hashed) == HASH_BYTES, "a leaf is appended by its hash"
            run = hashed
            odd = position
            # Each one bit at the end of the position is a left half that was waiting for this leaf.
            while odd & 1:
                hashed = sha256(_NODE + edge.pop() + hashed).digest()
                run += hashed
                odd >>= 1
            edge.append(hashed)
            runs.append(run)
            position += 1
        return Frontier(position, tuple(edge)), runs


EMPTY: Final = Frontier(0, ())
"""Where every log begins."""


def frontier_at(size: int, reader: NodeReader) -> Frontier:
    """The frontier of the first ``size`` leaves, from a tree that has at least as many: one read of at most
    log2(size) + 1 nodes. Its ``root`` is the root as of then."""
    return Frontier(size, tuple(_read(reader, _cover(0, size)))) if size else EMPTY


# ---- Runs


def run_length(leaf_index: int) -> int:
    """How many hashes the run of this leaf holds: one, and one for each one bit at the end of its index."""
    return (~leaf_index & leaf_index + 1).bit_length()


def nodes_in_run(leaf_index: int, run: bytes) -> Iterator[tuple[NodeId, bytes]]:
    """Each node in a run with its hash, from the leaf upwards.

    Raises :class:`StoreFault` where the run has the wrong length.
    """
    _require_run(leaf_index, run)
    for level in range(run_length(leaf_index)):
        yield (level, leaf_index >> level), run[level * HASH_BYTES : (level + 1) * HASH_BYTES]


class RunReader(NodeReader):
    """Nodes out of stored runs.

    ``fetch`` is the store's one query: runs by leaf index, for some indexes in ascending order; what it does not
    find it leaves out.
    """

    def __init__(self, fetch: Callable[[Sequence[int]], Mapping[int, bytes]]) -> None:
        self._fetch = fetch

    def nodes(self, ids: Sequence[NodeId]) -> Sequence[bytes]:
        leaves = [last_leaf(node) for node in ids]
        wanted = sorted(set(leaves))
        runs = self._fetch(wanted)
        for leaf in wanted:
            if leaf not in runs:
                raise _damaged(leaf, zh="缺失", en="is missing")
            _require_run(leaf, runs[leaf])
        return [
            runs[leaf][level * HASH_BYTES : (level + 1) * HASH_BYTES]
            for leaf, (level, _) in zip(leaves, ids, strict=True)
        ]


# ---- Making proofs


def inclusion_proof(leaf_index: int, size: int, reader: NodeReader) -> tuple[bytes, ...]:
    """That leaf ``leaf_index`` is in the tree of the first ``size`` leaves (RFC 9162, section 2.1.3.1).

    From the leaf upwards; one read of at most 2 * log2(size) nodes.
    """
    return inclusion_proofs([leaf_index], size, reader)[0]


def inclusion_proofs(leaf_indexes: Sequence[int], size: int, reader: NodeReader) -> list[tuple[bytes, ...]]:
    """The inclusion proofs of several leaves, in the order asked, with one read for all of them."""
    assert all(0 <= leaf < size < SIZE_LIMIT for leaf in leaf_indexes), "only a leaf of the tree is in it"
    return _hashes_of([_inclusion_path(leaf, size) for leaf in leaf_indexes], reader)


def consistency_proof(size: int, later_size: int, reader: NodeReader) -> tuple[bytes, ...]:
    """That the tree of ``later_size`` leaves begins with the tree of ``size`` leaves (RFC 9162, section 2.1.4.1).

    Empty when the sizes are equal; one read of at most 2 * log2(later_size) nodes.
    """
    assert 1 <= size <= later_size < SIZE_LIMIT, "a log only grows, and nothing follows from an empty one"
    return _hashes_of([_consistency_path(size, later_size)], reader)[0]


_Range = tuple[int, int]
"""Leaves from the first number up to, and without, the second: a subtree, of which only the last is incomplete."""


def _inclusion_path(leaf_index: int, size: int) -> list[_Range]:
    """The subtrees beside the way from the root to a leaf, from the leaf upwards: PATH of the RFC."""
    path: list[_Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = _middle(start, end)
        if leaf_index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    path.reverse()
    return path


def _consistency_path(size: int, later_size: int) -> list[_Range]:
    """The subtrees that make up the later tree around and inside the earlier one: PROOF of the RFC."""
    path: list[_Range] = []
    start, end = 0, later_size
    while end != size:
        middle = _middle(start, end)
        if size <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    # At the left edge this subtree is the whole earlier tree, whose root the verifier has.
    if start > 0:
        path.append((start, end))
    path.reverse()
    return path


def _middle(start: int, end: int) -> int:
    """Where the RFC splits a tree: after the largest power of two that leaves something for the right side."""
    return start + (1 << (end - start - 1).bit_length() - 1)


def _cover(start: int, end: int) -> list[NodeId]:
    """The complete subtrees that make up a subtree, from left to right: one, unless it is at the right edge."""
    parts: list[NodeId] = []
    while start < end:
        level = (end - start).bit_length() - 1
        parts.append((level, start >> level))
        start += 1 << level
    return parts


def _hashes_of(paths: Sequence[Sequence[_Range]], reader: NodeReader) -> list[tuple[bytes, ...]]:
    covers = [[_cover(start, end) for start, end in path] for path in paths]
    # Proofs from one tree share most of their upper nodes, and the incomplete edge: each is read once.
    wanted = list(dict.fromkeys(node for path in covers for parts in path for node in parts))
    found = dict(zip(wanted, _read(reader, wanted), strict=True))
    return [tuple(combined([found[node] for node in parts]) for parts in path) for path in covers]


def combined(hashes: Sequence[bytes]) -> bytes:
    """The hash over adjacent complete subtrees, none larger than the one to its left: folded from the right."""
    result = hashes[-1]
    for left in reversed(hashes[:-1]):
        result = node_hash(left, result)
    return result


def _read(reader: NodeReader, ids: Sequence[NodeId]) -> Sequence[bytes]:
    hashes = reader.nodes(ids) if ids else []
    assert len(hashes) == len(ids), "a reader answers each node asked for"
    for node, found in zip(ids, hashes, strict=True):
        if len(found) != HASH_BYTES:
            raise _damaged(last_leaf(node), zh="长度有误", en="has the wrong length")
    return hashes


def _require_run(leaf_index: int, run: bytes) -> None:
    if len(run) != run_length(leaf_index) * HASH_BYTES:
        raise _damaged(leaf_index, zh="长度有误", en="has the wrong length")


def _damaged(leaf_index: int, *, zh: str, en: str) -> StoreFault:
    return StoreFault(
        Text(
            zh=f"第 {leaf_index + 1} 号事件的封存哈希{zh}；账本已损坏或被改动，请核验账本并从备份恢复。",
            en=f"The seal of the event at position {leaf_index + 1} {en}. The store is damaged or was changed: "
            "verify it, and restore it from a backup.",
        )
    )


# ---- Checking proofs


def verify_inclusion(*, leaf_index: int, size: int, leaf: bytes, root: bytes, proof: Sequence[bytes]) -> None:
    """Check that ``leaf``, a leaf hash, is leaf ``leaf_index`` of the tree of ``size`` leaves with this root.

    Size and root must come from one checkpoint: of neighbouring sizes a proof may fit several. Raises
    :class:`ProofWrong` (RFC 9162, section 2.1.3.2).
    """
    if not 0 <= leaf_index < size < SIZE_LIMIT:
        raise _wrong(
            zh=f"序号 {leaf_index} 不在大小为 {size} 的日志中", en=f"leaf {leaf_index} is not in {size} leaves"
        )
    _require_digests(leaf, root, *proof)
    inner, border = _climb(leaf_index, size)
    _require_length(proof, inner + border)
    climbed = _fold(leaf, proof[:inner], leaf_index)
    if _fold_left(climbed, proof[inner:]) != root:
        raise _wrong(zh="由证明算出的根哈希与给定的根不符", en="it leads to another root")


def verify_consistency(*, size: int, root: bytes, later_size: int, later_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree of ``later_size`` leaves begins with all of the tree of ``size`` leaves, unchanged.

    Raises :class:`ProofWrong` (RFC 9162, section 2.1.4.2), also for an empty earlier tree: it is the beginning of
    every tree, so that a proof from it would show nothing.
    """
    if not 1 <= size <= later_size < SIZE_LIMIT:
        raise _wrong(zh=f"日志大小 {size} 与 {later_size} 无法比较", en=f"sizes {size} and {later_size} prove nothing")
    if size == later_size:
        # Nothing is hashed: the roots are one or they are not. An official vector has stand-ins for digests here.
        _require_length(proof, 0)
        if root != later_root:
            raise _wrong(zh="大小相同而根哈希不同", en="one size has two roots")
        return
    _require_digests(root, later_root, *proof)
    # The climb starts at the last leaf of the earlier tree, from the largest complete subtree that it ends.
    last = size - 1
    start_level = run_length(last) - 1
    inner, border = _climb(last, later_size)
    whole = size == 1 << start_level
    if whole:
        # The earlier tree is that subtree, and its root is not repeated in the proof.
        seed, path = root, proof
        _require_length(proof, inner - start_level + border)
    else:
        _require_length(proof, 1 + inner - start_level + border)
        seed, path = proof[0], proof[1:]
    inside, left = path[: inner - start_level], path[inner - start_level :]
    way = last >> start_level
    earlier_parts = [sibling for level, sibling in enumerate(inside) if way >> level & 1]
    if _fold_left(_fold_left(seed, earlier_parts), left) != root:
        raise _wrong(zh="由证明算出的较早根哈希不符", en="it leads to another earlier root")
    if _fold_left(_fold(seed, inside, way), left) != later_root:
        raise _wrong(zh="由证明算出的较晚根哈希不符", en="it leads to another later root")


def _climb(leaf_index: int, size: int) -> tuple[int, int]:
    """How many siblings a leaf has below the point where its way meets that of the last leaf, and above it.

    Above that point the way follows the right edge of the tree, where there are siblings only to the left.
    """
    inner = (leaf_index ^ size - 1).bit_length()
    return inner, (leaf_index >> inner).bit_count()


def _fold(seed: bytes, siblings: Sequence[bytes], way: int) -> bytes:
    """Climb past siblings on either side; bit k of ``way`` tells that the k-th is to the left."""
    for level, sibling in enumerate(siblings):
        seed = node_hash(sibling, seed) if way >> level & 1 else node_hash(seed, sibling)
    return seed


def _fold_left(seed: bytes, siblings: Sequence[bytes]) -> bytes:
    for sibling in siblings:
        seed = node_hash(sibling, seed)
    return seed


def _require_digests(*digests: bytes) -> None:
    if any(len(digest) != HASH_BYTES for digest in digests):
        raise _wrong(zh="哈希值必须为 32 字节", en="each hash must have 32 bytes")


def _require_length(proof: Sequence[bytes], expected: int) -> None:
    """One part too few or too many would let a proof speak of another leaf or another size."""
    if len(proof) != expected:
        raise _wrong(
            zh=f"证明应有 {expected} 个哈希值，实有 {len(proof)} 个",
            en=f"it must have {expected} hashes and has {len(proof)}",
        )


def _wrong(*, zh: str, en: str) -> ProofWrong:
    return ProofWrong(Text(zh=f"证明不成立：{zh}。", en=f"The proof does not hold: {en}."))
