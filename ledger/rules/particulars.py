"""What a claim states under its rule, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from ledger.money import format_yuan
from ledger.policy.terms import Kind

Value = int | bool | date
"""Fen, hundredths of a m², months, a count or a year; a flag; a date."""

MONEY_FEN_MOST: Final = 100_000_000_000_000
"""1万亿元: more than any cost this ledger will see, and a sign of a slip of the keyboard."""
PARTICULARS: Final = "particulars."
"""What the field of a particular begins with."""
_NAME_SHOWN_MOST: Final = 64


@dataclass(frozen=True, slots=True)
class Particulars:
    """What a claim states under one rule, by name; an optional one that was left out is absent."""

    kinds: Mapping[str, Kind]
    values: Mapping[str, Value]

    def __contains__(self, name: str | None) -> bool:
        return name in self.values

    def number(self, name: str) -> int:
        """Fen, hundredths of a m², months, a count or a year, as the particular's kind says."""
        value = self.values[name]
        assert isinstance(value, int) and not isinstance(value, bool), name
        return value

    def flag(self, name: str) -> bool:
        value = self.values[name]
        assert isinstance(value, bool), name
        return value

    def day(self, name: str) -> date:
        value = self.values[name]
        assert isinstance(value, date), name
        return value

    def of_kind(self, kind: Kind) -> list[str]:
        """The names of the particulars of one kind."""
        return [name for name, its in self.kinds.items() if its is kind]

    def as_json(self) -> dict[str, str | int | bool]:
        """What was submitted, normalised and with defaults filled in; reading it again gives the same particulars."""
        return {name: _WRITE[self.kinds[name]](value) for name, value in self.values.items()}


def field_of(name: str) -> str:
    """The field under which a particular is reported: ``particulars.rd_cost``."""
    return f"{PARTICULARS}{name[:_NAME_SHOWN_MOST]}"


def _write_area(value: Value) -> str:
    return f"{_number(value) // 100}.{_number(value) % 100:02d}"


def _number(value: Value) -> int:
    assert isinstance(value, int), value
    return value


_WRITE: Final[Mapping[Kind, Callable[[Value], str | int | bool]]] = {
    Kind.MONEY: lambda value: format_yuan(_number(value)),
    Kind.AREA_M2: _write_area,
    Kind.FLAG: lambda value: bool(value),
    Kind.DATE: str,
    Kind.MONTHS: _number,
    Kind.COUNT: _number,
    Kind.YEAR: _number,
}
