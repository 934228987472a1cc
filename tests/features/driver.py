"""How the features knock at the door: a small protocol over the ledger. Two drivers keep it: one calls the ledger directly
(:mod:`tests.features.in_process_driver`), the other asks over HTTP (:mod:`tests.features.http_driver`).

Everything a driver takes and gives is plain data in fen, dates and the ledger's own words. Chinese is spoken one floor up,
in :mod:`tests.features.office`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Any, Final, Protocol

from ledger.calendar import SHANGHAI
from ledger.casefile import CaseState
from ledger.commands.accept_application import AcceptApplication
from ledger.commands.appropriate_budget import AppropriateBudget
from ledger.commands.approve_award import ApproveAward
from ledger.commands.confirm_stage import ConfirmStage
from ledger.commands.decide_other_funding import DecideOtherFunding
from ledger.commands.determine_amount import DetermineAmount
from ledger.commands.find_violation import FindViolation
from ledger.commands.order_disbursement import OrderDisbursement
from ledger.commands.order_recovery import OrderRecovery
from ledger.commands.receive_recovery import ReceiveRecovery
from ledger.commands.record_interpretation import RecordInterpretation
from ledger.commands.release_award import ReleaseAward
from ledger.commands.request_disbursement import RequestDisbursement
from ledger.commands.settle_disbursement import SettleDisbursement
from ledger.commands.submit_application import SubmitApplication
from ledger.commands.withdraw_application import WithdrawApplication
from ledger.errors import Headroom
from ledger.policy.model import Policy
from ledger.roles import Role
from ledger.scopes import ITEM

STARTS: Final[Mapping[str, str | None]] = {"rate": None, "tier": "tier", "ceiling": "ceiling"}
"""The step of the sheet that every shape of rule begins with → what the grant rests on where no limit cut it."""
TICK: Final = timedelta(seconds=1)
"""How far a driver's clock moves with every act: no two facts are of one instant."""


class Act(Enum):
    """The steps of a case, and what the office decides besides, by the command behind each."""

    SUBMIT = SubmitApplication
    ACCEPT = AcceptApplication
    WITHDRAW = WithdrawApplication
    DETERMINE = DetermineAmount
    APPROVE = ApproveAward
    CONFIRM_STAGE = ConfirmStage
    RELEASE = ReleaseAward
    REQUEST = RequestDisbursement
    ORDER = OrderDisbursement
    SETTLE = SettleDisbursement
    FIND_VIOLATION = FindViolation
    ORDER_RECOVERY = OrderRecovery
    RECEIVE_RECOVERY = ReceiveRecovery
    DECIDE_OTHER_FUNDING = DecideOtherFunding
    INTERPRET = RecordInterpretation
    APPROPRIATE = AppropriateBudget


Line = tuple[str, str, int]
"""A line of the sheet: its clause, its step, and the fen that it leaves."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Money that was computed or approved. ``clause`` and ``limit`` are what it rests on: the limit that cut it last, or
    the rule's own article and no limit; ``tier`` or ``ceiling`` where the office proposed it. ``sheet``: how it was
    computed, line by line.
    """

    amount_fen: int
    clause: str
    limit: str | None
    sheet: tuple[Line, ...]

    @property
    def rounded(self) -> bool:
        """Whether the rounding took something off."""
        return any(step == "rounding" for _, step, _ in self.sheet)


@dataclass(frozen=True, slots=True)
class Denial:
    """A refusal, with the limit that was missing where one was, and the case that was there first where one was."""

    code: str
    clause: str | None
    limit: Headroom | None
    earlier: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an act: done, or denied; and for money the grant. ``case`` where the act opened or moved one,
    ``number`` that of the disbursement or recovery within it.
    """

    case: str | None = None
    number: int | None = None
    grant: Grant | None = None
    denial: Denial | None = None


class Driver(Protocol):
    """What the features need of the product. ``policy`` is the file that the office reads, as it was published."""

    policy: Policy

    def close(self) -> None: ...

    def now(self) -> datetime: ...

    def set_today(self, day: date) -> None: ...

    def give_role(self, person: str, role: Role) -> None:
        """As whoever installs the product does it: people and their first roles come from outside."""
        ...

    def act(self, act: Act, person: str, **says: Any) -> Answer:
        """Let a person take a step; ``says`` are the fields of its command. A refusal is an answer, not an exception."""
        ...

    def quote(
        self, rule: str, enterprise: str, item: str, particulars: Mapping[str, Any], cap_year: int | None
    ) -> Answer: ...

    def headroom(self, enterprise: str, name: str, start: date) -> Headroom:
        """The limit so named, as its holder is shown it for the calendar or benefit year that begins on ``start``."""
        ...

    def usage(self, enterprise: str, as_of: datetime) -> Mapping[str, int]:
        """Fen drawn under every limit of an enterprise, by scope, as it was known at an instant."""
        ...

    def state(self, case: str) -> CaseState: ...

    def awarded_fen(self, case: str) -> int:
        """What a case is awarded, net of releases."""
        ...

    def fact_count(self) -> int: ...

    def last_denial_kept(self) -> tuple[Denial, str | None, str | None]:
        """The newest fact, which must be a refused command: the refusal, its case and its enterprise."""
        ...


def first_morning(policy: Policy) -> datetime:
    """When a story begins that says no day: before the policy is in force."""
    return morning(date(policy.validity.start.year, 1, 1))


def morning(day: date) -> datetime:
    return datetime.combine(day, time(9), SHANGHAI)


def granted(amount_fen: int, bound_by: tuple[str, str] | None, steps: Iterable[Line]) -> Grant:
    """``bound_by`` is the clause and the limit that cut last, ``steps`` are the lines of the sheet."""
    sheet = tuple(steps)
    if bound_by is not None:
        return Grant(amount_fen, *bound_by, sheet)
    ((clause, start),) = ((clause, step) for clause, step, _ in sheet if step in STARTS)
    return Grant(amount_fen, clause, STARTS[start], sheet)


def limits_named(policy: Policy, name: str) -> frozenset[str]:
    """The limits that the policy calls so: ``首次注册资助`` is the first word of ``首次注册资助，单个企业每年``."""
    return frozenset(limit.name for limit in policy.limits.values() if limit.label.split("，")[0] == name)


__all__ = [
    "ITEM",
    "TICK",
    "Act",
    "Answer",
    "Denial",
    "Driver",
    "Grant",
    "Line",
    "first_morning",
    "granted",
    "limits_named",
    "morning",
]
