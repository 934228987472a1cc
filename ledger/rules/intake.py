"""Reading what a claim states: strict, and every field at fault is named."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from ledger.errors import FieldError, Malformed, Text
from ledger.money import parse_yuan
from ledger.policy.model import CapYear, Rule
from ledger.policy.terms import Kind, Particular
from ledger.rules.particulars import MONEY_FEN_MOST, Particulars, Value, field_of
from ledger.rules.periods import period_errors

AREA_CENTI_M2_MOST: Final = 10_000_000_000
COUNTS: Final = range(1_000_001)
MONTHS: Final = range(121)
YEARS: Final = range(2000, 2101)

_AREA = re.compile(r"(0|[1-9][0-9]{0,9})(?:\.([0-9]{1,2}))?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def read_particulars(rule: Rule, raw: Mapping[str, object]) -> Particulars:
    """Read the particulars of a claim under ``rule`` from JSON values.

    Money is a string of yuan with two decimals, an area a string of m² with at most two, a date ``YYYY-MM-DD``, a
    flag ``true`` or ``false``, months, counts and years whole numbers. Raises ``Malformed`` naming every field as
    ``particulars.<name>`` with the code ``missing``, ``unknown``, ``invalid-<kind>`` or ``invalid-period``.
    """
    errors = _names_at_fault(rule, raw)
    values: dict[str, Value] = {}
    for particular in rule.particulars.values():
        try:
            value = _read(particular, raw)
        except ValueError:
            errors.append(_invalid(particular))
        except KeyError:
            errors.append(_missing(particular))
        else:
            if value is not None:
                values[particular.name] = value
    particulars = Particulars({p.name: p.kind for p in rule.particulars.values()}, values)
    if errors or (errors := period_errors(rule, particulars)):
        raise Malformed(errors)
    return particulars


def _names_at_fault(rule: Rule, raw: Mapping[str, object]) -> list[FieldError]:
    """What the rule does not know, and the date that must be stated although it is optional: where the yearly limit counts
    by the event (reading B1).
    """
    errors = [_unknown(name, rule) for name in raw if name not in rule.particulars]
    counts_by_event = rule.limit is not None and rule.limit.cap_year.value is CapYear.EVENT
    if counts_by_event and rule.event_day is not None and rule.event_day not in raw:
        errors.append(_missing(rule.particulars[rule.event_day]))
    return errors


def _read(particular: Particular, raw: Mapping[str, object]) -> Value | None:
    """The value, its default, or None; ``KeyError`` where it is required, ``ValueError`` where it cannot be read."""
    if particular.name in raw:
        return _READ[particular.kind](raw[particular.name])
    if particular.required:
        raise KeyError(particular.name)
    return particular.default


def _read_money(raw: object) -> int:
    amount_fen = parse_yuan(raw)
    if amount_fen > MONEY_FEN_MOST:
        raise ValueError("larger than 1,000,000,000,000.00 yuan")
    return amount_fen


def _read_area(raw: object) -> int:
    if not isinstance(raw, str) or (match := _AREA.fullmatch(raw)) is None:
        raise ValueError("not an area")
    area_centi_m2 = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))
    if area_centi_m2 > AREA_CENTI_M2_MOST:
        raise ValueError("larger than 100 km²")
    return area_centi_m2


def _read_flag(raw: object) -> bool:
    if not isinstance(raw, bool):
        raise ValueError("not true or false")
    return raw


def _read_date(raw: object) -> date:
    if not isinstance(raw, str) or _DATE.fullmatch(raw) is None:
        raise ValueError("not a date")
    day = date.fromisoformat(raw)
    if day.year not in YEARS:
        raise ValueError("not a year of this century")
    return day


def _whole_number(among: range) -> Callable[[object], int]:
    def read(raw: object) -> int:
        if not isinstance(raw, int) or isinstance(raw, bool) or raw not in among:
            raise ValueError(f"not a whole number from {among[0]} to {among[-1]}")
        return raw

    return read


_READ: Final[Mapping[Kind, Callable[[object], Value]]] = {
    Kind.MONEY: _read_money,
    Kind.AREA_M2: _read_area,
    Kind.FLAG: _read_flag,
    Kind.DATE: _read_date,
    Kind.MONTHS: _whole_number(MONTHS),
    Kind.COUNT: _whole_number(COUNTS),
    Kind.YEAR: _whole_number(YEARS),
}
_HOW_TO_WRITE: Final[Mapping[Kind, Text]] = {
    Kind.MONEY: Text(
        zh='请写成以元为单位、两位小数的文本，如 "3000000.00"，不超过1万亿元',
        en='write yuan with two decimals as text, like "3000000.00", at most 1,000,000,000,000.00',
    ),
    Kind.AREA_M2: Text(
        zh='请写成以平方米为单位、至多两位小数的文本，如 "2500.00"，不超过1亿平方米',
        en='write m² with at most two decimals as text, like "2500.00", at most 100000000.00',
    ),
    Kind.FLAG: Text(zh="请填 true 或 false", en="write true or false"),
    Kind.DATE: Text(zh="请写成存在的日期，如 2026-01-31", en="write a date that exists, like 2026-01-31"),
    Kind.MONTHS: Text(zh=f"请填0至{MONTHS[-1]}的整数月数", en=f"write a whole number of months, 0 to {MONTHS[-1]}"),
    Kind.COUNT: Text(zh=f"请填0至{COUNTS[-1]}的整数", en=f"write a whole number, 0 to {COUNTS[-1]}"),
    Kind.YEAR: Text(zh=f"请填{YEARS[0]}至{YEARS[-1]}的年份", en=f"write a year from {YEARS[0]} to {YEARS[-1]}"),
}


def _unknown(name: str, rule: Rule) -> FieldError:
    known = ", ".join(rule.particulars)
    return FieldError(
        field_of(name),
        "unknown",
        Text(
            zh=f"规则{rule.id}没有这一项；可填：{known}",
            en=f"rule {rule.id} knows no such particular; it knows {known}",
        ),
    )


def _missing(particular: Particular) -> FieldError:
    how = _HOW_TO_WRITE[particular.kind]
    return FieldError(
        field_of(particular.name),
        "missing",
        Text(zh=f"缺少“{particular.label}”：{how.zh}", en=f"missing: {how.en}"),
    )


def _invalid(particular: Particular) -> FieldError:
    how = _HOW_TO_WRITE[particular.kind]
    return FieldError(
        field_of(particular.name),
        f"invalid-{particular.kind.value.replace('_', '-')}",
        Text(zh=f"“{particular.label}”填写有误：{how.zh}", en=how.en),
    )
