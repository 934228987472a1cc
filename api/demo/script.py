"""Who applies for what, and when: 152 applications of 40 enterprises over the cap years 2024 to 2026."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import count
from random import Random
from typing import Any, Final

from api.demo.desks import POLICY, Claim, Desks
from api.demo.enterprises import ENTERPRISES, Enterprise
from api.demo.plots import Plots
from api.demo.staff import STAFF
from api.demo.timeline import Story, Timeline
from ledger.application import FundingLedger
from ledger.calendar import add_days, add_months
from ledger.casefile import CaseState
from ledger.commands.appropriate_budget import AppropriateBudget
from ledger.commands.grant_role import GrantRole
from ledger.money import FEN_PER_YUAN, format_yuan
from ledger.roles import SYSTEM

FIRST_DAY: Final = date(2024, 1, 2)
LAST_DAY: Final = date(2026, 10, 31)

CLASS_II, CLASS_III, RENT, PROJECT, FAIR = "5.1", "5.2", "22.2", "3.2", "10.2"
EXHAUSTED: Final = ENTERPRISES[0]
"""Its limit C5 of 2025 is used up to the last fen."""
NEARLY_EXHAUSTED: Final = ENTERPRISES[1]
"""Of its limit C5 of 2026 little is left."""

_USUAL: Final = ENTERPRISES[13:30]
_TENANTS: Final = ENTERPRISES[26:]
_LARGE_TENANTS: Final = (6, 7)
_WAN: Final = 10_000 * FEN_PER_YUAN
_CLAIMS_A_YEAR: Final = 2
"""Of one enterprise at most, so that what goes the usual way stays below the yearly limit."""
_SPECIAL_SHARE: Final = 0.15

_USUAL_ENDINGS: Final = {
    2024: {CaseState.PAID: 19, CaseState.REFUSED: 3, CaseState.WITHDRAWN: 2, CaseState.RELEASED: 2},
    2025: {
        CaseState.PAID: 19,
        CaseState.PART_PAID: 2,
        CaseState.REFUSED: 3,
        CaseState.WITHDRAWN: 2,
        CaseState.RELEASED: 1,
    },
    2026: {
        CaseState.SUBMITTED: 4,
        CaseState.ACCEPTED: 4,
        CaseState.DETERMINED: 4,
        CaseState.APPROVED: 4,
        CaseState.PART_PAID: 3,
        CaseState.PAID: 4,
        CaseState.REFUSED: 1,
        CaseState.WITHDRAWN: 1,
        CaseState.RELEASED: 1,
    },
}
_SEASON: Final = (date(2024, 2, 1), 200)
"""When applications are filed: from a day of the year, over so many days. All are closed within their year."""
_SEASONS: Final = {
    **dict.fromkeys(CaseState, (date(2026, 2, 2), 110)),
    CaseState.APPROVED: (date(2026, 6, 1), 50),
    CaseState.DETERMINED: (date(2026, 8, 10), 40),
    CaseState.ACCEPTED: (date(2026, 9, 14), 30),
    CaseState.SUBMITTED: (date(2026, 10, 19), 10),
}
"""In the last year: what is open was filed late."""

_Dated = tuple[date, Story]


def play(ledger: FundingLedger, timeline: Timeline, random: Random) -> dict[str, str]:
    """Let it all happen; gives the numbers of cases worth showing, by what they show."""
    plots = Plots(Desks(ledger, timeline), random)
    for person, role in STAFF.items():
        plots.desks.give(GrantRole(person=person, role=role), SYSTEM)
    script = _Script(plots, random)
    for first_day, story in (*script.budgets(), *script.plots(), *script.tenants(), *script.usual()):
        timeline.begin(story, first_day)
    timeline.run(LAST_DAY)
    return plots.shown


class _Script:
    """Casts the stories."""

    def __init__(self, plots: Plots, random: Random) -> None:
        self._plots = plots
        self._random = random
        self._certificates = count(1)

    def budgets(self) -> Iterator[_Dated]:
        for first_day, year, amount_wan in (
            (date(2024, 1, 8), 2024, 9_000),
            (date(2025, 1, 6), 2025, 9_000),
            (date(2025, 9, 1), 2025, 12_000),
            (date(2026, 1, 5), 2026, 8_000),
        ):
            yield first_day, self._budget(year, amount_wan * _WAN)

    def _budget(self, year: int, amount_fen: int) -> Story:
        document = self._plots.desks.numbered("深演财预")
        command = AppropriateBudget(policy=POLICY, year=year, amount_fen=amount_fen, reference=document)
        self._plots.desks.give(command, "finance")
        yield 0

    def plots(self) -> Iterator[_Dated]:
        """The cases in which something happens: 26 of them."""
        plots, paid = self._plots, CaseState.PAID
        one = EXHAUSTED
        yield date(2025, 2, 10), plots.usual(self._product(one, CLASS_III, 1600, special=True), paid)
        yield date(2025, 3, 3), plots.usual(self._product(one, CLASS_II, 700), paid)
        yield date(2025, 5, 12), plots.cut_to_what_is_left(self._product(one, CLASS_II, 800))
        yield date(2025, 8, 18), plots.nothing_left(self._product(one, CLASS_II, 450))
        two = NEARLY_EXHAUSTED
        yield date(2026, 2, 9), plots.usual(self._product(two, CLASS_III, 1220), paid)
        yield date(2026, 4, 13), plots.usual(self._product(two, CLASS_III, 1150), CaseState.APPROVED)
        yield date(2026, 9, 7), plots.usual(self._product(two, CLASS_II, 390), CaseState.DETERMINED)
        special = self._product(ENTERPRISES[2], CLASS_III, 1500, special=True)
        yield date(2026, 3, 2), plots.overtaken(special, self._product(ENTERPRISES[2], CLASS_III, 1250))
        yield date(2024, 3, 11), plots.full_clawback(self._product(ENTERPRISES[3], CLASS_III, 1250))
        audited = ENTERPRISES[4]
        yield date(2025, 2, 17), plots.audited_down(self._product(audited, CLASS_III, 1500, special=True), 60 * _WAN)
        yield date(2025, 2, 24), plots.usual(self._product(audited, CLASS_III, 1000), paid)
        yield date(2025, 8, 25), plots.cut_to_what_is_left(self._product(audited, CLASS_II, 500))
        yield date(2024, 4, 8), plots.paid_twice(self._product(ENTERPRISES[5], CLASS_II, 610))
        yield date(2025, 9, 8), plots.overdue(self._product(ENTERPRISES[6], CLASS_III, 880))
        yield date(2026, 3, 16), plots.overdue(self._product(ENTERPRISES[30], CLASS_II, 520))
        yield date(2026, 5, 18), plots.stopped(self._product(ENTERPRISES[7], CLASS_III, 960))
        yield date(2025, 4, 14), plots.cleared(self._product(ENTERPRISES[7], CLASS_II, 330))
        yield date(2024, 5, 13), plots.same_hand(self._product(ENTERPRISES[8], CLASS_III, 740))
        yield date(2025, 5, 19), plots.same_serial(self._product(ENTERPRISES[9], CLASS_III, 1020))
        yield date(2024, 6, 17), plots.above_the_sheet(self._product(ENTERPRISES[10], CLASS_II, 680))
        yield date(2026, 6, 8), plots.returned_by_the_bank(self._product(ENTERPRISES[11], CLASS_II, 415))
        again = self._product(ENTERPRISES[12], CLASS_III, 905)
        yield date(2024, 7, 8), plots.usual(again, paid)
        yield date(2025, 6, 16), plots.funded_before(again)
        yield date(2025, 3, 24), plots.article_without_money(again)
        project = {"total_investment": format_yuan(2_000 * _WAN)}
        staged = Claim(ENTERPRISES[31], PROJECT, "演示内窥镜核心部件量产", project)
        yield date(2024, 9, 9), plots.in_stages(staged, audited_fen=1_900 * _WAN)
        fair = {"audited_cost": format_yuan(260 * _WAN)}
        yield date(2025, 10, 13), plots.audited(Claim(ENTERPRISES[32], FAIR, "演示2025年器械峰会", fair))

    def tenants(self) -> Iterator[_Dated]:
        """14 tenants claim the rent of 2023, 2024 and 2025 in the following springs; five go on, one of them too late."""
        leases = [self._lease(number, tenant) for number, tenant in enumerate(_TENANTS)]
        for number, lease in enumerate(leases):
            claims = [
                (
                    date(year + 1, 2 + number % 3, 5 + number),
                    lease.claim(max(lease.tenancy_from, date(year, 1, 1)), year, 12),
                )
                for year in (2023, 2024, 2025)
            ]
            yield FIRST_DAY, self._plots.tenancy(claims)
        half_years = [lease.claim(date(2026, 1, 1), 2026, 6) for lease in leases]
        yield date(2026, 7, 20), self._plots.too_late(half_years[0])
        yield date(2026, 7, 13), self._plots.usual(half_years[2], CaseState.PAID)
        yield date(2026, 10, 12), self._plots.usual(half_years[8], CaseState.ACCEPTED)
        yield date(2026, 9, 14), self._plots.usual(half_years[9], CaseState.DETERMINED)
        yield date(2026, 10, 26), self._plots.usual(half_years[10], CaseState.SUBMITTED)

    def usual(self) -> Iterator[_Dated]:
        """79 certificates, one after the other over the years."""
        for year, endings in _USUAL_ENDINGS.items():
            applicants = [enterprise for enterprise in _USUAL for _ in range(_CLAIMS_A_YEAR)]
            self._random.shuffle(applicants)
            for ending in [state for state, number in endings.items() for _ in range(number)]:
                first, span = _SEASONS[ending] if year == LAST_DAY.year else _SEASON
                begins = add_days(first.replace(year=year), self._random.randrange(span))
                rule = self._random.choice((CLASS_II, CLASS_III))
                special = self._random.random() < _SPECIAL_SHARE
                cost_fen = self._random.randrange(120 * _WAN, 1_100 * _WAN)
                claim = self._certificate(applicants.pop(), rule, year, cost_fen, special)
                yield begins, self._plots.usual(claim, ending)

    def _product(self, enterprise: Enterprise, rule: str, cost_wan: int, *, special: bool = False) -> Claim:
        """A certificate of the plots, with a cost in 万元 that is chosen for what follows from it."""
        return self._certificate(enterprise, rule, 2025, cost_wan * _WAN, special)

    def _certificate(self, enterprise: Enterprise, rule: str, year: int, cost_fen: int, special: bool) -> Claim:
        device_class = 3 if rule == CLASS_III else 2
        item = f"演械注准{year}{device_class}01{next(self._certificates):04d}"
        particulars = {"rd_cost": format_yuan(cost_fen), "special_approval": special}
        return Claim(enterprise, rule, item, particulars)

    def _lease(self, number: int, tenant: Enterprise) -> _Lease:
        """One begins in each month of 2023; the large ones pay more than the yearly limit funds half of."""
        large = number in _LARGE_TENANTS
        benchmark_fen = 6_000 if large else self._random.randrange(3_800, 6_500, 50)
        area_centi_m2 = 2_000_000 if large else self._random.randrange(30_000, 400_000)
        actual_fen = benchmark_fen + self._random.randrange(-600, 900, 50)
        return _Lease(
            tenant,
            f"演租2023-{number + 1:04d}",
            date(2023, number % 12 + 1, 1),
            {
                "benchmark_rent": format_yuan(benchmark_fen),
                "actual_rent": format_yuan(max(actual_fen, benchmark_fen) if large else actual_fen),
                "area_m2": f"{area_centi_m2 // 100}.{area_centi_m2 % 100:02d}",
            },
        )


@dataclass(frozen=True, slots=True)
class _Lease:
    tenant: Enterprise
    number: str
    tenancy_from: date
    terms: dict[str, Any]

    def claim(self, claim_from: date, year: int, last_month: int) -> Claim:
        """From ``claim_from`` to the end of a month of ``year``."""
        until = add_days(add_months(date(year, last_month, 1), 1), -1)
        dates = {"tenancy_from": self.tenancy_from, "claim_from": claim_from, "claim_until": until}
        particulars = {**self.terms, **{name: day.isoformat() for name, day in dates.items()}}
        return Claim(self.tenant, RENT, self.number, particulars)
