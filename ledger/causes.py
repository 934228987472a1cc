"""Why approved or paid money goes back, and whether its limits get it back with it."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from ledger.errors import FieldError, Text


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


def restores_headroom(cause: Cause) -> bool:
    """Whether the limits get the money back (reading B5): nobody gains room by a violation."""
    return cause is not Cause.VIOLATION


def cause_errors(cause: str) -> Iterator[FieldError]:
    if cause not in set(Cause):
        known = ", ".join(Cause)
        yield FieldError("cause", "unknown", Text(f"事由须为：{known}", f"the cause must be one of: {known}"))
