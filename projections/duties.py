"""Separation of duties: the guard that keeps one person from taking two steps that must check each other.

The table follows the accounting law's rule that approving, handling and recording money are kept apart (会计法第二十五条),
as the office applies it to each step of a case.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final

from ledger.errors import Refusal, Text
from ledger.events import (
    AmountDetermined,
    ApplicationAccepted,
    ApplicationSubmitted,
    AwardApproved,
    CaseEvent,
    DisbursementOrdered,
    DisbursementRequested,
    DisbursementReturned,
    DisbursementSettled,
    Event,
    RecoveryCancelled,
    RecoveryOrdered,
    RecoveryReceived,
    RoleGranted,
    StageConfirmed,
    ViolationFound,
    ViolationWithdrawn,
    case_tag,
)
from ledger.guards import Look
from ledger.mapper import Envelope, Recorded
from ledger.principles import SEPARATED_DUTIES

APART: Final[dict[type[Event], tuple[type[Event], ...]]] = {
    AmountDetermined: (ApplicationSubmitted, ApplicationAccepted),
    AwardApproved: (ApplicationSubmitted, ApplicationAccepted, AmountDetermined),
    StageConfirmed: (AwardApproved,),
    DisbursementRequested: (AwardApproved, StageConfirmed),
    DisbursementOrdered: (DisbursementRequested, AwardApproved, StageConfirmed),
    DisbursementSettled: (DisbursementRequested, DisbursementOrdered, AwardApproved, StageConfirmed),
    RecoveryOrdered: (ViolationFound,),
    RecoveryReceived: (RecoveryOrdered, ViolationFound),
    RecoveryCancelled: (RecoveryOrdered, ViolationFound),
    ViolationWithdrawn: (ViolationFound,),
    DisbursementReturned: (DisbursementRequested, DisbursementOrdered),
}
"""A step → the earlier steps of the same case that its person must not have taken."""

_STEP_NAMES: Final[dict[type[Event], Text]] = {
    ApplicationSubmitted: Text("录入申报", "submitted the application"),
    ApplicationAccepted: Text("受理", "accepted the application"),
    AmountDetermined: Text("核定金额", "determined the amount"),
    AwardApproved: Text("审批", "approved the award"),
    StageConfirmed: Text("确认阶段", "confirmed a stage"),
    DisbursementRequested: Text("申请拨付", "requested the disbursement"),
    DisbursementOrdered: Text("下达支付令", "ordered the disbursement"),
    ViolationFound: Text("认定违规", "found the violation"),
    RecoveryOrdered: Text("作出追缴决定", "ordered the recovery"),
}

_Hands = dict[type[Event], dict[int, set[str]]]
"""Who took which step; numbered steps (a disbursement, a recovery) by their number, others under 0."""


class DutiesGuard:
    """Folds a case into who did what, and refuses the hand that would meet itself."""

    name = "duties"
    kept = True

    def start(self, tag: str) -> _Hands:
        return {}

    def apply(self, hands: _Hands, recorded: Recorded) -> _Hands:
        event = recorded.event
        if type(event) in _STEP_NAMES:
            hands.setdefault(type(event), {}).setdefault(_number(event), set()).add(recorded.envelope.actor)
        return hands

    def concerns(self, event: Event) -> Iterator[str]:
        if isinstance(event, CaseEvent) and type(event) in APART:
            yield case_tag(event.case)

    def permits(self, event: Event, envelope: Envelope, look: Look[_Hands]) -> None:
        if isinstance(event, RoleGranted) and event.person == envelope.actor:
            raise Refusal(
                "own-role", Text("不能给自己授予角色", "nobody grants a role to themselves"), clause=SEPARATED_DUTIES
            )
        for tag in self.concerns(event):
            hands = look(tag)
            for earlier in APART[type(event)]:
                if envelope.actor in _took(hands.get(earlier, {}), earlier, event):
                    raise _same_person(envelope.actor, _STEP_NAMES[earlier])


def _number(event: Event) -> int:
    return getattr(event, "disbursement", 0) or getattr(event, "recovery", 0)


def _took(who: dict[int, set[str]], earlier: type[Event], event: Event) -> set[str]:
    """Who took an earlier step; of the same disbursement or recovery only, where both steps are about one."""
    shared = _shared_number(earlier, type(event))
    return set().union(*who.values()) if shared is None else who.get(getattr(event, shared), set())


@cache
def _shared_number(earlier: type[Event], later: type[Event]) -> str | None:
    numbers = ("disbursement", "recovery")
    return next((n for n in numbers if n in earlier.__struct_fields__ and n in later.__struct_fields__), None)


def _same_person(actor: str, earlier: Text) -> Refusal:
    return Refusal(
        "same-person",
        Text(
            f"{actor}已在本案卷中{earlier.zh}，此步骤须由另一人办理",
            f"{actor} {earlier.en} in this case; another person must take this step",
        ),
        clause=SEPARATED_DUTIES,
    )
