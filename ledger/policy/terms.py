"""What a rule asks for and how it computes: particulars, and the five shapes. Plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cited(Generic[T]):
    """A value of the policy and where it comes from: an article (``cite``), a reading, or both."""

    value: T
    cite: str | None
    reading: str | None


class Kind(StrEnum):
    """What a particular is. JSON forms: see :func:`ledger.rules.read_particulars`."""

    MONEY = "money"
    AREA_M2 = "area_m2"
    FLAG = "flag"
    DATE = "date"
    MONTHS = "months"
    COUNT = "count"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Particular:
    """A fact that a claim under a rule states. ``default`` stands in where it is left out; none with ``required``."""

    name: str
    kind: Kind
    label: str
    required: bool
    default: int | bool | None


@dataclass(frozen=True, slots=True)
class Rate:
    """Shape ``rate``: a rate of a cost. ``basis`` names a particular of kind money."""

    rate: Cited[Fraction]
    basis: str


class AreaCapOn(StrEnum):
    """What an amount per square metre is the ceiling of."""

    SUBSIDY = "subsidy"
    COST = "cost"


@dataclass(frozen=True, slots=True)
class RateArea:
    """Shape ``rate-area``: a rate of a cost, at most so much a square metre of ``area``: of the grant, or of the cost."""

    rate: Cited[Fraction]
    basis: str
    area: str
    per_m2_fen: Cited[int]
    area_cap_on: Cited[AreaCapOn]


class RentBasis(StrEnum):
    """Which rent is funded."""

    LOWER = "lower"
    """The lower of benchmark and actual rent."""
    BENCHMARK = "benchmark"
    """The benchmark, whatever was paid."""


@dataclass(frozen=True, slots=True)
class MonthlyRent:
    """A cost told as rent: names of particulars for benchmark and actual rent (yuan per m² per month) and area."""

    benchmark: str
    actual: str
    area: str
    basis: Cited[RentBasis]


class PeriodSplit(StrEnum):
    """How a cost whose period lies in two benefit years is divided between them."""

    BY_DAYS = "by-days"
    BY_PERIOD_END = "by-period-end"


class Bills(StrEnum):
    """Which bills of a cost that must be paid first may be claimed."""

    PAID = "paid-before-application"
    PREVIOUS_YEAR_PAID = "previous-year-and-paid"
    """Only those for a period within the calendar year before the application."""


@dataclass(frozen=True, slots=True)
class PaidFirst:
    """A cost is claimed after it was paid: ``on`` names the day of payment."""

    on: str
    bills: Cited[Bills]


@dataclass(frozen=True, slots=True)
class PeriodCost:
    """A cost told as one sum for a period: ``cost`` names it."""

    cost: str
    split: Cited[PeriodSplit]
    paid_first: PaidFirst | None


class Claimable(StrEnum):
    """Which days of a window may be claimed."""

    UNTIL_APPLICATION = "until-application"
    """Those up to and including the day of application."""
    WHOLE_WINDOW = "whole-window"
    """Those still to come as well."""


@dataclass(frozen=True, slots=True)
class WindowTerms:
    """How long is funded, and from when. ``anchor``, ``extended_by``, ``since`` and ``until`` name particulars.

    ``since`` and ``until`` (inclusive) are the claimed period; ``extended_by`` counts months that push the end back;
    ``claimable`` says whether the period may reach beyond the day of application.
    """

    months: Cited[int]
    anchor: str
    extended_by: str | None
    since: str
    until: str
    claimable: Cited[Claimable]


@dataclass(frozen=True, slots=True)
class WindowedRate:
    """Shape ``windowed-rate``: a rate of what falls into a window of months, with a ceiling for each benefit year."""

    rate: Cited[Fraction]
    source: MonthlyRent | PeriodCost
    window: WindowTerms


@dataclass(frozen=True, slots=True)
class Tier:
    """From ``at_least`` on, up to ``ceiling_fen``."""

    at_least: int
    ceiling_fen: int
    cite: str


@dataclass(frozen=True, slots=True)
class TierCeiling:
    """Shape ``tier-ceiling``: the office proposes an amount; a count decides how high it may be in the stated year.

    ``at_least_included``: a tier begins at its number, not only above it.
    """

    count: str
    proposed: str
    tiers: tuple[Tier, ...]
    at_least_included: Cited[bool]


@dataclass(frozen=True, slots=True)
class DiscretionaryCeiling:
    """Shape ``discretionary-ceiling``: the office proposes an amount, at most the item's ceiling."""

    proposed: str


@dataclass(frozen=True, slots=True)
class CostDates:
    """When costs must have arisen; each is checked where the claim states its dates.

    ``since``, ``until``, ``paid_until`` and ``event`` name optional particulars of kind date. A cost begins at most
    ``before_application_months`` before the application and ends by the event (a certificate); the event lies at most
    ``event_months`` before the application; the last payment at most ``tail_days`` after the event, and where both are named
    there is such a number; the whole span is at most ``length_months``.
    """

    since: str | None
    until: str | None
    paid_until: str | None
    event: str | None
    before_application_months: Cited[int] | None
    event_months: Cited[int] | None
    tail_days: Cited[int] | None
    length_months: Cited[int] | None


Terms = Rate | RateArea | WindowedRate | TierCeiling | DiscretionaryCeiling
"""The five shapes of a rule."""
