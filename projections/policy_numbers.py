"""The numbers of a policy as the office reads them: each with its key in the file, its citation, and its reading if any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ledger.errors import Text
from ledger.policy.citation import SUPPLEMENT
from ledger.policy.form import Entry, key_of
from ledger.policy.model import OncePerItem, Policy
from ledger.policy.registry import PolicyFile
from ledger.policy.values import Draft
from ledger.rules import wording

KeyPath = tuple[str | int, ...]

_LABELS: Final = {
    "effective_from": Text("施行日", "in force from"),
    "validity": Text("有效期", "validity"),
    "rounding": Text("金额取整到", "rounded down to"),
    "restoring_causes": Text("恢复额度的事由", "causes that give a limit back"),
    "recognised_windows": Text("届满时已认定的资助期", "windows recognised at the end of validity"),
    "earliest_period": Text("期间和年度早于施行日的", "periods and years before the policy began"),
    "other_funding": Text("同一事项已获其他财政资助", "other public money for the same matter"),
    "plan_years_ahead": Text("资助计划最多列到以后第几年", "funding plans open, in years after the decision's"),
    "used": Text("可支持的申报", "how often it may be used"),
    "ceiling": Text("年度上限", "yearly ceiling"),
    "cap_year": Text("年度的算法", "which year it counts in"),
    "rate": Text("资助比例", "rate"),
    "item_cap": Text("单项上限", "ceiling for an item"),
    "item_cap_bonus": Text("单项上限提高", "raise of an item's ceiling"),
    "bonus_raises_limit": Text("是否同时提高年度上限", "whether it raises the yearly limit too"),
    "item_cap_per": Text("单项上限的期间", "over which time an item's ceiling counts"),
    "once_per_item": Text("每个对象只资助一次", "one award for an item"),
    "item_shared": Text("对象为登记编号，各企业合计", "an item is a registered number, shared by all enterprises"),
    "remainder": Text("年度上限截去的部分", "what a yearly limit cut off"),
    "area_cap": Text("每平方米上限", "ceiling per square metre"),
    "area_cap_on": Text("每平方米上限的对象", "what the ceiling per square metre is of"),
    "length": Text("期限", "length"),
    "basis": Text("租金基数", "which rent is funded"),
    "split": Text("跨年度费用的分摊", "how a cost over two years is divided"),
    "bills": Text("可申报的账单", "which bills may be claimed"),
    "claimable": Text("可申报的期间", "which periods may be claimed"),
    "before_application": Text("费用最早始于申请前", "costs begin at most before the application"),
    "event_before_application": Text("取证最早在申请前", "the event is at most before the application"),
    "tail": Text("取证后付款的宽限", "last payment after the event within"),
    "audited": Text("须经审计", "audited cost only"),
    "at_least": Text("起点是否计入该档", "whether a tier begins at its number"),
    "evidence_again": Text("可再次提交的证据", "evidence that may be given again"),
    "settlement": Text("末期结算", "how the last stage is settled"),
    "tiers": Text("档次", "tier"),
    "parts": Text("分期", "instalment"),
}
_FLAGS: Final = {True: Text("是", "yes"), False: Text("否", "no")}


@dataclass(frozen=True, slots=True)
class Number:
    """One value that decides about money. ``key`` is its place in the file, ``clause`` the article that it carries out.

    ``text`` is the value as the file writes it (``300万元``, ``40%``); where it is left to the ``reading``, the reading's
    own value on the day the policy was read for, and ``answer`` tells what that means.
    """

    key: str
    clause: str
    label: Text
    text: Text
    cite: str | None
    reading: str | None
    answer: str | None


def header_numbers(file: PolicyFile, policy: Policy) -> list[Number]:
    assert file.form.header is not None, "a file without a fault has a head"
    return list(_numbers(("policy",), file.form.header, SUPPLEMENT, policy))


def evidence_numbers(file: PolicyFile, policy: Policy) -> Mapping[str, list[Number]]:
    return _by_name("evidence", file.form.evidence, "clause", policy)


def limit_numbers(file: PolicyFile, policy: Policy) -> Mapping[str, list[Number]]:
    return _by_name("limits", file.form.limits, "clause", policy)


def rule_numbers(file: PolicyFile, policy: Policy) -> Mapping[str, list[Number]]:
    return _by_name("rules", file.form.rules, "article", policy)


def all_numbers(file: PolicyFile, policy: Policy) -> Iterator[Number]:
    yield from header_numbers(file, policy)
    for named in (evidence_numbers(file, policy), limit_numbers(file, policy), rule_numbers(file, policy)):
        for numbers in named.values():
            yield from numbers


def _by_name(table: str, entries: Mapping[str, Entry], clause: str, policy: Policy) -> dict[str, list[Number]]:
    return {name: list(_numbers((table, name), entry, entry[clause], policy)) for name, entry in entries.items()}


def _numbers(path: KeyPath, entry: Mapping[str, Any], clause: str, policy: Policy) -> Iterator[Number]:
    for name, value in entry.items():
        at = (*path, name)
        if isinstance(value, Draft):
            yield _cited(at, value, clause, policy)
        elif name == "tiers":
            yield from (_tier((*at, position), tier) for position, tier in enumerate(value))
        elif name == "parts":
            yield from (_part((*at, position), part, clause, entry) for position, part in enumerate(value))
        elif isinstance(value, dict):
            yield from _numbers(at, value, clause, policy)


def _cited(path: KeyPath, draft: Draft[Any], clause: str, policy: Policy) -> Number:
    label = _label(str(path[-1]))
    if draft.value is None:
        assert draft.reading is not None, "what states no value leaves it to a reading"
        reading = policy.readings[draft.reading]
        stated = Text(reading.value, reading.value)
        return Number(key_of(*path), clause, label, stated, draft.cite, draft.reading, reading.answer)
    return Number(key_of(*path), clause, label, _text(draft.written), draft.cite, draft.reading, None)


def _text(written: object) -> Text:
    if written == OncePerItem.YEAR.value:
        return Text("每年度一次", "once a year")
    return _FLAGS[written] if isinstance(written, bool) else Text(str(written), str(written))


def _tier(path: KeyPath, tier: Mapping[str, Any]) -> Number:
    most = wording.amount(tier["ceiling"])
    told = Text(f"{tier['at_least']}起，上限{most.zh}", f"from {tier['at_least']}, at most {most.en}")
    return Number(key_of(*path), tier["cite"], _label("tiers"), told, tier["cite"], None, None)


def _part(path: KeyPath, part: Mapping[str, Any], clause: str, stages: Mapping[str, Any]) -> Number:
    share = wording.percent(part["share"])
    told = Text(f"{share}：{part['when']}", f"{share}: “{part['when']}”")
    return Number(key_of(*path), clause, _label("parts"), told, stages.get("cite"), stages.get("reading"), None)


def _label(name: str) -> Text:
    """A key without a name of ours is told as the file writes it."""
    return _LABELS.get(name, Text(name, name))
