"""Lists, asked of the views with plain SQL: now, or as they stood at any past position of the log."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select

from ledger.casefile import CaseState
from ledger.roles import Role
from projections.tables import PRESENT, cases, instant_text, policies, positions, roles

T = TypeVar("T")

PAGE_SIZE_MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case as a list shows it. ``position`` is that of its last step, and its version; amounts are fen."""

    case_number: str
    position: int
    state: CaseState
    enterprise: str
    enterprise_name: str
    policy: str
    rule: str
    item: str
    acceptance_number: str | None
    submitted_on: date
    approved_on: date | None
    cap_year: int | None
    determined_fen: int
    awarded_fen: int
    settled_fen: int
    payable_fen: int
    recovered_fen: int
    outstanding_fen: int


@dataclass(frozen=True, slots=True)
class EnterpriseRow:
    """One enterprise and what its cases come to in fen. ``name`` is the one its latest step carries."""

    enterprise: str
    name: str
    cases: int
    awarded_fen: int
    settled_fen: int
    payable_fen: int
    recovered_fen: int
    outstanding_fen: int


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role that a person holds, by whose grant, and since when."""

    person: str
    role: Role
    granted_by: str
    granted_on: date


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list. ``total`` counts all rows; ``position`` is the log's position that the list is true of."""

    rows: Sequence[T]
    total: int
    position: int


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases; what is left out filters nothing. ``text`` is sought in names, codes, items and numbers."""

    states: Sequence[CaseState] = ()
    enterprise: str | None = None
    rule: str | None = None
    policy: str | None = None
    text: str | None = None


def position_as_of(connection: Connection, as_of: datetime | None) -> int:
    """The last position that had been recorded by an instant; 0 before the first."""
    newest = select(func.max(positions.c.position))
    if as_of is not None:
        newest = newest.where(positions.c.recorded_at <= instant_text(as_of))
    return connection.execute(newest).scalar() or 0


def find_cases(
    connection: Connection,
    sought: CaseFilter,
    *,
    page: int,
    page_size: int,
    as_of: datetime | None,
    up_to: int | None = None,
) -> Page[CaseRow]:
    """Pages count from 1; the case that changed last comes first. ``up_to``: the last position that is seen."""
    position = position_as_of(connection, as_of)
    if up_to is not None:
        position = min(position, up_to)
    where = and_(_held_at(position, present=as_of is None and up_to is None), *_conditions(sought))
    total = connection.execute(select(func.count()).select_from(cases).where(where)).scalar_one()
    ordered = select(*_CASE_COLUMNS).where(where).order_by(cases.c.from_position.desc())
    rows = connection.execute(_slice(ordered, page, page_size))
    return Page([_case_row(row) for row in rows], total, position)


def find_enterprises(
    connection: Connection, text: str | None, *, page: int, page_size: int, as_of: datetime | None
) -> Page[EnterpriseRow]:
    """Pages count from 1, in the order of the codes. ``text`` is sought in the code and in the latest name."""
    position = position_as_of(connection, as_of)
    held = _held_at(position, present=as_of is None)
    sums = (
        select(
            cases.c.enterprise,
            func.count().label("cases"),
            func.max(cases.c.from_position).label("latest"),
            *(func.sum(cases.c[name]).label(name) for name in _SUMMED),
        )
        .where(held)
        .group_by(cases.c.enterprise)
        .subquery()
    )
    latest = sums.join(cases, and_(cases.c.enterprise == sums.c.enterprise, cases.c.from_position == sums.c.latest))
    where = _found(text, cases.c.enterprise_name, cases.c.enterprise)
    total = connection.execute(select(func.count()).select_from(latest).where(*where)).scalar_one()
    columns = [sums.c.enterprise, cases.c.enterprise_name.label("name"), sums.c.cases]
    columns += [sums.c[name] for name in _SUMMED]
    ordered = select(*columns).select_from(latest).where(*where).order_by(sums.c.enterprise)
    rows = connection.execute(_slice(ordered, page, page_size))
    return Page([_enterprise_row(row) for row in rows], total, position)


def find_roles(connection: Connection, *, as_of: datetime | None) -> list[RoleRow]:
    """Who holds which role, in the order of the names."""
    position = position_as_of(connection, as_of)
    held = and_(roles.c.from_position <= position, roles.c.until_position > position)
    columns = [roles.c[column.name] for column in fields(RoleRow)]
    rows = connection.execute(select(*columns).where(held).order_by(roles.c.person, roles.c.role))
    return [RoleRow(**{**row._mapping, "role": Role(row.role)}) for row in rows]


_SUMMED: Final = ("awarded_fen", "settled_fen", "payable_fen", "recovered_fen", "outstanding_fen")

_CASE_COLUMNS: Final = [
    cases.c.from_position.label("position") if column.name == "position" else cases.c[column.name]
    for column in fields(CaseRow)
]


def find_policies(connection: Connection) -> list[tuple[str, int]]:
    """The id and the version of each policy that some case is made under, in order."""
    found = select(policies.c.policy, policies.c.version).order_by(policies.c.policy, policies.c.version)
    return [(policy_id, version) for policy_id, version in connection.execute(found)]


def _held_at(position: int, *, present: bool) -> ColumnElement[bool]:
    """The rows that held at a position. The present has an index entry of its own."""
    if present:
        return PRESENT
    # Added to, so that SQLite does not go through all that ever was by its key: what held until later is less.
    return and_(cases.c.from_position + 0 <= position, cases.c.until_position > position)


def _conditions(sought: CaseFilter) -> list[ColumnElement[bool]]:
    conditions = _found(
        sought.text,
        cases.c.enterprise_name,
        cases.c.enterprise,
        cases.c.item,
        cases.c.case_number,
        cases.c.acceptance_number,
    )
    if sought.states:
        conditions.append(cases.c.state.in_([state.value for state in sought.states]))
    for name in ("enterprise", "rule", "policy"):
        if (value := getattr(sought, name)) is not None:
            conditions.append(cases.c[name] == value)
    return conditions


def _found(text: str | None, *columns: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    """A row is found where one of its columns holds the text, as typed or with its full-width characters made half."""
    if text is None or not text.strip():
        return []
    ways = {text.strip(), unicodedata.normalize("NFKC", text).strip()}
    return [or_(*(column.icontains(way, autoescape=True) for column in columns for way in sorted(ways)))]


def _slice(ordered: Select[Any], page: int, page_size: int) -> Select[Any]:
    assert page >= 1, page
    assert 1 <= page_size <= PAGE_SIZE_MOST, page_size
    return ordered.limit(page_size).offset((page - 1) * page_size)


def _case_row(row: Row[Any]) -> CaseRow:
    return CaseRow(**{**row._mapping, "state": CaseState(row.state)})


def _enterprise_row(row: Row[Any]) -> EnterpriseRow:
    # PostgreSQL's sums of whole numbers are decimals.
    return EnterpriseRow(**{**row._mapping, **{name: int(row._mapping[name]) for name in _SUMMED}})
