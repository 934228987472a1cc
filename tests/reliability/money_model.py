"""What an office's money must come to, in plain integers: the model that the ledger is held against.

Written from the rules, not from the code: each method says by which word a step is refused, or takes it and returns None.
All amounts are fen. Claims are made under rules 5.1 and 5.2, which draw on one yearly limit, and under 3.2, which draws on
none and pays in stages.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

C5_FEN: Final = 1_000_000_000
ITEM_CAP_FEN: Final = {"5.1": 300_000_000, "5.2": 500_000_000}
STAGED: Final = "3.2"
STAGED_CAP_FEN: Final = 30_000_000_000
BONUS_FEN: Final = 100_000_000
OPEN: Final = {"submitted", "accepted", "determined"}
PAYABLE: Final = {"approved", "part-paid", "paid"}


@dataclass(slots=True)
class Payment:
    amount_fen: int
    hands: list[str]
    state: str = "requested"


@dataclass(slots=True)
class Recovery:
    amount_fen: int
    by_violation: bool
    by: str
    received_fen: int = 0


@dataclass(slots=True)
class Matter:
    """One case. ``closed`` or ``stage`` says how far it came; the rest is money, and whose hands it went through."""

    number: str
    enterprise: str
    rule: str
    item: str
    cost_fen: int
    special: bool
    stage: str = "submitted"
    early_hands: set[str] = field(default_factory=set)
    review_hands: set[str] = field(default_factory=set)
    approver: str = ""
    year: int = 0
    determined_year: int = 0
    determined_fen: int = 0
    approved_fen: int = 0
    released_fen: int = 0
    payments: list[Payment] = field(default_factory=list)
    recoveries: list[Recovery] = field(default_factory=list)
    violations: list[bool] = field(default_factory=list)
    reached: int = 1
    confirmers: set[str] = field(default_factory=set)
    finders: set[str] = field(default_factory=set)

    @property
    def cap_fen(self) -> int:
        return ITEM_CAP_FEN[self.rule] + BONUS_FEN * self.special

    @property
    def due_fen(self) -> int:
        """What has fallen due: 40 % of what is awarded, then 30 % more, each down to the yuan, and then the rest."""
        if self.rule != STAGED or self.reached == 3:
            return self.awarded_fen
        return sum(self.awarded_fen * percent // 100 // 100 * 100 for percent in (40, 30)[: self.reached])

    @property
    def payment_authorised_by(self) -> set[str]:
        return {self.approver} | self.confirmers

    @property
    def awarded_fen(self) -> int:
        return self.approved_fen - self.released_fen

    @property
    def committed_fen(self) -> int:
        return sum(payment.amount_fen for payment in self.payments if payment.state not in ("cancelled", "returned"))

    @property
    def settled_fen(self) -> int:
        return sum(payment.amount_fen for payment in self.payments if payment.state == "settled")

    @property
    def to_recover_fen(self) -> int:
        return sum(recovery.amount_fen for recovery in self.recoveries)

    @property
    def recovered_fen(self) -> int:
        return sum(recovery.received_fen for recovery in self.recoveries)

    @property
    def state(self) -> str:
        if self.stage != "awarded":
            return self.stage
        if self.recovered_fen < self.to_recover_fen:
            return "recovering"
        if self.recovered_fen and self.recovered_fen == self.settled_fen == self.awarded_fen:
            return "recovered"
        if any(self.violations):
            return "violation-found"
        if not self.awarded_fen:
            return "released"
        if not self.settled_fen:
            return "approved"
        return "paid" if self.settled_fen == self.awarded_fen else "part-paid"


class Model:
    def __init__(self) -> None:
        self.matters: list[Matter] = []
        self.used_fen: Counter[tuple[str, int]] = Counter()
        self.item_fen: Counter[tuple[str | None, str]] = Counter()
        self.granted_fen: Counter[int] = Counter()
        self.budget_fen: dict[int, int] = {}
        self.numbers: set[str] = set()

    def due(self, matter: Matter, year: int) -> int | str:
        if self.item_fen[self.item(matter)]:
            return "item-already-awarded"
        if matter.rule == STAGED:
            # Costs are small beside its ceiling, which another test is about.
            return matter.cost_fen * 2 // 5 // 100 * 100 or "nothing-to-grant"
        left_fen = C5_FEN - self.used_fen[matter.enterprise, year]
        if matter.cost_fen and not left_fen:
            return "limit-exhausted"
        return min(matter.cost_fen * 2 // 5, matter.cap_fen, left_fen) // 100 * 100 or "nothing-to-grant"

    def draw(self, matter: Matter, amount_fen: int) -> None:
        self.item_fen[self.item(matter)] += amount_fen
        if matter.rule != STAGED:
            self.used_fen[matter.enterprise, matter.year] += amount_fen

    @staticmethod
    def item(matter: Matter) -> tuple[str | None, str]:
        """A certificate is one item whoever claims for it; a project its enterprise's own."""
        return (matter.enterprise if matter.rule == STAGED else None), matter.item

    def budget_used_fen(self, year: int) -> int:
        return self.granted_fen[year]

    def accept(self, matter: Matter, by: str, number: str) -> str | None:
        if matter.state != "submitted":
            return "step-out-of-order"
        if number in self.numbers:
            return "acceptance-number-used"
        self.numbers.add(number)
        matter.early_hands.add(by)
        matter.stage = "accepted"
        return None

    def determine(self, matter: Matter, by: str, year: int) -> str | None:
        if matter.state not in ("accepted", "determined"):
            return "step-out-of-order"
        due_fen = self.due(matter, year)
        if isinstance(due_fen, str):
            return due_fen
        if by in matter.early_hands:
            return "same-person"
        matter.review_hands.add(by)
        matter.stage, matter.determined_fen, matter.determined_year = "determined", due_fen, year
        return None

    def close(self, matter: Matter, how: str) -> str | None:
        if matter.state not in OPEN:
            return "step-out-of-order"
        matter.stage = how
        return None

    def approve(self, matter: Matter, by: str, amount_fen: int, year: int) -> str | None:
        if matter.state != "determined":
            return "step-out-of-order"
        if amount_fen > matter.determined_fen:
            return "above-determined-amount"
        due_fen = self.due(matter, year)
        if isinstance(due_fen, str):
            return due_fen
        if amount_fen > due_fen:
            return "headroom-moved"
        if year != matter.determined_year and due_fen != matter.determined_fen:
            return "sheet-of-another-year"
        if by in matter.early_hands | matter.review_hands:
            return "same-person"
        if year in self.budget_fen and self.budget_used_fen(year) + amount_fen > self.budget_fen[year]:
            return "budget-exceeded"
        matter.stage, matter.approver, matter.year, matter.approved_fen = "awarded", by, year, amount_fen
        self.draw(matter, amount_fen)
        self.granted_fen[year] += amount_fen
        return None

    def contradicts(self, matter: Matter, by_violation: bool) -> str | None:
        """A violation that stands is the cause, and only then."""
        if by_violation and not any(matter.violations):
            return "no-violation-found"
        return "violation-stands" if any(matter.violations) and not by_violation else None

    def release(self, matter: Matter, amount_fen: int, by_violation: bool) -> str | None:
        if matter.stage != "awarded":
            return "step-out-of-order"
        if (contradiction := self.contradicts(matter, by_violation)) is not None:
            return contradiction
        if amount_fen > matter.awarded_fen - matter.committed_fen:
            return "above-unpaid-amount"
        matter.released_fen += amount_fen
        self.granted_fen[matter.year] -= amount_fen
        self.draw(matter, 0 if by_violation else -amount_fen)
        return None

    def confirm(self, matter: Matter, by: str, stage: int, audited_fen: int | None) -> str | None:
        if matter.state not in PAYABLE:
            return "step-out-of-order"
        if matter.rule != STAGED:
            return "no-stages"
        if not 1 <= stage <= 3:
            return "not-found"
        if stage != matter.reached + 1:
            return "stage-already-reached" if stage <= matter.reached else "stage-out-of-order"
        if audited_fen is not None:
            final_fen = min(audited_fen * 2 // 5 // 100 * 100, matter.awarded_fen)
            if matter.awarded_fen - matter.recovered_fen > final_fen:
                return "above-settlement"
        if by == matter.approver:
            return "same-person"
        matter.reached = stage
        matter.confirmers.add(by)
        return None

    def request(self, matter: Matter, by: str, amount_fen: int) -> str | None:
        if matter.state not in PAYABLE:
            return "step-out-of-order"
        if amount_fen > matter.awarded_fen - matter.committed_fen:
            return "above-award"
        if amount_fen > matter.due_fen - matter.committed_fen:
            return "stage-not-reached"
        if by in matter.payment_authorised_by:
            return "same-person"
        matter.payments.append(Payment(amount_fen, [by]))
        return None

    def order(self, matter: Matter, by: str, number: int) -> str | None:
        if matter.state not in PAYABLE:
            return "step-out-of-order"
        if number > len(matter.payments):
            return "not-found"
        payment = matter.payments[number - 1]
        if payment.state != "requested":
            return "step-out-of-order"
        if by in matter.payment_authorised_by | {*payment.hands}:
            return "same-person"
        payment.state = "ordered"
        payment.hands.append(by)
        return None

    def settle(self, matter: Matter, by: str, number: int, amount_fen: int, serial: str) -> str | None:
        if number > len(matter.payments):
            return "not-found"
        payment = matter.payments[number - 1]
        if payment.state != "ordered":
            return "step-out-of-order"
        if amount_fen != payment.amount_fen:
            return "amount-differs-from-order"
        if by in matter.payment_authorised_by | {*payment.hands}:
            return "same-person"
        if serial in self.numbers:
            return "bank-serial-used"
        self.numbers.add(serial)
        payment.state = "settled"
        return None

    def cancel(self, matter: Matter, number: int) -> str | None:
        if number > len(matter.payments):
            return "not-found"
        payment = matter.payments[number - 1]
        if payment.state != "requested":
            return "step-out-of-order"
        payment.state = "cancelled"
        return None

    def give_back(self, matter: Matter, by: str, number: int) -> str | None:
        if number > len(matter.payments):
            return "not-found"
        payment = matter.payments[number - 1]
        if payment.state != "ordered":
            return "step-out-of-order"
        if by in payment.hands:
            return "same-person"
        payment.state = "returned"
        return None

    def find_violation(self, matter: Matter, by: str) -> str | None:
        if matter.stage != "awarded":
            return "step-out-of-order"
        matter.violations.append(True)
        matter.finders.add(by)
        return None

    def withdraw_violation(self, matter: Matter, by: str, number: int) -> str | None:
        if number > len(matter.violations):
            return "not-found"
        if not matter.violations[number - 1]:
            return "step-out-of-order"
        if any(recovery.by_violation and recovery.amount_fen for recovery in matter.recoveries):
            return "recovery-stands"
        if by in matter.finders:
            return "same-person"
        matter.violations[number - 1] = False
        return None

    def order_recovery(self, matter: Matter, by: str, amount_fen: int, by_violation: bool) -> str | None:
        if not matter.settled_fen:
            return "nothing-paid"
        if (contradiction := self.contradicts(matter, by_violation)) is not None:
            return contradiction
        if amount_fen > matter.settled_fen - matter.to_recover_fen:
            return "above-paid-amount"
        if by in matter.finders:
            return "same-person"
        matter.recoveries.append(Recovery(amount_fen, by_violation, by))
        return None

    def receive(self, matter: Matter, by: str, number: int, amount_fen: int, serial: str) -> str | None:
        if number > len(matter.recoveries):
            return "not-found"
        recovery = matter.recoveries[number - 1]
        if amount_fen > recovery.amount_fen - recovery.received_fen:
            return "above-outstanding-amount"
        if by in matter.finders | {recovery.by}:
            return "same-person"
        if serial in self.numbers:
            return "bank-serial-used"
        self.numbers.add(serial)
        recovery.received_fen += amount_fen
        self.draw(matter, 0 if recovery.by_violation else -amount_fen)
        self.granted_fen[matter.year] -= 0 if recovery.by_violation else amount_fen
        return None

    def cancel_recovery(self, matter: Matter, by: str, number: int) -> str | None:
        if number > len(matter.recoveries):
            return "not-found"
        recovery = matter.recoveries[number - 1]
        if recovery.amount_fen == recovery.received_fen:
            return "step-out-of-order"
        if by in matter.finders | {recovery.by}:
            return "same-person"
        recovery.amount_fen = recovery.received_fen
        return None

    def appropriate(self, year: int, amount_fen: int) -> str | None:
        if amount_fen < self.budget_used_fen(year):
            return "budget-below-approved"
        self.budget_fen[year] = amount_fen
        return None
