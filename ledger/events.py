"""Every fact the ledger knows how to record: its stable type name, its payload and its tags.

Events are in the past tense, one business fact each. The type name is what the store keeps for ever; it is never derived
from a Python name. Tags are computed here and nowhere else: they say which histories and which limits a fact belongs to.
A new field is added with a default; a new meaning is a new type. Amounts are fen.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar, Final

import msgspec

from ledger.errors import Headroom, Text
from ledger.rules import Binding, Draw, Step, WindowUse


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Base of all payloads. ``type_name`` is the word the store keeps; ``schema_version`` counts its shapes.

    Without ``gc``: what is made of values cannot refer to itself, and the collector would spend a third of a command's time
    on looking (docs/performance.md).
    """

    type_name: ClassVar[str]
    schema_version: ClassVar[int] = 1

    def tags(self) -> Iterator[str]:
        """The histories and scopes this fact belongs to."""
        return iter(())


def case_tag(case: str) -> str:
    return f"case={case}"


def refusals_tag(case: str) -> str:
    return f"refusals={case}"


def enterprise_tag(enterprise: str) -> str:
    return f"enterprise={enterprise}"


def scope_tag(scope: str) -> str:
    """``scope`` is a :attr:`ledger.scopes.Scope.key`."""
    return f"limit={scope}"


def person_tag(person: str) -> str:
    return f"person={person}"


def key_tag(actor: str, key: str) -> str:
    return f"key={actor}/{key}"


def policy_tag(policy_id: str) -> str:
    return f"policy={policy_id}"


def pin_tag(policy_id: str, version: int) -> str:
    return f"pin={policy_id}/{version}"


def evidence_tag(kind: str, key: str) -> str:
    """``key`` as :func:`ledger.evidence.evidence_key` writes it."""
    return f"evidence={kind}/{key}"


def register_tag(register: str, number: str) -> str:
    """A number that its register gives out once: a bank's serial number, an acceptance number."""
    return f"{register}={number}"


BANK_SERIAL: Final = "bank-serial"
ACCEPTANCE_NUMBER: Final = "acceptance-number"


class CaseEvent(Event, frozen=True, kw_only=True):
    """A step in one matter: an application and the award that may come of it share a case number."""

    case: str
    enterprise: str

    def tags(self) -> Iterator[str]:
        yield case_tag(self.case)
        yield enterprise_tag(self.enterprise)
        for register, number in self.register_entries():
            yield register_tag(register, number)

    def register_entries(self) -> Iterator[tuple[str, str]]:
        """Numbers used by this fact that no other fact may use again, as ``(register, number)``."""
        return iter(())


# Application


class Evidence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One invoice, contract, certificate or cost line (证据), for a stage of the matter.

    ``use`` is how often the policy lets it stand, read on the day of submission (``once``, ``once-per-stage``); ``again``:
    it may be given again for the same item under the same rule, for another period.
    """

    kind: str
    key: str
    stage: str
    use: str
    again: bool = False


class DeclaredFunding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Public money that the enterprise says it was granted for the same matter. ``document`` is the 文号 behind it, or the
    id of the award where it is in this ledger.
    """

    level: str
    amount_fen: int
    document: str


class ApplicationSubmitted(CaseEvent, frozen=True, kw_only=True):
    """提交申报. ``particulars`` as submitted, normalised: money as yuan with two decimals, dates in ISO 8601.

    ``carries``: the cases whose remainder it claims, with the evidence that they were granted on (reading B30); left out
    where it claims none.
    """

    type_name = "application-submitted"
    enterprise_name: str
    rule: str
    item: str
    particulars: dict[str, str | bool | int]
    evidence: tuple[Evidence, ...] = ()
    other_funding: tuple[DeclaredFunding, ...] = ()
    carries: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET

    def tags(self) -> Iterator[str]:
        yield from super().tags()
        for given in self.evidence:
            yield evidence_tag(given.kind, given.key)


class ApplicationAccepted(CaseEvent, frozen=True, kw_only=True):
    """受理. The acceptance number decides the order in which a yearly limit is drawn on (reading B35)."""

    type_name = "application-accepted"
    acceptance_number: str

    def register_entries(self) -> Iterator[tuple[str, str]]:
        yield ACCEPTANCE_NUMBER, self.acceptance_number


class ApplicationRefused(CaseEvent, frozen=True, kw_only=True):
    """不予受理 or 不予资助; the envelope's reason says why in words."""

    type_name = "application-refused"
    ground: str


