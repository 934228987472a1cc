"""Separation of duties: the guard that keeps one person from taking two steps that must check each other.

The table follows the accounting law's rule that approving, handling and recording money are kept apart (会计法第二十五条),
as the office applies it to each step of a case.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    DisbursementSettled,
    Event,
    RecoveryOrdered,
    RecoveryReceived,
    RoleGranted,
    ViolationFound,
    case_tag,
)
from ledger.guards import Look
from ledger.mapper import Envelope, Recorded

RULE: Final = "不相容岗位分离"
"""What a refusal cites."""

APART: Final[dict[type[Event], tuple[type[Event], ...]]] = {
    AmountDetermined: (ApplicationSubmitted, ApplicationAccepted),
    AwardApproved: (ApplicationSubmitted, ApplicationAccepted, AmountDetermined),
    DisbursementRequested: (AwardApproved,),
    DisbursementOrdered: (DisbursementRequested, AwardApproved),
    DisbursementSettled: (DisbursementRequested, DisbursementOrdered, AwardApproved),
    RecoveryOrdered: (ViolationFound,),
    RecoveryReceived: (RecoveryOrdered, ViolationFound),
}
"""A step → the earlier steps of the same case that its person must not have taken."""

_STEP_NAMES: Final[dict[type[Event], Text]] = {
    ApplicationSubmitted: Text("录入申报", "submitted the application"),
    ApplicationAccepted: Text("受理", "accepted the application"),
    AmountDetermined: Text("核定金额", "determined the amount"),
    AwardApproved: Text("审批", "approved the award"),
    DisbursementRequested: Text("申请拨付", "requested the disbursement"),
    DisbursementOrdered: Text("下达支付令", "ordered the disbursement"),
    ViolationFound: Text("认定违规", "found the violation"),
    RecoveryOrdered: Text("作出追缴决定", "ordered the recovery"),
}

_Hands = dict[tuple[type[Event], int], set[str]]
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
            hands.setdefault((type(event), _number(event)), set()).add(recorded.envelope.actor)
        return hands

    def concerns(self, event: Event) -> Iterator[str]:
        if isinstance(event, CaseEvent) and type(event) in APART:
            yield case_tag(event.case)

    def permits(self, event: Event, envelope: Envelope, look: Look[_Hands]) -> None:
        if isinstance(event, RoleGranted) and event.person == envelope.actor:
            raise Refusal("own-role", Text("不能给自己授予角色", "nobody grants a role to themselves"), clause=RULE)
        for tag in self.concerns(event):
            hands = look(tag)
            for earlier in APART[type(event)]:
                number = _number(event) if _numbered_alike(earlier, event) else None
                if envelope.actor in _took(hands, earlier, number):
                    raise _same_person(envelope.actor, _STEP_NAMES[earlier])


def _number(event: Event) -> int:
    return getattr(event, "disbursement", 0) or getattr(event, "recovery", 0)


def _numbered_alike(earlier: type[Event], event: Event) -> bool:
    """Whether both steps are about one numbered disbursement or recovery, so that only that one counts."""
    return any(name in earlier.__struct_fields__ and hasattr(event, name) for name in ("disbursement", "recovery"))


def _took(hands: _Hands, step: type[Event], number: int | None) -> set[str]:
    return set().union(*(who for (its, n), who in hands.items() if its is step and (number is None or n == number)))


def _same_person(actor: str, earlier: Text) -> Refusal:
    return Refusal(
        "same-person",
        Text(
            f"{actor}已在本案卷中{earlier.zh}，此步骤须由另一人办理",
            f"{actor} {earlier.en} in this case; another person must take this step",
        ),
        clause=RULE,
    )
