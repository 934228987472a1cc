"""What a scenario really touches: recorded while its 当 runs, from the decisions of the ledger itself.

Every time the 当 of a scenario has the ledger decide an amount or a validity, the same question is asked again with each
number of the policy one step lower and one step higher (:mod:`tests.trace.numbers`), and once for each other option of
each open reading. Where the answer differs in a part that a 那么 of the scenario then looks at
(:class:`tests.features.answers.Part`), this scenario would fail if the number were moved. A part that no 那么 looks at
proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import msgspec

from ledger import application
from ledger.casefile import CaseFile
from ledger.commands import accept_application, determine_amount, submit_application
from ledger.commands.command import Decision, Facts
from ledger.commands.request_disbursement import RequestDisbursement
from ledger.errors import Refusal
from ledger.policy.model import Policy
from ledger.policy.registry import BUILT_IN
from ledger.rules import Claim, Determination, Standing, determine, require_in_force, require_plan_year
from ledger.stages import plan_under
from tests.features.answers import Part
from tests.trace.numbers import Moved, PolicyNumbers

ROOT: Final = Path(__file__).resolve().parents[2]

Touch = tuple[str, str]
"""A number's key and the way it was moved; or a reading and the option it was switched to."""


@dataclass(slots=True)
class Record:
    """What the act of one scenario, or of one row of its examples, touched: "numbers" or "readings" → touch → the parts
    of the answer that would be others.
    """

    changes: dict[str, dict[Touch, set[Part]]] = field(default_factory=lambda: {"numbers": {}, "readings": {}})

    def note(self, kind: str, touch: Touch, parts: Set[Part]) -> None:
        self.changes[kind].setdefault(touch, set()).update(parts)

    def forget(self) -> None:
        """What has been decided so far belongs to the scenario's facts, not to its act."""
        for changed in self.changes.values():
            changed.clear()

    def held(self, kind: str, read: Set[Part]) -> set[Touch]:
        """What the scenario would notice, where its 那么 have looked at the parts ``read`` of the answer."""
        return {touch for touch, parts in self.changes[kind].items() if parts & read}


class _Policies:
    """The policies that a claim under a rule is asked again with."""

    def __init__(self, numbers: PolicyNumbers) -> None:
        self._numbers = numbers
        self.policy = numbers.policy
        self._of_rule: dict[str, list[tuple[str, Touch, Policy]]] = {}

    def moved(self, rule_id: str) -> list[tuple[str, Touch, Policy]]:
        if rule_id not in self._of_rule:
            self._of_rule[rule_id] = [*self._moved(rule_id), *self._switched]
        return self._of_rule[rule_id]

    def _moved(self, rule_id: str) -> Iterator[tuple[str, Touch, Policy]]:
        limit = self.policy.rules[rule_id].limit
        for key, ways in self._numbers.moves.items():
            number = self._numbers.numbers[key]
            if number.rule in (rule_id, None) and number.limit in (limit.name if limit else None, None):
                yield from (("numbers", (key, way), its.policy) for way, its in ways.items() if its.policy)

    @cached_property
    def _switched(self) -> list[tuple[str, Touch, Policy]]:
        return [("readings", (reading, option), policy) for reading, option, policy in self._numbers.switched()]


@cache
def policies_of(policy_id: str, version: int) -> _Policies | None:
    """None for a policy that is not one of the product's own: its file is not told in the traceability."""
    path = BUILT_IN / policy_id / f"{version}.toml"
    return _Policies(PolicyNumbers(path, str(path.relative_to(ROOT)))) if path.exists() else None


_current: list[Record] = []
"""The record of the 当 that is running, if one is."""


@contextmanager
def recording(record: Record) -> Iterator[None]:
    _current.append(record)
    try:
        yield
    finally:
        _current.remove(record)


def watch_the_ledger() -> None:
    """Let every decision of this process be asked again, wherever the ledger takes one. Once for a process is enough."""
    _watch(determine, _determined_again)
    _watch(require_in_force, _checked_again)
    _watch(require_plan_year, _checked_again)
    if RequestDisbursement.decide is _REQUEST:
        RequestDisbursement.decide = _requested_again  # type: ignore[method-assign]


_REQUEST: Final = RequestDisbursement.decide


WATCHED: Final = (application, determine_amount, submit_application, accept_application)
"""Where a decision is the answer that the scenario is given. An approval decides again what was determined before."""


