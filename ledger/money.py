"""Money: integer fen inside, words and decimals only at the edges.

1 yuan = 100 fen; 1 万元 = 1,000,000 fen; 1 亿元 = 10,000,000,000 fen. Rates are exact fractions. Nothing here, and
nothing that uses it, ever holds a float.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from ledger.errors import Unreadable

FEN_PER_YUAN: Final = 100
FEN_LARGEST: Final = 2**63 - 1
"""Amounts are stored as signed 64-bit integers; the largest sum in the law, 3亿元, is 3 × 10¹⁰ fen."""

_YUAN = re.compile(r"(0|[1-9][0-9]{0,15})\.([0-9]{2})", re.ASCII)
_POLICY_AMOUNT = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.([0-9]+))?(亿|万)?元", re.ASCII)
_FEN_PER_UNIT: Final = {None: 100, "万": 1_000_000, "亿": 10_000_000_000}
_RATE = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,4}))?%", re.ASCII)
_RATE_LEAST: Final = Fraction(1, 10_000)


def parse_yuan(text: object) -> int:
    """Read ``"3000000.00"`` as fen. Exactly two decimals, ASCII digits, no sign, no separators.

    Raises ``ValueError`` for anything else: numbers, floats, full-width digits, more or fewer decimals.
    """
    if not isinstance(text, str) or (match := _YUAN.fullmatch(text)) is None:
        raise ValueError(f"not an amount in yuan with two decimals: {text!r}")
    return int(match[1]) * FEN_PER_YUAN + int(match[2])


def format_yuan(amount_fen: int) -> str:
    """Write fen as ``"3000000.00"``; the inverse of :func:`parse_yuan` for amounts that are not negative."""
    sign = "-" if amount_fen < 0 else ""
    yuan, fen = divmod(abs(amount_fen), FEN_PER_YUAN)
    return f"{sign}{yuan}.{fen:02d}"


def parse_policy_amount(text: object) -> int:
    """Read an amount as a policy writes it (``300万元``, ``1亿元``, ``3,000元``, ``7,500,000.05元``) as fen.

    Raises ``ValueError`` where the text is not such an amount or is not a whole number of fen.
    """
    if not isinstance(text, str) or (match := _POLICY_AMOUNT.fullmatch(text)) is None:
        raise Unreadable(
            f"应为300万元、7,500,000.05元这样的金额，不能是{text!r}",
            f"not an amount such as 300万元 or 7,500,000.05元: {text!r}",
        )
    whole, decimals, unit = match[1].replace(",", ""), match[2] or "", match[3]
    fen = Fraction(int(whole + decimals), 10 ** len(decimals)) * _FEN_PER_UNIT[unit]
    if fen.denominator != 1:
        raise Unreadable(f"金额不能小于一分：{text!r}", f"not a whole number of fen: {text!r}")
    if fen > FEN_LARGEST:
        raise Unreadable(f"金额超出账本能记的最大数：{text!r}", f"larger than any amount this ledger holds: {text!r}")
    return fen.numerator


def format_policy_amount(amount_fen: int) -> str:
    """Write fen as an officer would: ``300万元`` where that is exact, else ``7,500,000.05元``."""
    sign = "-" if amount_fen < 0 else ""
    size = abs(amount_fen)
    if size and size % _FEN_PER_UNIT["亿"] == 0:
        return f"{sign}{size // _FEN_PER_UNIT['亿']}亿元"
    if size and size % _FEN_PER_UNIT["万"] == 0:
        return f"{sign}{size // _FEN_PER_UNIT['万']}万元"
    yuan, fen = divmod(size, FEN_PER_YUAN)
    return f"{sign}{yuan:,}.{fen:02d}元" if fen else f"{sign}{yuan:,}元"


def parse_rate(text: object) -> Fraction:
    """Read ``"40%"`` as the exact fraction 2/5.

    Raises ``ValueError`` for anything else, for less than 0.01%, which no policy writes, and above 100%.
    """
    if not isinstance(text, str) or (match := _RATE.fullmatch(text)) is None:
        raise Unreadable(f"应为40%、12.5%这样的比例，不能是{text!r}", f"not a rate such as 40%: {text!r}")
    decimals = match[2] or ""
    rate = Fraction(int(match[1] + decimals), 10 ** (2 + len(decimals)))
    if not 0 < rate <= 1:
        raise Unreadable(
            f"比例须大于0，不超过100%，不能是{text!r}", f"a rate is above 0% and at most 100%, and not {text!r}"
        )
    if rate < _RATE_LEAST:
        raise Unreadable(
            f"比例至少为0.01%，不能是{text!r}", f"not a rate that grants anything, at least 0.01%: {text!r}"
        )
    return rate


def round_down(amount_fen: Fraction | int, unit_fen: int) -> int:
    """The largest whole number of ``unit_fen`` (100 = yuan, 1 = fen) that does not exceed the exact amount.

    Ceilings read 最高不超过, so a grant is never rounded up (reading B27).
    """
    assert unit_fen in (1, FEN_PER_YUAN), unit_fen
    return amount_fen // unit_fen * unit_fen
