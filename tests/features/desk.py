"""The desk: who takes which step of which case, and the numbers that registers give out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from stdnum.cn import uscc

from ledger.money import FEN_PER_YUAN, format_yuan
from ledger.policy.model import Rule
from ledger.policy.terms import DiscretionaryCeiling, Kind, Rate, TierCeiling
from ledger.roles import Role
from tests.features.driver import Act, Answer, Driver

STAFF: Final[Mapping[str, Role]] = {
    "张受理": Role.INTAKE,
    "李审核": Role.REVIEWER,
    "王审批": Role.APPROVER,
    "陈财务": Role.FINANCE,
    "赵财务": Role.FINANCE,
    "周出纳": Role.CASHIER,
    "吴监督": Role.SUPERVISOR,
    "郑法制": Role.LEGAL,
}
"""Fictional people, each with the one post that the name tells."""

USUAL_HANDS: Final[Mapping[Act, str]] = {
    Act.SUBMIT: "张受理",
    Act.ACCEPT: "张受理",
    Act.WITHDRAW: "张受理",
    Act.DETERMINE: "李审核",
    Act.APPROVE: "王审批",
    Act.CONFIRM_STAGE: "李审核",
    Act.RELEASE: "王审批",
    Act.REQUEST: "陈财务",
    Act.ORDER: "赵财务",
    Act.SETTLE: "周出纳",
    Act.FIND_VIOLATION: "吴监督",
    Act.ORDER_RECOVERY: "郑法制",
    Act.RECEIVE_RECOVERY: "周出纳",
    Act.DECIDE_OTHER_FUNDING: "王审批",
    Act.INTERPRET: "王审批",
    Act.APPROPRIATE: "陈财务",
}
PROPOSED_BECAUSE: Final = "评审会议定额"
BUSINESS_ROLES: Final = tuple(sorted(set(STAFF.values())))


@dataclass(slots=True)
class CaseOnDesk:
    """A case as the desk knows it; ``disbursement`` is the number of the one in hand. ``tells_of_audit``: its application
    has a row for the audit report, so that none is supplied when the amount is determined; ``review_report`` is the one that
    is supplied then, where a feature says which.
    """

    number: str
    enterprise: str
    rule: Rule
    determined_fen: int | None = None
    tells_of_audit: bool = False
    review_report: str | None = None
    disbursement: int = 0


@dataclass(slots=True)
class Desk:
    """Takes steps through the driver, each by the person whose step it is. Cases are kept by the name of their item,
    the last where there are several; ``approved`` are the numbers of all that became awards.
    """

    driver: Driver
    cases: dict[str, CaseOnDesk] = field(default_factory=dict)
    hands: dict[Act, str] = field(default_factory=lambda: dict(USUAL_HANDS))
    applicants: set[str] = field(default_factory=set)
    approved: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def staff(self) -> None:
        for person, role in STAFF.items():
            self.driver.give_role(person, role)

    def give_all_roles(self, person: str) -> None:
        for role in BUSINESS_ROLES:
            self.driver.give_role(person, role)

    def act(self, act: Act, about: str | None = None, /, **says: Any) -> Answer:
        """A step, ``about`` the case kept by that name or about none yet."""
        case = {} if about is None else {"case": self.cases[about].number}
        return self.driver.act(act, self.hands[act], **case, **says)

    def settle(self, item: str, amount_fen: int, serial: str) -> Answer:
        number = self.cases[item].disbursement
        return self.act(Act.SETTLE, item, disbursement=number, amount_fen=amount_fen, bank_serial=serial)

    def receive(self, item: str, amount_fen: int) -> Answer:
        serial = self.number("银行")
        return self.act(Act.RECEIVE_RECOVERY, item, recovery=1, amount_fen=amount_fen, bank_serial=serial)

    def submit(
        self,
        enterprise: str,
        item: str,
        rule_id: str,
        particulars: Mapping[str, Any],
        name: str | None = None,
        evidence: Sequence[Mapping[str, str]] = (),
        other_funding: Sequence[Mapping[str, Any]] = (),
    ) -> Answer:
        self.applicants.add(code_of(enterprise))
        answer = self.act(
            Act.SUBMIT,
            policy=self.driver.policy.id,
            rule=rule_id,
            enterprise=code_of(enterprise),
            enterprise_name=enterprise,
            item=item,
            particulars=particulars,
            evidence=evidence,
            other_funding=other_funding,
        )
        if answer.case is not None:
            self.cases[name or item] = CaseOnDesk(answer.case, enterprise, self.driver.policy.rule(rule_id))
        return answer

    def accept(
        self,
        enterprise: str,
        item: str,
        rule_id: str,
        particulars: Mapping[str, Any],
        name: str | None = None,
        evidence: Sequence[Mapping[str, str]] = (),
        other_funding: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Submitted and accepted; kept under ``name`` where several applications are for one item."""
        must(self.submit(enterprise, item, rule_id, particulars, name, evidence, other_funding))
        must(self.act(Act.ACCEPT, name or item, acceptance_number=self.number("受理")))

    def award(self, enterprise: str, rule: Rule, amount_fen: int) -> None:
        """One award of an exact amount: determined on a cost that is enough, approved for the amount."""
        item = self.number("前案")
        whole_yuan = -(-amount_fen // FEN_PER_YUAN) * FEN_PER_YUAN
        self.accept(enterprise, item, rule.id, cost_alone(rule, -int(-whole_yuan // rate_of(rule).rate.value)))
        must(self.determine(item))
        must(self.approve(item, amount_fen))

    def determine(self, item: str) -> Answer:
        rule = self.cases[item].rule
        proposed = isinstance(rule.terms, TierCeiling | DiscretionaryCeiling)
        audited = rule.audited is not None and rule.audited.value
        report = self.cases[item].review_report
        if report is None and audited and not self.cases[item].tells_of_audit:
            report = self.number("审计")
        answer = self.act(Act.DETERMINE, item, reason=PROPOSED_BECAUSE if proposed else None, audit_report=report)
        if answer.grant is not None:
            self.cases[item].determined_fen = answer.grant.amount_fen
        return answer

    def confirm_stage(self, item: str, stage: int, audited_fen: int | None) -> Answer:
        document = self.number("验收")
        return self.act(Act.CONFIRM_STAGE, item, stage=stage, audited_fen=audited_fen, reference=document)

    def approve(self, item: str, amount_fen: int, plan_year: int | None = None) -> Answer:
        determined_fen = self.cases[item].determined_fen
        less = determined_fen is not None and amount_fen < determined_fen
        reason = "局务会议定酌减" if less else "列入该年度资助计划" if plan_year else None
        answer = self.act(Act.APPROVE, item, amount_fen=amount_fen, cap_year=plan_year, reason=reason)
        if answer.grant is not None:
            self.approved.append(self.cases[item].number)
        return answer

    def new_name(self, item: str) -> str:
        """The name by which one of several applications for one item is kept."""
        taken = sum(name.partition("#")[0] == item for name in self.cases)
        return f"{item}#{taken + 1}" if taken else item

    def number(self, register: str) -> str:
        return f"{register}{next(self._numbers):04d}"


def must(answer: Answer) -> Answer:
    """An answer that a feature takes for a fact."""
    assert answer.denial is None, f"此处本应办成，却被拒绝：{answer.denial}"
    return answer


def code_of(enterprise: str) -> str:
    """A valid 统一社会信用代码 for a fictional enterprise, the same for the same name."""
    number = int.from_bytes(enterprise.encode(), "big") % 10**9
    body = f"91440300{number:09d}"
    return body + uscc.calc_check_digit(body)


def rate_of(rule: Rule) -> Rate:
    assert isinstance(rule.terms, Rate), f"第{rule.id}款不按比例资助"
    return rule.terms


def cost_alone(rule: Rule, cost_fen: int) -> dict[str, Any]:
    """Particulars that state a cost and no circumstance."""
    flags = {its.name: False for its in rule.particulars.values() if its.kind is Kind.FLAG}
    return {rate_of(rule).basis: format_yuan(cost_fen), **flags}
