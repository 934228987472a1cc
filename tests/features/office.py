"""The office as the features tell of it: people, cases by name, and what came of the last act.

Facts (``have_…``) must succeed, or the feature's 假如 is wrong. The act of a scenario leaves its answer in ``answer``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from ledger.casefile import STATE_NAMES
from ledger.causes import Cause
from ledger.money import format_policy_amount
from tests.features.desk import Desk, code_of, cost_alone, must
from tests.features.driver import Act, Answer, Driver
from tests.features.parse_types import (
    ACTS,
    NOT_STATED,
    Reason,
    read_evidence,
    read_particulars_table,
    read_reason,
    read_result,
    reason_of_denial,
    reason_of_grant,
)

USUAL_ITEM: Final = "国械注准20263019999"
USUAL_RULE: Final = "5.2"
USUAL_COST_FEN: Final = 1_000_000_000
USUAL_FEN: Final = 400_000_000
FACTS_FOUND: Final = "现场检查发现资金挪作他用"
STEPS: Final = tuple(ACTS.values())


@dataclass(slots=True)
class Office:
    """One office, one ledger, one story."""

    desk: Desk
    answer: Answer = field(default_factory=Answer)
    answers: list[tuple[str, Answer]] = field(default_factory=list)
    _stage: str = ""
    _usage_before: Mapping[str, int] = field(default_factory=dict)
    _facts_before: int = 0
    _usual_enterprise: str = ""
    _quoted: tuple[str, str, str, dict[str, Any]] | None = None

    @property
    def driver(self) -> Driver:
        return self.desk.driver

    # Facts: what had happened before

    def have_accepted(self, enterprise: str, item: str, rule_id: str, cells: Mapping[str, str]) -> None:
        """An application with these particulars, submitted and accepted."""
        evidence, stated = read_evidence(cells)
        particulars = read_particulars_table(self.driver.policy.rule(rule_id), stated)
        self.desk.accept(enterprise, item, rule_id, particulars, evidence=evidence)

    def have_accepted_in_order(self, enterprise: str, table: Sequence[Sequence[str]]) -> None:
        """A table of applications, in the order of their acceptance: 对象, 款 and the particulars by label."""
        header, *rows = table
        assert header[:2] == ["对象", "款"], "该表前两列须为“对象”和“款”"
        for item, rule_id, *values in rows:
            cells = dict(zip(header[2:], values, strict=True))
            filled = {label: value for label, value in cells.items() if value != NOT_STATED}
            particulars = read_particulars_table(self.driver.policy.rule(rule_id), filled)
            self.desk.accept(enterprise, item, rule_id, particulars, self.desk.new_name(item))

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
        self._usual_enterprise = enterprise
        for act in STEPS[: STEPS.index(before)]:
            must(self.take(act))

    # Acts: what the scenario is about

    def watch(self) -> None:
        """Remember how things stood before the act."""
        self._usage_before = self._usage()
        self._facts_before = self.driver.fact_count()

    def determine(self, item: str) -> None:
        self.watch()
        self._stage, self.answer = "核定", self.desk.determine(item)

    def approve(self, item: str, amount_fen: int, plan_year: int | None = None) -> None:
        if self.desk.cases[item].determined_fen is None:
            must(self.desk.determine(item))
        self.watch()
        self._stage, self.answer = "审批", self.desk.approve(item, amount_fen, plan_year)

    def decide_in_order(self) -> None:
        """Determine and approve every accepted application in turn, at the amount determined."""
        self.watch()
        waiting = [name for name, case in self.desk.cases.items() if case.determined_fen is None]
        for name in waiting:
            answer = self.desk.determine(name)
            if answer.grant is not None:
                answer = must(self.desk.approve(name, answer.grant.amount_fen))
            self.answers.append((name.partition("#")[0], answer))

    def quote(self, enterprise: str, item: str, rule_id: str, cells: Mapping[str, str]) -> None:
        particulars = read_particulars_table(self.driver.policy.rule(rule_id), cells)
        self.watch()
        self._stage = "试算"
        self._quoted = (rule_id, enterprise, item, particulars)
        self.answer = self.driver.quote(rule_id, code_of(enterprise), item, particulars)

    def submit(self, enterprise: str, item: str, rule_id: str, cells: Mapping[str, str]) -> None:
        evidence, stated = read_evidence(cells)
        particulars = read_particulars_table(self.driver.policy.rule(rule_id), stated)
        self.watch()
        self.answer = self.desk.submit(enterprise, item, rule_id, particulars, evidence=evidence)

    def cite(self, enterprise: str, cited: str, item: str) -> None:
        """Apply under whatever is cited, with nothing stated."""
        self.watch()
        self.answer = self.desk.submit(enterprise, item, cited, {})

    def release(self, item: str, cause: Cause, amount_fen: int) -> None:
        if cause is Cause.VIOLATION:
            self.have_violation(item)
        self.watch()
        self.answer = self.desk.act(Act.RELEASE, item, amount_fen=amount_fen, cause=cause)

    def request(self, item: str, amount_fen: int) -> None:
        self.watch()
        self.answer = self.desk.act(Act.REQUEST, item, amount_fen=amount_fen)

    def settle(self, item: str, amount_fen: int, serial: str) -> None:
        self.watch()
        self.answer = self.desk.settle(item, amount_fen, serial)

    def order_recovery(self, item: str, cause: Cause, amount_fen: int) -> None:
        self.watch()
        self.answer = self.desk.act(Act.ORDER_RECOVERY, item, amount_fen=amount_fen, cause=cause)

    def receive(self, item: str, amount_fen: int) -> None:
        self.watch()
        self.answer = self.desk.receive(item, amount_fen)

    def take(self, act: Act, person: str | None = None) -> Answer:
        """Any step of the usual case, with whatever it needs said, by its assigned hand or by ``person``."""
        if person is not None:
            self.desk.hands[act] = person
        self.watch()
        if act is Act.SUBMIT:
            self.answer = self._submit_usual()
        elif act is Act.DETERMINE:
            self.answer = self.desk.determine(USUAL_ITEM)
        elif act is Act.APPROVE:
            self.answer = self.desk.approve(USUAL_ITEM, USUAL_FEN)
        else:
            self.answer = self.desk.act(act, USUAL_ITEM, **self._said(act))
        return self.answer

    # Answers: what came of it

    def reason(self) -> Reason:
        """Why the last answer is what it is."""
        return self._reason_of(self.answer)

    def result_fen(self, stage: str) -> int | None:
        """What the last answer grants, None for nothing; ``stage`` must be what was asked."""
        assert stage == self._stage, f"这个场景办理的是{self._stage}，不是{stage}"
        assert self.answer.grant or self.answer.denial, "上一步没有金额"
        return self.answer.grant.amount_fen if self.answer.grant else None

    def check_results(self, table: Sequence[Sequence[str]]) -> None:
        """The answers in order against a table of 对象, 结果 and 依据."""
        header, *rows = table
        assert header == ["对象", "结果", "依据"], "该表的列须为“对象”“结果”“依据”"
        told = [[name, self._told(answer), str(self._reason_of(answer))] for name, answer in self.answers]
        read = [[name, read_result(result), read_reason(reason)] for name, result, reason in rows]
        assert [[name, read_result(result), read_reason(reason)] for name, result, reason in told] == read, told

    def conclusion(self) -> str | None:
        """The code of the refusal; None where the step was taken."""
        return self.answer.denial.code if self.answer.denial else None

    def denial_clause(self) -> str | None:
        assert self.answer.denial is not None, f"没有被拒绝，而是：{self.answer}"
        return self.answer.denial.clause

    def missing_limit(self) -> tuple[int, int, int]:
        """Ceiling, used and left of the limit that the refusal names."""
        assert self.answer.denial and self.answer.denial.limit, f"没有指明哪一项限额：{self.answer}"
        limit = self.answer.denial.limit
        return limit.ceiling_fen, limit.used_fen, limit.left_fen

    def headroom(self, enterprise: str, start: date, article: str, name: str) -> tuple[int, int]:
        """Used and left under a limit; its article must be the one named."""
        head = self.driver.headroom(code_of(enterprise), name, start)
        assert head.clause == article, f"“{name}”出自第{head.clause}条"
        return head.used_fen, head.left_fen

    def check_denial_kept(self) -> None:
        """The refusal is the one new fact, filed with its enterprise, and draws on no limit."""
        denial, case, enterprise = self.driver.last_denial_kept()
        assert denial == self.answer.denial
        assert case == self.answer.case
        cases = [code_of(its.enterprise) for its in self.desk.cases.values() if its.number == case]
        assert enterprise in (cases or self.desk.applicants)
        assert self.driver.fact_count() == self._facts_before + 1
        assert self._usage() == self._usage_before

    def check_nothing_recorded(self) -> None:
        assert self.driver.fact_count() == self._facts_before

    def check_real_decision_equals_quote(self) -> None:
        """Apply for what was quoted, determine it, and find the same grant or the same refusal."""
        assert self._quoted is not None, "没有试算过"
        rule_id, enterprise, item, particulars = self._quoted
        self.desk.accept(enterprise, item, rule_id, particulars)
        decided = self.desk.determine(item)
        assert (decided.grant, decided.denial) == (self.answer.grant, self.answer.denial)

    def state_of(self, item: str) -> str:
        return STATE_NAMES[self.driver.state(self.desk.cases[item].number)].zh

    # How it is known

    def _said(self, act: Act) -> dict[str, Any]:
        """What each step of the usual case needs said, beyond its case."""
        said: dict[Act, dict[str, Any]] = {
            Act.ACCEPT: {"acceptance_number": "受理-常例"},
            Act.REQUEST: {"amount_fen": USUAL_FEN},
            Act.ORDER: {"disbursement": 1},
            Act.SETTLE: {"disbursement": 1, "amount_fen": USUAL_FEN, "bank_serial": "银行-常例"},
            Act.FIND_VIOLATION: {"reason": FACTS_FOUND},
            Act.ORDER_RECOVERY: {"amount_fen": USUAL_FEN, "cause": Cause.VIOLATION},
            Act.RECEIVE_RECOVERY: {"recovery": 1, "amount_fen": USUAL_FEN, "bank_serial": "银行-追回"},
        }
        return said[act]

    def _usage(self) -> Mapping[str, int]:
        return {scope: fen for code in self.desk.applicants for scope, fen in self.driver.usage(code).items()}

    def _reason_of(self, answer: Answer) -> Reason:
        if answer.grant is not None:
            return reason_of_grant(answer.grant, self.driver.policy.limits)
        assert answer.denial is not None, "没有可说明理由的结果"
        return reason_of_denial(answer.denial)

    def _told(self, answer: Answer) -> str:
        return format_policy_amount(answer.grant.amount_fen) if answer.grant else "不予资助"

    def _submit_usual(self) -> Answer:
        rule = self.driver.policy.rule(USUAL_RULE)
        return self.desk.submit(self._usual_enterprise, USUAL_ITEM, rule.id, cost_alone(rule, USUAL_COST_FEN))
