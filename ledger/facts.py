"""What has been recorded, as one decision or one quote may ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from ledger.calendar import Clock
from ledger.casefile import CaseFile, CaseFold
from ledger.errors import NotFound, Refusal, Text, UnknownName
from ledger.events import case_tag, scope_tag
from ledger.guards import HasUsage, Projections
from ledger.identity import Entropy, new_case_number
from ledger.policy.model import Pin, Policy
from ledger.policy.registry import PolicyRegistry
from ledger.rules import RecognisedWindow
from ledger.scopes import Scope
from ledger.session import View

CLOSING_CLAUSE: Final = "附则"
"""Where a policy says from when until when it is in force."""

CASES: Final = CaseFold()


@dataclass(frozen=True, slots=True)
class Means:
    """What decisions are made with, beside the facts: handed in once, the same for all."""

    policies: PolicyRegistry
    projections: Projections
    clock: Clock
    entropy: Entropy


class RecordedFacts:
    """What one decision may ask: see :class:`ledger.commands.command.Facts`."""

    def __init__(self, means: Means, view: View, today: date, effective_on: date | None = None) -> None:
        self._means = means
        self._view = view
        self.today = today
        self.effective_on = effective_on or today

    def case(self, number: str) -> CaseFile:
        case = self._view.look(CASES, case_tag(number))
        if not case.exists:
            raise NotFound(Text(f"没有编号为{number}的案卷", f"there is no case {number}"))
        return case

    def new_case_number(self) -> str:
        while True:
            number = new_case_number(self._means.entropy)
            if not self._view.look(CASES, case_tag(number)).exists:
                return number

    def policy(self, policy_id: str) -> Policy:
        if policy_id not in self._means.policies.ids:
            raise _unknown_policy(self._means.policies.ids)
        try:
            return self._means.policies.get(policy_id, on=self.effective_on)
        except NotFound as nothing_in_force:
            raise Refusal("policy-not-in-force", nothing_in_force.text, clause=CLOSING_CLAUSE) from nothing_in_force

    def pinned_policy(self, pin: Pin | None) -> Policy:
        assert pin is not None, "every case is made under a policy"
        self._means.policies.check_pin(pin.policy_id, pin.version, pin.sha256)
        return self._means.policies.get(pin.policy_id, pin.version, on=self.effective_on)

    def standing(self) -> RecordedFacts:
        return self

    def used_fen(self, scope: Scope) -> int:
        usage: HasUsage = self._view.look(self._means.projections.usage, scope_tag(scope.key))
        return usage.used_fen

    def window(self, scope: Scope) -> RecognisedWindow | None:
        return self._view.look(self._means.projections.windows, scope_tag(scope.key))


def _unknown_policy(known: tuple[str, ...]) -> UnknownName:
    names = ", ".join(known)
    return UnknownName(
        "policy", "unknown-policy", Text(f"没有这项政策；现有：{names}", f"no such policy; there is {names}")
    )
