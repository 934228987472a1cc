"""Connections to a PostgreSQL store: how one is opened, who may use it, and what its errors mean to a caller."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeVar

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from ledger.errors import LedgerError, StoreFault, Text, Unavailable
from ledger.store import postgres_query, postgres_schema
from ledger.store.postgres_schema import Connection

T = TypeVar("T")

READERS_MAX: Final = 16
"""Reads at once in one process; more wait for their turn."""

LOCK_TIMEOUT_MIN_MS: Final = 500
"""Also for who would rather not wait at all: the server has locks of its own, as the one that every notifying commit on it
takes while it is flushed (in whichever database)."""

IDLE_WRITER_S: Final = 60
"""A process that stops in the middle of a decision, or whose machine is gone, is cut off after this; else its write lock
would hold up everybody until the network gives up, which can take hours."""

_DEFAULTS: Final[dict[str, Any]] = {
    "application_name": "funding-ledger",
    "connect_timeout": 10,
    # A firewall forgets a connection that says nothing; a machine that is gone never says so.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}

_SETTINGS: Final = """
SET client_encoding = 'UTF8'; SET search_path = ''; SET default_transaction_read_only = off;
-- Only our few statements run here, and each has one right plan: through the indexes. A plan by statistics can turn into a
-- scan of all events on the day they are out of date; compiling one takes longer than running it.
SET plan_cache_mode = force_generic_plan; SET jit = off; SET max_parallel_workers_per_gather = 0;
SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off
"""


class Address:
    """Where the database is: a libpq address, checked, with what is safe to show of it. Raises :class:`StoreFault`."""

    def __init__(self, url: str, lock_timeout_s: int) -> None:
        self.lock_timeout_s = lock_timeout_s
        stated = _read_address(url)
        self._parameters = _DEFAULTS | {key: value for key, value in stated.items() if value is not None}
        if "," in str(stated.get("host") or ""):
            # After a failover, of several servers only one may be written to.
            self._parameters.setdefault("target_session_attrs", "read-write")
        # Never the password: this is shown to staff and written to logs.
        place = stated.get("host") or stated.get("hostaddr") or ""
        self.name = f"{stated.get('dbname') or stated.get('user') or ''}@{place}".rstrip("@")

    def connect(self) -> Connection:
        """A new connection with the settings that everything here relies on, whatever the role or the server has."""
        connection: Connection = psycopg.Connection.connect(autocommit=True, prepare_threshold=None, **self._parameters)
        try:
            lock_timeout = f"SET lock_timeout = '{max(LOCK_TIMEOUT_MIN_MS, self.lock_timeout_s * 1000)}ms'"
            connection.execute(f"{_SETTINGS}; {lock_timeout}", prepare=False)
        except BaseException:
            connection.close()
            raise
        return connection


def _read_address(url: str) -> Mapping[str, Any]:
    """What is refused is told without what libpq says of it, which may be the password."""
    with suppress(psycopg.ProgrammingError):
        stated = conninfo_to_dict(url)
        # Of a password with this sign, what follows it is taken for the host.
        if not any("@" in host.removeprefix("@") for host in str(stated.get("host") or "").split(",")):
            return stated
    raise StoreFault(
        Text(
            zh="数据库地址无法识别；请按 postgresql://用户:密码@主机/数据库 填写，密码中的 @ : / % 写作 %40 %3A %2F %25。",
            en="The address of the database cannot be read. It has the form postgresql://USER:PASSWORD@HOST/DATABASE; in a "
            "password, @ : / % are written %40 %3A %2F %25.",
        )
    )


def open_writer(address: Address) -> tuple[Connection, str]:
    """The connection for writing, and the server's timeline; an empty database becomes a store.

    Raises :class:`StoreFault` for a server or a database that must not be used, and what psycopg raises.
    """
    connection = address.connect()
    try:
        timeline = postgres_schema.require_server(connection, address.name)
        postgres_schema.settle(connection, address.name)
        # Pinned, so that nobody turns it off under a running service. No statement may be cancelled by the clock: one
        # that waits in COMMIT for a standby would be answered as durable.
        connection.execute(
            "SELECT set_config('synchronous_commit', current_setting('synchronous_commit'), false); "
            f"SET statement_timeout = 0; SET idle_in_transaction_session_timeout = '{IDLE_WRITER_S}s'; "
            + postgres_query.PREPARE,
            prepare=False,
        )
    except BaseException:
        connection.close()
        raise
    return connection, timeline


def settle_doubts(connection: Connection) -> list[str]:
    """Wait until all that was ever committed is as lasting as a commit of ours. Returns what :func:`warnings_of` does.

    A commit that was cut off while it waited for a standby can be seen although no standby may have it. Standbys get the
    log in order: one that has this record has all before it.
    """
    with warnings_of(connection) as warnings:
        connection.execute("SELECT pg_logical_emit_message(true, 'funding-ledger', '')", prepare=False)
    return warnings


@contextmanager
def warnings_of(connection: Connection) -> Iterator[list[str]]:
    """The server's warnings within the block. A commit with one is not known to be durable: that is how the server says
    that it stopped waiting for a synchronous standby; the commit itself is then answered as a success."""
    warnings: list[str] = []

    def note(said: errors.Diagnostic) -> None:
        if said.severity_nonlocalized == "WARNING":
            warnings.append(said.message_primary or "")

    connection.add_notice_handler(note)
    try:
        yield warnings
    finally:
        connection.remove_notice_handler(note)


class Readers:
    """Connections for reading, each lent to one thread at a time; as many as there were reads at once.

    psycopg's pool learns only by failing that the server was started anew, once for each connection that it holds, and
    then connects in the background while the reader waits. Here the first to meet a lost connection drops the others that
    are idle, and asks again on a new one: reading again does no harm.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._idle: list[Connection] = []
        self._lent = 0
        self._closed = False
        self._changed = threading.Condition()

    def ask(self, question: Callable[[Connection], T]) -> T:
        """What ``question`` finds with a connection. Errors of PostgreSQL leave as errors of the ledger."""
        connection = self._borrow()
        try:
            with explaining(self._address.name):
                if connection is not None:
                    try:
                        return question(connection)
                    except psycopg.Error as error:
                        if not is_lost(error):
                            raise
                        self._drop_idle()
                connection = self._address.connect()
                return question(connection)
        finally:
            self._give_back(connection)

    def close(self) -> None:
        """Let reads under way finish, then close every connection."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: self._lent == 0)
        self._drop_idle()

    def _borrow(self) -> Connection | None:
        """An idle connection, or None for leave to open one."""
        with self._changed:
            if not self._changed.wait_for(
                lambda: self._closed or self._lent < READERS_MAX, self._address.lock_timeout_s
            ):
                raise busy(self._address.name)
            if self._closed:
                raise closed(self._address.name)
            self._lent += 1
            return self._idle.pop() if self._idle else None

    def _give_back(self, connection: Connection | None) -> None:
        if connection is not None and connection.info.transaction_status is not TransactionStatus.IDLE:
            connection.close()
        with self._changed:
            self._lent -= 1
            if connection is not None and not connection.closed:
                self._idle.append(connection)
            self._changed.notify_all()

    def _drop_idle(self) -> None:
        with self._changed:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


@contextmanager
def explaining(name: str) -> Iterator[None]:
    """Errors of psycopg leave as errors of the ledger. Not for a commit: see :func:`unknown`."""
    try:
        yield
    except psycopg.Error as error:
        raise explained(error, name) from error


def is_lost(error: psycopg.Error) -> bool:
    """Whether the connection is gone, or nobody can tell, rather than a statement refused by a server that lives."""
    state = error.sqlstate or ""
    # 57P01 to 57P05: the server shuts down or ends the session; 25P03: it was idle in a transaction for too long.
    return isinstance(error, psycopg.OperationalError) and (
        not state or state[:2] == "08" or state[:4] in ("57P0", "25P0")
    )


_REFUSED: Final = re.compile(
    r"failed: (?:\w+: {2}(?P<told>.+)|(?P<unmet>fe_sendauth: .+|server does not support SSL.+))"
)
"""libpq tells what a server answered to who connects as ``FATAL:  role "x" does not exist``, the first word in the server's
language; what failed on the way it tells in other forms. Nothing but the text is handed on, no SQLSTATE."""


def refusal_of(error: psycopg.Error) -> str | None:
    """What a server that does answer said when it would not let us in; None where it is another error."""
    if not isinstance(error, psycopg.OperationalError) or error.sqlstate is not None:
        return None
    found = _REFUSED.search(str(error))
    return None if found is None else (found["told"] or found["unmet"]).strip()


def refused(name: str, told: str) -> Text:
    return Text(
        zh=f"数据库 {name} 的服务器有应答，但拒绝连接：{told}。"
        "请核对 LEDGER_DATABASE_URL 中的数据库、角色与密码（以及服务器的 pg_hba.conf）。",
        en=f"The server of the database {name} answers, and refuses the connection: {told}. Check the database, the role "
        "and the password in LEDGER_DATABASE_URL (and pg_hba.conf on the server).",
    )


def closed(name: str) -> Unavailable:
    return Unavailable(
        Text(
            zh=f"账本 {name} 已关闭；服务恢复后请用同一幂等键重试。",
            en=f"The store {name} is closed. Repeat with the same key when the service is back.",
        )
    )


def busy(name: str) -> Unavailable:
    return Unavailable(
        Text(
            zh=f"账本 {name} 正忙，未作任何记录；请用同一幂等键重试。",
            en=f"Others kept the store {name} locked for too long. Nothing was recorded: repeat with the same key.",
        )
    )


def unknown(error: BaseException, name: str) -> Unavailable:
    """For a connection that was lost after COMMIT was sent: it may have been carried out or not."""
    return Unavailable(
        Text(
            zh=f"提交时与账本 {name} 的连接中断（{_first_line(error)}），结果未知；请用同一幂等键重试。",
            en=f"The connection to the store {name} was lost during the commit ({_first_line(error)}), and it is not known "
            "whether anything was recorded. Repeat with the same key.",
        )
    )


def doubtful(warnings: Sequence[str], name: str) -> Unavailable:
    """For a commit that the server warned about: it is carried out, but perhaps not on every disk that it belongs on."""
    return Unavailable(
        Text(
            zh=f"提交时账本 {name} 的服务器发出警告（{'；'.join(warnings)}），结果未知；请用同一幂等键重试。",
            en=f"The server of the store {name} warned during the commit ({'; '.join(warnings)}), and it is not known "
            "whether what was recorded will last. Repeat with the same key.",
        )
    )


def taken_over(name: str) -> Unavailable:
    return Unavailable(
        Text(
            zh=f"账本 {name} 已切换到另一台服务器或已恢复到较早的状态，未作任何记录；请用同一幂等键重试。",
            en=f"Another server has taken over the store {name}, or it was put back to an earlier state. "
            "Nothing was recorded: repeat with the same key.",
        )
    )


_NOT_NOW: Final = (
    "25",  # the transaction met an error before, or this server has become a replica
    "53",  # out of disk, memory or connections
    "54",
    "55",  # locked, or not in the state for it
    "57",  # cancelled, or shutting down
    "40",  # deadlock, serialisation failure
    "58",  # an error of the system below: I/O
    "23505",  # another writer, one that takes no lock, came first with this position
)


def explained(error: psycopg.Error, name: str) -> LedgerError:
    """What an error of PostgreSQL means to whoever asked for the read or the write.

    A transaction that met one is rolled back, so nothing is ever half-written.
    """
    if isinstance(error, errors.LockNotAvailable | errors.DeadlockDetected):
        return busy(name)
    if isinstance(error, errors.InsufficientPrivilege):
        return StoreFault(
            Text(
                zh=f"当前角色无权使用账本 {name}（{_first_line(error)}）；请由所有者授权后重试（见 docs/runbook.md）。",
                en=f"This role may not use the store {name} ({_first_line(error)}). Nothing was recorded: let the owner "
                "of the tables grant it its rights (docs/runbook.md).",
            )
        )
    if (told := refusal_of(error)) is not None:
        return Unavailable(
            Text(
                zh=f"{refused(name, told).zh}未作任何记录；服务器正在启动或繁忙时，请稍后用同一幂等键重试。",
                en=f"{refused(name, told).en} Nothing was recorded; if the server is starting or busy, repeat with the same "
                "key later.",
            )
        )
    if is_lost(error) or (error.sqlstate or "").startswith(_NOT_NOW):
        return Unavailable(
            Text(
                zh=f"账本 {name} 暂不可用（{_first_line(error)}），未作任何记录；请用同一幂等键重试。",
                en=f"The store {name} did not answer ({_first_line(error)}). Nothing was recorded: "
                "repeat with the same key.",
            )
        )
    return StoreFault(
        Text(
            zh=f"账本 {name} 出现故障（{_first_line(error)}），未作任何记录；请停用服务，检查数据库，并从备份恢复。",
            en=f"The store {name} is damaged or was changed from outside ({_first_line(error)}). Nothing was recorded: "
            "stop the service, check the database, and restore the store from a backup.",
        )
    )


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