class ApplicationWithdrawn(CaseEvent, frozen=True, kw_only=True):
    """撤回, before an award was approved."""

    type_name = "application-withdrawn"


class OtherFundingDecided(CaseEvent, frozen=True, kw_only=True):
    """What becomes of the other public money that the application declares (reading B10); ``way_out`` is a
    :class:`~ledger.rules.WayOut`.
    """

    type_name = "other-funding-decided"
    way_out: str


class AmountDetermined(CaseEvent, frozen=True, kw_only=True):
    """核定金额. ``particulars`` as verified; ``steps`` is the calculation, ``bound_by`` what cut the amount last.

    ``headroom`` is each limit as it was before this claim; ``evidence`` what review added to the application's, left out
    where it added none.
    """

    type_name = "amount-determined"
    particulars: dict[str, str | bool | int]
    cap_year: int
    amount_fen: int
    bound_by: Binding | None
    steps: tuple[Step, ...]
    headroom: tuple[Headroom, ...] = ()
    evidence: tuple[Evidence, ...] | msgspec.UnsetType = msgspec.UNSET

    def tags(self) -> Iterator[str]:
        yield from super().tags()
        for given in self.evidence or ():
            yield evidence_tag(given.kind, given.key)


# Award


class PlannedStage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One instalment: its exact share of the award in millionths, and what makes it due, in the policy's words."""

    share_ppm: int
    when: str


class PaymentPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Staged payment (分阶段拨付), as the policy of an award has it: by which article, in parts of whole ``unit_fen``.

    The first stage is reached with the approval, each later one when it is confirmed.
    """

    clause: str
    unit_fen: int
    stages: tuple[PlannedStage, ...]


class DrawingEvent(CaseEvent, frozen=True, kw_only=True):
    """A fact that takes from limits or gives back to them.

    ``draws`` says how much under each scope; under every limit they sum to ``drawn_fen``, which is also what the budget of
    ``budget_scope`` gives or gets back. ``window_scope`` is named where months of a window become funded or free again.
    """

    draws: tuple[Draw, ...]
    budget_scope: str
    window_scope: str | None = None

    @property
    def drawn_fen(self) -> int:
        return sum(draw.amount_fen for draw in self.draws if draw.limit == self.draws[0].limit)

    def tags(self) -> Iterator[str]:
        yield from super().tags()
        for draw in self.draws:
            yield scope_tag(draw.scope)
        yield scope_tag(self.budget_scope)
        if self.window_scope is not None:
            yield scope_tag(self.window_scope)


class AwardApproved(DrawingEvent, frozen=True, kw_only=True):
    """审批通过. From here the money counts toward its limits; ``cap_year`` is fixed here and never recomputed.

    ``payment_plan`` is left out where the award is not paid in stages; ``item_year``, the year that it is its item's one
    award of, where the rule does not fund an item once a year; ``cut_fen``, what there would be more but for a yearly limit,
    where that is nothing or could never be carried over (reading B30).
    """

    type_name = "award-approved"
    rule: str
    item: str
    amount_fen: int
    determined_fen: int
    cap_year: int
    bound_by: Binding | None
    window: WindowUse | None = None
    payment_plan: PaymentPlan | msgspec.UnsetType = msgspec.UNSET
    item_year: int | msgspec.UnsetType = msgspec.UNSET
    cut_fen: int | msgspec.UnsetType = msgspec.UNSET


class AwardReleased(DrawingEvent, frozen=True, kw_only=True):
    """Money that was approved and will not be paid. ``draws`` is what the limits get back; empty where the cause gives
    nothing back (reading B5).
    """

    type_name = "award-released"
    amount_fen: int
    cause: str


class StageConfirmed(CaseEvent, frozen=True, kw_only=True):
    """阶段确认: what makes a stage of the payment plan due has come, by the document that the envelope names.

    Where the last stage settles the award (reading B29): the audited cost, what is due on it at most, and its calculation.
    """

    type_name = "stage-confirmed"
    stage: int
    audited_fen: int | None = None
    final_fen: int | None = None
    steps: tuple[Step, ...] = ()


# Disbursement


class DisbursementRequested(CaseEvent, frozen=True, kw_only=True):
    """拨付申请. Disbursements are numbered within their award from 1."""

    type_name = "disbursement-requested"
    disbursement: int
    amount_fen: int


class DisbursementOrdered(CaseEvent, frozen=True, kw_only=True):
    """支付令, by another person than the one who requested."""

    type_name = "disbursement-ordered"
    disbursement: int
    amount_fen: int


class DisbursementSettled(CaseEvent, frozen=True, kw_only=True):
    """到账, with the bank's serial number."""

    type_name = "disbursement-settled"
    disbursement: int
    amount_fen: int
    bank_serial: str

    def register_entries(self) -> Iterator[tuple[str, str]]:
        yield BANK_SERIAL, self.bank_serial


