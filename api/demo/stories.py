"""How a case goes the usual way, as far as it gets. A yield is a wait in working days, or until a date."""

from __future__ import annotations

from collections.abc import Generator
from datetime import date
from random import Random

from api.demo.desks import Claim, Desks
from api.demo.timeline import Story
from ledger.casefile import CaseState
from ledger.causes import Cause
from ledger.commands.refuse_application import RefuseApplication
from ledger.commands.release_award import ReleaseAward
from ledger.commands.withdraw_application import WithdrawApplication

Award = Generator[int | date, None, tuple[str, int]]
"""The part of a story that leads to an award; it comes to the case's number and the amount in fen."""


class Stories:
    """Every public method is one story. ``random`` decides how long its steps take."""

    def __init__(self, desks: Desks, random: Random) -> None:
        self.desks = desks
        self._random = random

    def usual(self, claim: Claim, ending: CaseState) -> Story:
        """From the counter to the bank, or as far as ``ending``."""
        desks = self.desks
        case = desks.submit(claim)
        if ending is CaseState.SUBMITTED:
            return
        yield self.days(1, 4)
        if ending is CaseState.WITHDRAWN:
            letter = desks.numbered("撤回")
            desks.give(WithdrawApplication(case=case, reference=letter, reason="企业暂缓该项目"), "intake")
            return
        desks.accept(case)
        if ending is CaseState.ACCEPTED:
            return
        yield self.days(8, 20)
        if ending is CaseState.REFUSED:
            self.refuse(case, "not-eligible", "现场核查：产品尚未在本市生产，不符合申报条件")
            return
        amount_fen = desks.determine(case)
        if ending is CaseState.DETERMINED:
            return
        yield self.days(10, 20)
        desks.approve(case, amount_fen)
        if ending is CaseState.APPROVED:
            return
        yield self.days(5, 12)
        if ending is CaseState.RELEASED:
            self.release(case, amount_fen)
            return
        assert ending in (CaseState.PAID, CaseState.PART_PAID), ending
        yield from self.pay(case, amount_fen if ending is CaseState.PAID else amount_fen * 3 // 5)

    def tenancy(self, claims: list[tuple[date, Claim]]) -> Story:
        """A tenant's claims one after the other: each is filed on its date, and paid before the next."""
        for filed_on, claim in claims:
            yield filed_on
            yield from self.usual(claim, CaseState.PAID)

    def award(self, claim: Claim) -> Award:
        """As far as an approved award."""
        case, amount_fen = yield from self.determined(claim)
        yield self.days(10, 15)
        self.desks.approve(case, amount_fen)
        return case, amount_fen

    def determined(self, claim: Claim) -> Award:
        """As far as an amount on the sheet."""
        case = yield from self.accepted(claim)
        yield self.days(8, 15)
        return case, self.desks.determine(case)

    def accepted(self, claim: Claim) -> Generator[int | date, None, str]:
        case = self.desks.submit(claim)
        yield self.days(1, 3)
        self.desks.accept(case)
        return case

    def pay(self, case: str, amount_fen: int) -> Story:
        disbursement = self.desks.request(case, amount_fen)
        yield self.days(0, 2)
        self.desks.order(case, disbursement)
        yield self.days(1, 3)
        self.desks.settle(case, disbursement, amount_fen)

    def refuse(self, case: str, ground: str, reason: str) -> None:
        self.desks.give(RefuseApplication(case=case, ground=ground, reason=reason), "reviewer")

    def release(self, case: str, amount_fen: int) -> None:
        command = ReleaseAward(case=case, amount_fen=amount_fen, cause=Cause.WITHDRAWAL, reason="企业书面放弃该项资助")
        self.desks.give(command, "approver")

    def days(self, least: int, most: int) -> int:
        return self._random.randint(least, most)
