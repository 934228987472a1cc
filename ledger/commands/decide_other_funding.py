"""就高不就低: the office decides what becomes of other public money for the same matter, so that the claim may go on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from ledger.casefile import CaseState
from ledger.commands.command import Command, Decision, Facts, require_state, text_errors
from ledger.errors import FieldError, OutOfOrder, Text
from ledger.events import OtherFundingDecided
from ledger.other_funding import funding_under
from ledger.roles import Role
from ledger.rules import WayOut
from ledger.rules.other_funding import refuse_unreturned_awards


class DecideOtherFunding(Command, frozen=True, kw_only=True):
    """``way_out`` is a :class:`~ledger.rules.WayOut`; ``reference`` the document of the decision (for a return, with the
    receipt), ``reason`` why. May be decided anew until an amount is approved. An award of this ledger is returned when all
    of it was released or recovered.
    """

    name: ClassVar[str] = "decide-other-funding"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.APPROVER})

    case: str
    way_out: str

    def field_errors(self, today: date) -> Iterator[FieldError]:
        yield from super().field_errors(today)
        if self.way_out not in set(WayOut):
            known = ", ".join(WayOut)
            yield FieldError(
                "way_out", "unknown", Text(f"处理方式须为：{known}", f"the way out must be one of: {known}")
            )
        if self.reference is None:
            yield from text_errors("reference", self.reference, 1, required=True)
        yield from self.reason_errors(Text("请写明处理决定的理由", "say why it is decided so"))

    def decide(self, facts: Facts) -> Decision:
        case = facts.case(self.case)
        require_state(
            case,
            [CaseState.SUBMITTED, CaseState.ACCEPTED, CaseState.DETERMINED],
            Text("处理其他财政资助", "decide about other funding"),
        )
        beside = funding_under(case, WayOut(self.way_out), facts.case)
        if beside is None:
            raise OutOfOrder(
                "no-other-funding",
                Text("本申报未声明其他财政资助，无须处理", "the application declares no other funding"),
            )
        refuse_unreturned_awards(beside)
        decided = OtherFundingDecided(case=case.number, enterprise=case.enterprise, way_out=self.way_out)
        return Decision(decided, case.policy)
