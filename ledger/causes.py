"""Why approved or paid money goes back. Whether its limits get it back with it is the policy's to say (reading B5)."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from ledger.errors import FieldError, OutOfOrder, Text
from ledger.principles import VIOLATION_AND_CAUSE


class Cause(StrEnum):
    """Of a release or a recovery. Only a violation is the enterprise's fault."""

    WITHDRAWAL = "withdrawal"
    ARITHMETIC_ERROR = "arithmetic-error"
    DUPLICATE = "duplicate"
    AUDIT_REDUCTION = "audit-reduction"
    VIOLATION = "violation"


CAUSE_NAMES: Final = {
    Cause.WITHDRAWAL: Text("主动撤回", "withdrawal"),
    Cause.ARITHMETIC_ERROR: Text("计算错误", "arithmetic error"),
    Cause.DUPLICATE: Text("重复资助", "duplicate"),
    Cause.AUDIT_REDUCTION: Text("审计核减", "audit reduction"),
    Cause.VIOLATION: Text("违规", "violation"),
}


def require_cause(cause: str, *, violation_found: bool) -> None:
    """Raise where the cause and the findings contradict each other: nobody turns a violation into a mistake, or back."""
    if cause == Cause.VIOLATION and not violation_found:
        raise OutOfOrder(
            "no-violation-found",
            Text("尚无对申报单位的违规认定，不能以违规为由", "no violation of the applicant was found; find it first"),
            clause=VIOLATION_AND_CAUSE,
        )
    if cause != Cause.VIOLATION and violation_found:
        raise OutOfOrder(
            "violation-stands",
            Text(
                "申报单位的违规认定仍然有效，事由只能是违规；认定有误的，请先撤销",
                "a violation of the applicant stands, so the cause is that; withdraw the finding first if it is wrong",
            ),
            clause=VIOLATION_AND_CAUSE,
        )


def cause_errors(cause: str) -> Iterator[FieldError]:
    if cause not in set(Cause):
        known = ", ".join(Cause)
        yield FieldError("cause", "unknown", Text(f"事由须为：{known}", f"the cause must be one of: {known}"))
