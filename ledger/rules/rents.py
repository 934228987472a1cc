"""Which rent is funded, which was paid, and how both are told (reading B13). Units: fen per m² and month."""

from __future__ import annotations

from fractions import Fraction

from ledger.counted import counted
from ledger.errors import Text
from ledger.policy.terms import MonthlyRent, RentBasis
from ledger.rules import wording
from ledger.rules.claim import Claim


def funded_fen(claim: Claim, rent: MonthlyRent) -> Fraction:
    """The rent of a month that the rate is taken of: the benchmark, or the actual rent where that is lower and the office
    goes by the lower.
    """
    return _for_a_month(claim, rent, _funded_unit_fen(claim, rent))


def paid_fen(claim: Claim, rent: MonthlyRent) -> Fraction:
    """What a month really costs: the actual rent where it is stated, else what is funded."""
    actual_fen = _actual_unit_fen(claim, rent)
    return funded_fen(claim, rent) if actual_fen is None else _for_a_month(claim, rent, actual_fen)


def may_exceed_rent(claim: Claim, rent: MonthlyRent) -> bool:
    """Whether the rate is taken of a benchmark that may be a multiple of the rent that was paid."""
    return rent.basis.value is RentBasis.BENCHMARK and rent.actual in claim.particulars


def basis_told(claim: Claim, rent: MonthlyRent, months: int) -> Text:
    unit, total = wording.amount(_funded_unit_fen(claim, rent)), wording.amount(funded_fen(claim, rent) * months)
    area, basis = wording.area(claim.particulars.number(rent.area)), _basis_told(claim, rent)
    return Text(
        zh=f"{basis.zh}每平方米每月{unit.zh} × {area}平方米 × {months}个月 = {total.zh}",
        en=f"{basis.en} {unit.en} per m² and month × {area} m² × {counted(months, 'month')} = {total.en}",
    )


def paid_told(claim: Claim, rent: MonthlyRent, months: int, effect: Text) -> Text:
    """The limit that nobody is given more than the rent that was paid; ``effect`` is what it did."""
    unit, total = wording.amount(_actual_unit_fen(claim, rent) or 0), wording.amount(paid_fen(claim, rent) * months)
    area = wording.area(claim.particulars.number(rent.area))
    return Text(
        zh=f"资助不超过实际租金：每平方米每月{unit.zh} × {area}平方米 × {months}个月 = {total.zh}；{effect.zh}",
        en=f"no more than the actual rent: {unit.en} per m² and month × {area} m² × {counted(months, 'month')} = "
        f"{total.en}; {effect.en}",
    )


def _basis_told(claim: Claim, rent: MonthlyRent) -> Text:
    if rent.basis.value is RentBasis.BENCHMARK:
        return Text(zh="租金基准价", en="benchmark rent")
    if rent.actual in claim.particulars:
        return Text(zh="基准价与实际租金较低者", en="lower of benchmark and actual rent")
    return Text(zh="未填实际租金，按租金基准价", en="no actual rent is stated, so the benchmark rent:")


def _funded_unit_fen(claim: Claim, rent: MonthlyRent) -> int:
    benchmark_fen, actual_fen = claim.particulars.number(rent.benchmark), _actual_unit_fen(claim, rent)
    if rent.basis.value is RentBasis.BENCHMARK or actual_fen is None:
        return benchmark_fen
    return min(benchmark_fen, actual_fen)


def _actual_unit_fen(claim: Claim, rent: MonthlyRent) -> int | None:
    return claim.particulars.number(rent.actual) if rent.actual in claim.particulars else None


def _for_a_month(claim: Claim, rent: MonthlyRent, unit_fen: int) -> Fraction:
    return unit_fen * Fraction(claim.particulars.number(rent.area), 100)
