"""Amounts at the edges: what is read, what is refused, what is rounded."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.money import (
    FEN_LARGEST,
    format_policy_amount,
    format_yuan,
    parse_policy_amount,
    parse_rate,
    parse_yuan,
    round_down,
)


@pytest.mark.parametrize(
    ("text", "fen"),
    [("0.00", 0), ("0.01", 1), ("1.00", 100), ("3000000.00", 300_000_000), ("9" * 16 + ".99", 10**18 - 1)],
)
def test_yuan_with_two_decimals_are_read_as_fen(text: str, fen: int) -> None:
    assert parse_yuan(text) == fen
    assert format_yuan(fen) == text


@pytest.mark.parametrize(
    "text",
    ["", "1", "1.0", "1.000", ".00", "01.00", "-1.00", "+1.00", "1,000.00", "１.００", "1.00 ", "1.00\n", "1e2", "٣.00",
     "9" * 17 + ".00", 1, 1.0, None, True],
)  # fmt: skip
def test_anything_else_is_not_yuan(text: object) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        parse_yuan(text)


@given(st.integers(0, 10**18 - 1))
def test_what_is_written_is_read_back(fen: int) -> None:
    assert parse_yuan(format_yuan(fen)) == fen


def test_a_negative_amount_keeps_its_sign_in_front() -> None:
    assert format_yuan(-1) == "-0.01"
    assert format_policy_amount(-300_000_000) == "-300万元"


@pytest.mark.parametrize(
    ("text", "fen"),
    [("300万元", 300_000_000), ("1亿元", 10**10), ("3,000元", 300_000), ("7,500,000.05元", 750_000_005), ("0元", 0),
     ("1.5万元", 1_500_000), ("0.000001万元", 1), ("3亿元", 3 * 10**10)],
)  # fmt: skip
def test_amounts_as_a_policy_writes_them(text: str, fen: int) -> None:
    assert parse_policy_amount(text) == fen


@pytest.mark.parametrize(
    "text",
    [
        "300万",
        "300",
        "元",
        "-1元",
        "0.001元",
        "0.0000001万元",
        "1,00元",
        "３元",
        "1 元",
        "99999999999亿元",
        300,
        1.5,
        None,
    ],
)
def test_anything_else_is_no_amount_of_a_policy(text: object) -> None:
    with pytest.raises(ValueError, match=r"not an amount|not a whole number|larger than"):
        parse_policy_amount(text)


@given(st.integers(0, FEN_LARGEST))
def test_an_amount_told_is_the_amount(fen: int) -> None:
    assert parse_policy_amount(format_policy_amount(fen)) == fen


@pytest.mark.parametrize(
    ("text", "rate"),
    [("40%", Fraction(2, 5)), ("3%", Fraction(3, 100)), ("100%", Fraction(1)), ("0.01%", Fraction(1, 10**4)),
     ("12.5%", Fraction(1, 8))],
)  # fmt: skip
def test_rates_are_exact(text: str, rate: Fraction) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    "text",
    ["40", "0.4", "0%", "0.0000%", "0.0099%", "100.0001%", "101%", "-1%", "40 %", "４０%", "1.00001%", 0.4, 40, None],
)  # fmt: skip
def test_anything_else_is_no_rate(text: object) -> None:
    with pytest.raises(ValueError, match=r"not a rate|a rate is above 0%"):
        parse_rate(text)


@pytest.mark.parametrize(
    ("exact", "unit", "fen"),
    [(Fraction(399_999_999_6, 10), 100, 399_999_900), (Fraction(399_999_999_6, 10), 1, 399_999_999), (199, 100, 100),
     (200, 100, 200), (99, 100, 0), (Fraction(1, 3), 1, 0)],
)  # fmt: skip
def test_rounding_is_always_down(exact: Fraction | int, unit: int, fen: int) -> None:
    assert round_down(exact, unit) == fen
