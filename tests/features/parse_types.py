"""The closed words of the features: every type that a sentence may hold, read once, here. Steps parse nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from ledger.causes import CAUSE_NAMES, Cause
from ledger.money import FEN_PER_YUAN, format_policy_amount, parse_policy_amount
from ledger.policy.citation import SUPPLEMENT
from ledger.policy.model import Reading
from ledger.rules import WayOut
from tests.features.driver import ITEM, Act, Denial, Grant, Line

AMOUNT: Final = r"[0-9][0-9,]*(?:\.[0-9]+)?(?:万|亿)?元"
DATE: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
NOTHING: Final = ("不予资助", "不予批准")
DONE: Final = "予以办理"
REFUSED: Final = "不予办理："
ROUNDED: Final = "，舍去不足一{}的尾数"
UNITS: Final = ("元", "分")

GRANT_REASONS: Final[Mapping[str | None, str]] = {
    None: "资助比例",
    "other-funding": "其他财政资助",
    ITEM: "单项上限",
    "area": "每平方米上限",
    "window": "资助期",
    "actual-rent": "实际租金",
    "tier": "所达档次内定额",
    "ceiling": "上限内定额",
}
"""What a grant rests on, where it is no yearly limit."""
YEARLY_LIMIT: Final = "年度上限"
SHEET_STEPS: Final[Mapping[str, str]] = {
    "rent-basis": "租金",
    "rate": "资助比例",
    "area-cap": "每平方米上限",
    "window": "资助期",
    "actual-rent": "实际租金",
    "tier": "所达档次内定额",
    "ceiling": "上限内定额",
    "item-cap": "单项上限",
    "annual-cap": YEARLY_LIMIT,
    "other-funding": "其他财政资助",
    "rounding": "舍去尾数",
}
"""What a line of the sheet is called."""
ITS_LIMITS: Final[Mapping[str, str]] = {ITEM: "单项上限", "tier": "所达档次"}
"""What a used-up limit is called, where it is no yearly limit."""

ABOVE_CEILING, ABOVE_WHAT_IS_LEFT = "拟资助高于上限", "拟资助高于余额"
"""A proposed amount that no award had left room for, and one that others took the room of."""

DENIAL_REASONS: Final[Mapping[str, str]] = {
    "item-already-awarded": "同一对象只资助一次",
    "nothing-to-grant": "金额不足一元",
    "window-ended": "资助期已满",
    "window-not-begun": "资助期未开始",
    "window-conflict": "起算日早于已认定的资助期",
    "months-already-funded": "所报月份已获资助",
    "headroom-moved": "核定后余额已被占用",
    "above-determined-amount": "高于核定金额",
    "equity-relation": "委托双方有投资关联",
    "below-lowest-tier": "未达最低一档",
    "not-yet-paid": "费用尚未缴纳",
    "outside-cost-window": "费用期间超出规定",
    "year-not-come": "所报年度未到",
    "before-policy-start": "所报期间早于施行",
    "not-the-previous-year": "账单不属上一年度",
    "period-not-over": "申报期间尚未届满",
    "other-funding": "其他财政资助未作处理",
    "other-funding-not-less": "没有差额可补",
    "cap-year-outside-validity": "年度不在有效期内",
    "audit-report-missing": "缺少审计报告",
    "evidence-used": "凭证已用于另一申报",
}
"""Refusal code → why nothing is granted under an article; used-up limits and ceilings are told apart by the limit."""

GROUNDS: Final[Mapping[str, str]] = {
    "same-person": "同一人不得兼办",
    "step-out-of-order": "步骤顺序不对",
    "above-award": "超过资助余额",
    "above-paid-amount": "超过可追缴金额",
    "above-outstanding-amount": "超过尚欠金额",
    "above-unpaid-amount": "超过未拨付金额",
    "amount-differs-from-order": "与支付令不符",
    "bank-serial-used": "银行流水号已使用",
    "acceptance-number-used": "受理号已使用",
    "nothing-paid": "没有已到账的资金",
    "no-violation-found": "尚无违规认定",
    "policy-not-in-force": "不在有效期内",
    "plan-year-not-open": "计划年度未开放",
    "other-funding-not-returned": "资助尚未全部退还",
    "evidence-used": "凭证已用于另一申报",
    "no-money-rule": "本条无资金资助条款",
    "budget-exceeded": "超过年度预算",
    "stage-not-reached": "拨付阶段未到",
    "stage-out-of-order": "前一阶段未确认",
    "stage-already-reached": "该阶段已达到",
    "no-stages": "不分阶段拨付",
    "above-settlement": "资助额高于结算金额",
}
"""Refusal code → why a step of the procedure is not taken."""

ACTS: Final[Mapping[str, Act]] = {
    "录入申报": Act.SUBMIT,
    "受理": Act.ACCEPT,
    "核定金额": Act.DETERMINE,
    "审批": Act.APPROVE,
    "申请拨付": Act.REQUEST,
    "下达支付令": Act.ORDER,
    "登记到账": Act.SETTLE,
    "认定违规": Act.FIND_VIOLATION,
    "作出追缴决定": Act.ORDER_RECOVERY,
    "登记追回": Act.RECEIVE_RECOVERY,
}
"""The steps of a case, in their order."""

WAYS_OUT: Final[Mapping[str, WayOut]] = {
    "退回后申领": WayOut.RETURN_THEN_CLAIM,
    "补足差额": WayOut.TOP_UP_DIFFERENCE,
}
STAGE_NUMBERS: Final = "一二三四五"
MONEY_STAGES: Final = ("试算", "核定", "审批")
NOTHING_RESTORED, NO_CAUSE = "一律不恢复", "none"
CAUSES: Final = {text.zh: cause for cause, text in CAUSE_NAMES.items()}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an amount is what it is: an article, and what of it decided."""

    article: str
    word: str
    rounded_to: str | None = None

    def __str__(self) -> str:
        cited = self.article if self.article == SUPPLEMENT else f"第{self.article}条"
        return f"{cited}{self.word}{ROUNDED.format(self.rounded_to) if self.rounded_to else ''}"


