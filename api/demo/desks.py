"""The people of the demo's office, and the steps of a case as each of them takes it. Every step knocks at the one door."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from api.demo.enterprises import Enterprise
from api.demo.timeline import Timeline
from ledger.application import FundingLedger, Outcome
from ledger.commands.accept_application import AcceptApplication
from ledger.commands.approve_award import ApproveAward
from ledger.commands.command import Command
from ledger.commands.confirm_stage import ConfirmStage
from ledger.commands.determine_amount import DetermineAmount
from ledger.commands.order_disbursement import OrderDisbursement
from ledger.commands.order_recovery import OrderRecovery
from ledger.commands.receive_recovery import ReceiveRecovery
from ledger.commands.request_disbursement import RequestDisbursement
from ledger.commands.settle_disbursement import SettleDisbursement
from ledger.commands.submit_application import SubmitApplication
from ledger.errors import Refusal
from ledger.events import AmountDetermined, DisbursementRequested, RecoveryOrdered

POLICY: Final = "shenzhen-meddev-2022"


@dataclass(frozen=True, slots=True)
class Claim:
    """What an enterprise applies for."""

    enterprise: Enterprise
    rule: str
    item: str
    particulars: dict[str, Any]


class Desks:
    """Gives commands as the person whose step it is; numbers documents, vouchers and bank serials as an office does."""

    def __init__(self, ledger: FundingLedger, timeline: Timeline) -> None:
        self._ledger = ledger
        self._timeline = timeline
        self._numbers: Counter[str] = Counter()

    def give(self, command: Command, who: str) -> Outcome:
        return self._ledger.execute(command, actor=who, key=f"demo-{self._next('key'):05d}")

    def give_in_vain(self, command: Command, who: str, code: str) -> None:
        """A command that the ledger refuses with ``code``, and says so: the refusal is part of the story."""
        refused = None
        try:
            self.give(command, who)
        except Refusal as refusal:
            refused = refusal.code
        assert refused == code, f"{command}: {refused}, not {code}"

    def numbered(self, series: str, width: int = 4) -> str:
        """The next number of a series that begins anew each year: ``SLH-2025-0007``."""
        series = f"{series}-{self._timeline.today.year}"
        return f"{series}-{self._next(series):0{width}d}"

    def submit(self, claim: Claim) -> str:
        """The new case's number."""
        outcome = self.give(
            SubmitApplication(
                policy=POLICY,
                rule=claim.rule,
                enterprise=claim.enterprise.uscc,
                enterprise_name=claim.enterprise.name,
                item=claim.item,
                particulars=claim.particulars,
                reference=self.numbered("申报"),
            ),
            "intake",
        )
        assert outcome.case is not None
        return outcome.case

    def accept(self, case: str) -> None:
        self.give(AcceptApplication(case=case, acceptance_number=self.numbered("SLH")), "intake")

    def determine(self, case: str, **change: Any) -> int:
        """The amount in fen."""
        event = self.give(DetermineAmount(case=case, **change), "reviewer").recorded.event
        assert isinstance(event, AmountDetermined)
        return event.amount_fen

    def approve(self, case: str, amount_fen: int, reason: str | None = None) -> None:
        document = self.numbered("深演资助")
        self.give(ApproveAward(case=case, amount_fen=amount_fen, reference=document, reason=reason), "approver")

    def confirm_stage(self, case: str, stage: int, audited_fen: int | None = None) -> None:
        document = self.numbered("深演验收")
        self.give(ConfirmStage(case=case, stage=stage, audited_fen=audited_fen, reference=document), "reviewer")

    def request(self, case: str, amount_fen: int) -> int:
        """The disbursement's number within its award."""
        event = self.give(RequestDisbursement(case=case, amount_fen=amount_fen), "finance").recorded.event
        assert isinstance(event, DisbursementRequested)
        return event.disbursement

    def order(self, case: str, disbursement: int) -> None:
        command = OrderDisbursement(case=case, disbursement=disbursement, reference=self.numbered("记"))
        self.give(command, "finance2")

    def settle(self, case: str, disbursement: int, amount_fen: int, bank_serial: str | None = None) -> str:
        """The bank's serial number."""
        serial = bank_serial or self.bank_serial()
        command = SettleDisbursement(case=case, disbursement=disbursement, amount_fen=amount_fen, bank_serial=serial)
        self.give(command, "cashier")
        return serial

    def order_recovery(self, case: str, amount_fen: int, cause: str, who: str = "supervisor2") -> int:
        """The recovery's number within its award."""
        document = self.numbered("深演追缴")
        command = OrderRecovery(case=case, amount_fen=amount_fen, cause=cause, reference=document)
        event = self.give(command, who).recorded.event
        assert isinstance(event, RecoveryOrdered)
        return event.recovery

    def receive(self, case: str, recovery: int, amount_fen: int) -> None:
        command = ReceiveRecovery(case=case, recovery=recovery, amount_fen=amount_fen, bank_serial=self.bank_serial())
        self.give(command, "cashier")

    def bank_serial(self) -> str:
        return f"YH{self._timeline.today:%Y%m%d}{self._next('bank'):06d}"

    def _next(self, series: str) -> int:
        self._numbers[series] += 1
        return self._numbers[series]
