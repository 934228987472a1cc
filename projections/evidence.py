"""Same matter, once: which live application a piece of evidence stands under, and the guard that refuses a second one.

Invoices, contracts, certificates and cost lines are looked for across rules, enterprises and policies (readings B9, B10).
Whether an application still lives is folded from its own case, so that the steps that end one need not know its evidence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ledger.errors import Refusal, Text
from ledger.events import (
    AmountDetermined,
    ApplicationRefused,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    AwardApproved,
    CaseEvent,
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
    EvidenceKind.AUDIT_REPORT: Text("审计报告", "audit report"),
}


@dataclass(frozen=True, slots=True)
class Claim:
    """What an application says of itself that lets evidence stand again.

    ``matter`` is the enterprise, the rule and the item; ``declared`` the documents of the other funding that it names;
    ``carries`` the cases whose remainder it claims (reading B30).
    """

    policy_id: str
    matter: tuple[str, str, str]
    declared: tuple[str, ...]
    carries: tuple[str, ...]


@dataclass(slots=True)
class Life:
    """Whether a case still stands: not refused, not withdrawn, and not given back with all that it drew.

    ``claim`` is its application's, ``added`` what its last determination added to the application's evidence.
    """

    claim: Claim | None = None
    ended: bool = False
    drawn_fen: int = 0
    added: tuple[Evidence, ...] = ()

    @property
    def is_live(self) -> bool:
        return not self.ended


Uses = list[Recorded]
"""The submissions and determinations that a piece of evidence was given with, in order."""


class EvidenceGuard:
    """Folds a piece of evidence's tag into the steps that gave it, and a case's tag into whether it still lives."""

    name = "evidence"
    kept = True

    def start(self, tag: str) -> Uses | Life:
        return Life() if tag.startswith(case_tag("")) else []

    def apply(self, state: Uses | Life, recorded: Recorded) -> Uses | Life:
        if isinstance(state, Life):
            _live_on(state, recorded)
        elif given_with(recorded.event):
            state.append(recorded)
        return state

    def concerns(self, event: Event) -> Iterator[str]:
        for given in given_with(event):
            yield evidence_tag(given.kind, given.key)

    def permits(self, event: Event, envelope: Envelope, look: Look[Uses | Life]) -> None:
        given_now = given_with(event)
        if not given_now:
            return
        assert isinstance(event, CaseEvent)
        claim = _claim_of(event, envelope, look)
        for given in given_now:
            uses = look(evidence_tag(given.kind, given.key))
            assert isinstance(uses, list)
            for earlier in uses:
                if _conflicts(event, claim, given, earlier, look) and _lives(given, earlier, look):
                    raise _used(given, earlier)


def given_with(event: Event) -> tuple[Evidence, ...]:
    """What a claim is proved with from this step on: its application's evidence, and an audit report that review added."""
    match event:
        case ApplicationSubmitted(evidence=evidence):
            return evidence
        case AmountDetermined(evidence=evidence):
            return evidence or ()
    return ()


def _live_on(life: Life, recorded: Recorded) -> None:
    event = recorded.event
    match event:
        case ApplicationSubmitted():
            life.claim = _claimed(event, recorded.envelope)
        case ApplicationRefused() | ApplicationWithdrawn():
            life.ended = True
        case AmountDetermined(evidence=evidence):
            life.added = evidence or ()
        case AwardApproved(drawn_fen=drawn_fen):
            life.drawn_fen = drawn_fen
        case DrawingEvent(draws=draws, drawn_fen=drawn_fen) if draws:
            life.drawn_fen -= drawn_fen
            life.ended = life.drawn_fen == 0


def _lives(given: Evidence, earlier: Recorded, look: Look[Uses | Life]) -> bool:
    """Whether the case still stands, and on this evidence: a later determination may have replaced its audit report."""
    assert isinstance(earlier.event, CaseEvent)
    life = _life(earlier.event.case, look)
    if isinstance(earlier.event, AmountDetermined) and _same(given, life.added) is None:
        return False
    return life.is_live


def _same(given: Evidence, among: tuple[Evidence, ...]) -> Evidence | None:
    return next((one for one in among if (one.kind, one.key) == (given.kind, given.key)), None)


def _claim_of(event: CaseEvent, envelope: Envelope, look: Look[Uses | Life]) -> Claim:
    """What the application says for which this evidence is given: the one being submitted, or the case's own."""
    if isinstance(event, ApplicationSubmitted):
        return _claimed(event, envelope)
    return _known_claim(event.case, look)


def _claimed(event: ApplicationSubmitted, envelope: Envelope) -> Claim:
    return Claim(
        policy_id=_policy_id(envelope),
        matter=(event.enterprise, event.rule, event.item),
        declared=tuple(funding.document for funding in event.other_funding),
        carries=event.carries or (),
    )


def _known_claim(case: str, look: Look[Uses | Life]) -> Claim:
    claim = _life(case, look).claim
    assert claim is not None, "a case begins with an application"
    return claim


def _life(case: str, look: Look[Uses | Life]) -> Life:
    life = look(case_tag(case))
    assert isinstance(life, Life)
    return life


def _conflicts(event: CaseEvent, claim: Claim, given: Evidence, earlier: Recorded, look: Look[Uses | Life]) -> bool:
    """Whether the earlier use bars this one. What the office reads on the day of this step decides, not what it read when
    the earlier application came: a switch of a reading is for the decisions after it, in either direction. What another
    policy lets stand is known from its own application only, and goes on barring.
    """
    other = earlier.event
    assert isinstance(other, CaseEvent)
    if other.case == event.case or other.case in claim.carries:
        return False
    before = _same(given, given_with(other))
    assert before is not None, "what carries the tag gives the evidence"
    if claim.policy_id != _policy_id(earlier.envelope):
        # Beside an award that is declared, the law decides what is due (reading B10).
        is_declared = award_id(other.case) in claim.declared
        return not is_declared and (given.stage == before.stage or EvidenceUse.ONCE in (given.use, before.use))
    if given.again and claim.matter == _known_claim(other.case, look).matter:
        return False
    return given.stage == before.stage or given.use == EvidenceUse.ONCE


def _policy_id(envelope: Envelope) -> str:
    """The policy, whichever version of it: two versions are one policy, which funds a matter once."""
    assert envelope.policy is not None, "evidence is given under a policy"
    return envelope.policy.policy_id


def _used(given: Evidence, earlier: Recorded) -> Refusal:
    first = earlier.event
    assert isinstance(first, CaseEvent)
    what, number, on = _NAMES[EvidenceKind(given.kind)], application_id(first.case), earlier.envelope.effective_on
    zh, en = f"{on}核定的申报{number}", f"application {number}, determined on {on}"
    if isinstance(first, ApplicationSubmitted):
        zh = f"{first.enterprise_name}{on}提交的申报{number}（规则{first.rule}）"
        en = f"application {number} of {on} (rule {first.rule})"
    return Refusal(
        "evidence-used",
        Text(
            f"{what.zh}{given.key}已用于{zh}，同一事项不重复资助；请剔除后再办理",
            f"{what.en} {given.key} stands under {en}; the same matter is funded once: leave it out and submit again",
        ),
        clause=SUPPLEMENT,
        earlier=first.case,
    )