def _watch(decide: Callable[..., Any], again: Callable[..., None]) -> None:
    def watched(*args: Any) -> Any:
        try:
            return decide(*args)
        finally:
            if _current:
                again(decide, _answer(decide, args), *args)

    for module in WATCHED:
        if getattr(module, decide.__name__, None) is decide:
            setattr(module, decide.__name__, watched)


def _determined_again(decide: Callable[..., Any], answer: Seen | None, claim: Claim, standing: Standing) -> None:
    for kind, touch, policy in _moved_policies(claim.policy, claim.rule.id):
        moved = replace(claim, policy=policy, rule=policy.rules[claim.rule.id])
        _compare(kind, touch, answer, _answer(decide, (moved, standing)))


def _checked_again(decide: Callable[..., Any], answer: Seen | None, policy: Policy, rule: Any, *rest: Any) -> None:
    for kind, touch, moved in _moved_policies(policy, rule.id):
        _compare(kind, touch, answer, _answer(decide, (moved, moved.rules[rule.id], *rest)))


def _requested_again(command: RequestDisbursement, facts: Facts) -> Decision:
    """What may be requested follows from the award's payment plan, which the approval took from the policy."""
    try:
        return _REQUEST(command, facts)
    finally:
        case = facts.case(command.case)
        if _current and case.approval is not None and case.payment_plan is not None:
            answer = _answer(_REQUEST, (command, facts))
            for kind, touch, policy in _moved_policies(facts.pinned_policy(case.policy), case.rule):
                plan = plan_under(policy, policy.rules[case.rule])
                moved = replace(case, approval=msgspec.structs.replace(case.approval, payment_plan=plan))
                _compare(kind, touch, answer, _answer(_REQUEST, (command, _FactsOf(facts, moved))))


@dataclass(frozen=True, slots=True)
class _FactsOf:
    """The facts, with one case as it would be."""

    facts: Facts
    moved: CaseFile

    def case(self, number: str) -> CaseFile:
        assert number == self.moved.number
        return self.moved

    def __getattr__(self, name: str) -> Any:
        return getattr(self.facts, name)


def _moved_policies(policy: Policy, rule_id: str) -> list[tuple[str, Touch, Policy]]:
    """None where the office has switched a reading: the scenario is about another policy than the file's."""
    known = policies_of(policy.id, policy.version)
    if known is None or policy.readings != known.policy.readings:
        return []
    return known.moved(rule_id)


Seen = Mapping[Part, object]
"""A decision as a scenario can see it: each part of it as its sentence tells it, None where it has none."""

TAKEN: Final[Seen] = {**dict.fromkeys(Part), Part.RESULT: "taken", Part.REASON: "taken"}
"""A step that was taken, and grants nothing by itself."""


def _compare(kind: str, touch: Touch, answer: Seen | None, moved: Seen | None) -> None:
    if answer is not None and moved is not None:
        parts = {part for part in Part if answer[part] != moved[part]}
        for record in _current if parts else []:
            record.note(kind, touch, parts)


def _answer(decide: Callable[..., Any], args: tuple[Any, ...]) -> Seen | None:
    """None where there is no answer: a moved policy may ask for what the scenario does not state."""
    try:
        its = decide(*args)
    except Refusal as refusal:
        return _refused(refusal)
    except Exception:  # noqa: BLE001 - whatever it is, it is no answer
        return None
    return _granted(its) if isinstance(its, Determination) else TAKEN


def _granted(its: Determination) -> Seen:
    rounded = any(step.step == "rounding" for step in its.steps)
    return {**dict.fromkeys(Part), Part.RESULT: its.amount_fen, Part.REASON: (its.bound_by, rounded)}


def _refused(refusal: Refusal) -> Seen:
    """The reason names the limit only where that is used up, as :func:`tests.features.parse_types.reason_of_denial` does."""
    limit = refusal.limit
    return {
        Part.RESULT: None,
        Part.REASON: (refusal.code, refusal.clause, limit and refusal.code == "limit-exhausted" and limit.limit),
        Part.CONCLUSION: refusal.code,
        Part.CLAUSE: refusal.clause,
        Part.LIMIT: limit and (limit.ceiling_fen, limit.used_fen, limit.left_fen),
    }


__all__ = ["Moved", "Record", "Touch", "policies_of", "recording", "watch_the_ledger"]
