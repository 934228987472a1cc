"""An office with a policy and a memory: what the ledger does over events, in a few lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import pytest

from ledger.money import format_yuan
from ledger.policy import BUILT_IN, Policy, read_policy
from ledger.rules import Claim, Determination, ItemAward, RecognisedWindow, determine, read_particulars
from ledger.scopes import ITEM, Scope

ENTERPRISE = "91440300MA5FX3K72N"


@dataclass
class Office:
    """Determines claims, and remembers what it awarded: ``used`` in fen, ``items`` the awards for an item; by scope key."""

    policy: Policy
    used: dict[str, int] = field(default_factory=dict)
    items: dict[str, list[ItemAward]] = field(default_factory=dict)
    windows: dict[str, RecognisedWindow] = field(default_factory=dict)
    today: date = date(2026, 6, 1)
    cap_year: int = 2026
    awards: int = 0

    def used_fen(self, scope: Scope) -> int:
        return self.used.get(scope.key, 0)

    def item_awards(self, scope: Scope) -> list[ItemAward]:
        return self.items.get(scope.key, [])

    def window(self, scope: Scope) -> RecognisedWindow | None:
        return self.windows.get(scope.key)

    def claim(self, rule_id: str, item: str, particulars: Mapping[str, object], enterprise: str = ENTERPRISE) -> Claim:
        rule = self.policy.rule(rule_id)
        read = read_particulars(rule, particulars)
        return Claim(self.policy, rule, enterprise, item, self.cap_year, read, self.today)

    def quote(
        self, rule_id: str, item: str = "item-1", enterprise: str = ENTERPRISE, **particulars: object
    ) -> Determination:
        return determine(self.claim(rule_id, item, particulars, enterprise), self)

    def award(
        self, rule_id: str, item: str = "item-1", enterprise: str = ENTERPRISE, **particulars: object
    ) -> Determination:
        granted = self.quote(rule_id, item, enterprise, **particulars)
        self.awards += 1
        for draw in granted.draws:
            self.used[draw.scope] = self.used.get(draw.scope, 0) + draw.amount_fen
            if draw.limit == ITEM:
                drawn = (rule_id, enterprise, granted.item_year, draw.amount_fen, granted.cut_fen)
                self.items.setdefault(draw.scope, []).append(ItemAward(f"A{self.awards}", *drawn))
        if granted.window is not None:
            use, known = granted.window, self.windows.get(granted.window.scope)
            earlier = known.funded if known else ()
            self.windows[use.scope] = RecognisedWindow((*earlier, *use.spans(item, f"A{self.awards}")))
        return granted

    def yuan(self, rule_id: str, item: str = "item-1", **particulars: object) -> str:
        """What a quote would grant, as written."""
        return format_yuan(self.quote(rule_id, item, **particulars).amount_fen)


@pytest.fixture(scope="session")
def policy() -> Policy:
    return read_policy(BUILT_IN / "shenzhen-meddev-2022" / "1.toml").as_read_on(None)


@pytest.fixture
def office(policy: Policy) -> Office:
    return Office(policy)
