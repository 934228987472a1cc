"""An application as a feature writes it: a table of particulars, of what proves them, and of other public money."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from ledger.money import format_yuan, parse_policy_amount
from ledger.policy.model import Rule
from ledger.policy.terms import Kind, Particular
from tests.features.parse_types import read_date

NOT_STATED: Final = "未填"
AUDIT_REPORT: Final = "审计报告"
REVIEW_REPORT: Final = "核定时补交的审计报告"
"""The row that names the audit report which review adds, where it matters which."""
PLAN_YEAR: Final = "列入资助计划"
"""The row of a quote that names the funding plan: ``2027年``."""
EVIDENCE: Final[Mapping[str, str]] = {
    "发票": "invoice",
    "合同": "contract",
    "证书": "certificate",
    "费用明细": "cost-line",
    AUDIT_REPORT: "audit-report",
}
"""Rows of an application that are not particulars but what proves them; ``“甲”、“乙”`` are two pieces."""
OTHER_FUNDING: Final[Mapping[str, str]] = {
    "国家资助": "nation",
    "省级资助": "province",
    "市级资助": "city",
    "区级资助": "district",
}
"""Rows that declare other public money for the same matter, by its level."""


def _yuan(text: str) -> str:
    return format_yuan(parse_policy_amount(text))


def _counted(unit: str) -> Callable[[str], int]:
    def read(text: str) -> int:
        found = re.fullmatch(rf"([0-9]+){unit}", text)
        assert found, f"{text}不是以“{unit}”计的数"
        return int(found[1])

    return read


def _area(text: str) -> str:
    found = re.fullmatch(r"([0-9,]+(?:\.[0-9]{1,2})?)平方米", text)
    assert found, f"{text}不是面积"
    return found[1].replace(",", "")


_READ_PARTICULAR: Final[Mapping[Kind, Callable[[str], Any]]] = {
    Kind.MONEY: _yuan,
    Kind.AREA_M2: _area,
    Kind.FLAG: lambda text: {"是": True, "否": False}[text],
    Kind.DATE: lambda text: read_date(text).isoformat(),
    Kind.MONTHS: _counted("个月"),
    Kind.COUNT: _counted("项"),
    Kind.YEAR: _counted("年"),
}


def read_particulars_table(rule: Rule, cells: Mapping[str, str]) -> dict[str, Any]:
    """What an application states, from a table that names each particular by its label in the policy file.

    The label's explanation in brackets may be left out; 未填 leaves out the particular.
    """
    by_label = {plain_label(its): its for its in rule.particulars.values()}
    unknown = [label for label in cells if label not in by_label]
    assert not unknown, f"第{rule.id}款没有“{'、'.join(unknown)}”；可填：{'、'.join(by_label)}"
    return {
        by_label[label].name: _READ_PARTICULAR[by_label[label].kind](value)
        for label, value in cells.items()
        if value != NOT_STATED
    }


def read_evidence(cells: Mapping[str, str]) -> list[dict[str, str]]:
    """What an application is proved with, from the rows named by a kind of evidence."""
    rows = [(EVIDENCE[label], value) for label, value in cells.items() if label in EVIDENCE and value != NOT_STATED]
    return [{"kind": kind, "key": number.strip("“”")} for kind, value in rows for number in value.split("、")]


def read_review_report(cells: Mapping[str, str]) -> str | None:
    """The audit report that is given when the amount is determined; None for any."""
    return cells[REVIEW_REPORT].strip("“”") if REVIEW_REPORT in cells else None


def read_other_funding(cells: Mapping[str, str], award_of: Callable[[str], str]) -> list[dict[str, Any]]:
    """Other public money that an application declares, from the rows named by a level; ``100万元（“甲”的资助）`` is one of
    this ledger's awards, whose id ``award_of`` knows.
    """
    rows = [(label, value) for label, value in cells.items() if label in OTHER_FUNDING and value != NOT_STATED]
    return [_read_funding(label, value, award_of) for label, value in rows]


def _read_funding(label: str, value: str, award_of: Callable[[str], str]) -> dict[str, Any]:
    amount, mark, item = value.removesuffix("”的资助）").partition("（“")
    document = award_of(item) if mark else f"{label}决定书"
    return {"level": OTHER_FUNDING[label], "amount_fen": parse_policy_amount(amount), "document": document}


def read_plan_year(cells: Mapping[str, str]) -> int | None:
    """The funding plan that a quote asks about; None for that of the day."""
    return _counted("年")(cells[PLAN_YEAR]) if PLAN_YEAR in cells else None


_NOT_STATED_SO: Final = frozenset({*EVIDENCE, *OTHER_FUNDING, PLAN_YEAR, REVIEW_REPORT})


def read_stated(cells: Mapping[str, str]) -> dict[str, str]:
    """The rows that are left: the particulars."""
    return {label: value for label, value in cells.items() if label not in _NOT_STATED_SO}


def plain_label(particular: Particular) -> str:
    return particular.label.split("（")[0]
