"""Addresses of resources, and what they stand for."""

from __future__ import annotations

from api.rest.openapi import PREFIX
from ledger.errors import FieldError, Malformed, NotFound, Text
from ledger.identity import application_id, award_id, case_number
from ledger.uscc import parse_uscc


def case_at(identifier: str) -> str:
    """The case number behind ``app-…``, ``awd-…`` or a bare number.

    Raises :class:`~ledger.errors.NotFound` for what cannot be one: no such case exists.
    """
    try:
        return case_number(identifier)
    except ValueError:
        raise NotFound(
            Text(
                f"没有编号为“{identifier[:40]}”的申报或资助项目",
                f"there is no application or award {identifier[:40]!r}",
            )
        ) from None


def enterprise_at(text: str) -> str:
    """The code in an address. Raises :class:`~ledger.errors.Malformed` for one whose check character is wrong."""
    try:
        return parse_uscc(text)
    except ValueError:
        raise Malformed(
            [
                FieldError(
                    "uscc",
                    "invalid-uscc",
                    Text("不是有效的统一社会信用代码", "not a valid unified social credit code (“统一社会信用代码”)"),
                )
            ]
        ) from None


def application_address(case: str) -> str:
    return f"{PREFIX}/applications/{application_id(case)}"


def award_address(case: str) -> str:
    return f"{PREFIX}/awards/{award_id(case)}"


def reading_address(policy_id: str, version: int, reading_id: str) -> str:
    return f"{PREFIX}/policies/{policy_id}/{version}/readings/{reading_id}"


def budget_address(policy_id: str, year: int) -> str:
    return f"{PREFIX}/budgets/{policy_id}/{year}"
