"""Where the data lie: in files of the data folder, and the facts instead in the PostgreSQL database that the environment
names."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Final

from ledger.errors import StoreFault, Text

FACTS: Final = "facts.sqlite"
CREDENTIALS: Final = "credentials.sqlite"

DATABASE_VARIABLE: Final = "LEDGER_DATABASE_URL"
"""The PostgreSQL database that holds the facts in production. A variable and no option: it may hold a password, and what
is typed at a command line is seen by everyone on the machine."""


def database_url() -> str | None:
    """The database that the environment names; None where the facts lie in the data folder."""
    return os.environ.get(DATABASE_VARIABLE, "").strip() or None


def require_driver() -> None:
    """Raises :class:`~ledger.errors.StoreFault` where the driver for PostgreSQL is not installed: it is an extra."""
    if find_spec("psycopg") is None:
        raise StoreFault(
            Text(
                "账本指定了PostgreSQL数据库，但未安装其驱动；请执行 pip install 'funding-ledger[postgres]'",
                "the ledger is to lie in PostgreSQL, but its driver is missing: pip install 'funding-ledger[postgres]'",
            )
        )
