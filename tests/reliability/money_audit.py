"""The money invariants I1 to I6 and I10, held against the log alone: no projection, no guard, no model is asked.

I1 no limit is exceeded. I2 no award is above its item's cap or its rate. I3 no more is paid than awarded. I4 no more is
recovered than paid. I5 nothing that may be used once is used twice. I6 nothing is requested or ordered while an award is
stopped. I10 every fact has its person and its time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ledger import events as e
from ledger.mapper import Recorded
from ledger.money import parse_yuan
from tests.reliability.money_model import BONUS_FEN, C5_FEN, ITEM_CAP_FEN, STAGED, STAGED_CAP_FEN

DUE_TENTHS = (4, 7, 10)
"""Of what a staged award comes to, by the stages reached, at most."""


@dataclass(slots=True)
class Account:
    """One case, added up."""

    cost_fen: int = 0
    cap_fen: int = 0
    awarded_fen: int = 0
    committed_fen: int = 0
    settled_fen: int = 0
    ordered_back_fen: int = 0
    recovered_fen: int = 0
    stages_reached: int | None = None
    open_violations: set[int] = field(default_factory=set)


class Audit:
    """Reads every new fact once, in order, and asserts what must hold after it."""

    def __init__(self) -> None:
        self.position = 0
        self.accounts: defaultdict[str, Account] = defaultdict(Account)
        self.drawn_fen: Counter[str] = Counter()
        self.ceiling_fen: dict[str, int] = {}
        self.budget_fen: dict[str, int] = {}
        self.once: set[str] = set()
        self.keys: set[str] = set()
        self._last = datetime.min.replace(tzinfo=UTC)

    def follow(self, recorded: Recorded) -> None:
        assert recorded.position == self.position + 1, "I10: positions without a gap"
        self.position = recorded.position
        envelope, event = recorded.envelope, recorded.event
        assert envelope.actor and envelope.role and envelope.recorded_at >= self._last, "I10: who and when"
        self._last = envelope.recorded_at
        key = f"{envelope.actor}/{envelope.key}"
        assert key not in self.keys, "a key stands for one fact"
        self.keys.add(key)
        if isinstance(event, e.CommandRefused):
            return
        if isinstance(event, e.CaseEvent):
            for entry in event.register_entries():
                assert str(entry) not in self.once, f"I5: {entry} is used twice"
                self.once.add(str(entry))
            self._account(self.accounts[event.case], event)
        if isinstance(event, e.BudgetAppropriated):
            self.budget_fen[event.scope] = event.amount_fen
        if isinstance(event, e.DrawingEvent):
            self._draw(event)

    def _draw(self, event: e.DrawingEvent) -> None:
        assert isinstance(event, e.AwardApproved | e.AwardReleased | e.RecoveryReceived)
        sign = 1 if isinstance(event, e.AwardApproved) else -1
        for draw in event.draws:
            before_fen, is_staged = self.drawn_fen[draw.scope], draw.scope.endswith(f"/{STAGED}")
            funded = sign > 0 and draw.limit == "item" and before_fen and not is_staged
            assert not funded, f"I5: {draw.scope} is funded twice"
            self.drawn_fen[draw.scope] = before_fen + sign * draw.amount_fen
            item_fen = STAGED_CAP_FEN if is_staged else max(ITEM_CAP_FEN.values()) + BONUS_FEN
            assert 0 <= self.drawn_fen[draw.scope] <= (C5_FEN if draw.limit == "C5" else item_fen), f"I1: {draw.scope}"
        drawn = {draw.limit for draw in event.draws}
        if isinstance(event, e.AwardApproved):
            assert drawn == ({"item"} if event.rule == STAGED else {"C5", "item"}), "I1: an award draws on its limits"
        of_budget_fen = event.drawn_fen if isinstance(event, e.RecoveryReceived) else event.amount_fen
        self.drawn_fen[event.budget_scope] += sign * of_budget_fen
        budget_fen = self.budget_fen.get(event.budget_scope)
        assert budget_fen is None or 0 <= self.drawn_fen[event.budget_scope] <= budget_fen, "I1: the budget"

    def _account(self, account: Account, event: e.CaseEvent) -> None:
        stopped = bool(account.open_violations) or account.ordered_back_fen > account.recovered_fen
        match event:
            case e.ApplicationSubmitted(rule=rule, particulars=particulars):
                if rule == STAGED:
                    account.cost_fen, account.cap_fen = parse_yuan(particulars["total_investment"]), STAGED_CAP_FEN
                    account.stages_reached = 1
                else:
                    account.cost_fen = parse_yuan(particulars["rd_cost"])
                    account.cap_fen = ITEM_CAP_FEN[rule] + BONUS_FEN * bool(particulars["special_approval"])
            case e.AwardApproved(amount_fen=amount_fen):
                assert 0 < amount_fen <= min(account.cap_fen, account.cost_fen * 2 // 5), "I2: cap and rate"
                assert account.awarded_fen == 0, "I2: a case is awarded once"
                account.awarded_fen = amount_fen
            case e.AwardReleased(amount_fen=amount_fen):
                account.awarded_fen -= amount_fen
            case e.DisbursementRequested(amount_fen=amount_fen):
                assert not stopped, "I6: requested while stopped"
                account.committed_fen += amount_fen
                if account.stages_reached is not None:
                    due_fen = account.awarded_fen * DUE_TENTHS[account.stages_reached - 1] // 10
                    assert account.committed_fen <= due_fen, "I3: requested within the stages reached"
            case e.StageConfirmed(stage=stage, final_fen=final_fen):
                assert not stopped, "I6: confirmed while stopped"
                assert account.stages_reached == stage - 1, "I3: stages are reached in order"
                account.stages_reached = stage
                due_fen = account.awarded_fen - account.recovered_fen
                assert final_fen is None or due_fen <= final_fen, "I3: settled within the audit"
            case e.DisbursementOrdered():
                assert not stopped, "I6: ordered while stopped"
            case e.DisbursementCancelled(amount_fen=amount_fen) | e.DisbursementReturned(amount_fen=amount_fen):
                account.committed_fen -= amount_fen
            case e.DisbursementSettled(amount_fen=amount_fen):
                account.settled_fen += amount_fen
            case e.ViolationFound(violation=violation):
                account.open_violations.add(violation)
            case e.ViolationWithdrawn(violation=violation):
                account.open_violations.remove(violation)
            case e.RecoveryOrdered(amount_fen=amount_fen):
                account.ordered_back_fen += amount_fen
            case e.RecoveryCancelled(amount_fen=amount_fen):
                account.ordered_back_fen -= amount_fen
            case e.RecoveryReceived(amount_fen=amount_fen):
                account.recovered_fen += amount_fen
        assert 0 <= account.settled_fen <= account.committed_fen <= account.awarded_fen, "I3: paid within the award"
        assert 0 <= account.recovered_fen <= account.ordered_back_fen <= account.settled_fen, (
            "I4: recovered of what was paid"
        )