def told_of_line(line: Line) -> list[str]:
    """A line of the sheet as a feature tells it: 条款, 步骤 and 金额."""
    clause, step, amount_fen = line
    return [clause if clause == SUPPLEMENT else f"第{clause}条", SHEET_STEPS[step], format_policy_amount(amount_fen)]


def reason_of_grant(grant: Grant, yearly_limits: Mapping[str, object]) -> Reason:
    """The reason in the officer's words; an unknown limit is a fault of this table, not silence."""
    word = YEARLY_LIMIT if grant.limit in yearly_limits else GRANT_REASONS[grant.limit]
    unit = UNITS[0 if grant.amount_fen % FEN_PER_YUAN == 0 else 1]
    return Reason(grant.clause, word, unit if grant.rounded else None)


def reason_of_denial(denial: Denial) -> Reason:
    assert denial.clause is not None, f"{denial.code} names no clause"
    if denial.code == "limit-exhausted":
        assert denial.limit is not None, "a used-up limit that is not named"
        return Reason(denial.clause, f"{ITS_LIMITS.get(denial.limit.limit, YEARLY_LIMIT)}已用完")
    if denial.code == "above-ceiling":
        assert denial.limit is not None, "a ceiling that is not named"
        return Reason(denial.clause, ABOVE_WHAT_IS_LEFT if denial.limit.used_fen else ABOVE_CEILING)
    return Reason(denial.clause, DENIAL_REASONS[denial.code])


def _typed(pattern: str) -> Callable[[Callable[[str], Any]], Callable[[str], Any]]:
    """Marks a reader with the pattern that it understands, as the library ``parse`` wants it."""

    def mark(read: Callable[[str], Any]) -> Callable[[str], Any]:
        read.pattern = pattern  # type: ignore[attr-defined]
        read.regex_group_count = re.compile(pattern).groups  # type: ignore[attr-defined]
        return read

    return mark


