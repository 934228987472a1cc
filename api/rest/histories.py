"""Events as they stand in the log. Payloads are shown as recorded, amounts in fen: an auditor compares them bit by bit."""

from __future__ import annotations

from typing import Any

import msgspec

from api.auth import service
from api.evidence import HistoryProof, history_proof
from api.rest import fields
from api.rest.moments import MomentSchema, moment_of
from api.rest.problems import Problem
from api.rest.schema import Schema
from ledger.errors import Text
from ledger.mapper import Recorded


class EventSchema(Schema):
    position = fields.Whole(required=True, least=1)
    event_id = fields.Words(required=True, metadata={"format": "uuid"})
    type = fields.Words(required=True)
    schema_version = fields.Whole(required=True, least=1)
    effective_on = fields.Day(required=True)
    recorded_at = fields.Instant(required=True)
    actor = fields.Words(required=True)
    role = fields.Words(required=True)
    reference = fields.Words(required=True, allow_none=True)
    reason = fields.Words(required=True, allow_none=True)
    correlation_id = fields.Words(required=True, metadata={"format": "uuid"})
    causation_id = fields.Words(required=True, allow_none=True, metadata={"format": "uuid"})
    payload = fields.Payload(required=True)


class EventsSchema(Schema):
    events = fields.Many(fields.Nested(EventSchema), required=True)


class ProvenEventSchema(EventSchema):
    """``leaf`` and ``proof`` are there where proofs were asked for; null for what is after the checkpoint."""

    leaf = fields.Words(
        allow_none=True,
        metadata={"description": "the line whose UTF-8 bytes are sealed: type, tags, envelope and payload as stored"},
    )
    proof = fields.Many(
        fields.Words(),
        allow_none=True,
        metadata={
            "description": "inclusion proof (RFC 6962, 2.1.1) of the leaf at index `position` - 1 in the checkpoint's tree: "
            "hashes in base64, from the leaf up"
        },
    )


class HistorySchema(Schema):
    events = fields.Many(fields.Nested(ProvenEventSchema), required=True)
    checkpoint = fields.Words(
        metadata={
            "description": "where proofs were asked for: the signed checkpoint (C2SP tlog-checkpoint) that they lead to"
        }
    )


class HistoryQuerySchema(MomentSchema):
    proof = fields.Flag(
        text=True,
        load_default=False,
        metadata={
            "description": "附上每个事件的封存证明和检查点 / with the proof of each event and their checkpoint; "
            "409 `no-checkpoint` where the ledger has no signing key and has kept none"
        },
    )


def history_body(case: str, query: dict[str, Any]) -> dict[str, Any]:
    """The history of a case as it was at the moment asked for; with its proofs where they are asked for."""
    history = service().reader.history(case, moment_of(query))
    if not query["proof"]:
        return {"events": [event_body(recorded) for recorded in history]}
    proof = _proof([recorded.position for recorded in history])
    leaves = dict(service().reader.leaves(case, proof.size))
    return {
        "events": [
            {
                **event_body(recorded),
                "leaf": _text(leaves.get(recorded.position)),
                "proof": proof.of(recorded.position),
            }
            for recorded in history
        ],
        "checkpoint": proof.checkpoint,
    }


def _proof(positions: list[int]) -> HistoryProof:
    """Against a checkpoint that covers the history where one can be signed, else against the one that was kept last."""
    keeper, recorder = service().keeper, service().recorder
    kept = keeper.kept()
    if keeper.can_sign and (kept is None or kept.size < positions[-1]):
        keeper.advance(recorder)
    if (proof := history_proof(keeper, recorder, positions)) is not None:
        return proof
    raise Problem(
        409,
        "no-checkpoint",
        Text("没有检查点", "No checkpoint"),
        Text(
            "本账本没有签名密钥，也没有保存过检查点，无法给出证明；请管理员运行 funding-ledger keys 生成密钥后再试",
            "the ledger has no signing key and has kept no checkpoint, so nothing can be proven against one; ask the "
            "administrator to make a key with funding-ledger keys, then try again",
        ),
    )


def _text(leaf: bytes | None) -> str | None:
    return None if leaf is None else leaf.decode()


def event_body(recorded: Recorded) -> dict[str, Any]:
    envelope = recorded.envelope
    return {
        "position": recorded.position,
        "event_id": envelope.event_id,
        "type": recorded.type_name,
        "schema_version": envelope.schema_version,
        "effective_on": envelope.effective_on,
        "recorded_at": envelope.recorded_at,
        "actor": envelope.actor,
        "role": envelope.role,
        "reference": envelope.reference,
        "reason": envelope.reason,
        "correlation_id": envelope.correlation_id,
        "causation_id": envelope.causation_id,
        "payload": msgspec.to_builtins(recorded.event),
    }
