"""What a claim is proved with, as it is submitted: its form, and how often the policy lets it stand (readings B9, B19)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ledger.errors import FieldError, Text
from ledger.events import Evidence
from ledger.policy.model import EvidenceKind, Policy, Rule
from ledger.scopes import ITEM_LENGTH_MAX, item_key

EVIDENCE_MOST: Final = 500
"""Pieces of evidence of one application."""
_KEYS: Final = frozenset({"kind", "key"})


def evidence_key(text: str) -> str:
    """A number as it is compared, so that two ways of typing it are one: as :func:`ledger.scopes.item_key`."""
    return item_key(text)


def evidence_errors(given: Sequence[Mapping[str, Any]]) -> Iterator[FieldError]:
    """What is wrong with the evidence taken by itself; nothing may be given twice."""
    if len(given) > EVIDENCE_MOST:
        most = Text(f"最多{EVIDENCE_MOST}件", f"at most {EVIDENCE_MOST} pieces")
        yield FieldError("evidence", "too-many", most)
        return
    first: dict[tuple[str, str], int] = {}
    for position, piece in enumerate(given):
        field = f"evidence[{position}]"
        errors = list(_piece_errors(field, piece))
        yield from errors
        if errors:
            continue
        earlier = first.setdefault((piece["kind"], evidence_key(piece["key"])), position)
        if earlier != position:
            told = Text(f"与第{earlier + 1}件重复", f"the same as piece {earlier + 1}")
            yield FieldError(f"{field}.key", "duplicate", told)


def _piece_errors(field: str, piece: Mapping[str, Any]) -> Iterator[FieldError]:
    for name in sorted(piece.keys() - _KEYS):
        yield FieldError(f"{field}.{name}", "unknown", Text("没有这一项", "no such field"))
    if piece.get("kind") not in set(EvidenceKind):
        known = ", ".join(EvidenceKind)
        yield FieldError(f"{field}.kind", "unknown", Text(f"种类须为：{known}", f"the kind must be one of: {known}"))
    try:
        evidence_key(piece.get("key", ""))
    except (ValueError, AttributeError, TypeError):
        how = Text(
            f"请填写号码，最多{ITEM_LENGTH_MAX}个字符",
            f"its number, at most {ITEM_LENGTH_MAX} characters",
        )
        yield FieldError(f"{field}.key", "invalid", how)


def given_evidence(policy: Policy, rule: Rule, given: Sequence[Mapping[str, Any]]) -> tuple[Evidence, ...]:
    """The evidence of a claim, by the policy as read today; it stands for the rule's own stage, and no other."""
    again = rule.evidence_again.value if rule.evidence_again else frozenset()
    return tuple(
        Evidence(
            kind=piece["kind"],
            key=evidence_key(piece["key"]),
            stage=rule.stage,
            use=policy.evidence[EvidenceKind(piece["kind"])].value,
            again=EvidenceKind(piece["kind"]) in again,
        )
        for piece in given
    )
