"""Other public money for the same matter, as an application declares it (reading B10).

What was granted elsewhere is believed as declared. An award of this ledger is not: it must be one of the same enterprise,
and it comes to what the facts say on the day they are asked, which never grows again after its approval.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final

from ledger.casefile import CaseFile
from ledger.cases_named import FindCase, cases_named
from ledger.errors import FieldError, Malformed, Refusal, Text
from ledger.events import DeclaredFunding
from ledger.identity import award_id
from ledger.policy.citation import SUPPLEMENT
from ledger.rules import OtherFunding, WayOut
from ledger.typed_alike import typed_alike

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


def declared_funding(
    declared: Sequence[Mapping[str, Any]], enterprise: str, find: FindCase
) -> tuple[DeclaredFunding, ...]:
    """What an enterprise declares, where :func:`funding_errors` finds no fault with it; awards by their plain id.

    Raises ``Malformed`` for an award that this ledger does not have, for two in one entry, and for an award or another
    document that is named twice; ``Refusal`` ``award-of-another-enterprise``.
    """
    errors: list[FieldError] = []
    awards: list[CaseFile] = []
    documents: list[str] = []
    keys: set[str] = set()
    for position, each in enumerate(declared):
        document = each["document"].strip()
        named = list(cases_named(document, find).values())
        if len(named) > 1:
            errors.append(_document_error(position, "several-awards", _ONE_EACH))
        elif named:
            award = named[0]
            if award is None or award.approval is None:
                errors.append(_document_error(position, "unknown-award", _unknown(document)))
            else:
                awards.append(award)
                document = award_id(award.number)
        key = typed_alike(document)
        if key in keys:
            errors.append(_document_error(position, "duplicate", _ONCE))
        keys.add(key)
        documents.append(document)
    if errors:
        raise Malformed(errors)
    for award in awards:
        if award.enterprise != enterprise:
            raise _of_another(award)
    return tuple(
        DeclaredFunding(level=each["level"], amount_fen=each["amount_fen"], document=document)
        for each, document in zip(declared, documents, strict=True)
    )


def funding_beside(case: CaseFile, find: FindCase) -> OtherFunding | None:
    """Other public money for the matter of a case, as it stands now, and what was decided about it; None for none."""
    if not case.declared_funding:
        return None
    amount_fen = 0
    awards: list[str] = []
    for declared in case.declared_funding:
        award = _award(declared.document, find)
        amount_fen += declared.amount_fen if award is None else award.kept_fen
        if award is not None and award.kept_fen:
            awards.append(award_id(award.number))
    return OtherFunding(amount_fen, case.way_out, tuple(awards))


def declared_cases(case: CaseFile, find: FindCase) -> frozenset[str]:
    """The cases of this ledger whose awards are declared, by number."""
    awards = (_award(declared.document, find) for declared in case.declared_funding)
    return frozenset(award.number for award in awards if award is not None)


def funding_under(case: CaseFile, way_out: WayOut, find: FindCase) -> OtherFunding | None:
    """The same, were the office to decide on a way out."""
    beside = funding_beside(case, find)
    return None if beside is None else replace(beside, way_out=way_out)


def _award(document: str, find: FindCase) -> CaseFile | None:
    """The award of this ledger that a document names, if it does; an application without one is none."""
    approved = (case for case in cases_named(document, find).values() if case is not None and case.approval is not None)
    return next(approved, None)


_ONCE: Final = Text("同一笔资助只填一次", "name each award, and each document, once")
_ONE_EACH: Final = Text("一项只填一笔资助，请分项填写", "name one award in each entry")


def _unknown(document: str) -> Text:
    return Text(
        f"本账本没有已批准的资助{document}；请核对编号，其他机关的资助填写文号",
        f"this ledger has no approved award {document}; check its id, or give the document of who granted it",
    )


def _document_error(position: int, code: str, text: Text) -> FieldError:
    return FieldError(f"other_funding[{position}].document", code, text)


def _of_another(award: CaseFile) -> Refusal:
    identifier = award_id(award.number)
    return Refusal(
        "award-of-another-enterprise",
        Text(
            f"资助{identifier}属于另一单位，不能作为本单位同一事项的其他财政资助；请核对编号",
            f"award {identifier} is another enterprise's; it cannot stand as this one's other funding: check its id",
        ),
        clause=SUPPLEMENT,
    )
