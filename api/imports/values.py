"""Values as people type them, turned into the JSON values that the ledger reads. What cannot be read is left as it is, so
that the ledger refuses it by its name.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from fractions import Fraction
from typing import Final

from ledger.money import FEN_PER_YUAN, format_yuan
from ledger.policy.model import Rule
from ledger.policy.terms import Kind

_AMOUNT = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.([0-9]{1,8}))?(亿元|万元|元)?", re.ASCII)
_FEN_PER_UNIT: Final = {"元": 100, "万元": 1_000_000, "亿元": 10_000_000_000}
_DATE = re.compile(r"([0-9]{4})(?:-|/|\.|年)([0-9]{1,2})(?:-|/|\.|月)([0-9]{1,2})日?", re.ASCII)
_FLAGS: Final = {"是": True, "否": False, "true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}
_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)

Value = str | int | bool


def value_of(kind: Kind, text: str, unit: str = "元") -> Value:
    """``1,600万元`` → ``"16000000.00"``, ``2026/1/5`` → ``"2026-01-05"``, ``是`` → ``True``; ``unit`` is the column's."""
    text = text.strip()
    match kind:
        case Kind.MONEY:
            return _money(text, unit)
        case Kind.DATE:
            return _date(text)
        case Kind.FLAG:
            return _FLAGS.get(text.lower(), text)
        case Kind.AREA_M2:
            return text.replace(",", "")
        case _:
            return int(text) if _WHOLE.fullmatch(text) else text


def plain(name: str) -> str:
    """A name as it is compared: half-width, without blanks, so that two ways of typing it are one."""
    return "".join(unicodedata.normalize("NFKC", name).split())


def particular_names(rule: Rule) -> dict[str, str]:
    """What people may call a rule's particulars → their names: the name, the label, and the label without its bracket."""
    names: dict[str, str] = {}
    for particular in rule.particulars.values():
        label = plain(particular.label)
        for way in (particular.name, label, label.partition("(")[0]):
            names.setdefault(way, particular.name)
    return names


def _money(text: str, unit: str) -> str:
    if (match := _AMOUNT.fullmatch(text)) is None:
        return text
    whole, decimals = match[1].replace(",", ""), match[2] or ""
    fen = Fraction(int(whole + decimals), 10 ** len(decimals)) * _FEN_PER_UNIT[match[3] or unit]
    # Fractions of a fen are not rounded away: the ledger refuses the text as it was typed.
    return format_yuan(int(fen)) if fen.denominator == 1 else text


def _date(text: str) -> str:
    if (match := _DATE.fullmatch(text)) is None:
        return text
    try:
        return date(int(match[1]), int(match[2]), int(match[3])).isoformat()
    except ValueError:
        return text


assert _FEN_PER_UNIT["元"] == FEN_PER_YUAN
