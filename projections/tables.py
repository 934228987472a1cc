"""The tables of the views: what was true of a case or a person, from which position of the log until which.

A row is never changed once a later one follows it, but for ``until_position``: so a list can be asked as of any past
position with ``from_position <= p < until_position``. The text of every table is the same for SQLite and PostgreSQL.
Everything here can be dropped and is then rebuilt from the log; nothing here decides anything. Amounts are fen.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import BigInteger, Column, Date, Index, Integer, MetaData, String, Table, literal_column

SCHEMA_VERSION: Final = 3
"""Raised with every change to these tables or to how they are filled: older views are then dropped and rebuilt."""

STILL: Final = 2**63 - 1
"""``until_position`` of what holds to this day: a number, so that "as of" needs no case of its own for the present."""

POSITION: Final = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite keeps a table in the order of its key, without an index beside it, only where the type is called INTEGER."""

# In PostgreSQL the views may share a database with the facts: the prefix of the names keeps them apart.
metadata = MetaData()

markers = Table(
    "view_markers",
    metadata,
    # One row. The views advance in the same transaction as its position, so both always agree.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("schema_version", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    # The event at that position: tells this log from another one that is as long.
    Column("event_id", String(36), nullable=False),
)

positions = Table(
    "view_positions",
    metadata,
    Column("position", POSITION, primary_key=True, autoincrement=False),
    # The door never records a fact before the last one's instant: so an instant is a position of the log.
    Column("recorded_at", String(27), nullable=False, index=True),
)

cases = Table(
    "view_cases",
    metadata,
    # Every event changes one case: its position is the row's.
    Column("from_position", POSITION, primary_key=True, autoincrement=False),
    Column("case_number", String(10), nullable=False),
    Column("until_position", BigInteger, nullable=False),
    Column("state", String(20), nullable=False),
    Column("enterprise", String(18), nullable=False),
    Column("enterprise_name", String(120), nullable=False),
    Column("policy", String(80), nullable=False),
    Column("rule", String(20), nullable=False),
    Column("item", String(100), nullable=False),
    Column("acceptance_number", String(60)),
    Column("submitted_on", Date, nullable=False),
    Column("approved_on", Date),
    Column("cap_year", Integer),
    Column("determined_fen", BigInteger, nullable=False),
    Column("awarded_fen", BigInteger, nullable=False),
    Column("settled_fen", BigInteger, nullable=False),
    Column("payable_fen", BigInteger, nullable=False),
    Column("recovered_fen", BigInteger, nullable=False),
    Column("outstanding_fen", BigInteger, nullable=False),
)

PRESENT: Final = cases.c.until_position == literal_column(str(STILL))
"""Of what holds to this day. Written out, not bound: only so can a database see that an index of the present will do."""

# What lists ask first is the present, newest change first.
Index("view_cases_by_time", cases.c.until_position, cases.c.from_position)
Index(
    "view_cases_by_enterprise",
    cases.c.enterprise,
    cases.c.from_position,
    sqlite_where=PRESENT,
    postgresql_where=PRESENT,
)

# Few rows, so that a start can ask at once whether all that cases are made under was loaded.
policies = Table(
    "view_policies",
    metadata,
    Column("policy", String(80), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
)

roles = Table(
    "view_roles",
    metadata,
    Column("person", String(60), primary_key=True),
    Column("role", String(20), primary_key=True),
    Column("from_position", BigInteger, primary_key=True, autoincrement=False),
    Column("until_position", BigInteger, nullable=False),
    Column("granted_by", String(60), nullable=False),
    Column("granted_on", Date, nullable=False),
)


def instant_text(instant: datetime) -> str:
    """An instant as it is kept: UTC in one fixed width, so that text sorts as time does in either database."""
    # Not strftime: its %Y writes the year 999 with three digits.
    return instant.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
