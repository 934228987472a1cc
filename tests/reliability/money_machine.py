"""Hypothesis plays an office against the model: right steps and wrong ones, by right people and wrong ones, at two doors.

The two doors are two ledgers on one store, as two processes would have them, so that neither can rely on what it remembers.
After every step the outcome, the log (:mod:`tests.reliability.money_audit`) and the views must be what the model says.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ledger.application import FundingLedger
from ledger.causes import Cause
from ledger.commands.accept_application import AcceptApplication
from ledger.commands.appropriate_budget import AppropriateBudget
from ledger.commands.approve_award import ApproveAward
from ledger.commands.cancel_disbursement import CancelDisbursement
from ledger.commands.cancel_recovery import CancelRecovery
from ledger.commands.command import Command
from ledger.commands.confirm_stage import ConfirmStage
from ledger.commands.determine_amount import DetermineAmount
from ledger.commands.find_violation import FindViolation
from ledger.commands.grant_role import GrantRole
from ledger.commands.order_disbursement import OrderDisbursement
from ledger.commands.order_recovery import OrderRecovery
from ledger.commands.receive_recovery import ReceiveRecovery
from ledger.commands.refuse_application import RefuseApplication
from ledger.commands.release_award import ReleaseAward
from ledger.commands.request_disbursement import RequestDisbursement
from ledger.commands.return_disbursement import ReturnDisbursement
from ledger.commands.settle_disbursement import SettleDisbursement
from ledger.commands.submit_application import SubmitApplication
from ledger.commands.withdraw_application import WithdrawApplication
from ledger.commands.withdraw_violation import WithdrawViolation
from ledger.errors import IdempotencyConflict, LedgerError, Refusal
from ledger.money import format_yuan
from ledger.policy.registry import PolicyRegistry
from ledger.roles import SYSTEM, Role
from ledger.scopes import budget_of_year, enterprise_year
from ledger.seal.sealed_log import Row
from projections.compose import compose
from projections.derivation import Derivation
from projections.reader import Reader
from tests.office import POLICY, SteppingClock
from tests.reliability.money_audit import Audit
from tests.reliability.money_model import STAGED, Matter, Model
from tests.reliability.stores import EmptyStores

R = Role
# Everybody holds two roles, so that the same person often comes to a step that must check their own.
PEOPLE: Final = {
    "an": (R.INTAKE, R.REVIEWER),
    "bo": (R.REVIEWER, R.APPROVER),
    "cai": (R.APPROVER, R.FINANCE),
    "du": (R.FINANCE, R.CASHIER),
    "en": (R.CASHIER, R.SUPERVISOR),
    "fu": (R.SUPERVISOR, R.LEGAL),
    "gao": (R.LEGAL, R.INTAKE),
    "han": (R.FINANCE, R.APPROVER),
}
ENTERPRISES: Final = ("91440300MA5FX3K72N", "914403001922038216")
YEARS: Final = (2026, 2027)
COSTS_FEN: Final = (1_000_000_000, 1_250_000_000, 1_250_000_003, 1_600_000_000, 777_777_777, 249, 250, 0)
POLICIES: Final = PolicyRegistry.load()
FAR: Final = 9

who = st.integers(0, 9)
"""Mostly somebody who holds the role, now and then anybody."""
which = st.integers(0, FAR)
amounts = st.sampled_from(("all", "all", "all", "half", "half", "one", "one-more"))
years = st.sampled_from((2026, 2026, 2026, 2027))
causes = st.sampled_from((*Cause, Cause.VIOLATION, Cause.VIOLATION))
"""Every one; a violation often, because it alone gives the limits nothing back, and the budget a release does."""


@dataclass(slots=True)
class Played:
    """What a run came to. ``answers`` counts commands by what was said to them; None stands for yes."""

    sequences: int = 0
    steps: int = 0
    answers: Counter[tuple[str, str | None]] = field(default_factory=Counter)

    @property
    def reasons(self) -> set[str]:
        """The reasons for which something was refused."""
        return {code for _, code in self.answers if code is not None}


def play(
    empty_stores: EmptyStores, sequences: int, *, steps: int = 50, seed: int | None = None, shrink: bool = True
) -> Played:
    """Play so many sequences. Without a seed always the same ones, which is what the tests do.

    Raises AssertionError with the shortest sequence found to fail, and the blob that plays it again.
    """
    played = Played()
    machine = type("Machine", (MoneyMachine,), {"empty_stores": staticmethod(empty_stores), "played": played})
    if seed is not None:
        machine = hypothesis.seed(seed)(machine)
    phases = (Phase.explicit, Phase.generate, *((Phase.shrink,) if shrink else ()))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=sequences,
            stateful_step_count=steps,
            derandomize=seed is None,
            database=None,
            deadline=None,
            print_blob=True,
            phases=phases,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return played


class MoneyMachine(RuleBasedStateMachine):
    """An office of eight with two doors; :func:`play` runs it."""

    empty_stores: EmptyStores
    played: Played

    def __init__(self) -> None:
        super().__init__()
        self.after = ExitStack()
        open_store = self.after.enter_context(type(self).empty_stores())
        self.stores = [open_store() for _ in range(2)]
        for store in self.stores:
            self.after.callback(store.close)
        self.clock = SteppingClock(date(2026, 3, 2))
        self.doors = [self.door(store) for store in self.stores]
        self.reader = Reader(self.stores[0], POLICIES)
        self.model, self.audit = Model(), Audit()
        self.numbers = itertools.count(1)
        self.given: list[tuple[Command, str, str, int | None]] = []
        self.turn = 0

    def door(self, store: Any) -> FundingLedger:
        return FundingLedger(store, POLICIES, compose(), self.clock, random.Random(next_seed()).randbytes)

    @invariant()
    def a_step_is_counted(self) -> None:
        self.played.steps += 1

    def teardown(self) -> None:
        self.played.sequences += 1
        try:
            self.read_again()
        finally:
            self.after.close()

    def read_again(self) -> None:
        """What an auditor's check adds up from the bytes: it finds nothing wrong, and comes to the same sums."""
        derivation, found = Derivation(), self.stores[0].read()
        rows = [Row(event.position, b"", event.event.type, b"", event.event.data, None) for event in found]
        assert list(derivation.apply(rows)) == []
        totals, matters = derivation.totals(), self.model.matters
        assert totals.awarded_fen == sum(matter.awarded_fen for matter in matters)
        assert totals.paid_fen == sum(matter.settled_fen for matter in matters)
        assert totals.recovered_fen == sum(matter.recovered_fen for matter in matters)
        for year in YEARS:
            assert derivation.budgeted_fen(budget_of_year(POLICY, year).key) == self.model.budget_used_fen(year)

    @initialize(
        begun=st.lists(
            st.tuples(st.sampled_from(("5.2", "5.2", STAGED)), st.sampled_from(COSTS_FEN[:5]), st.integers(0, 12)),
            min_size=1,
            max_size=3,
        )
    )
    def open_the_office(self, begun: list[tuple[str, int, int]]) -> None:
        """Staff, and a few cases that have come some way already: what is worth testing lies at the end of a long way."""
        for person, roles in PEOPLE.items():
            for role in roles:
                self.doors[0].execute(GrantRole(person=person, role=role), actor=SYSTEM, key=f"{person}-{role}")
        self.read_on()
        for number, (rule_id, cost_fen, steps) in enumerate(begun):
            self.submit(number % 2, ENTERPRISES[0], rule_id, number + 1, cost_fen, True)
            self.advance(self.model.matters[-1], steps, "half")

    # --- giving commands --------------------------------------------------------------------------

    def actor(self, who: int, *roles: Role) -> str:
        holders = [person for person, held in PEOPLE.items() if set(held) & set(roles)]
        return holders[who % len(holders)] if who < 9 else list(PEOPLE)[next(self.numbers) % len(PEOPLE)]

    def give(self, command: Command, by: str, expected: Any) -> Any:
        """Give a command at the next door; ``expected()`` asks the model, and is not asked where the role is missing."""
        key = f"key-{next(self.numbers)}"
        allowed = set(PEOPLE[by]) & command.roles
        code = expected() if allowed else "role-required"
        self.turn += 1
        before = self.audit.position
        outcome, found, at = None, None, None
        try:
            outcome = self.doors[self.turn % 2].execute(command, actor=by, key=key)
            at = outcome.position
        except Refusal as refusal:
            found, at = refusal.code, refusal.recorded_at
        except LedgerError as error:
            found = error.code
        assert found == code, f"{command} by {by}: the ledger says {found}, the model {code}"
        self.played.answers[command.name, found] += 1
        recorded = outcome is not None or (command.asks_for_money and found not in ("role-required", "not-found"))
        # "not-found" of a payment within a case is no refusal, and leaves no trace.
        assert at == (before + 1 if recorded else None), (command, at, before)
        self.given.append((command, by, key, at))
        self.read_on()
        return outcome

    def read_on(self) -> None:
        for recorded in self.reader.events(self.audit.position, 1000):
            self.audit.follow(recorded)
        self.compare()

    def compare(self) -> None:
        """The log, the views and the model say the same."""
        for matter in self.model.matters:
            account = self.audit.accounts[matter.number]
            said = (account.awarded_fen, account.committed_fen, account.settled_fen, account.recovered_fen)
            assert said == (matter.awarded_fen, matter.committed_fen, matter.settled_fen, matter.recovered_fen)
        for (enterprise, year), used_fen in self.model.used_fen.items():
            assert self.audit.drawn_fen[enterprise_year(POLICY, "C5", enterprise, str(year)).key] == used_fen
        for year in YEARS:
            assert self.audit.drawn_fen[budget_of_year(POLICY, year).key] == self.model.budget_used_fen(year)
        if self.given and (case := getattr(self.given[-1][0], "case", None)) is not None:
            self.compare_views(case)

    def compare_views(self, number: str) -> None:
        (matter,) = [matter for matter in self.model.matters if matter.number == number]
        case = self.reader.case(number)
        assert case.state == matter.state, (case.state, matter.state)
        assert (case.awarded_fen, case.settled_fen) == (matter.awarded_fen, matter.settled_fen)
        assert case.recovery_ordered_fen == matter.to_recover_fen
        for year in YEARS:
            (c5,) = [use for use in self.reader.limits(matter.enterprise, year) if use.limit.limit == "C5"]
            assert c5.headroom.used_fen == self.model.used_fen[matter.enterprise, year]

    def pick(self, which: int) -> Matter:
        return self.model.matters[which % len(self.model.matters)]

    def staged(self) -> list[Matter]:
        """The awards that are paid in stages, at most as many as :data:`which` may tell apart."""
        return [one for one in self.model.matters if one.rule == STAGED and one.approved_fen][:FAR]

    def number_of(self, things: list[Any], which: int) -> int:
        """Mostly one that is there, the last more often than others; now and then one that is not."""
        if which == FAR or not things:
            return len(things) + 1
        return which % len(things) + 1 if which < 4 else len(things)

    def serial(self, which: int) -> str:
        """Mostly a new number, now and then one that was used."""
        used = sorted(number for number in self.model.numbers if number.startswith("流水"))
        return used[which % len(used)] if which >= FAR - 1 and used else f"流水{next(self.numbers)}"

    # --- what people do ---------------------------------------------------------------------------

    @precondition(lambda self: len(self.model.matters) < 6)
    @rule(
        who=who,
        enterprise=st.sampled_from((*ENTERPRISES, ENTERPRISES[0])),
        rule_id=st.sampled_from(("5.1", "5.2", "5.2", STAGED)),
        item=st.integers(1, 6),
        cost_fen=st.sampled_from(COSTS_FEN) | st.integers(0, 2_000_000_000),
        special=st.booleans(),
    )
    def submit(self, who: int, enterprise: str, rule_id: str, item: int, cost_fen: int, special: bool) -> None:
        is_staged, cost = rule_id == STAGED, format_yuan(cost_fen)
        command = SubmitApplication(
            policy=POLICY,
            rule=rule_id,
            enterprise=enterprise,
            enterprise_name="示例医疗科技有限公司",
            item=f"{'装备' if is_staged else '国械注准2026'}{item}",
            particulars={"total_investment": cost} if is_staged else {"rd_cost": cost, "special_approval": special},
        )
        by = self.actor(who, R.INTAKE)
        outcome = self.give(command, by, lambda: None)
        if outcome is not None:
            matter = Matter(outcome.case, enterprise, rule_id, command.item, cost_fen, special, early_hands={by})
            self.model.matters.append(matter)

    @precondition(lambda self: self.model.matters)
    @rule(which=which, who=who, reuse=which)
    def accept(self, which: int, who: int, reuse: int) -> None:
        matter, by = self.pick(which), self.actor(who, R.INTAKE)
        used = sorted(number for number in self.model.numbers if number.startswith("受理"))
        number = used[0] if reuse >= FAR - 1 and used else f"受理{next(self.numbers)}"
        command = AcceptApplication(case=matter.number, acceptance_number=number)
        self.give(command, by, lambda: self.model.accept(matter, by, number))

    @precondition(lambda self: self.model.matters)
    @rule(which=which, who=who, year=years)
    def determine(self, which: int, who: int, year: int) -> None:
        matter, by = self.pick(which), self.actor(who, R.REVIEWER)
        command = DetermineAmount(case=matter.number, cap_year=year)
        self.give(command, by, lambda: self.model.determine(matter, by, year))

    @precondition(lambda self: self.model.matters)
    @rule(which=which, who=who, year=years, amount=amounts)
    def approve(self, which: int, who: int, year: int, amount: str) -> None:
        matter, by = self.pick(which), self.actor(who, R.APPROVER)
        amount_fen = some_of(matter.determined_fen, amount)
        command = ApproveAward(case=matter.number, amount_fen=amount_fen, cap_year=year, reason="据实核减")
        self.give(command, by, lambda: self.model.approve(matter, by, amount_fen, year))

    @precondition(lambda self: self.model.matters)
    @rule(which=which, who=who, how=st.sampled_from(("refused", "withdrawn", "", "", "")))
    def close(self, which: int, who: int, how: str) -> None:
        matter = self.pick(which)
        if how == "refused":
            by = self.actor(who, R.INTAKE, R.REVIEWER, R.APPROVER)
            command: Command = RefuseApplication(case=matter.number, ground="not-eligible", reason="不符合条件")
        elif how == "withdrawn":
            by, command = self.actor(who, R.INTAKE), WithdrawApplication(case=matter.number)
        else:
            return
        self.give(command, by, lambda: self.model.close(matter, how))

    @precondition(lambda self: self.model.matters)
    @rule(which=which, who=who, amount=amounts, cause=causes)
    def release(self, which: int, who: int, amount: str, cause: str) -> None:
        matter, by = self.pick(which), self.actor(who, R.APPROVER)
        amount_fen = some_of(matter.awarded_fen - matter.committed_fen, amount)
        command = ReleaseAward(case=matter.number, amount_fen=amount_fen, cause=cause)
        self.give(command, by, lambda: self.model.release(matter, amount_fen, cause == "violation"))

    @precondition(lambda self: self.model.matters)
    @rule(which=which, who=who, amount=amounts)
    def request(self, which: int, who: int, amount: str) -> None:
        matter, by = self.pick(which), self.actor(who, R.FINANCE)
        amount_fen = some_of(matter.due_fen - matter.committed_fen, amount)
        command = RequestDisbursement(case=matter.number, amount_fen=amount_fen)
        self.give(command, by, lambda: self.model.request(matter, by, amount_fen))

    @precondition(lambda self: self.staged())
    @rule(which=which, who=who, nth=which, audited=st.sampled_from(("all", "all", "half")))
    def confirm(self, which: int, who: int, nth: int, audited: str) -> None:
        """Mostly the next stage; at the last one the audit finds the whole cost, or half of it."""
        staged = self.staged()
        matter = self.pick(which) if which == FAR else staged[which % len(staged)]
        by = self.actor(who, R.REVIEWER)
        stage = matter.reached + 1 if nth < 6 else nth - 5
        audited_fen = some_of(matter.cost_fen, audited) if stage == 3 else None
        command = ConfirmStage(case=matter.number, stage=stage, audited_fen=audited_fen, reference="验收报告")
        self.give(command, by, lambda: self.model.confirm(matter, by, stage, audited_fen))

    @precondition(lambda self: self.model.matters)
    @rule(which=which, who=who, nth=which)
    def order(self, which: int, who: int, nth: int) -> None:
        matter, by = self.pick(which), self.actor(who, R.FINANCE)
        number = self.number_of(matter.payments, nth)
        command = OrderDisbursement(case=matter.number, disbursement=number)
        self.give(command, by, lambda: self.model.order(matter, by, number))

    @precondition(lambda self: self.model.matters)
    @rule(which=which, who=who, nth=which, reuse=which, amount=st.sampled_from(("all", "all", "all", "one-more")))
    def settle(self, which: int, who: int, nth: int, reuse: int, amount: str) -> None:
        matter, by = self.pick(which), self.actor(who, R.CASHIER)
        number, serial = self.number_of(matter.payments, nth), self.serial(reuse)
        of_fen = matter.payments[number - 1].amount_fen if number <= len(matter.payments) else 1
        amount_fen = some_of(of_fen, amount)
        command = SettleDisbursement(case=matter.number, disbursement=number, amount_fen=amount_fen, bank_serial=serial)
        self.give(command, by, lambda: self.model.settle(matter, by, number, amount_fen, serial))

    @precondition(lambda self: self.model.matters)
    @rule(which=which, who=who, nth=which)
    def cancel(self, which: int, who: int, nth: int) -> None:
        matter, by = self.pick(which), self.actor(who, R.FINANCE)
        number = self.number_of(matter.payments, nth)
        command = CancelDisbursement(case=matter.number, disbursement=number, reason="账号有误")
        self.give(command, by, lambda: self.model.cancel(matter, number))

    @precondition(lambda self: self.model.matters)
    @rule(which=which, who=who, nth=which)
    def give_back(self, which: int, who: int, nth: int) -> None:
        matter, by = self.pick(which), self.actor(who, R.CASHIER)
        number = self.number_of(matter.payments, nth)
        command = ReturnDisbursement(case=matter.number, disbursement=number, reference="退汇", reason="账号不符")
        self.give(command, by, lambda: self.model.give_back(matter, by, number))

    @precondition(lambda self: self.model.matters)
    @rule(which=which, who=who)
    def find_violation(self, which: int, who: int) -> None:
        matter, by = self.pick(which), self.actor(who, R.SUPERVISOR)
        command = FindViolation(case=matter.number, reason="虚报研发费用")
        self.give(command, by, lambda: self.model.find_violation(matter, by))

    @precondition(lambda self: self.model.matters)
    @rule(which=which, who=who, nth=which)
    def withdraw_violation(self, which: int, who: int, nth: int) -> None:
        matter, by = self.pick(which), self.actor(who, R.SUPERVISOR)
        number = self.number_of(matter.violations, nth)
        command = WithdrawViolation(case=matter.number, violation=number, reason="经复核不成立")
        self.give(command, by, lambda: self.model.withdraw_violation(matter, by, number))

    @precondition(lambda self: self.model.matters)
    @rule(which=which, who=who, amount=amounts, cause=causes)
    def order_recovery(self, which: int, who: int, amount: str, cause: str) -> None:
        matter, by = self.pick(which), self.actor(who, R.SUPERVISOR, R.LEGAL)
        amount_fen = some_of(matter.settled_fen - matter.to_recover_fen, amount)
        command = OrderRecovery(case=matter.number, amount_fen=amount_fen, cause=cause)
        self.give(command, by, lambda: self.model.order_recovery(matter, by, amount_fen, cause == "violation"))

    @precondition(lambda self: self.model.matters)
    @rule(which=which, who=who, nth=which, reuse=which, amount=amounts)
    def receive(self, which: int, who: int, nth: int, reuse: int, amount: str) -> None:
        matter, by = self.pick(which), self.actor(who, R.CASHIER)
        number, serial = self.number_of(matter.recoveries, nth), self.serial(reuse)
        recovery = matter.recoveries[number - 1] if number <= len(matter.recoveries) else None
        amount_fen = some_of(recovery.amount_fen - recovery.received_fen if recovery else 1, amount)
        command = ReceiveRecovery(case=matter.number, recovery=number, amount_fen=amount_fen, bank_serial=serial)
        self.give(command, by, lambda: self.model.receive(matter, by, number, amount_fen, serial))

    @precondition(lambda self: self.model.matters)
    @rule(which=which, who=who, nth=which)
    def cancel_recovery(self, which: int, who: int, nth: int) -> None:
        matter, by = self.pick(which), self.actor(who, R.SUPERVISOR, R.LEGAL)
        number = self.number_of(matter.recoveries, nth)
        command = CancelRecovery(case=matter.number, recovery=number, reason="复议撤销")
        self.give(command, by, lambda: self.model.cancel_recovery(matter, by, number))

    @rule(who=who, year=years, amount=amounts, room_fen=st.sampled_from((1, 1, 100_000_000, 2_000_000_000)))
    def appropriate(self, who: int, year: int, amount: str, room_fen: int) -> None:
        by = self.actor(who, R.FINANCE)
        used_fen = self.model.budget_used_fen(year)
        amount_fen = max(1, used_fen - 1) if amount == "half" else used_fen + room_fen
        command = AppropriateBudget(policy=POLICY, year=year, amount_fen=amount_fen)
        self.give(command, by, lambda: self.model.appropriate(year, amount_fen))

    # --- what people do right: so that cases come to an end ---------------------------------------

    @precondition(lambda self: self.model.matters)
    @rule(which=which, steps=st.integers(1, 5), amount=st.sampled_from(("all", "half")))
    def go_on(self, which: int, steps: int, amount: str) -> None:
        """Whatever comes next in this case, by somebody who may."""
        self.advance(self.pick(which), steps, amount)

    @precondition(lambda self: self.model.matters)
    @rule(steps=st.integers(1, 5), amount=st.sampled_from(("all", "half")))
    def go_on_with_the_last(self, steps: int, amount: str) -> None:
        self.advance(self.model.matters[-1], steps, amount)

    @precondition(lambda self: any(matter.state == "recovering" for matter in self.model.matters))
    @rule(amount=st.sampled_from(("one-more", "all")))
    def bring_money_back(self, amount: str) -> None:
        (which, *_) = [which for which, matter in enumerate(self.model.matters) if matter.state == "recovering"]
        self.receive(which, 0, 5, 0, amount)

    def advance(self, matter: Matter, steps: int, amount: str) -> None:
        which = self.model.matters.index(matter)
        for _ in range(steps):
            match matter.state:
                case "submitted":
                    self.accept(which, 0, 0)
                case "accepted":
                    self.determine(which, 1, 2026)
                case "determined":
                    self.approve(which, 1, 2026, "all")
                case "approved" | "part-paid":
                    self.pay_on(matter, which, amount)
                case "paid":
                    self.order_recovery(which, 1, amount, "duplicate")
                case "violation-found":
                    self.order_recovery(which, 1, amount, "violation")
                case "recovering":
                    self.receive(which, 0, 5, 0, amount)

    def pay_on(self, matter: Matter, which: int, amount: str) -> None:
        states = [payment.state for payment in matter.payments]
        last = len(states) - 1 if len(states) < 5 else 4
        if "requested" in states[-1:]:
            self.order(which, 2, last)
        elif "ordered" in states[-1:]:
            self.settle(which, 1, last, 0, "all")
        elif matter.due_fen <= matter.committed_fen and matter.reached < 3 and matter in (staged := self.staged()):
            self.confirm(staged.index(matter), 0, 0, "all")
        else:
            self.request(which, 1, amount)

    # --- what machines do -------------------------------------------------------------------------

    @precondition(lambda self: self.given)
    @rule(which=st.integers(0, 50))
    def repeat(self, which: int) -> None:
        """The same key and command again, at the other door: the same answer, and nothing new."""
        command, by, key, at = self.given[which % len(self.given)]
        if at is None:
            return
        self.turn += 1
        before = self.audit.position
        try:
            outcome = self.doors[self.turn % 2].execute(command, actor=by, key=key)
            said: tuple[bool, int | None] = outcome.replayed, outcome.position
        except Refusal as refusal:
            said = refusal.replayed, refusal.recorded_at
        assert said == (True, at)
        self.read_on()
        assert self.audit.position == before

    @precondition(lambda self: any(at is not None for _, _, _, at in self.given))
    @rule(which=st.integers(0, 50))
    def misuse_a_key(self, which: int) -> None:
        """A used key for another command: a conflict, and nothing new."""
        used = [(by, key) for _, by, key, at in self.given if at is not None]
        by, key = used[which % len(used)]
        before = self.audit.position
        try:
            self.doors[0].execute(AppropriateBudget(policy=POLICY, year=2026, amount_fen=123), actor=by, key=key)
            raise AssertionError("a used key was accepted for another command")
        except IdempotencyConflict:
            pass
        self.read_on()
        assert self.audit.position == before

    @rule(number=st.integers(0, 1))
    def restart(self, number: int) -> None:
        """A process that ends and starts again remembers nothing and knows everything."""
        self.doors[number] = self.door(self.stores[number])


def some_of(all_fen: int, amount: str) -> int:
    """The whole, a part, or one fen too much; at least one fen, which may be too much as well."""
    sums = {"all": all_fen, "half": all_fen // 2, "one": 1, "one-more": all_fen + 1}
    return max(1, sums[amount])


_seeds = itertools.count(1)


def next_seed() -> int:
    return next(_seeds)
