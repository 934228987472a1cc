"""How each event of a case changes its case file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ledger import events
from ledger.casefile import CaseFile, CaseState, Disbursement, DisbursementState, Recovery, Violation
from ledger.draws import less
from ledger.mapper import Recorded
from ledger.rules import WayOut


class CaseFold:
    """Folds the events tagged with one case into its :class:`CaseFile`. Events of other kinds leave it as it is."""

    name = "case"
    kept = True

    def start(self, tag: str) -> CaseFile:
        return CaseFile(number=tag.removeprefix(events.case_tag("")))

    def apply(self, case: CaseFile, recorded: Recorded) -> CaseFile:
        step = _STEPS.get(type(recorded.event))
        if step is not None:
            step(case, recorded, recorded.event)
            case.position = recorded.position
            case.effective_on = recorded.envelope.effective_on
            case.last_event_id = recorded.envelope.event_id
            case.first_event_id = case.first_event_id or case.last_event_id
        return case


def _submitted(case: CaseFile, recorded: Recorded, event: events.ApplicationSubmitted) -> None:
    case.enterprise, case.enterprise_name = event.enterprise, event.enterprise_name
    case.policy = recorded.envelope.policy
    case.rule, case.item, case.particulars = event.rule, event.item, event.particulars
    case.evidence, case.declared_funding = event.evidence, event.other_funding
    case.submitted_on = recorded.envelope.effective_on


def _accepted(case: CaseFile, recorded: Recorded, event: events.ApplicationAccepted) -> None:
    case.accepted_on, case.acceptance_number = recorded.envelope.effective_on, event.acceptance_number


def _refused(case: CaseFile, recorded: Recorded, event: events.ApplicationRefused) -> None:
    case.closed_as = CaseState.REFUSED


def _withdrawn(case: CaseFile, recorded: Recorded, event: events.ApplicationWithdrawn) -> None:
    case.closed_as = CaseState.WITHDRAWN


def _other_funding_decided(case: CaseFile, recorded: Recorded, event: events.OtherFundingDecided) -> None:
    case.way_out = WayOut(event.way_out)


def _determined(case: CaseFile, recorded: Recorded, event: events.AmountDetermined) -> None:
    case.determination = event
    case.review_evidence = event.evidence or ()


def _approved(case: CaseFile, recorded: Recorded, event: events.AwardApproved) -> None:
    case.approval, case.approved_on, case.approved_at = event, recorded.envelope.effective_on, recorded.position
    case.drawn = event.draws
    if event.payment_plan:
        case.stages_reached = [recorded.envelope.effective_on]


def _stage_confirmed(case: CaseFile, recorded: Recorded, event: events.StageConfirmed) -> None:
    case.stages_reached.append(recorded.envelope.effective_on)


def _released(case: CaseFile, recorded: Recorded, event: events.AwardReleased) -> None:
    case.released_fen += event.amount_fen
    case.drawn = less(case.drawn, event.draws)


def _requested(case: CaseFile, recorded: Recorded, event: events.DisbursementRequested) -> None:
    case.disbursements[event.disbursement] = Disbursement(
        event.disbursement, event.amount_fen, DisbursementState.REQUESTED
    )
    case.committed_fen += event.amount_fen


def _ordered(case: CaseFile, recorded: Recorded, event: events.DisbursementOrdered) -> None:
    case.disbursements[event.disbursement].state = DisbursementState.ORDERED


def _settled(case: CaseFile, recorded: Recorded, event: events.DisbursementSettled) -> None:
    disbursement = case.disbursements[event.disbursement]
    disbursement.state = DisbursementState.SETTLED
    case.settled_fen += event.amount_fen
    disbursement.bank_serial, disbursement.settled_on = event.bank_serial, recorded.envelope.effective_on


def _cancelled(case: CaseFile, recorded: Recorded, event: events.DisbursementCancelled) -> None:
    case.disbursements[event.disbursement].state = DisbursementState.CANCELLED
    case.committed_fen -= event.amount_fen


def _returned(case: CaseFile, recorded: Recorded, event: events.DisbursementReturned) -> None:
    case.disbursements[event.disbursement].state = DisbursementState.RETURNED
    case.committed_fen -= event.amount_fen


def _violation_found(case: CaseFile, recorded: Recorded, event: events.ViolationFound) -> None:
    case.violations[event.violation] = Violation(event.violation, event.party, recorded.envelope.effective_on)


def _violation_withdrawn(case: CaseFile, recorded: Recorded, event: events.ViolationWithdrawn) -> None:
    case.violations[event.violation].withdrawn = True


def _recovery_ordered(case: CaseFile, recorded: Recorded, event: events.RecoveryOrdered) -> None:
    case.recoveries[event.recovery] = Recovery(
        event.recovery, event.amount_fen, event.cause, event.restores_headroom, event.due_on
    )
    case.recovery_ordered_fen += event.amount_fen


def _recovery_received(case: CaseFile, recorded: Recorded, event: events.RecoveryReceived) -> None:
    case.recoveries[event.recovery].received_fen += event.amount_fen
    case.recovered_fen += event.amount_fen
    case.drawn = less(case.drawn, event.draws)


def _recovery_cancelled(case: CaseFile, recorded: Recorded, event: events.RecoveryCancelled) -> None:
    case.recoveries[event.recovery].amount_fen -= event.amount_fen
    case.recovery_ordered_fen -= event.amount_fen


_STEPS: Final[dict[type[events.Event], Callable[[CaseFile, Recorded, Any], None]]] = {
    events.ApplicationSubmitted: _submitted,
    events.ApplicationAccepted: _accepted,
    events.ApplicationRefused: _refused,
    events.ApplicationWithdrawn: _withdrawn,
    events.OtherFundingDecided: _other_funding_decided,
    events.AmountDetermined: _determined,
    events.AwardApproved: _approved,
    events.StageConfirmed: _stage_confirmed,
    events.AwardReleased: _released,
    events.DisbursementRequested: _requested,
    events.DisbursementOrdered: _ordered,
    events.DisbursementSettled: _settled,
    events.DisbursementCancelled: _cancelled,
    events.DisbursementReturned: _returned,
    events.ViolationFound: _violation_found,
    events.ViolationWithdrawn: _violation_withdrawn,
    events.RecoveryOrdered: _recovery_ordered,
    events.RecoveryReceived: _recovery_received,
    events.RecoveryCancelled: _recovery_cancelled,
}
