"""Usage and headroom per limit scope: the fold that is shown, and the guard that refuses to exceed it.

A scope is one limit for one holder and one period (:mod:`ledger.scopes`). Approved money counts, net of what releases and
no-fault recoveries give back (readings B4, B5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ledger.errors import Headroom, Outdated, Text
from ledger.events import AwardApproved, DrawingEvent, Event, scope_tag
from ledger.guards import Look
from ledger.mapper import Envelope, Recorded
from ledger.money import format_yuan
from ledger.rules import ItemAward, wording
from ledger.scopes import is_item


@dataclass(slots=True)
class Usage:
    """What is drawn under one scope, net of what was given back.

    ``awards``, of an item: those that still draw on it, by case, in the order of their approval.
    """

    scope: str
    used_fen: int = 0
    awards: dict[str, ItemAward] = field(default_factory=dict)


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
            _count_award(usage.awards, event, drawn)
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


def _count_award(awards: dict[str, ItemAward], event: DrawingEvent, drawn: int) -> None:
    """What an award draws on its item, less what it gave back; one that gave back all is not its item's any more."""
    if isinstance(event, AwardApproved):
        year, cut_fen = event.item_year or _year_drawn_on(event), event.cut_fen or 0
        awards[event.case] = ItemAward(event.case, event.rule, event.enterprise, year, drawn, cut_fen)
        return
    left = replace(awards[event.case], drawn_fen=awards[event.case].drawn_fen + drawn)
    if left.drawn_fen:
        awards[event.case] = left
    else:
        del awards[event.case]


def _year_drawn_on(event: AwardApproved) -> int | None:
    """What the year of an item's award was taken from before it was recorded by itself: its yearly limit's."""
    periods = [draw.scope.rpartition("/")[2] for draw in event.draws if not is_item(draw.scope)]
    return int(periods[0]) if periods and periods[0].isdecimal() else None


def _exceeded(headroom: Headroom, asked_fen: int) -> Outdated:
    asked, left, limit = format_yuan(asked_fen), format_yuan(headroom.left_fen), wording.limit(headroom)
    return Outdated(
        "limit-exceeded",
        Text(
            f"{limit.zh}只剩{left}元，不足{asked}元，请重新核定",
            f"the {limit.en} has {left} yuan left, not {asked}; determine the amount again",
        ),
        clause=headroom.clause,
        limit=headroom,
    )
