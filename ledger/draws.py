"""Parts of what an award draws from its limits."""

from __future__ import annotations

from dataclasses import replace

from ledger.rules import Draw


def part_of(draws: tuple[Draw, ...], amount_fen: int, award_fen: int) -> tuple[Draw, ...]:
    """The part of an award's draws that ``amount_fen`` of its ``award_fen`` stands for, taken from the last scopes first.

    Under every limit the draws of an award sum to the award, so each limit gets back the same sum.
    """
    assert 0 <= amount_fen <= award_fen, (amount_fen, award_fen)
    left = {draw.limit: amount_fen for draw in draws}
    part: list[Draw] = []
    for draw in reversed(draws):
        taken = min(draw.amount_fen, left[draw.limit])
        left[draw.limit] -= taken
        if taken:
            part.append(replace(draw, amount_fen=taken))
    assert not any(left.values()), "an award draws its whole amount under every limit"
    return tuple(reversed(part))


def less(draws: tuple[Draw, ...], taken: tuple[Draw, ...]) -> tuple[Draw, ...]:
    """``draws`` reduced by ``taken``, scope by scope; a draw stays at zero, for its scope is still the award's."""
    by_scope = {draw.scope: draw.amount_fen for draw in taken}
    return tuple(replace(draw, amount_fen=draw.amount_fen - by_scope.get(draw.scope, 0)) for draw in draws)
