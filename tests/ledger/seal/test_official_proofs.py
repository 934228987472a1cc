"""Proofs as others judge them: the official RFC 6962 vectors, which lie beside a checkout and not in it.

They are read from ``../shared/vectors/rfc6962.json`` (transparency-dev/merkle, Apache-2.0). Where that file is not
there, cases of our own of the same kinds are judged instead, and a warning in pytest's summary says so.
"""

from __future__ import annotations

import base64
import json
import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger.seal.merkle import EMPTY, ProofWrong, RunReader, consistency_proof, inclusion_proof, leaf_hash
from ledger.seal.merkle import verify_consistency as check_consistency
from ledger.seal.merkle import verify_inclusion as check_inclusion

OFFICIAL = Path(__file__).resolve().parents[3].parent / "shared" / "vectors" / "rfc6962.json"
OFFICIAL_COUNT = 196


@dataclass(frozen=True)
class Inclusion:
    name: str
    holds: bool
    leaf_index: int
    size: int
    leaf: bytes
    root: bytes
    proof: tuple[bytes, ...]

    def check(self) -> None:
        check_inclusion(leaf_index=self.leaf_index, size=self.size, leaf=self.leaf, root=self.root, proof=self.proof)


@dataclass(frozen=True)
class Consistency:
    name: str
    holds: bool
    size: int
    later_size: int
    root: bytes
    later_root: bytes
    proof: tuple[bytes, ...]

    def check(self) -> None:
        check_consistency(
            size=self.size,
            root=self.root,
            later_size=self.later_size,
            later_root=self.later_root,
            proof=self.proof,
        )


def official() -> list[Inclusion | Consistency]:
    read = json.loads(OFFICIAL.read_text(encoding="utf-8"))

    def octets(text: str | None) -> bytes:
        return base64.b64decode(text or "", validate=True)

    def proof(texts: list[str] | None) -> tuple[bytes, ...]:
        return tuple(map(octets, texts or ()))

    inclusions = [
        Inclusion(
            name=case["name"],
            holds=not case["wantErr"],
            leaf_index=case["leafIdx"],
            size=case["treeSize"],
            leaf=octets(case["leafHash"]),
            root=octets(case["root"]),
            proof=proof(case["proof"]),
        )
        for case in read["inclusion"]
    ]
    consistencies = [
        Consistency(
            name=case["name"],
            holds=not case["wantErr"],
            size=case["size1"],
            later_size=case["size2"],
            root=octets(case["root1"]),
            later_root=octets(case["root2"]),
            proof=proof(case["proof"]),
        )
        for case in read["consistency"]
    ]
    return [*inclusions, *consistencies]


def own() -> list[Inclusion | Consistency]:
    """The kinds of case that the official vectors have, made from a tree of eleven leaves."""
    leaves = [leaf_hash(f"entry {number}".encode()) for number in range(11)]
    grown, runs = EMPTY.append(leaves)
    reader = RunReader(lambda wanted: {leaf: runs[leaf] for leaf in wanted})
    root, earlier = grown.root, EMPTY.append(leaves[:6])[0].root
    path, way = inclusion_proof(4, 11, reader), consistency_proof(6, 11, reader)
    none = bytes(32)
    return [
        Inclusion("own/inclusion/holds", True, 4, 11, leaves[4], root, path),
        Inclusion("own/inclusion/only leaf", True, 0, 1, leaves[0], leaves[0], ()),
        Inclusion("own/inclusion/other leaf", False, 5, 11, leaves[4], root, path),
        Inclusion("own/inclusion/leaf beyond the tree", False, 11, 11, leaves[4], root, path),
        Inclusion("own/inclusion/leaf number of 64 bits", False, 2**64 - 1, 11, leaves[4], root, path),
        Inclusion("own/inclusion/half the size", False, 4, 5, leaves[4], root, path),
        Inclusion("own/inclusion/other root", False, 4, 11, leaves[4], earlier, path),
        Inclusion("own/inclusion/empty root", False, 0, 1, leaves[0], EMPTY.root, ()),
        Inclusion("own/inclusion/no proof", False, 4, 11, leaves[4], root, ()),
        Inclusion("own/inclusion/garbage after it", False, 4, 11, leaves[4], root, (*path, none)),
        Inclusion("own/inclusion/garbage before it", False, 4, 11, leaves[4], root, (none, *path)),
        Inclusion("own/inclusion/root appended", False, 4, 11, leaves[4], root, (*path, root)),
        Inclusion("own/inclusion/cut short", False, 4, 11, leaves[4], root, path[:-1]),
        Consistency("own/consistency/holds", True, 6, 11, earlier, root, way),
        Consistency("own/consistency/same tree", True, 11, 11, root, root, ()),
        Consistency("own/consistency/same size, other root", False, 11, 11, root, earlier, ()),
        Consistency("own/consistency/same tree, needless proof", False, 11, 11, root, root, (none,)),
        Consistency("own/consistency/from nothing", False, 0, 11, EMPTY.root, root, ()),
        Consistency("own/consistency/both empty", False, 0, 0, EMPTY.root, EMPTY.root, ()),
        Consistency("own/consistency/shrinking", False, 11, 6, root, earlier, way),
        Consistency("own/consistency/other size", False, 7, 11, earlier, root, way),
        Consistency("own/consistency/roots swapped", False, 6, 11, root, earlier, way),
        Consistency("own/consistency/no proof", False, 6, 11, earlier, root, ()),
        Consistency("own/consistency/garbage after it", False, 6, 11, earlier, root, (*way, none)),
        Consistency("own/consistency/garbage before it", False, 6, 11, earlier, root, (none, *way)),
        Consistency("own/consistency/cut short", False, 6, 11, earlier, root, way[:-1]),
    ]


CASES = [*(official() if OFFICIAL.is_file() else []), *own()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_a_proof_is_judged_as_published(case: Inclusion | Consistency) -> None:
    if case.holds:
        case.check()
    else:
        with pytest.raises(ProofWrong):
            case.check()


def test_all_official_vectors_were_judged_or_their_absence_is_said_aloud() -> None:
    judged = len(CASES) - len(own())
    if OFFICIAL.is_file():
        assert judged == OFFICIAL_COUNT
    else:
        warnings.warn(
            f"The official RFC 6962 vectors are not at {OFFICIAL}: only {len(own())} cases of our own were judged.",
            stacklevel=1,
        )
