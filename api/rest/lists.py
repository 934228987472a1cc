"""Lists, a page at a time: as they stand in the views, or, by business date, folded case by case."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from typing import Any, Final, TypeVar

from api.auth import service
from api.rest import fields
from api.rest.moments import MomentSchema, moment_of
from api.rest.problems import Problem
from api.rest.schema import Schema
from ledger.casefile import CaseState
from ledger.errors import NotFound, Text
from projections.queries import CaseFilter, CaseRow, EnterpriseRow, Page
from projections.reader import Moment
from projections.versions import version_of

PAGE_SIZE_MOST: Final = 200
PAGE_SIZE_DEFAULT: Final = 50
PAGE_MOST: Final = 1_000_000
FOLDED_MOST: Final = 5_000
"""The views know no business dates: a list by ``effective`` folds every case it may hold, so it must be a short one."""
_BATCH: Final = 500

T = TypeVar("T")


class PageQuerySchema(MomentSchema):
    page = fields.Whole(least=1, most=PAGE_MOST, text=True, load_default=1)
    page_size = fields.Whole(least=1, most=PAGE_SIZE_MOST, text=True, load_default=PAGE_SIZE_DEFAULT)
    text = fields.Sought(
        metadata={"description": "在名称、代码、对象和编号中查找 / sought in names, codes, items and numbers"}
    )


class PageSchema(Schema):
    page = fields.Whole(required=True, least=1)
    page_size = fields.Whole(required=True, least=1)
    total = fields.Whole(required=True, metadata={"description": "rows on all pages"})
    position = fields.Whole(required=True, metadata={"description": "the log's position that the list is true of"})


def page_body(query: dict[str, Any], page: Page[Any]) -> dict[str, Any]:
    return {
        "page": query["page"],
        "page_size": query["page_size"],
        "total": page.total,
        "position": page.position,
    }


def find_cases(query: dict[str, Any], states: Sequence[CaseState]) -> Page[CaseRow]:
    """The cases in ``states`` (all, where none is named), the one that changed last first."""
    sought = CaseFilter(
        states=states,
        enterprise=query.get("enterprise"),
        rule=query.get("rule"),
        policy=query.get("policy"),
        text=query.get("text"),
    )
    moment = moment_of(query)
    if moment.effective is None:
        return service().views.cases(sought, page=query["page"], page_size=query["page_size"], as_of=moment.as_of)
    # What a case was about never changes, but its state does: that is filtered after folding.
    candidates, position = _all_cases(replace(sought, states=()), moment)
    rows = [row for row in _as_then(candidates, replace(moment, up_to=position)) if not states or row.state in states]
    rows.sort(key=lambda row: row.position, reverse=True)
    return _slice(rows, query, position)


def find_enterprises(query: dict[str, Any]) -> Page[EnterpriseRow]:
    """Enterprises in the order of their codes, with what their cases come to."""
    moment = moment_of(query)
    if moment.effective is None:
        return service().views.enterprises(query.get("text"), query["page"], query["page_size"], moment.as_of)
    candidates, position = _all_cases(CaseFilter(text=query.get("text")), moment)
    by_code: dict[str, list[CaseRow]] = {}
    for row in _as_then(candidates, replace(moment, up_to=position)):
        by_code.setdefault(row.enterprise, []).append(row)
    return _slice([_summed(by_code[code]) for code in sorted(by_code)], query, position)


def _all_cases(sought: CaseFilter, moment: Moment) -> tuple[list[CaseRow], int]:
    """Every page as of the position of the first, which is told: cases go on moving while they are read."""
    rows: list[CaseRow] = []
    position: int | None = None
    for number in count(1):
        page = service().views.cases(sought, page=number, page_size=_BATCH, as_of=moment.as_of, up_to=position)
        if position is None:
            position = page.position
        if page.total > FOLDED_MOST:
            raise Problem(
                422,
                "list-too-long",
                Text("范围过大", "Too many"),
                Text(
                    f"按业务日期列出最多{FOLDED_MOST}个案卷，请缩小范围（企业、规则或文字）",
                    f"a list by business date holds at most {FOLDED_MOST} cases; name an enterprise, a rule or a text",
                ),
            )
        rows += page.rows
        if len(page.rows) < _BATCH:
            return rows, position
    raise AssertionError("a count has no end")


def _as_then(candidates: list[CaseRow], moment: Moment) -> Iterator[CaseRow]:
    for candidate in candidates:
        try:
            case = service().reader.case(candidate.case_number, moment)
        except NotFound:
            continue
        version = version_of(case)
        names = CaseRow.__dataclass_fields__
        yield CaseRow(
            **{
                **{name: version[name] for name in names if name in version},
                "position": case.position,
                "state": case.state,
            }
        )


def _summed(rows: list[CaseRow]) -> EnterpriseRow:
    latest = max(rows, key=lambda row: row.position)
    return EnterpriseRow(
        enterprise=latest.enterprise,
        name=latest.enterprise_name,
        cases=len(rows),
        awarded_fen=sum(row.awarded_fen for row in rows),
        settled_fen=sum(row.settled_fen for row in rows),
        payable_fen=sum(row.payable_fen for row in rows),
        recovered_fen=sum(row.recovered_fen for row in rows),
        outstanding_fen=sum(row.outstanding_fen for row in rows),
    )


def _slice(rows: Sequence[T], query: dict[str, Any], position: int) -> Page[T]:
    start = (query["page"] - 1) * query["page_size"]
    return Page(rows[start : start + query["page_size"]], len(rows), position)
