"""Usage and headroom per limit scope: the fold that is shown, and the guard that refuses to exceed it.

A scope is one limit for one holder and one period (:mod:`ledger.scopes`). Approved money counts, net of what releases and
no-fault recoveries give back (readings B4, B5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ledger.errors import Headroom, Outdated, Text
from ledger.events import AwardApproved, DrawingEvent, Event, scope_tag
from ledger.guards import Look
from ledger.mapper import Envelope, Recorded
from ledger.money import format_yuan
from ledger.scopes import is_item


@dataclass(slots=True)
class Usage:
    """What is drawn under one scope, net of what was given back.

    ``within_fen``, of an item: by the scope of each other limit, what was drawn by awards that draw on that too.
    """

    scope: str
    used_fen: int = 0
    within_fen: dict[str, int] = field(default_factory=dict)


class LimitsGuard:
    """Refuses an award that would draw more than is left under any of its scopes."""

    name = "limits"
    kept = True

    def start(self, tag: str) -> Usage:
        return Usage(scope=tag.removeprefix(scope_tag("")))

    def apply(self, usage: Usage, recorded: Recorded) -> Usage:
        event = recorded.event
        drawn = drawn_fen(usage.scope, event)
        usage.used_fen += drawn
        if drawn and is_item(usage.scope):
            assert isinstance(event, DrawingEvent)
            for other in {draw.scope for draw in event.draws} - {usage.scope}:
                usage.within_fen[other] = usage.within_fen.get(other, 0) + drawn
        return usage

    def concerns(self, event: Event) -> Iterator[str]:
        if isinstance(event, AwardApproved):
            for draw in event.draws:
                yield scope_tag(draw.scope)

    def permits(self, event: Event, envelope: Envelope, look: Look[Usage]) -> None:
        if not isinstance(event, AwardApproved):
            return
        assert event.draws, "money that no limit counts"
        for draw in event.draws:
            used_fen = look(scope_tag(draw.scope)).used_fen
            headroom = Headroom(draw.limit, draw.clause, draw.scope, draw.ceiling_fen, used_fen)
            if draw.amount_fen > headroom.left_fen:
                raise _exceeded(headroom, draw.amount_fen)


def drawn_fen(scope: str, event: Event) -> int:
    """What an event takes from a scope; below zero where it gives back."""
    if not isinstance(event, DrawingEvent):
        return 0
    sign = 1 if isinstance(event, AwardApproved) else -1
    return sign * sum(draw.amount_fen for draw in event.draws if draw.scope == scope)


def _exceeded(headroom: Headroom, asked_fen: int) -> Outdated:
    asked, left = format_yuan(asked_fen), format_yuan(headroom.left_fen)
    return Outdated(
        "limit-exceeded",
        Text(
            f"第{headroom.clause}条限额{headroom.limit}只剩{left}元，不足{asked}元，请重新核定",
            f"limit {headroom.limit} of article {headroom.clause} has {left} yuan left, not {asked}; "
            "determine the amount again",
        ),
        clause=headroom.clause,
        limit=headroom,
    )
