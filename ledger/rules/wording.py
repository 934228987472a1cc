"""Amounts and rates as a clerk reads them, exact to the last digit. No decision is taken here."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from ledger.calendar import Window, add_days
from ledger.errors import Headroom, Text
from ledger.money import format_policy_amount, format_yuan


def amount(exact_fen: Fraction | int) -> Text:
    """``300万元`` and ``3000000.00 yuan``; fractions of a fen are written out, as decimals where these end."""
    exact = Fraction(exact_fen)
    if exact.denominator == 1:
        return Text(zh=format_policy_amount(int(exact)), en=f"{format_yuan(int(exact))} yuan")
    decimals = _decimals(exact / 100)
    if decimals is not None:
        whole, _, places = decimals.partition(".")
        return Text(zh=f"{int(whole):,}.{places}元", en=f"{decimals} yuan")
    whole_fen = int(exact)
    rest = exact - whole_fen
    return Text(zh=f"{format_policy_amount(whole_fen)}又{rest}分", en=f"{format_yuan(whole_fen)} yuan and {rest} fen")


def percent(rate: Fraction) -> str:
    decimals = _decimals(rate * 100)
    assert decimals is not None, "rates are read from decimals"
    return f"{decimals}%"


def area(area_centi_m2: int) -> str:
    return f"{area_centi_m2 // 100}.{area_centi_m2 % 100:02d}"


def span(days: Window) -> Text:
    """A span as people write it, with its last day included; one that ended before it began holds no day."""
    if days.end <= days.start:
        return Text(
            zh=f"（自{days.start}起算，此前已届满，无一日）", en=f"(to begin on {days.start}, expired before that)"
        )
    last = add_days(days.end, -1)
    return Text(zh=f"{days.start}至{last}", en=f"{days.start} to {last}")


def day(value: date) -> str:
    return value.isoformat()


def room(head: Headroom) -> Text:
    """``上限1000万元，已用600万元，尚余400万元``."""
    ceiling, used, left = amount(head.ceiling_fen), amount(head.used_fen), amount(head.left_fen)
    return Text(
        zh=f"上限{ceiling.zh}，已用{used.zh}，尚余{left.zh}",
        en=f"ceiling {ceiling.en}, used {used.en}, left {left.en}",
    )


def _decimals(value: Fraction) -> str | None:
    """The decimal expansion where it ends within ten places, without trailing zeros."""
    scaled = value * 10**10
    if scaled.denominator != 1:
        return None
    whole, rest = divmod(int(scaled), 10**10)
    return f"{whole}.{rest:010d}".rstrip("0").rstrip(".")
