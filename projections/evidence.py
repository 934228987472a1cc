"""Same matter, once: which live application a piece of evidence stands under, and the guard that refuses a second one.

Invoices, contracts, certificates and cost lines are looked for across rules, enterprises and policies (readings B9, B10).
Whether an application still lives is folded from its own case, so that the steps that end one need not know its evidence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ledger.errors import Refusal, Text
from ledger.events import (
    ApplicationRefused,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    AwardApproved,
    DrawingEvent,
    Event,
    Evidence,
    case_tag,
    evidence_tag,
)
from ledger.guards import Look
from ledger.identity import application_id, award_id
from ledger.mapper import Envelope, Recorded
from ledger.policy.citation import SUPPLEMENT
from ledger.policy.model import EvidenceKind, EvidenceUse

_NAMES = {
    EvidenceKind.INVOICE: Text("发票", "invoice"),
    EvidenceKind.CONTRACT: Text("合同", "contract"),
    EvidenceKind.CERTIFICATE: Text("证书", "certificate"),
    EvidenceKind.COST_LINE: Text("费用明细", "cost line"),
}


@dataclass(slots=True)
class Life:
    """Whether a case still stands: not refused, not withdrawn, and not given back with all that it drew."""

    ended: bool = False
    drawn_fen: int = 0

    @property
    def is_live(self) -> bool:
        return not self.ended


Uses = list[Recorded]
"""The submissions that a piece of evidence was given with, in order."""


class EvidenceGuard:
    """Folds a piece of evidence's tag into the submissions that name it, and a case's tag into whether it still lives."""

    name = "evidence"
    kept = True

    def start(self, tag: str) -> Uses | Life:
        return Life() if tag.startswith(case_tag("")) else []

    def apply(self, state: Uses | Life, recorded: Recorded) -> Uses | Life:
        if isinstance(state, Life):
            _live_on(state, recorded.event)
        elif isinstance(recorded.event, ApplicationSubmitted):
            state.append(recorded)
        return state

    def concerns(self, event: Event) -> Iterator[str]:
        if isinstance(event, ApplicationSubmitted):
            for given in event.evidence:
                yield evidence_tag(given.kind, given.key)

    def permits(self, event: Event, envelope: Envelope, look: Look[Uses | Life]) -> None:
        if not isinstance(event, ApplicationSubmitted):
            return
        for given in event.evidence:
            uses = look(evidence_tag(given.kind, given.key))
            assert isinstance(uses, list)
            for earlier in uses:
                if _conflicts(event, given, envelope, earlier) and _lives(earlier, look):
                    raise _used(given, earlier)


def _live_on(life: Life, event: Event) -> None:
    match event:
        case ApplicationRefused() | ApplicationWithdrawn():
            life.ended = True
        case AwardApproved(drawn_fen=drawn_fen):
            life.drawn_fen = drawn_fen
        case DrawingEvent(draws=draws, drawn_fen=drawn_fen) if draws:
            life.drawn_fen -= drawn_fen
            life.ended = life.drawn_fen == 0


def _lives(earlier: Recorded, look: Look[Uses | Life]) -> bool:
    assert isinstance(earlier.event, ApplicationSubmitted)
    life = look(case_tag(earlier.event.case))
    assert isinstance(life, Life)
    return life.is_live


def _conflicts(event: ApplicationSubmitted, given: Evidence, envelope: Envelope, earlier: Recorded) -> bool:
    other = earlier.event
    assert isinstance(other, ApplicationSubmitted)
    if other.case == event.case:
        return False
    (before,) = (e for e in other.evidence if (e.kind, e.key) == (given.kind, given.key))
    matter, other_matter = (event.enterprise, event.rule, event.item), (other.enterprise, other.rule, other.item)
    if given.again and before.again and matter == other_matter:
        return False
    if _is_declared(event, other.case) and envelope.policy != earlier.envelope.policy:
        return False
    return given.stage == before.stage or EvidenceUse.ONCE in (given.use, before.use)


def _is_declared(event: ApplicationSubmitted, case: str) -> bool:
    """Whether the earlier award is declared as other funding: the law then decides what is due beside it (reading B10)."""
    return any(declared.document == award_id(case) for declared in event.other_funding)


def _used(given: Evidence, earlier: Recorded) -> Refusal:
    first = earlier.event
    assert isinstance(first, ApplicationSubmitted)
    what, number, on = _NAMES[EvidenceKind(given.kind)], application_id(first.case), earlier.envelope.effective_on
    return Refusal(
        "evidence-used",
        Text(
            f"{what.zh}{given.key}已用于{first.enterprise_name}{on}提交的申报{number}（规则{first.rule}），"
            "同一事项不重复资助；请剔除后再申报",
            f"{what.en} {given.key} stands under application {number} of {on} (rule {first.rule}); "
            "the same matter is funded once: leave it out and submit again",
        ),
        clause=SUPPLEMENT,
    )
