"""Every number of a policy file: where it stands, how an officer reads it, and the policy with it one step lower or higher.

A step is the smallest that the number can be moved by: one fen, one project, one day, one month, a hundredth of a
percentage point. A scenario is at a number's boundary where one step changes what the scenario is answered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Final

from ledger.calendar import add_days
from ledger.money import format_policy_amount, parse_rate
from ledger.policy.building import build, possible_switches
from ledger.policy.citation import SUPPLEMENT
from ledger.policy.consistency import check
from ledger.policy.findings import Findings
from ledger.policy.form import Form, key_of, read_form
from ledger.policy.model import Interpretation, Policy
from ledger.policy.values import Draft, parse_bonus, parse_ceiling, parse_day, parse_days, parse_months
from tests.trace.places import lines_of_keys

LOWER: Final = "lower"
HIGHER: Final = "higher"
WAYS: Final = (LOWER, HIGHER)
BASIS_POINT: Final = Fraction(1, 10_000)

Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """How numbers of one kind are moved and told."""

    step: Callable[[Any, int], Any]
    step_told: str
    told: Callable[[Any], str]


def _months_told(months: int) -> str:
    return f"{months // 12}年" if months % 12 == 0 else f"{months}个月"


def _rate_told(rate: Fraction) -> str:
    return f"{format(float(rate * 100), 'g')}%"


FEN: Final = Unit(lambda fen, by: fen + by, "一分钱", format_policy_amount)
RATE: Final = Unit(lambda rate, by: rate + by * BASIS_POINT, "0.01个百分点", _rate_told)
MONTHS: Final = Unit(lambda months, by: months + by, "一个月", _months_told)
DAYS: Final = Unit(lambda days, by: days + by, "一天", lambda days: f"{days}日")
DAY: Final = Unit(lambda day, by: add_days(day, by), "一天", date.isoformat)
COUNT: Final = Unit(lambda count, by: count + by, "一项", lambda count: f"{count}项")

_UNITS: Final[Mapping[Callable[[object], Any], Unit]] = {
    parse_bonus: FEN,
    parse_ceiling: FEN,
    parse_rate: RATE,
    parse_months: MONTHS,
    parse_days: DAYS,
    parse_day: DAY,
}
"""The readers of a policy file's values that read numbers; what the others read are words."""