class DisbursementCancelled(CaseEvent, frozen=True, kw_only=True):
    """A request taken back before it was ordered."""

    type_name = "disbursement-cancelled"
    disbursement: int
    amount_fen: int


class DisbursementReturned(CaseEvent, frozen=True, kw_only=True):
    """支付退回: the bank did not carry out the order. The award is as before; a new request is needed (reading B37)."""

    type_name = "disbursement-returned"
    disbursement: int
    amount_fen: int


# Supervision


class ViolationFound(CaseEvent, frozen=True, kw_only=True):
    """违规认定. Stops further payment of the award until it is withdrawn."""

    type_name = "violation-found"
    violation: int
    party: str


class ViolationWithdrawn(CaseEvent, frozen=True, kw_only=True):
    type_name = "violation-withdrawn"
    violation: int


class RecoveryOrdered(CaseEvent, frozen=True, kw_only=True):
    """追缴决定: principal to be paid back by ``due_on``."""

    type_name = "recovery-ordered"
    recovery: int
    amount_fen: int
    cause: str
    restores_headroom: bool
    due_on: date


class RecoveryReceived(DrawingEvent, frozen=True, kw_only=True):
    """追回到账, in part or whole. ``draws`` is what the limits get back, empty for a violation (reading B5)."""

    type_name = "recovery-received"
    recovery: int
    amount_fen: int
    bank_serial: str

    def register_entries(self) -> Iterator[tuple[str, str]]:
        yield BANK_SERIAL, self.bank_serial


class RecoveryCancelled(CaseEvent, frozen=True, kw_only=True):
    """A recovery order taken back for what has not been received."""

    type_name = "recovery-cancelled"
    recovery: int
    amount_fen: int


# Beside the cases


class BudgetAppropriated(Event, frozen=True, kw_only=True):
    """年度预算: the whole sum that awards of one policy and year may reach; a later one replaces an earlier."""

    type_name = "budget-appropriated"
    scope: str
    policy_id: str
    year: int
    amount_fen: int

    def tags(self) -> Iterator[str]:
        yield scope_tag(self.scope)


class InterpretationRecorded(Event, frozen=True, kw_only=True):
    """口径解释: the office reads an open question of one policy version so, for decisions from ``effective_from`` on.

    The envelope's reference is the document, its reason says why.
    """

    type_name = "interpretation-recorded"
    policy_id: str
    version: int
    reading: str
    value: str
    decided_by: str
    effective_from: date

    def tags(self) -> Iterator[str]:
        yield policy_tag(self.policy_id)


class RoleGranted(Event, frozen=True, kw_only=True):
    type_name = "role-granted"
    person: str
    role: str

    def tags(self) -> Iterator[str]:
        yield person_tag(self.person)


class RoleRevoked(Event, frozen=True, kw_only=True):
    type_name = "role-revoked"
    person: str
    role: str

    def tags(self) -> Iterator[str]:
        yield person_tag(self.person)


class CommandRefused(Event, frozen=True, kw_only=True):
    """Money was asked for and refused. Counts toward no limit; kept for auditors, and as the answer to the same key.

    ``kind`` is the refusal's place in the tree of errors; ``asked_fen`` is empty where no sum was named. ``earlier`` is the
    case that was there first, left out where none was.
    """

    type_name = "command-refused"
    command: str
    kind: str
    code: str
    text: Text
    clause: str | None = None
    limit: Headroom | None = None
    asked_fen: int | None = None
    case: str | None = None
    enterprise: str | None = None
    earlier: str | msgspec.UnsetType = msgspec.UNSET

    def tags(self) -> Iterator[str]:
        # A tag of their own: however many requests are refused, the case costs no more to decide or to read.
        if self.case is not None:
            yield refusals_tag(self.case)


def _concrete(base: type[Event]) -> Iterator[type[Event]]:
    for subclass in base.__subclasses__():
        if "type_name" in subclass.__dict__:
            yield subclass
        yield from _concrete(subclass)


EVENT_TYPES: Final = {event_type.type_name: event_type for event_type in _concrete(Event)}
"""Stable type name → class. The one place from which names are written and read."""
