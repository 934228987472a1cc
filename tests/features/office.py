"""The office as the features tell of it: people, cases by name, and what came of the last act.

Facts (``have_…``) must succeed, or the feature's 假如 is wrong. The act of a scenario leaves its answer in ``answers``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from ledger.casefile import STATE_NAMES
from ledger.causes import Cause
from ledger.identity import award_id
from ledger.rules import WayOut
from tests.features.answers import Answers
from tests.features.application_tables import (
    AUDIT_REPORT,
    NOT_STATED,
    read_evidence,
    read_other_funding,
    read_particulars_table,
    read_plan_year,
    read_review_report,
    read_stated,
)
from tests.features.desk import Desk, code_of, must
from tests.features.driver import Act, Answer, Driver
from tests.features.parse_types import read_value
from tests.features.usual_case import FACTS_FOUND, STEPS, UsualCase

DECIDED_BY: Final = "市发展和改革委员会"
DOCUMENT: Final = "会议纪要〔2026〕7号"
WHY: Final = "办公会议议定"


@dataclass(slots=True)
class Office:
    """One office, one ledger, one story. ``before_act`` is called when the scenario's own act begins: what was decided
    until then belongs to its facts.
    """

    desk: Desk
    answers: Answers = field(init=False)
    before_act: Callable[[], None] = lambda: None
    _watched_at: datetime = field(init=False)
    _facts_before: int = 0
    _quoted: tuple[str, str, str, dict[str, Any]] | None = None
    _awarded_before: Mapping[str, int] = field(default_factory=dict)
    _usual: UsualCase = field(init=False)

    def __post_init__(self) -> None:
        self._usual = UsualCase(self.desk)
        self.answers = Answers(self.driver.policy.limits)
        self._watched_at = self.driver.now()

    @property
    def driver(self) -> Driver:
        return self.desk.driver

    # Facts: what had happened before

    def have_accepted(self, enterprise: str, item: str, rule_id: str, cells: Mapping[str, str]) -> None:
        """An application with these particulars, submitted and accepted."""
        self.desk.accept(enterprise, item, rule_id, **self._read(rule_id, cells))
        self.desk.cases[item].tells_of_audit = AUDIT_REPORT in cells
        self.desk.cases[item].review_report = read_review_report(cells)

    def have_been_denied(self, enterprise: str, item: str, rule_id: str, code: str, cells: Mapping[str, str]) -> None:
        """An application that was not taken, for the reason ``code``."""
        denial = self.desk.submit(enterprise, item, rule_id, **self._read(rule_id, cells)).denial
        assert denial is not None and denial.code == code, f"结果是{denial}"

    def have_accepted_in_order(self, enterprise: str, table: Sequence[Sequence[str]]) -> None:
        """A table of applications, in the order of their acceptance: 对象, 款 and the particulars by label."""
        header, *rows = table
        assert header[:2] == ["对象", "款"], "该表前两列须为“对象”和“款”"
        for item, rule_id, *values in rows:
            cells = dict(zip(header[2:], values, strict=True))
            filled = {label: value for label, value in cells.items() if value != NOT_STATED}
            name = self.desk.new_name(item)
            self.desk.accept(enterprise, item, rule_id, name=name, **self._read(rule_id, filled))

    def have_determined(self, item: str, amount_fen: int) -> None:
        grant = must(self.desk.determine(item)).grant
        assert grant and grant.amount_fen == amount_fen, f"核定的是{grant}"

    def have_approved(self, item: str, amount_fen: int) -> None:
        if self.desk.cases[item].determined_fen is None:
            must(self.desk.determine(item))
        must(self.desk.approve(item, amount_fen))

    def have_drawn(self, enterprise: str, rule_id: str, amount_fen: int) -> None:
        """Awards under a rule that come to an amount: as many items as its ceiling needs, the last approved for less."""
        rule = self.driver.policy.rule(rule_id)
        assert rule.item_cap_fen, f"第{rule_id}款没有单项上限"
        while amount_fen:
            part_fen = min(amount_fen, rule.item_cap_fen.value)
            self.desk.award(enterprise, rule, part_fen)
            amount_fen -= part_fen

    def have_requested(self, item: str, amount_fen: int) -> None:
        self.desk.cases[item].disbursement = must(self.desk.act(Act.REQUEST, item, amount_fen=amount_fen)).number or 0

    def have_ordered(self, item: str, amount_fen: int) -> None:
        self.have_requested(item, amount_fen)
        must(self.desk.act(Act.ORDER, item, disbursement=self.desk.cases[item].disbursement))

    def have_paid(self, item: str, amount_fen: int, serial: str | None = None) -> None:
        self.have_ordered(item, amount_fen)
        must(self.desk.settle(item, amount_fen, serial or self.desk.number("银行")))

    def have_confirmed_stage(self, item: str, stage: int, audited_fen: int | None) -> None:
        must(self.desk.confirm_stage(item, stage, audited_fen))

    def have_released(self, item: str, cause: Cause, amount_fen: int) -> None:
        """The release, after the finding that it rests on where there is fault."""
        if cause is Cause.VIOLATION:
            self.have_violation(item)
        must(self.desk.act(Act.RELEASE, item, amount_fen=amount_fen, cause=cause))

    def have_violation(self, item: str) -> None:
        must(self.desk.act(Act.FIND_VIOLATION, item, reason=FACTS_FOUND))

    def have_ordered_recovery(self, item: str, cause: Cause, amount_fen: int) -> None:
        """The order, after the finding that it rests on where there is fault."""
        if cause is Cause.VIOLATION:
            self.have_violation(item)
        must(self.desk.act(Act.ORDER_RECOVERY, item, amount_fen=amount_fen, cause=cause))

    def have_received(self, item: str, amount_fen: int) -> None:
        must(self.desk.receive(item, amount_fen))

    def have_step_reached(self, enterprise: str, before: Act) -> None:
        """The usual application, taken up to the step ``before``, each step by its assigned hand."""
        self._usual.enterprise = enterprise
        for act in STEPS[: STEPS.index(before)]:
            must(self._usual.take(act))

    def have_decided_other_funding(self, item: str, way_out: WayOut) -> None:
        must(self._decided_other_funding(item, way_out))

    def have_budget(self, year: int, amount_fen: int) -> None:
        policy = self.driver.policy.id
        must(self.desk.act(Act.APPROPRIATE, policy=policy, year=year, amount_fen=amount_fen, reference=DOCUMENT))

    def have_switched(self, day: date, reading_id: str, told: str) -> None:
        """The interpretation, effective from ``day`` on; what had been awarded until now is kept in mind."""
        policy = self.driver.policy
        assert reading_id in policy.readings, f"没有口径{reading_id}"
        said = {"value": read_value(policy.readings[reading_id], told), "effective_from": day, "decided_by": DECIDED_BY}
        asked = {"policy": policy.id, "version": policy.version, "reading": reading_id, **said}
        must(self.desk.act(Act.INTERPRET, **asked, reference=DOCUMENT, reason=WHY))
        self._awarded_before = {number: self.driver.awarded_fen(number) for number in self.desk.approved}

    # Acts: what the scenario is about

    def watch(self, stage: str = "") -> None:
        """Remember how things stood before the act; ``stage`` is what is asked where the answer is an amount."""
        self.before_act()
        self.answers = Answers(self.driver.policy.limits, stage)
        self._watched_at = self.driver.now()
        self._facts_before = self.driver.fact_count()

    def determine(self, item: str) -> None:
        self.watch("核定")
        self.answers.last = self.desk.determine(item)

    def approve(self, item: str, amount_fen: int, plan_year: int | None = None) -> None:
        if self.desk.cases[item].determined_fen is None:
            must(self.desk.determine(item))
        self.watch("审批")
        self.answers.last = self.desk.approve(item, amount_fen, plan_year)

    def decide_in_order(self) -> None:
        """Determine and approve every accepted application in turn, at the amount determined."""
        self.watch()
        waiting = [name for name, case in self.desk.cases.items() if case.determined_fen is None]
        for name in waiting:
            answer = self.desk.determine(name)
            if answer.grant is not None:
                answer = must(self.desk.approve(name, answer.grant.amount_fen))
            self.answers.in_order.append((name.partition("#")[0], answer))

    def quote(self, enterprise: str, item: str, rule_id: str, cells: Mapping[str, str]) -> None:
        particulars = read_particulars_table(self.driver.policy.rule(rule_id), read_stated(cells))
        self.watch("试算")
        self._quoted = (rule_id, enterprise, item, particulars)
        self.answers.last = self.driver.quote(rule_id, code_of(enterprise), item, particulars, read_plan_year(cells))

    def submit(self, enterprise: str, item: str, rule_id: str, cells: Mapping[str, str]) -> None:
        said = self._read(rule_id, cells)
        self.watch()
        self.answers.last = self.desk.submit(enterprise, item, rule_id, **said)

    def cite(self, enterprise: str, cited: str, item: str) -> None:
        """Apply under whatever is cited, with nothing stated."""
        self.watch()
        self.answers.last = self.desk.submit(enterprise, item, cited, {})

    def release(self, item: str, cause: Cause, amount_fen: int) -> None:
        if cause is Cause.VIOLATION:
            self.have_violation(item)
        self.watch()
        self.answers.last = self.desk.act(Act.RELEASE, item, amount_fen=amount_fen, cause=cause)

    def request(self, item: str, amount_fen: int) -> None:
        self.watch()
        self.answers.last = self.desk.act(Act.REQUEST, item, amount_fen=amount_fen)

    def confirm_stage(self, item: str, stage: int, audited_fen: int | None) -> None:
        self.watch()
        self.answers.last = self.desk.confirm_stage(item, stage, audited_fen)

    def settle(self, item: str, amount_fen: int, serial: str) -> None:
        self.watch()
        self.answers.last = self.desk.settle(item, amount_fen, serial)

    def order_recovery(self, item: str, cause: Cause, amount_fen: int) -> None:
        self.watch()
        self.answers.last = self.desk.act(Act.ORDER_RECOVERY, item, amount_fen=amount_fen, cause=cause)

    def receive(self, item: str, amount_fen: int) -> None:
        self.watch()
        self.answers.last = self.desk.receive(item, amount_fen)

    def decide_other_funding(self, item: str, way_out: WayOut) -> None:
        self.watch()
        self.answers.last = self._decided_other_funding(item, way_out)

    def take(self, act: Act, person: str | None = None) -> Answer:
        """Any step of the usual case, with whatever it needs said, by its assigned hand or by ``person``."""
        if person is not None:
            self.desk.hands[act] = person
        self.watch()
        self.answers.last = self._usual.take(act)
        return self.answers.last

    # Afterwards: how things stand

    def headroom(self, enterprise: str, start: date, article: str, name: str) -> tuple[int, int]:
        """Used and left under a limit; its article must be the one named."""
        head = self.driver.headroom(code_of(enterprise), name, start)
        assert head.clause == article, f"“{name}”出自第{head.clause}条"
        return head.used_fen, head.left_fen

    def check_denial_kept(self) -> None:
        """The refusal is the one new fact, filed with its enterprise, and draws on no limit."""
        denial, case, enterprise = self.driver.last_denial_kept()
        assert denial == self.answers.last.denial
        assert case == self.answers.last.case
        cases = [code_of(its.enterprise) for its in self.desk.cases.values() if its.number == case]
        assert enterprise in (cases or self.desk.applicants)
        assert self.driver.fact_count() == self._facts_before + 1
        assert self._usage(self.driver.now()) == self._usage(self._watched_at)

    def check_earlier_named(self, item: str) -> None:
        assert self.answers.last.denial is not None, f"没有被拒绝，而是：{self.answers.last}"
        assert self.answers.last.denial.earlier == self.desk.cases[item].number

    def check_earlier_awards_unchanged(self) -> None:
        """What was awarded before the reading was switched is awarded still, to the fen."""
        assert self._awarded_before, "改口径以前没有批准过资助"
        assert {number: self.driver.awarded_fen(number) for number in self._awarded_before} == self._awarded_before

    def check_nothing_recorded(self) -> None:
        assert self.driver.fact_count() == self._facts_before

    def check_real_decision_equals_quote(self) -> None:
        """Apply for what was quoted, determine it, and find the same grant or the same refusal."""
        assert self._quoted is not None, "没有试算过"
        rule_id, enterprise, item, particulars = self._quoted
        self.desk.accept(enterprise, item, rule_id, particulars)
        decided = self.desk.determine(item)
        assert (decided.grant, decided.denial) == (self.answers.last.grant, self.answers.last.denial)

    def state_of(self, item: str) -> str:
        return STATE_NAMES[self.driver.state(self.desk.cases[item].number)].zh

    # How it is known

    def _read(self, rule_id: str, cells: Mapping[str, str]) -> dict[str, Any]:
        """What an application says, from its table."""
        return {
            "particulars": read_particulars_table(self.driver.policy.rule(rule_id), read_stated(cells)),
            "evidence": read_evidence(cells),
            "other_funding": read_other_funding(cells, lambda item: award_id(self.desk.cases[item].number)),
        }

    def _decided_other_funding(self, item: str, way_out: WayOut) -> Answer:
        return self.desk.act(Act.DECIDE_OTHER_FUNDING, item, way_out=way_out, reference=DOCUMENT, reason=WHY)

    def _usage(self, as_of: datetime) -> Mapping[str, int]:
        return {scope: fen for code in self.desk.applicants for scope, fen in self.driver.usage(code, as_of).items()}
