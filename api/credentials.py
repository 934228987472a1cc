"""Who somebody is: password hashes, tokens and failed logins. What a person may do is a fact and stands in the ledger.

A store of its own, because it can be corrected and erased. Passwords are kept as argon2id hashes, tokens as SHA-256: who
reads this file can sign in as nobody. No other SQLite library opens it, so Python's own may.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from ledger.calendar import Clock
from ledger.counted import counted
from ledger.errors import LedgerError, StoreFault, Text, Unavailable
from ledger.people import person_name

TOKEN_LIFETIME_SECONDS: Final = 8 * 3600
"""One working day: nobody signs in twice between breakfast and dusk, and a token left behind is dead by morning."""
FAILURES_MOST: Final = 5
"""Of one user name from one address. Not of the name alone: else anybody could lock out anybody."""
ADDRESS_FAILURES_MOST: Final = 100
"""From one address, whatever the names: an office behind one address mistypes less in a quarter of an hour."""
FAILURE_WINDOW_SECONDS: Final = 15 * 60
HASHINGS_MOST: Final = 4
"""At the same time: each takes 64 MiB and some tens of milliseconds of several cores."""
HASHING_WAIT_SECONDS: Final = 2.0
PASSWORD_LENGTH_MAX: Final = 200
"""Longer ones would let a stranger buy much hashing with one request."""

_LOCK_TIMEOUT_SECONDS: Final = 5
_SCHEMA_VERSION: Final = 2
_CLOSED: Final = ""
"""In place of a password's hash. The name stays taken: facts carry it, and must not become another person's."""
_SCHEMA: Final = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tokens (
    sha256 BLOB PRIMARY KEY, username TEXT NOT NULL, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tokens_by_user ON tokens (username);
CREATE INDEX IF NOT EXISTS tokens_by_expiry ON tokens (expires_at);
DROP TABLE IF EXISTS failures;
CREATE TABLE failures (address TEXT NOT NULL, username TEXT NOT NULL, failed_at INTEGER NOT NULL) STRICT;
CREATE INDEX failures_by_address ON failures (address, username, failed_at);
PRAGMA user_version = {_SCHEMA_VERSION};
COMMIT;
"""


class UserExists(LedgerError):
    """The user name is taken."""

    code = "user-exists"


