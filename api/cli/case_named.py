"""The case that an argument AWARD names."""

from __future__ import annotations

from ledger.errors import FieldError, Malformed, Text
from ledger.identity import case_number


def case_named(award: str) -> str:
    """The case number behind ``awd-…``, ``app-…`` or a bare number. Raises ``Malformed`` for what cannot be one."""
    try:
        return case_number(award)
    except ValueError:
        told = Text(
            "应为 awd-、app- 加十位编号，如 awd-7Q2M4X9KDB", "awd- or app- and ten characters, like awd-7Q2M4X9KDB"
        )
        raise Malformed([FieldError("AWARD", "invalid", told)]) from None