_LABELS: Final[Mapping[str, str]] = {
    "effective_from": "施行日",
    "validity": "有效期",
    "ceiling": "年度上限",
    "rate": "资助比例",
    "item_cap": "单项上限",
    "item_cap_bonus": "单项上限的提高额",
    "area_cap": "每平方米资助上限",
    "window.length": "资助期",
    "cost_dates.before_application": "费用起算日距申请日至多",
    "cost_dates.event_before_application": "取证日距申请日至多",
    "cost_dates.tail": "尾款距取证日至多",
    "cost_dates.length": "费用期间至多",
}
_TIER: Final = re.compile(r"tiers\[([0-9])\]\.(at_least|ceiling)")
_PART: Final = re.compile(r"stages\.parts\[([0-9])\]\.share")
_ORDINALS: Final = "一二三四五六七八九"


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a policy file. ``rule`` or ``limit`` is its entry; neither for the head of the file."""

    key: str
    label: str
    value: str
    step: str
    article: str
    reading: str | None
    rule: str | None
    limit: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Moved:
    """The policy with one number one step away; ``policy`` is None where the file could not say so, with the reason."""

    key: str
    way: str
    policy: Policy | None
    why_not: str = ""


class PolicyNumbers:
    """The numbers of one version of a policy, read from its file."""

    def __init__(self, path: Path, name: str) -> None:
        """``name`` is how findings name the file. The file must be sound."""
        content = path.read_bytes()
        self.name = name
        self._lines = lines_of_keys(content.decode())
        findings = Findings(name)
        self._form = read_form(content, findings)
        policy = self._read(self._form, findings)
        findings.raise_any()
        assert policy is not None
        self.policy = policy
        self.numbers: dict[str, Number] = {}
        self.moves: dict[str, dict[str, Moved]] = {}
        found = [
            (self._number(where, value, unit, *source), where, value, unit)
            for where, value, unit, *source in _found(self._form)
        ]
        for number, where, value, unit in sorted(found, key=lambda its: (its[0].line, its[0].key)):
            self.numbers[number.key] = number
            self.moves[number.key] = {way: self._moved(number.key, way, where, value, unit) for way in WAYS}

    def line(self, key: str) -> int:
        return self._lines.get(key, 0)

    def switched(self) -> Iterator[tuple[str, str, Policy]]:
        """Each reading and each of its other options, with the policy as read then."""
        for switch in possible_switches(self._form):
            if (policy := self._read(self._form, Findings(self.name), switch)) is not None:
                yield switch.reading, switch.value, policy

    def _read(self, form: Form, findings: Findings, *switches: Interpretation) -> Policy | None:
        policy = build(form, date.max, "", findings, switches)
        if policy is not None:
            check(policy, form, findings)
        return policy

    def _number(self, where: Path_, value: Any, unit: Unit, cite: str | None, reading: str | None) -> Number:
        key = key_of(*where)
        rule, limit = (str(where[1]) if where[0] == table else None for table in ("rules", "limits"))
        article = cite or (self._form.readings[reading]["article"] if reading else None) or SUPPLEMENT
        if rule is not None:
            article = cite or self._form.rules[rule]["article"]
        return Number(
            key=key,
            label=_label(key_of(*where[1 if where[0] == "policy" else 2 :])),
            value=unit.told(value),
            step=unit.step_told,
            article=article,
            reading=reading,
            rule=rule,
            limit=limit,
            line=self.line(key) or self.line(re.sub(r"\.[a-z_]+$", "", key)),
        )

    def _moved(self, key: str, way: str, where: Path_, value: Any, unit: Unit) -> Moved:
        by = 1 if way == HIGHER else -1
        moved = unit.step(value, by)
        if isinstance(moved, Fraction) and not 0 < moved <= 1:
            return Moved(key, way, None, "比例不会超过100%")
        findings = Findings(self.name)
        form = _form_with(self._form, where, moved)
        if "parts" in where:
            form = _form_with(form, *self._balanced(where, unit, -by))
        policy = self._read(form, findings)
        if findings.lines or policy is None:
            return Moved(key, way, None, findings.lines[0].zh.rpartition("：")[2] if findings.lines else "文件不成立")
        return Moved(key, way, policy)

    def _balanced(self, where: Path_, unit: Unit, by: int) -> tuple[Path_, Any]:
        """Shares sum to the whole: what one part loses, its neighbour gets."""
        *before, position, _ = where
        parts = self._form.rules[str(where[1])]["stages"]["parts"]
        neighbour = int(position) + 1 if int(position) + 1 < len(parts) else int(position) - 1
        return (*before, neighbour, "share"), unit.step(parts[neighbour]["share"], by)


def _form_with(form: Form, where: Path_, value: Any) -> Form:
    table, *inside = where
    name = "header" if table == "policy" else str(table)
    return replace(form, **{name: _with(getattr(form, name), inside, value)})


def _found(form: Form) -> Iterator[tuple[Path_, Any, Unit, str | None, str | None]]:
    """Path in the file, value, unit, article and reading of every number."""
    stated = partial(_stated, form)
    yield from stated(("policy",), form.header)
    for name, limit in form.limits.items():
        yield from stated(("limits", name), limit)
    for name, rule in form.rules.items():
        yield from stated(("rules", name), rule)
        for position, tier in enumerate(rule.get("tiers", ())):
            yield ("rules", name, "tiers", position, "at_least"), tier["at_least"], COUNT, tier["cite"], None
            yield ("rules", name, "tiers", position, "ceiling"), tier["ceiling"], FEN, tier["cite"], None
        stages = rule.get("stages", {})
        for position, part in enumerate(stages.get("parts", ())):
            where = ("rules", name, "stages", "parts", position, "share")
            yield where, part["share"], RATE, stages.get("cite"), stages.get("reading")


def _stated(form: Form, where: Path_, entry: Any) -> Iterator[tuple[Path_, Any, Unit, str | None, str | None]]:
    if isinstance(entry, Draft):
        if (unit := _UNITS.get(entry.parse)) is not None:
            value = entry.value
            if value is None:
                assert entry.reading is not None
                value = entry.parse(form.readings[entry.reading]["value"])
            yield where, value, unit, entry.cite, entry.reading
    elif isinstance(entry, dict):
        for name, part in entry.items():
            yield from _stated(form, (*where, name), part)


def _with(entry: Any, path: list[str | int], value: Any) -> Any:
    """A copy of an entry with the value at a path; what is not on the path is shared."""
    if not path:
        return replace(entry, value=value) if isinstance(entry, Draft) else value
    copy = dict(entry) if isinstance(entry, dict) else list(entry)
    copy[path[0]] = _with(copy[path[0]], path[1:], value)
    return copy


def _label(key: str) -> str:
    if tier := _TIER.fullmatch(key):
        return f"第{_ORDINALS[int(tier[1])]}档{'的起点' if tier[2] == 'at_least' else '的上限'}"
    if part := _PART.fullmatch(key):
        return f"第{_ORDINALS[int(part[1])]}阶段所占比例"
    return _LABELS[key]
