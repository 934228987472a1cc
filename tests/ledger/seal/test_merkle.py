"""The tree against the recursive definitions of RFC 9162, written down here as the text has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import StoreFault
from ledger.seal.merkle import (
    EMPTY,
    EMPTY_ROOT,
    HASH_BYTES,
    Frontier,
    NodeId,
    NodeReader,
    ProofWrong,
    RunReader,
    consistency_proof,
    frontier_at,
    inclusion_proof,
    inclusion_proofs,
    last_leaf,
    leaf_hash,
    node_hash,
    nodes_in_run,
    run_length,
    verify_consistency,
    verify_inclusion,
)

LARGEST = 300
ENTRIES = [f"event {number}".encode() for number in range(LARGEST)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
GROWN, RUNS = EMPTY.append(LEAVES)


# ---- RFC 9162, section 2.1, word for word ---------------------------------------------------------


def split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(d: Sequence[bytes]) -> bytes:
    if not d:
        return sha256(b"").digest()
    if len(d) == 1:
        return sha256(b"\x00" + d[0]).digest()
    k = split(len(d))
    return sha256(b"\x01" + mth(d[:k]) + mth(d[k:])).digest()


def path(m: int, d: Sequence[bytes]) -> list[bytes]:
    if len(d) == 1:
        return []
    k = split(len(d))
    if m < k:
        return [*path(m, d[:k]), mth(d[k:])]
    return [*path(m - k, d[k:]), mth(d[:k])]


def subproof(m: int, d: Sequence[bytes], b: bool) -> list[bytes]:
    if m == len(d):
        return [] if b else [mth(d)]
    k = split(len(d))
    if m <= k:
        return [*subproof(m, d[:k], b), mth(d[k:])]
    return [*subproof(m - k, d[k:], False), mth(d[:k])]


# ---- a store in memory, that counts how often it is asked ------------------------------------------


class Nodes(NodeReader):
    def __init__(self, runs: Sequence[bytes] = RUNS) -> None:
        self.asked: list[int] = []
        self._reader = RunReader(lambda leaves: {leaf: runs[leaf] for leaf in leaves if leaf < len(runs)})

    def nodes(self, ids: Sequence[NodeId]) -> Sequence[bytes]:
        self.asked.append(len(ids))
        return self._reader.nodes(ids)


sizes = st.integers(1, LARGEST)


@st.composite
def leaf_and_size(draw: st.DrawFn) -> tuple[int, int]:
    size = draw(sizes)
    return draw(st.integers(0, size - 1)), size


@st.composite
def two_sizes(draw: st.DrawFn) -> tuple[int, int]:
    later = draw(sizes)
    return draw(st.integers(1, later)), later


def flipped(digest: bytes) -> bytes:
    return bytes([digest[0] ^ 1]) + digest[1:]


# ---- vectors -------------------------------------------------------------------------------------

# sha256sum was asked for these, leaf by leaf and node by node, not this program.
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "a344deda6399e079700f18caccc174ed11ef1b1d164271e3a95d82c734466977",
    2: "9597a008c399108ddc67f881629dfbda16be63fcb74b42892f749dde08d3364a",
    3: "72e0d17598d40c143f14ebfb05e2c5c4ddd6bebf165f3569443ac4695887d302",
    4: "7f4975ae5b9ea05a1ad4eb463d5f20924087048e978cf6b342036eec5c9057e6",
    5: "b5af9c41186dda1343de76873b2805a2b1421fd1a889de9fa98b2a8ed8d214be",
    6: "77bd1e471fa0f4db7259faa58c8fde03ed37feab8e0013543db625592f96c32f",
    7: "b41d61b2e0cdce6e80fb379cb6e3bbd00ffb7fb3baa825195ef1f8a0e916bd7f",
}


@pytest.mark.parametrize("size", ROOTS)
def test_the_root_of_a_small_tree_is_what_sha256sum_says(size: int) -> None:
    assert EMPTY.append(LEAVES[:size])[0].root.hex() == ROOTS[size]


def test_a_leaf_cannot_pass_as_a_node() -> None:
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)


def test_the_inclusion_proof_of_a_tree_of_seven_is_the_one_drawn_in_the_rfc() -> None:
    # RFC 9162, section 2.1.5: a…f are the hashes of d0…d5, g…j those above, k of the first four, i of d4 and d5.
    a, b, c, d, e, f, j = LEAVES[:7]
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k = node_hash(g, h)
    assert inclusion_proof(0, 7, Nodes()) == (b, h, node_hash(i, j))
    assert inclusion_proof(3, 7, Nodes()) == (c, g, node_hash(i, j))
    assert inclusion_proof(4, 7, Nodes()) == (f, j, k)
    assert inclusion_proof(6, 7, Nodes()) == (i, k)


def test_the_consistency_proofs_to_a_tree_of_seven_are_the_ones_drawn_in_the_rfc() -> None:
    a, b, c, d, e, f, j = LEAVES[:7]
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, ij = node_hash(g, h), node_hash(i, j)
    assert consistency_proof(3, 7, Nodes()) == (c, d, g, ij)
    assert consistency_proof(4, 7, Nodes()) == (ij,)
    assert consistency_proof(6, 7, Nodes()) == (i, j, k)


# ---- growing -------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 60), max_size=12))
def test_the_root_does_not_depend_on_how_the_leaves_were_batched(batches: list[int]) -> None:
    frontier, runs = EMPTY, list[bytes]()
    for count in batches:
        count = min(count, LARGEST - frontier.size)
        frontier, added = frontier.append(LEAVES[frontier.size : frontier.size + count])
        runs += added
    assert frontier.root == mth(ENTRIES[: frontier.size])
    assert runs == RUNS[: frontier.size]


def test_the_frontier_from_before_an_append_is_still_true() -> None:
    before = frontier_at(5, Nodes())
    before.append(LEAVES[5:9])
    assert before.root == mth(ENTRIES[:5])


@pytest.mark.parametrize("size", range(LARGEST + 1))
def test_a_frontier_read_back_is_the_one_that_was_written(size: int) -> None:
    reader = Nodes()
    frontier = frontier_at(size, reader)
    assert frontier == EMPTY.append(LEAVES[:size])[0]
    assert frontier.root == mth(ENTRIES[:size])
    assert reader.asked == ([size.bit_count()] if size else [])


def test_runs_hold_every_complete_subtree_once_and_nothing_else() -> None:
    found = [item for leaf, run in enumerate(RUNS) for item in nodes_in_run(leaf, run)]
    complete = {
        (level, index): mth(ENTRIES[index << level : index + 1 << level])
        for level in range(LARGEST.bit_length())
        for index in range(LARGEST >> level)
    }
    assert dict(found) == complete
    assert len(found) == len(complete) == 2 * LARGEST - LARGEST.bit_count()


def test_a_node_lies_in_the_run_of_the_last_leaf_it_covers() -> None:
    for leaf, run in enumerate(RUNS):
        assert run_length(leaf) * HASH_BYTES == len(run)
        assert all(last_leaf(node) == leaf for node, _ in nodes_in_run(leaf, run))


def test_a_frontier_that_cannot_be_is_a_programmers_error() -> None:
    with pytest.raises(AssertionError):
        Frontier(3, (LEAVES[0],))
    with pytest.raises(AssertionError):
        EMPTY.append([b"not a hash"])


def test_the_empty_tree_has_the_root_of_nothing() -> None:
    assert EMPTY.root == EMPTY_ROOT == sha256(b"").digest()


# ---- proofs --------------------------------------------------------------------------------------


@given(leaf_and_size())
def test_an_inclusion_proof_is_the_path_of_the_rfc_and_holds(leaf_size: tuple[int, int]) -> None:
    leaf, size = leaf_size
    proof = inclusion_proof(leaf, size, Nodes())
    assert list(proof) == path(leaf, ENTRIES[:size])
    verify_inclusion(leaf_index=leaf, size=size, leaf=LEAVES[leaf], root=mth(ENTRIES[:size]), proof=proof)


@given(two_sizes())
def test_a_consistency_proof_is_the_subproof_of_the_rfc_and_holds(both: tuple[int, int]) -> None:
    size, later = both
    proof = consistency_proof(size, later, Nodes())
    assert list(proof) == subproof(size, ENTRIES[:later], True)
    verify_consistency(
        size=size, root=mth(ENTRIES[:size]), later_size=later, later_root=mth(ENTRIES[:later]), proof=proof
    )


def test_every_proof_of_every_tree_up_to_64_leaves_holds() -> None:
    roots = [EMPTY.append(LEAVES[:size])[0].root for size in range(65)]
    for size in range(1, 65):
        for leaf, proof in enumerate(inclusion_proofs(range(size), size, Nodes())):
            verify_inclusion(leaf_index=leaf, size=size, leaf=LEAVES[leaf], root=roots[size], proof=proof)
        for earlier in range(1, size + 1):
            proof = consistency_proof(earlier, size, Nodes())
            verify_consistency(size=earlier, root=roots[earlier], later_size=size, later_root=roots[size], proof=proof)


@given(leaf_and_size(), two_sizes())
def test_a_proof_reads_the_store_once_and_few_nodes(leaf_size: tuple[int, int], both: tuple[int, int]) -> None:
    reader = Nodes()
    inclusion_proof(*leaf_size, reader)
    consistency_proof(*both, reader)
    assert len(reader.asked) <= 2
    assert all(count <= 2 * LARGEST.bit_length() for count in reader.asked)


def test_proofs_for_many_leaves_read_the_store_once() -> None:
    reader = Nodes()
    wanted = [7, 200, 7, 299]
    proofs = inclusion_proofs(wanted, LARGEST, reader)
    assert proofs == [inclusion_proof(leaf, LARGEST, Nodes()) for leaf in wanted]
    assert len(reader.asked) == 1
    assert inclusion_proofs([], LARGEST, reader) == []


def test_a_proof_for_a_leaf_that_is_not_there_is_a_programmers_error() -> None:
    with pytest.raises(AssertionError):
        inclusion_proof(7, 7, Nodes())
    with pytest.raises(AssertionError):
        consistency_proof(0, 7, Nodes())
    with pytest.raises(AssertionError):
        consistency_proof(8, 7, Nodes())


# ---- tampering -----------------------------------------------------------------------------------


@given(leaf_and_size(), st.data())
@settings(max_examples=60)
def test_no_inclusion_proof_holds_after_any_change(leaf_size: tuple[int, int], data: st.DataObject) -> None:
    leaf, size = leaf_size
    proof = inclusion_proof(leaf, size, Nodes())
    true = {
        "leaf_index": leaf,
        "size": size,
        "leaf": LEAVES[leaf],
        "root": mth(ENTRIES[:size]),
        "proof": proof,
    }
    changed: list[Mapping[str, object]] = [
        {"leaf": flipped(LEAVES[leaf])},
        {"root": flipped(mth(ENTRIES[:size]))},
        {"proof": (*proof, LEAVES[0])},
        {"proof": (LEAVES[0], *proof)},
        {"leaf_index": -1},
        {"leaf_index": size},
        {"size": 0},
        {"size": -size},
        {"leaf": LEAVES[leaf][:-1]},
        {"leaf": LEAVES[leaf] + b"\0"},
        {"root": mth(ENTRIES[:size])[:-1]},
        *({"proof": (*proof[:at], flipped(proof[at]), *proof[at + 1 :])} for at in range(len(proof))),
        *({"proof": (*proof[:at], proof[at][:-1], *proof[at + 1 :])} for at in range(len(proof))),
        *({"proof": (*proof[:at], *proof[at + 1 :])} for at in range(len(proof))),
        *({"proof": proof[:at] + proof[at + 1 :] + proof[at : at + 1]} for at in range(len(proof) - 1)),
    ]
    other = data.draw(st.integers(0, size - 1))
    if other != leaf:
        changed.append({"leaf_index": other})
    for change in changed:
        with pytest.raises(ProofWrong):
            verify_inclusion(**{**true, **change})  # type: ignore[arg-type]


@given(two_sizes())
@settings(max_examples=60)
def test_no_consistency_proof_holds_after_any_change(both: tuple[int, int]) -> None:
    size, later = both
    root, later_root = mth(ENTRIES[:size]), mth(ENTRIES[:later])
    proof = consistency_proof(size, later, Nodes())
    true = {"size": size, "root": root, "later_size": later, "later_root": later_root, "proof": proof}
    changed: list[Mapping[str, object]] = [
        {"root": flipped(root)},
        {"later_root": flipped(later_root)},
        {"root": root[:-1]},
        {"later_root": later_root + b"\0"},
        {"proof": (*proof, LEAVES[0])},
        {"proof": (LEAVES[0], *proof)},
        {"size": 0},
        {"size": -1},
        {"size": later + 1},
        {"later_size": size - 1},
        {"later_size": 0},
        *({"proof": (*proof[:at], flipped(proof[at]), *proof[at + 1 :])} for at in range(len(proof))),
        *({"proof": (*proof[:at], proof[at] + b"\0", *proof[at + 1 :])} for at in range(len(proof))),
        *({"proof": (*proof[:at], *proof[at + 1 :])} for at in range(len(proof))),
    ]
    for change in changed:
        with pytest.raises(ProofWrong):
            verify_consistency(**{**true, **change})  # type: ignore[arg-type]


@given(two_sizes(), st.integers(0, LARGEST - 1))
@settings(max_examples=60)
def test_a_log_with_one_event_rewritten_is_not_consistent_with_the_kept_root(
    both: tuple[int, int], victim: int
) -> None:
    size, later = both
    victim %= size
    forged, runs = EMPTY.append([*LEAVES[:victim], leaf_hash(b"forged"), *LEAVES[victim + 1 : later]])
    proof = consistency_proof(size, later, Nodes(runs))
    with pytest.raises(ProofWrong):
        verify_consistency(size=size, root=mth(ENTRIES[:size]), later_size=later, later_root=forged.root, proof=proof)


def test_bytes_cannot_be_moved_from_one_hash_of_a_proof_to_its_neighbour() -> None:
    # Both halves still join to the same 64 bytes, so that only the length of each gives the forgery away.
    first, second = LEAVES[:2]
    longer, shorter = first + second[:1], second[1:]
    root = node_hash(first, second)
    assert node_hash(longer, shorter) == root
    with pytest.raises(ProofWrong, match="32 bytes"):
        verify_inclusion(leaf_index=0, size=2, leaf=longer, root=root, proof=[shorter])
    with pytest.raises(ProofWrong, match="32 bytes"):
        verify_consistency(size=1, root=longer, later_size=2, later_root=root, proof=[shorter])


def test_a_size_that_no_store_can_reach_is_refused() -> None:
    with pytest.raises(ProofWrong):
        verify_inclusion(leaf_index=0, size=2**63, leaf=LEAVES[0], root=LEAVES[0], proof=[LEAVES[0]] * 63)


# ---- a damaged store -----------------------------------------------------------------------------


def test_a_missing_run_is_reported_with_its_position_and_nothing_is_proven() -> None:
    with pytest.raises(StoreFault, match="position 4 is missing"):
        inclusion_proof(6, 7, Nodes(RUNS[:3]))


@pytest.mark.parametrize(
    "damage",
    [b"", RUNS[3][:-1], RUNS[3] + bytes(HASH_BYTES)],
    ids=["empty", "one byte short", "one hash too many"],
)
def test_a_run_of_the_wrong_length_is_reported_with_its_position(damage: bytes) -> None:
    runs = [*RUNS[:3], damage, *RUNS[4:]]
    with pytest.raises(StoreFault, match="position 4 has the wrong length"):
        frontier_at(7, Nodes(runs))
    with pytest.raises(StoreFault, match="position 4 has the wrong length"):
        list(nodes_in_run(3, damage))


def test_a_reader_that_gives_no_digest_is_reported() -> None:
    class Short(NodeReader):
        def nodes(self, ids: Sequence[NodeId]) -> Sequence[bytes]:
            return [b"short"] * len(ids)

    with pytest.raises(StoreFault, match="wrong length"):
        inclusion_proof(0, 2, Short())


def test_one_node_can_be_asked_for_by_level_and_index() -> None:
    assert Nodes().node(2, 1) == mth(ENTRIES[4:8])
