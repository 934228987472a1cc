"""An award's certificate: its whole history as it is sealed, and the proof of each event against a signed checkpoint.

One JSON document that ``tools/verify_certificate.py`` checks without anything of ours. What it shows and what it cannot
show is told in docs/adr/0007.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from ledger.casefile import CaseFile
from ledger.counted import counted
from ledger.errors import NotFound, StoreFault, Text
from ledger.identity import award_id
from ledger.money import format_yuan
from ledger.seal.merkle import (
    NodeReader,
    ProofWrong,
    consistency_proof,
    inclusion_proofs,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from ledger.seal.note import Checkpoint, OpenedCheckpoint
from projections.amounts import grouped_yuan
from projections.reader import Moment, Reader

FORMAT: Final = "funding-ledger-certificate"
VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class SealedEvent:
    """An event of the log: its place, the bytes its leaf is the hash of, and the hashes that lead to the root."""

    position: int
    leaf: bytes
    proof: tuple[bytes, ...]


def proven(leaves: Sequence[tuple[int, bytes]], size: int, nodes: NodeReader) -> list[SealedEvent]:
    """Events with their inclusion proofs in the log's first ``size`` events: one read for all of them."""
    proofs = inclusion_proofs([position - 1 for position, _ in leaves], size, nodes)
    return [SealedEvent(position, leaf, proof) for (position, leaf), proof in zip(leaves, proofs, strict=True)]


@dataclass(frozen=True, slots=True)
class Since:
    """A checkpoint that somebody kept from earlier, ``note`` as it was signed: the log is to be shown to continue it."""

    note: bytes
    checkpoint: Checkpoint


def certificate(
    number: str,
    reader: Reader,
    nodes: NodeReader,
    signed: bytes,
    opened: OpenedCheckpoint,
    since: Since | None = None,
) -> dict[str, Any]:
    """The certificate of the award of a case, as of a signed checkpoint, which ``opened`` is and which continues ``since``.

    Raises ``NotFound`` where there was no award by then, ``StoreFault`` where an event is not the one that the checkpoint
    was signed of: what its reader would find, nobody is to be handed.
    """
    size = opened.checkpoint.size
    case = reader.case(number, Moment(up_to=size))
    if case.approval is None:
        raise NotFound(
            Text(
                f"案卷{number}在检查点（{size}个事件）之前没有审批的资助，无法出具证明",
                f"case {number} had no award by the checkpoint, which is of {counted(size, 'event')}: there is nothing "
                "to certify",
            )
        )
    (key,) = [key for key in opened.signed_by if key.name == opened.checkpoint.origin][:1]
    events = proven(reader.leaves(number, size), size, nodes)
    for event in events:
        _require_sealed(event, opened.checkpoint)
    pins = {recorded.envelope.policy for recorded in reader.history(number, Moment(up_to=size))} - {None}
    return {
        "format": FORMAT,
        "version": VERSION,
        "award": award_id(number),
        "case": number,
        "key": {"name": key.name, "id": key.key_id.hex()},
        "checkpoint": signed.decode(),
        **({} if since is None else {"since": since_body(since, opened.checkpoint, nodes)}),
        "policies": sorted(
            (msgspec.to_builtins(pin) for pin in pins), key=lambda pin: (pin["policy_id"], pin["version"])
        ),
        "totals": {
            "awarded": format_yuan(case.awarded_fen),
            "paid": format_yuan(case.settled_fen),
            "recovered": format_yuan(case.recovered_fen),
        },
        "summary": summary(case, len(events), size),
        "events": [event_body(event) for event in events],
    }


def event_body(event: SealedEvent) -> dict[str, Any]:
    return {
        "position": event.position,
        "leaf": event.leaf.decode(),
        "proof": [base64.b64encode(hashed).decode() for hashed in event.proof],
    }


def _require_sealed(event: SealedEvent, stated: Checkpoint) -> None:
    try:
        verify_inclusion(
            leaf_index=event.position - 1,
            size=stated.size,
            leaf=leaf_hash(event.leaf),
            root=stated.root,
            proof=event.proof,
        )
    except ProofWrong as error:
        raise StoreFault(
            Text(
                f"第{event.position}号事件：内容或封存哈希与检查点不符，已被改动；未出具证明，"
                "请运行 funding-ledger verify 查明",
                f"position {event.position}: it, or a stored hash, is not what the checkpoint was signed of; no certificate "
                "was written, find out with funding-ledger verify",
            )
        ) from error


def since_body(since: Since, stated: Checkpoint, nodes: NodeReader) -> dict[str, Any]:
    earlier = since.checkpoint
    # Every log begins with the empty one: nothing is to be shown.
    proof = consistency_proof(earlier.size, stated.size, nodes) if earlier.size else ()
    if earlier.size:
        _require_continued(earlier, stated, proof)
    return {
        "checkpoint": since.note.decode(),
        "proof": [base64.b64encode(hashed).decode() for hashed in proof],
    }


def _require_continued(earlier: Checkpoint, stated: Checkpoint, proof: Sequence[bytes]) -> None:
    sizes = {"size": earlier.size, "later_size": stated.size}
    try:
        verify_consistency(root=earlier.root, later_root=stated.root, proof=proof, **sizes)
    except ProofWrong as error:
        raise StoreFault(
            Text(
                f"存储的哈希证明不了{stated.size}个事件的检查点延续{earlier.size}个事件的检查点；未出具证明，"
                "请运行 funding-ledger verify 查明",
                f"the stored hashes do not show that the checkpoint of {counted(stated.size, 'event')} continues that of "
                f"{earlier.size}; no certificate was written, find out with funding-ledger verify",
            )
        ) from error


def summary(case: CaseFile, events: int, size: int) -> dict[str, str]:
    """What the certificate says, in words. The verifier writes the same words itself and compares."""
    awarded, paid, recovered = (grouped_yuan(fen) for fen in (case.awarded_fen, case.settled_fen, case.recovered_fen))
    return {
        "zh": f"{case.enterprise_name}（{case.enterprise}），规则{case.rule}，对象{case.item}："
        f"资助{awarded}元，已拨付{paid}元，已追回{recovered}元；案卷{case.number}共{events}个事件，"
        f"截至日志第{size}号事件。",
        "en": f"{case.enterprise_name} ({case.enterprise}), rule {case.rule}, {case.item}: awarded {awarded} yuan, "
        f"paid {paid}, recovered {recovered}; {events} events of case {case.number}, as of {size} events in the log.",
    }
