"""Other public money for the same matter, as an application declares it (reading B10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from ledger.errors import FieldError, Text
from ledger.events import DeclaredFunding

DOCUMENT_LENGTH_MAX: Final = 120
_KEYS: Final = frozenset({"level", "amount_fen", "document"})


class Level(StrEnum):
    """Whose money it is: 国家、省、市、区."""

    NATION = "nation"
    PROVINCE = "province"
    CITY = "city"
    DISTRICT = "district"


def funding_errors(declared: Sequence[Mapping[str, Any]]) -> Iterator[FieldError]:
    for position, funding in enumerate(declared):
        field = f"other_funding[{position}]"
        for name in sorted(funding.keys() - _KEYS):
            yield FieldError(f"{field}.{name}", "unknown", Text("没有这一项", "no such field"))
        if funding.get("level") not in set(Level):
            known = ", ".join(Level)
            yield FieldError(
                f"{field}.level", "unknown", Text(f"级别须为：{known}", f"the level must be one of: {known}")
            )
        amount_fen = funding.get("amount_fen")
        if not isinstance(amount_fen, int) or isinstance(amount_fen, bool) or amount_fen <= 0:
            yield FieldError(f"{field}.amount", "not-positive", Text("金额必须大于零", "the amount must be above zero"))
        document = funding.get("document")
        if not isinstance(document, str) or not document.strip() or len(document) > DOCUMENT_LENGTH_MAX:
            how = Text(
                f"请填写文号或资助编号，最多{DOCUMENT_LENGTH_MAX}个字符",
                f"its document or award id, at most {DOCUMENT_LENGTH_MAX} characters",
            )
            yield FieldError(f"{field}.document", "missing", how)


def declared_funding(declared: Sequence[Mapping[str, Any]]) -> tuple[DeclaredFunding, ...]:
    """For declarations that :func:`funding_errors` finds no fault with."""
    return tuple(
        DeclaredFunding(level=each["level"], amount_fen=each["amount_fen"], document=each["document"].strip())
        for each in declared
    )
