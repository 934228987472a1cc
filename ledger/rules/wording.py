"""Amounts and rates as a clerk reads them, exact to the last digit. No decision is taken here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Final

from ledger.calendar import Window, add_days
from ledger.counted import counted
from ledger.errors import Headroom, Text
from ledger.money import format_policy_amount, format_yuan
from ledger.scopes import ITEM

TIER: Final = "tier"
_LIMITS: Final = {ITEM: ("单项上限", "ceiling per item"), TIER: ("本档上限", "ceiling of the tier")}
"""What a limit is called that is no yearly one."""


def amount(exact_fen: Fraction | int) -> Text:
    """``300万元`` and ``3000000.00 yuan``; fractions of a fen are written out as decimals where these end (``0.125元``), and
    else left off, and said so (``约0.33元``).
    """
    exact = Fraction(exact_fen)
    if exact.denominator == 1:
        return Text(zh=format_policy_amount(int(exact)), en=f"{format_yuan(int(exact))} yuan")
    decimals = _decimals(exact / 100)
    if decimals is not None:
        whole, _, places = decimals.partition(".")
        return Text(zh=f"{int(whole):,}.{places}元", en=f"{decimals} yuan")
    whole_fen = int(exact)
    if whole_fen == 0:
        return Text(zh="不足0.01元", en="less than 0.01 yuan")
    return Text(zh=f"约{format_policy_amount(whole_fen)}", en=f"about {format_yuan(whole_fen)} yuan")


def part(some: int, of_all: int, measure: str, one: str) -> Text:
    """``365天中的181天``, ``181 of 365 days``."""
    return Text(zh=f"{of_all}{measure}中的{some}{measure}", en=f"{some} of {counted(of_all, one)}")


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


def spans(all_days: list[Window]) -> Text:
    """Several spans, told one after another."""
    told = [span(days) for days in all_days]
    return Text(zh="、".join(each.zh for each in told), en=" and ".join(each.en for each in told))


def day(value: date) -> str:
    return value.isoformat()


def room(head: Headroom) -> Text:
    """``上限1000万元，已用600万元，尚余400万元``."""
    ceiling, used, left = amount(head.ceiling_fen), amount(head.used_fen), amount(head.left_fen)
    return Text(
        zh=f"上限{ceiling.zh}，已用{used.zh}，尚余{left.zh}",
        en=f"ceiling {ceiling.en}, used {used.en}, left {left.en}",
    )


def limit(head: Headroom) -> Text:
    """Which limit it is, as people call it: ``第五条年度上限``."""
    zh, en = _LIMITS.get(head.limit, ("年度上限", f"yearly limit {head.limit}"))
    return Text(zh=f"第{head.clause}条{zh}", en=f"{en} of article {head.clause}")


def of_others(awards: Sequence[str]) -> Text:
    """Which awards that count under a limit are not the enterprise's own; nothing where there is none."""
    if not awards:
        return Text(zh="", en="")
    return Text(
        zh=f"，其中资助{'、'.join(awards)}属另一单位", en=f", of which {', '.join(awards)} is another enterprise's"
    )


def _decimals(value: Fraction) -> str | None:
    """The decimal expansion where it ends within ten places, without trailing zeros."""
    scaled = value * 10**10
    if scaled.denominator != 1:
        return None
    whole, rest = divmod(int(scaled), 10**10)
    return f"{whole}.{rest:010d}".rstrip("0").rstrip(".")
