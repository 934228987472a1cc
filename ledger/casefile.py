"""The case file (案卷): one matter from its application to its last recovered fen, as its events left it.

An application and the award that may come of it are one case and share its number. Commands decide on it; the views show
it. It holds no rule of law: only what happened, and sums of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from ledger import events
from ledger.errors import Text
from ledger.policy.model import Pin
from ledger.rules import Draw, WayOut, WindowUse
from ledger.stages import StageOfAward, due_fen, stages_of


class CaseState(StrEnum):
    """Where a case stands. Follows from its events; never recorded by itself."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    DETERMINED = "determined"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    APPROVED = "approved"
    PART_PAID = "part-paid"
    PAID = "paid"
    RELEASED = "released"
    VIOLATION = "violation-found"
    RECOVERING = "recovering"
    RECOVERED = "recovered"


PAYABLE: Final = (CaseState.APPROVED, CaseState.PART_PAID, CaseState.PAID)
"""Where money may move toward the enterprise: there is an award, and neither a violation nor a recovery stands open."""

STATE_NAMES: Final = {
    CaseState.SUBMITTED: Text("已提交", "submitted"),
    CaseState.ACCEPTED: Text("已受理", "accepted"),
    CaseState.DETERMINED: Text("已核定", "amount determined"),
    CaseState.REFUSED: Text("不予资助", "refused"),
    CaseState.WITHDRAWN: Text("已撤回", "withdrawn"),
    CaseState.APPROVED: Text("已审批", "approved"),
    CaseState.PART_PAID: Text("部分拨付", "paid in part"),
    CaseState.PAID: Text("已拨付", "paid"),
    CaseState.RELEASED: Text("已释放", "released"),
    CaseState.VIOLATION: Text("违规认定", "violation found"),
    CaseState.RECOVERING: Text("追缴中", "being recovered"),
    CaseState.RECOVERED: Text("已追回", "recovered"),
}


AWARD_STATES: Final = tuple(CaseState)[tuple(CaseState).index(CaseState.APPROVED) :]
"""Every state from approval on."""


class DisbursementState(StrEnum):
    REQUESTED = "requested"
    ORDERED = "ordered"
    SETTLED = "settled"
    CANCELLED = "cancelled"
    RETURNED = "returned"


@dataclass(slots=True)
class Disbursement:
    number: int
    amount_fen: int
    state: DisbursementState
    bank_serial: str | None = None
    settled_on: date | None = None


@dataclass(slots=True)
class Recovery:
    """``amount_fen`` is the principal ordered, less what a cancellation took back."""

    number: int
    amount_fen: int
    cause: str
    restores_headroom: bool
    due_on: date
    received_fen: int = 0

    @property
    def outstanding_fen(self) -> int:
        return self.amount_fen - self.received_fen


@dataclass(slots=True)
class Violation:
    number: int
    party: str
    found_on: date
    withdrawn: bool = False