class TooManyAttempts(LedgerError):
    """Too many failed logins from one address; ``retry_after_seconds`` until the next may be tried."""

    code = "too-many-attempts"

    def __init__(self, retry_after_seconds: int) -> None:
        minutes = -(-retry_after_seconds // 60)
        super().__init__(
            Text(
                f"登录失败次数过多，请{minutes}分钟后再试",
                f"too many failed logins; try again in {counted(minutes, 'minute')}",
            )
        )
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is handed out, once. ``expires_at`` is UTC."""

    token: str
    expires_at: datetime


class Credentials:
    """Users, tokens and failed logins in the file ``path``. Safe for many threads and processes.

    Raises :class:`~ledger.errors.StoreFault` for a file of another kind or of a newer release, and
    :class:`~ledger.errors.Unavailable` from every method when the store does not answer in time.

    Wherever a ``username`` is taken it may be typed in any way that :func:`~ledger.people.person_name` understands.
    """

    def __init__(self, path: Path, clock: Clock, hasher: PasswordHasher | None = None) -> None:
        self._clock = clock
        self._hasher = hasher or PasswordHasher()
        # One connection, one user at a time: every statement here takes microseconds. Hashing is done outside.
        self._turn = threading.Lock()
        self._hashings = threading.BoundedSemaphore(HASHINGS_MOST)
        self._connection = _open(path)

    def close(self) -> None:
        with self._turn:
            self._connection.close()

    def add_user(self, username: str, password: str) -> None:
        """Raises ``ValueError`` for a name or password that cannot be one, :class:`UserExists` for a name ever used."""
        name, hashed = person_name(username), self._hash(password)
        with self._transaction() as connection:
            added = connection.execute("INSERT INTO users VALUES (?, ?) ON CONFLICT DO NOTHING", (name, hashed))
            if not added.rowcount:
                raise UserExists(Text(f"用户{name}已存在或曾经存在", f"there is a user {name} already, or was one"))

    def has_user(self, username: str) -> bool:
        """Whether somebody can sign in by that name: it was added, and is not closed."""
        return bool(self._password_hash(username))

    def users(self) -> list[str]:
        """All who can sign in, by name."""
        try:
            with self._turn:
                found = self._connection.execute(
                    "SELECT username FROM users WHERE password_hash <> ? ORDER BY username", (_CLOSED,)
                )
                return [str(name) for (name,) in found]
        except sqlite3.Error as error:
            raise _unavailable(error) from error

    def knows(self, username: str) -> bool:
        """Whether the name was ever added, closed or not."""
        return self._password_hash(username) is not None

    def set_password(self, username: str, password: str) -> None:
        """Also ends the user's tokens, forgives failed logins, and opens a closed user again.

        Raises ``ValueError`` where there is no such user.
        """
        self._put_hash(username, self._hash(password))

    def close_user(self, username: str) -> None:
        """End the user's tokens and sign-in. Raises ``ValueError`` where there is no such user."""
        self._put_hash(username, _CLOSED)

    def verify(self, username: str, password: str, *, address: str) -> bool:
        """Whether the password is the user's. Takes as long for a user that does not exist or is closed.

        ``address`` is the caller's. Raises :class:`TooManyAttempts` after ``FAILURES_MOST`` failures of that name from
        there, or ``ADDRESS_FAILURES_MOST`` of any, within ``FAILURE_WINDOW_SECONDS``; and ``Unavailable`` where so many
        others are being verified that it would wait too long.
        """
        name, origin = _name_or_none(username) or "", _origin(address)
        with self._hashing():
            self._count_attempt(name, origin)
            stored = self._password_hash(name)
            if not self._matches(stored or self._decoy_hash, password) or not stored:
                return False
            rehashed = self._hasher.hash(password) if self._hasher.check_needs_rehash(stored) else stored
        with self._transaction() as connection:
            connection.execute("DELETE FROM failures WHERE address = ? AND username = ?", (origin, name))
            # Only over the hash that was checked: a password may have been changed meanwhile.
            connection.execute(
                "UPDATE users SET password_hash = ? WHERE username = ? AND password_hash = ?",
                (rehashed, name, stored),
            )
        return True

    def issue_token(self, username: str) -> Token:
        """A new token for a user who was verified; expired ones are removed."""
        token, now = secrets.token_urlsafe(32), self._now()
        expires_at = now + TOKEN_LIFETIME_SECONDS
        with self._transaction() as connection:
            connection.execute("DELETE FROM tokens WHERE expires_at <= ?", (now,))
            connection.execute(
                "INSERT INTO tokens VALUES (?, ?, ?)", (_sha256(token), person_name(username), expires_at)
            )
        return Token(token, datetime.fromtimestamp(expires_at, UTC))

    def person_of(self, token: str) -> str | None:
        """The user a token was issued to; None for one that is unknown or has expired."""
        row = self._one("SELECT username FROM tokens WHERE sha256 = ? AND expires_at > ?", _sha256(token), self._now())
        return None if row is None else str(row[0])

    def check(self) -> None:
        """Raise :class:`~ledger.errors.Unavailable` where the store cannot be read."""
        self._one("SELECT count(*) FROM sqlite_schema")

    @cached_property
    def _decoy_hash(self) -> str:
        """What the password of a user that does not exist is compared with."""
        return self._hasher.hash(secrets.token_urlsafe(32))

    def _hash(self, password: str) -> str:
        if not 0 < len(password) <= PASSWORD_LENGTH_MAX:
            raise ValueError(f"a password has 1 to {PASSWORD_LENGTH_MAX} characters")
        return self._hasher.hash(password)

    def _matches(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password[: PASSWORD_LENGTH_MAX + 1])
        except VerifyMismatchError:
            return False

    @contextmanager
    def _hashing(self) -> Iterator[None]:
        """A turn at hashing. Anybody may ask for one without signing in, so there are few at a time."""
        self._decoy_hash  # noqa: B018  made before the first attempt, known user or not: its time tells nothing
        if not self._hashings.acquire(timeout=HASHING_WAIT_SECONDS):
            raise Unavailable(Text("登录请求过多，请稍后重试", "too many are signing in at the moment; try again soon"))
        try:
            yield
        finally:
            self._hashings.release()

    def _count_attempt(self, name: str, origin: str) -> None:
        """Counts the attempt as failed before it is decided, so that many at once cannot pass together."""
        now = self._now()
        bounds = (
            (FAILURES_MOST, "address = ? AND username = ?", (origin, name)),
            (ADDRESS_FAILURES_MOST, "address = ?", (origin,)),
        )
        with self._transaction() as connection:
            connection.execute("DELETE FROM failures WHERE failed_at <= ?", (now - FAILURE_WINDOW_SECONDS,))
            for most, condition, bindings in bounds:
                count, oldest = connection.execute(
                    f"SELECT count(*), min(failed_at) FROM failures WHERE {condition}", bindings
                ).fetchone()
                if count >= most:
                    raise TooManyAttempts(max(1, oldest + FAILURE_WINDOW_SECONDS - now))
            connection.execute("INSERT INTO failures VALUES (?, ?, ?)", (origin, name, now))

    def _put_hash(self, username: str, hashed: str) -> None:
        name = _name_or_none(username)
        with self._transaction() as connection:
            changed = connection.execute("UPDATE users SET password_hash = ? WHERE username = ?", (hashed, name))
            if not changed.rowcount:
                raise ValueError(f"there is no user {username!r}")
            connection.execute("DELETE FROM tokens WHERE username = ?", (name,))
            connection.execute("DELETE FROM failures WHERE username = ?", (name,))

    def _password_hash(self, username: str) -> str | None:
        """None for a user that never was; ``_CLOSED`` for one that is closed."""
        row = self._one("SELECT password_hash FROM users WHERE username = ?", _name_or_none(username))
        return None if row is None else str(row[0])

    def _one(self, sql: str, *bindings: object) -> tuple[object, ...] | None:
        try:
            with self._turn:
                row: tuple[object, ...] | None = self._connection.execute(sql, bindings).fetchone()
                return row
        except sqlite3.Error as error:
            raise _unavailable(error) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._turn:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                with self._connection:
                    yield self._connection
            except sqlite3.Error as error:
                raise _unavailable(error) from error

    def _now(self) -> int:
        return int(self._clock().timestamp())


def anybody_signs_in(path: Path) -> bool:
    """Whether the credentials in this file let anybody sign in. Looks without making the file; False where it is none."""
    if not path.is_file():
        return False
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT 1 FROM users WHERE password_hash <> ?", (_CLOSED,)).fetchone() is not None
    except sqlite3.Error:
        return False


def _open(path: Path) -> sqlite3.Connection:
    try:
        # Made before SQLite would, so that nobody else may read it, not even for a moment.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(path, timeout=_LOCK_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False)
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > _SCHEMA_VERSION:
            raise StoreFault(
                Text(
                    f"{path}由更新的版本写成（结构{version}），请升级后再启动",
                    f"{path} was written by a newer release (schema {version}); upgrade before you start",
                )
            )
        if version < _SCHEMA_VERSION:
            connection.executescript(_SCHEMA)
    except (OSError, sqlite3.Error) as error:
        raise StoreFault(
            Text(f"登录凭据库{path}无法打开：{error}", f"cannot open the credentials {path}: {error}")
        ) from error
    return connection


def _name_or_none(username: str) -> str | None:
    try:
        return person_name(username)
    except ValueError:
        return None


def _origin(address: str) -> str:
    """What failures are counted by: an IPv4 address, or the network of an IPv6 address, of which one caller has many."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((int(parsed), 64), strict=False))


def _sha256(token: str) -> bytes:
    # Tokens are 256 random bits: nothing to guess, so a fast hash is enough, and a slow one would be paid per request.
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _unavailable(error: sqlite3.Error) -> Unavailable:
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return Unavailable(
            Text(
                "登录凭据库所在的磁盘已满，未作任何改动；请清理磁盘空间后重试",
                "the disk that holds the credentials is full, and nothing was changed; free some space, then try again",
            )
        )
    return Unavailable(
        Text("登录凭据库暂时无法访问，请稍后重试", "the credentials store does not answer; try again soon")
    )
