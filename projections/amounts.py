"""Amounts as people read them in tables and on paper."""

from __future__ import annotations

from ledger.money import format_yuan


def grouped_yuan(amount_fen: int) -> str:
    """``3,000,000.00``: yuan, grouped by thousands, with a sign where there is one."""
    whole, _, decimals = format_yuan(abs(amount_fen)).partition(".")
    return f"{'-' if amount_fen < 0 else ''}{int(whole):,}.{decimals}"