@dataclass(slots=True)
class CaseFile:
    """``position`` is that of the case's last event and serves as its version. Amounts are fen.

    ``committed_fen`` is requested, ordered or settled: no longer free to be requested. ``stages_reached`` are the days on
    which the stages of the award's payment plan were reached, in order; ``approved_at`` is the approval's position in the
    log. Sums are kept as the events come, so that a case with many payments costs no more than one with few.
    """

    number: str
    position: int = 0
    first_event_id: UUID | None = None
    last_event_id: UUID | None = None
    effective_on: date | None = None
    enterprise: str = ""
    enterprise_name: str = ""
    policy: Pin | None = None
    rule: str = ""
    item: str = ""
    particulars: dict[str, str | bool | int] = field(default_factory=dict)
    evidence: tuple[events.Evidence, ...] = ()
    review_evidence: tuple[events.Evidence, ...] = ()
    declared_funding: tuple[events.DeclaredFunding, ...] = ()
    way_out: WayOut | None = None
    submitted_on: date | None = None
    accepted_on: date | None = None
    acceptance_number: str | None = None
    closed_as: CaseState | None = None
    determination: events.AmountDetermined | None = None
    approval: events.AwardApproved | None = None
    approved_on: date | None = None
    approved_at: int = 0
    drawn: tuple[Draw, ...] = ()
    stages_reached: list[date] = field(default_factory=list)
    released_fen: int = 0
    committed_fen: int = 0
    settled_fen: int = 0
    recovery_ordered_fen: int = 0
    recovered_fen: int = 0
    disbursements: dict[int, Disbursement] = field(default_factory=dict)
    violations: dict[int, Violation] = field(default_factory=dict)
    recoveries: dict[int, Recovery] = field(default_factory=dict)

    @property
    def exists(self) -> bool:
        return self.position > 0

    @property
    def state(self) -> CaseState:
        if self.closed_as is not None:
            return self.closed_as
        if self.approval is None:
            if self.determination is not None:
                return CaseState.DETERMINED
            return CaseState.SUBMITTED if self.accepted_on is None else CaseState.ACCEPTED
        return self._award_state(self.approval)

    def _award_state(self, approval: events.AwardApproved) -> CaseState:
        if any(recovery.outstanding_fen for recovery in self.recoveries.values()):
            return CaseState.RECOVERING
        if self.recovered_fen and self.recovered_fen == self.settled_fen and self.payable_fen == 0:
            return CaseState.RECOVERED
        if self.has_open_violation:
            return CaseState.VIOLATION
        if self.released_fen == approval.amount_fen:
            return CaseState.RELEASED
        if self.settled_fen == 0:
            return CaseState.APPROVED
        return CaseState.PAID if self.payable_fen == 0 else CaseState.PART_PAID

    @property
    def awarded_fen(self) -> int:
        """What may be paid in all: approved, less released."""
        return 0 if self.approval is None else self.approval.amount_fen - self.released_fen

    @property
    def uncommitted_fen(self) -> int:
        """What may still be requested, or released."""
        return self.awarded_fen - self.committed_fen

    @property
    def payment_plan(self) -> events.PaymentPlan | None:
        """How the award is paid in stages; None where it may be paid at once."""
        return (self.approval.payment_plan or None) if self.approval is not None else None

    @property
    def requestable_fen(self) -> int:
        """What may be requested now: of the stages reached, where the award is paid in stages; 0 while it is stopped."""
        if self.state not in PAYABLE:
            return 0
        plan = self.payment_plan
        if plan is None:
            return self.uncommitted_fen
        return max(0, due_fen(plan, self.awarded_fen, len(self.stages_reached)) - self.committed_fen)

    @property
    def stages(self) -> tuple[StageOfAward, ...]:
        """The payment plan as it stands; none where the award may be paid at once."""
        plan = self.payment_plan
        return () if plan is None else stages_of(plan, self.awarded_fen, self.stages_reached, self.settled_fen)

    @property
    def payable_fen(self) -> int:
        """What has been awarded and has not reached the enterprise yet."""
        return self.awarded_fen - self.settled_fen

    @property
    def kept_fen(self) -> int:
        """What the enterprise has of the award or may still be paid: awarded, less what came back."""
        return self.awarded_fen - self.recovered_fen

    @property
    def recoverable_fen(self) -> int:
        """What was paid and no recovery order covers yet."""
        return self.settled_fen - self.recovery_ordered_fen

    @property
    def has_open_violation(self) -> bool:
        return any(not violation.withdrawn for violation in self.violations.values())

    @property
    def applicant_in_violation(self) -> bool:
        return any(not each.withdrawn and each.party == "applicant" for each in self.violations.values())

    @property
    def budget_scope(self) -> str:
        assert self.approval is not None, "only an award draws on a budget"
        return self.approval.budget_scope

    @property
    def window(self) -> WindowUse | None:
        return None if self.approval is None else self.approval.window
