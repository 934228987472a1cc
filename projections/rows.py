"""Many rows with one statement, bound by the database's driver itself.

SQLAlchemy looks at every value of every row before it hands them on: a third of the time that it took to fill the views.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect, Insert, Update
from sqlalchemy.sql.compiler import SQLCompiler


def run_for_each(connection: Connection, statement: Insert | Update, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run a statement for each row: a value for each of its columns and parameters, by name."""
    compiled = _compiled(statement, connection.dialect)
    if (order := compiled.positiontup) is None:
        connection.exec_driver_sql(compiled.string, rows)
    else:
        connection.exec_driver_sql(compiled.string, list(map(itemgetter(*order), rows)))


@lru_cache(maxsize=32)
def _compiled(statement: Insert | Update, dialect: Dialect) -> SQLCompiler:
    compiled = statement.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler), "a statement on rows, not on tables"
    return compiled
