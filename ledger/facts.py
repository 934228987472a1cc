"""What has been recorded, as one decision or one quote may ask for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from ledger.calendar import Clock
from ledger.case_fold import CaseFold
from ledger.casefile import CaseFile
from ledger.errors import NotFound, Refusal, Text, UnknownName
from ledger.events import case_tag, person_tag, policy_tag, scope_tag
from ledger.guards import HasUsage, Projections
from ledger.identity import Entropy, new_case_number
from ledger.interpretations import InterpretationsFold
from ledger.people import RolesFold
from ledger.policy.model import Interpretation, Pin, Policy
from ledger.policy.registry import PolicyRegistry
from ledger.roles import Role
from ledger.rules import ItemAward, RecognisedWindow
from ledger.scopes import Scope
from ledger.session import View

CLOSING_CLAUSE: Final = "附则"
"""Where a policy says from when until when it is in force."""

CASES: Final = CaseFold()
ROLES: Final = RolesFold()
INTERPRETATIONS: Final = InterpretationsFold()


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
        self._cases: dict[str, CaseFile] = {}

    def case(self, number: str) -> CaseFile:
        case = self._cases.get(number)
        if case is None:
            case = self._cases[number] = self._view.look(CASES, case_tag(number))
        if not case.exists:
            raise NotFound(Text(f"没有编号为{number}的案卷", f"there is no case {number}"))
        return case

    def new_case_number(self) -> str:
        while True:
            number = new_case_number(self._means.entropy)
            if not self._view.look(CASES, case_tag(number)).exists:
                return number

    def policy(self, policy_id: str, version: int | None = None) -> Policy:
        policies, on = self._means.policies, self.effective_on
        if policy_id not in policies.ids:
            raise _unknown_policy(policies.ids)
        decided = self.interpretations(policy_id)
        if version is not None:
            return policies.get(policy_id, version, on=on, interpretations=decided)
        try:
            return policies.begun(policy_id, on=on, interpretations=decided)
        except NotFound as none_begun:
            raise Refusal("policy-not-in-force", none_begun.text, clause=CLOSING_CLAUSE) from none_begun

    def pinned_policy(self, pin: Pin | None) -> Policy:
        assert pin is not None, "every case is made under a policy"
        decided = self.interpretations(pin.policy_id)
        return self._means.policies.pinned(pin, on=self.effective_on, interpretations=decided)

    def policy_as_approved(self, case: CaseFile) -> Policy:
        assert case.policy is not None and case.approved_on is not None, "only an award was approved"
        known = [each for each in self.interpretations(case.policy.policy_id) if each.position < case.approved_at]
        return self._means.policies.pinned(case.policy, on=case.approved_on, interpretations=known)

    def other_policies(self, policy_id: str, stage: str) -> Iterator[Policy]:
        policies, on = self._means.policies, self.effective_on
        for other in policies.ids:
            for version in policies.versions(other) if other != policy_id else ():
                # A stage is the text's own, whatever was decided beside it: nothing is read for a policy without it.
                text = policies.file(other, version).as_read_on(None)
                if any(rule.stage == stage for rule in text.rules.values()):
                    yield policies.get(other, version, on=on, interpretations=self.interpretations(other))

    def read_with(self, policy: Policy, decided: Interpretation) -> Policy:
        self._means.policies.file(policy.id, policy.version).require_takes(decided.reading, decided.value)
        known = (*self.interpretations(policy.id), decided)
        for day in sorted({each.since for each in known if each.since >= decided.since}):
            self._means.policies.get(policy.id, policy.version, on=day, interpretations=known)
        return self._means.policies.get(policy.id, policy.version, on=decided.since, interpretations=known)

    def interpretations(self, policy_id: str) -> tuple[Interpretation, ...]:
        """What the office decided beside the policy's text, in the order of recording."""
        return self._view.look(INTERPRETATIONS, policy_tag(policy_id))

    def roles_of(self, person: str) -> frozenset[Role]:
        return self._view.look(ROLES, person_tag(person))

    def standing(self) -> RecordedFacts:
        return self

    def used_fen(self, scope: Scope) -> int:
        usage: HasUsage = self._view.look(self._means.projections.usage, scope_tag(scope.key))
        return usage.used_fen

    def item_awards(self, scope: Scope) -> Sequence[ItemAward]:
        usage: HasUsage = self._view.look(self._means.projections.usage, scope_tag(scope.key))
        return tuple(usage.awards.values())

    def window(self, scope: Scope) -> RecognisedWindow | None:
        return self._view.look(self._means.projections.windows, scope_tag(scope.key))


def _unknown_policy(known: tuple[str, ...]) -> UnknownName:
    names = ", ".join(known)
    return UnknownName(
        "policy", "unknown-policy", Text(f"没有这项政策；现有：{names}", f"no such policy; there is {names}")
    )