def _one_of(words: Sequence[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


@_typed(AMOUNT)
def read_amount(text: str) -> int:
    return parse_policy_amount(text)


@_typed(rf"{AMOUNT}|{'|'.join(NOTHING)}")
def read_result(text: str) -> int | None:
    """Fen, or None where nothing is granted."""
    return None if text in NOTHING else parse_policy_amount(text)


@_typed(DATE)
def read_date(text: str) -> date:
    return date.fromisoformat(text)


@_typed(rf"[0-9]{{4}}年度|自{DATE}起的受益年度")
def read_period(text: str) -> date:
    """The first day of a calendar year (2026年度) or of a benefit year (自2025-07-01起的受益年度)."""
    found = re.search(DATE, text)
    return date.fromisoformat(found[0]) if found else date(int(text[:4]), 1, 1)


@_typed(r"[0-9]{4}")
def read_year(text: str) -> int:
    return int(text)


@_typed(r"[^“”]+")
def read_name(text: str) -> str:
    return text


@_typed(r"[0-9]{1,2}\.[0-9]")
def read_rule(text: str) -> str:
    return text


@_typed(r"[一二三四五六七八九十]{1,3}")
def read_article(text: str) -> str:
    return text


@_typed(rf"(?:第[一二三四五六七八九十]{{1,3}}条|{SUPPLEMENT})\S+")
def read_reason(text: str) -> Reason:
    rounded = ROUNDED.format(f"({'|'.join(UNITS)})")
    found = re.fullmatch(rf"(?:第(.{{1,3}})条|{SUPPLEMENT})(.+?)(?:{rounded})?", text)
    assert found, text
    known = {*GRANT_REASONS.values(), *DENIAL_REASONS.values(), YEARLY_LIMIT, ABOVE_CEILING, ABOVE_WHAT_IS_LEFT}
    known |= {f"{name}已用完" for name in (*ITS_LIMITS.values(), YEARLY_LIMIT)}
    assert found[2] in known, f"没有“{found[2]}”这种依据；可用的有：{'、'.join(sorted(known))}"
    return Reason(found[1] or SUPPLEMENT, found[2], found[3])


@_typed(_one_of([DONE, *(f"{REFUSED}{word}" for word in GROUNDS.values())]))
def read_conclusion(text: str) -> str | None:
    """The refusal's code, None where the step was taken."""
    if text == DONE:
        return None
    (code,) = (code for code, word in GROUNDS.items() if f"{REFUSED}{word}" == text)
    return code


@_typed(_one_of(list(CAUSES)))
def read_cause(text: str) -> Cause:
    return CAUSES[text]


@_typed(_one_of(list(ACTS)))
def read_act(text: str) -> Act:
    return ACTS[text]


@_typed(_one_of(list(WAYS_OUT)))
def read_way_out(text: str) -> WayOut:
    return WAYS_OUT[text]


@_typed(rf"第[{''.join(STAGE_NUMBERS)}]阶段(?:（审计确认{AMOUNT}）)?")
def read_payment_stage(text: str) -> tuple[int, int | None]:
    """A stage of payment by its number, and the audited cost in fen where it is told: 第三阶段（审计确认75000万元）."""
    found = re.search(AMOUNT, text)
    return STAGE_NUMBERS.index(text[1]) + 1, parse_policy_amount(found[0]) if found else None


@_typed(_one_of(MONEY_STAGES))
def read_stage(text: str) -> str:
    return text


TYPES: Final[Mapping[str, Callable[[str], Any]]] = {
    "金额": read_amount,
    "结果": read_result,
    "日期": read_date,
    "期间": read_period,
    "年": read_year,
    "名": read_name,
    "款": read_rule,
    "条": read_article,
    "依据": read_reason,
    "结论": read_conclusion,
    "事由": read_cause,
    "步骤": read_act,
    "处理": read_way_out,
    "拨付阶段": read_payment_stage,
    "环节": read_stage,
}
"""Type name in a sentence's pattern → its reader."""


def read_value(reading: Reading, told: str) -> str:
    """What a reading is switched to, told in the words of its option; causes by their names; else as it is."""
    by_words = {words: value for value, words in reading.options.items()}
    if by_words:
        assert told in by_words, f"口径{reading.id}没有“{told}”；可选的有：{'、'.join(by_words)}"
        return by_words[told]
    if set(told.split("、")) <= CAUSES.keys():
        return ", ".join(CAUSES[name] for name in told.split("、"))
    return NO_CAUSE if told == NOTHING_RESTORED else told
