"""A ledger with payments that wait for the bank, and clients that settle them: one settlement is one disbursement.

A settlement is the fact that money has left, and the command with the most checks: the key, the role, the case and its
state, the amount ordered, three pairs of hands, a serial number never seen, limits and budget. The steps before it are taken
outside the clock; the orders go through the same door, so that cases are remembered as they are in an office.
"""

from __future__ import annotations

import os
import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from functools import cache
from itertools import count as counting
from typing import Final

from ledger.application import FundingLedger, Instruction
from ledger.calendar import system_clock
from ledger.commands.approve_award import ApproveAward
from ledger.commands.order_disbursement import OrderDisbursement
from ledger.commands.settle_disbursement import SettleDisbursement
from ledger.policy.registry import PolicyRegistry
from ledger.store.contract import LedgerStore
from projections.compose import compose
from tests.bench.staging import AMOUNT_FEN, DETERMINED, Matter, Names, Stage

CLIENTS: Final = 16
REQUESTED: Final = 5

RUN: Final = uuid.uuid4().hex[:12].upper()
serials: Final = (f"{RUN}{number:08d}" for number in counting(1))
"""The bank's: never one twice, in no run either, since a long log is kept from one to the next."""


@cache
def loaded_policies() -> PolicyRegistry:
    return PolicyRegistry.load()


def open_ledger(store: LedgerStore) -> FundingLedger:
    """A door that has met no case yet, as after a start."""
    return FundingLedger(store, loaded_policies(), compose(), system_clock, os.urandom)


class Till:
    """``settling`` payments are ordered, ``approving`` awards are determined; of one enterprise where it is named."""

    def __init__(
        self, store: LedgerStore, seed: str, *, settling: int = 0, approving: int = 0, enterprise: str | None = None
    ) -> None:
        self.store = store
        self.ledger = open_ledger(store)
        names, stage = Names(seed), Stage(store, seed)
        requested = names.matters(REQUESTED, settling, enterprise)
        determined = names.matters(DETERMINED, approving, enterprise)
        if store.head() == 0:
            stage.staff()
        stage.matters(requested + determined)
        self.do_all([order(matter) for matter in requested])
        chance = random.Random(seed)
        chance.shuffle(requested)
        chance.shuffle(determined)
        self.to_settle = [settlement(matter) for matter in requested]
        self.to_approve = [approval(matter) for matter in determined]

    def do_all(self, instructions: Sequence[Instruction]) -> None:
        for answer in self.ledger.execute_many(instructions):
            assert not isinstance(answer, Exception), answer

    def settle(self, number: int) -> None:
        """One client, one after another."""
        for _ in range(number):
            self.do(self.to_settle.pop())

    def settle_all(self, number: int) -> None:
        self.do_all([self.to_settle.pop() for _ in range(number)])

    def settle_together(self, number: int) -> list[float]:
        """Sixteen clients at once; the seconds that each command took."""
        return self._together([self.to_settle.pop() for _ in range(number)])

    def approve(self, number: int) -> None:
        for _ in range(number):
            self.do(self.to_approve.pop())

    def forget(self) -> None:
        """Begin anew with a door that has met none of the cases, as after a restart."""
        self.ledger = open_ledger(self.store)

    def approve_together(self, number: int) -> list[float]:
        return self._together([self.to_approve.pop() for _ in range(number)])

    def do(self, given: Instruction) -> None:
        self.ledger.execute(given.command, actor=given.actor, key=given.key)

    def _together(self, instructions: Sequence[Instruction]) -> list[float]:
        seconds: list[float] = []

        def work(given: Instruction) -> None:
            began = time.perf_counter()
            self.do(given)
            seconds.append(time.perf_counter() - began)

        together([instructions[client::CLIENTS] for client in range(CLIENTS)], work)
        return seconds


def together(shares: Sequence[Sequence[Instruction]], work: Callable[[Instruction], None]) -> None:
    """Each share by a thread of its own. The first error that any met is raised."""
    errors: list[BaseException] = []

    def client(share: Sequence[Instruction]) -> None:
        try:
            for each in share:
                work(each)
        except BaseException as error:  # noqa: BLE001 - raised below, in the thread that measures
            errors.append(error)

    threads = [threading.Thread(target=client, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def order(matter: Matter) -> Instruction:
    return Instruction(OrderDisbursement(case=matter.case, disbursement=1), "finance2", str(uuid.uuid4()))


def settlement(matter: Matter) -> Instruction:
    command = SettleDisbursement(case=matter.case, disbursement=1, amount_fen=AMOUNT_FEN, bank_serial=next(serials))
    return Instruction(command, "cashier", str(uuid.uuid4()))


def approval(matter: Matter) -> Instruction:
    return Instruction(ApproveAward(case=matter.case, amount_fen=AMOUNT_FEN), "approver", str(uuid.uuid4()))
