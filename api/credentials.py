"""Who somebody is: password hashes, tokens and failed logins. What a person may do is a fact and stands in the ledger.

A store of its own, because it can be corrected and erased. Passwords are kept as argon2id hashes, tokens as SHA-256: who
reads this file can sign in as nobody. No other SQLite library opens it, so Python's own may.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from ledger.calendar import Clock
from ledger.errors import LedgerError, StoreFault, Text, Unavailable
from ledger.roles import SYSTEM

TOKEN_LIFETIME_SECONDS: Final = 8 * 3600
"""One working day: nobody signs in twice between breakfast and dusk, and a token left behind is dead by morning."""
FAILURES_MOST: Final = 5
FAILURE_WINDOW_SECONDS: Final = 15 * 60
USERNAME_LENGTH_MAX: Final = 60
PASSWORD_LENGTH_MAX: Final = 200
"""Longer ones would let a stranger buy much hashing with one request."""

_LOCK_TIMEOUT_SECONDS: Final = 5
_SCHEMA_VERSION: Final = 1
# No slash: the ledger joins a user name and an idempotency key with one, and two pairs must not become one.
_USERNAME = re.compile(rf"[\w.@-]{{1,{USERNAME_LENGTH_MAX}}}")
_SCHEMA: Final = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tokens (
    sha256 BLOB PRIMARY KEY, username TEXT NOT NULL, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tokens_by_user ON tokens (username);
CREATE INDEX IF NOT EXISTS tokens_by_expiry ON tokens (expires_at);
CREATE TABLE IF NOT EXISTS failures (username TEXT NOT NULL, failed_at INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS failures_by_user ON failures (username, failed_at);
PRAGMA user_version = {_SCHEMA_VERSION};
COMMIT;
"""


class UserExists(LedgerError):
    """The user name is taken."""

    code = "user-exists"


class TooManyAttempts(LedgerError):
    """Too many failed logins of one user name; ``retry_after_seconds`` until the next may be tried."""

    code = "too-many-attempts"

    def __init__(self, retry_after_seconds: int) -> None:
        minutes = -(-retry_after_seconds // 60)
        super().__init__(
            Text(
                f"登录失败次数过多，请{minutes}分钟后再试",
                f"too many failed logins; try again in {minutes} minutes",
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
    """

    def __init__(self, path: Path, clock: Clock, hasher: PasswordHasher | None = None) -> None:
        self._clock = clock
        self._hasher = hasher or PasswordHasher()
        # One connection, one user at a time: every statement here takes microseconds. Hashing is done outside.
        self._turn = threading.Lock()
        self._connection = _open(path)

    def close(self) -> None:
        with self._turn:
            self._connection.close()

    def add_user(self, username: str, password: str) -> None:
        """Raises ``ValueError`` for a name or password that cannot be one, :class:`UserExists` for a name in use."""
        _check_username(username)
        hashed = self._hash(password)
        with self._transaction() as connection:
            added = connection.execute("INSERT INTO users VALUES (?, ?) ON CONFLICT DO NOTHING", (username, hashed))
            if not added.rowcount:
                raise UserExists(Text(f"用户{username}已存在", f"there is a user {username} already"))

    def has_user(self, username: str) -> bool:
        return self._password_hash(username) is not None

    def set_password(self, username: str, password: str) -> None:
        """Also ends the user's tokens and forgives failed logins. Raises ``ValueError`` where there is no such user."""
        hashed = self._hash(password)
        with self._transaction() as connection:
            changed = connection.execute("UPDATE users SET password_hash = ? WHERE username = ?", (hashed, username))
            if not changed.rowcount:
                raise ValueError(f"there is no user {username!r}")
            connection.execute("DELETE FROM tokens WHERE username = ?", (username,))
            connection.execute("DELETE FROM failures WHERE username = ?", (username,))

    def verify(self, username: str, password: str) -> bool:
        """Whether the password is the user's. Takes as long for a user that does not exist.

        Raises :class:`TooManyAttempts` after ``FAILURES_MOST`` failures within ``FAILURE_WINDOW_SECONDS``.
        """
        self._count_attempt(username)
        stored = self._password_hash(username)
        if not self._matches(stored or self._decoy_hash, password) or stored is None:
            return False
        rehashed = self._hasher.hash(password) if self._hasher.check_needs_rehash(stored) else stored
        with self._transaction() as connection:
            connection.execute("DELETE FROM failures WHERE username = ?", (username,))
            # Only over the hash that was checked: a password may have been changed meanwhile.
            connection.execute(
                "UPDATE users SET password_hash = ? WHERE username = ? AND password_hash = ?",
                (rehashed, username, stored),
            )
        return True

    def issue_token(self, username: str) -> Token:
        """A new token for a user who was verified; expired ones are removed."""
        token, now = secrets.token_urlsafe(32), self._now()
        expires_at = now + TOKEN_LIFETIME_SECONDS
        with self._transaction() as connection:
            connection.execute("DELETE FROM tokens WHERE expires_at <= ?", (now,))
            connection.execute("INSERT INTO tokens VALUES (?, ?, ?)", (_sha256(token), username, expires_at))
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

    def _count_attempt(self, username: str) -> None:
        """Counts the attempt as failed before it is decided, so that many at once cannot pass together."""
        self._decoy_hash  # noqa: B018  made before the first attempt, known user or not: its time tells nothing
        now = self._now()
        with self._transaction() as connection:
            connection.execute("DELETE FROM failures WHERE failed_at <= ?", (now - FAILURE_WINDOW_SECONDS,))
            count, oldest = connection.execute(
                "SELECT count(*), min(failed_at) FROM failures WHERE username = ?", (username,)
            ).fetchone()
            if count >= FAILURES_MOST:
                raise TooManyAttempts(max(1, oldest + FAILURE_WINDOW_SECONDS - now))
            connection.execute("INSERT INTO failures VALUES (?, ?)", (username, now))

    def _password_hash(self, username: str) -> str | None:
        row = self._one("SELECT password_hash FROM users WHERE username = ?", username)
        return None if row is None else str(row[0])

    def _one(self, sql: str, *bindings: object) -> tuple[object, ...] | None:
        try:
            with self._turn:
                row: tuple[object, ...] | None = self._connection.execute(sql, bindings).fetchone()
                return row
        except sqlite3.Error as error:
            raise _unavailable() from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._turn:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                with self._connection:
                    yield self._connection
            except sqlite3.Error as error:
                raise _unavailable() from error

    def _now(self) -> int:
        return int(self._clock().timestamp())


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


def _check_username(username: str) -> None:
    if _USERNAME.fullmatch(username) is None:
        raise ValueError(f"a user name is 1 to {USERNAME_LENGTH_MAX} letters, digits or . _ @ -: {username!r}")
    if username == SYSTEM:
        # The door takes this name for the machine's own operator, who may grant roles without holding one.
        raise ValueError(f"{SYSTEM!r} is no person's name")


def _sha256(token: str) -> bytes:
    # Tokens are 256 random bits: nothing to guess, so a fast hash is enough, and a slow one would be paid per request.
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _unavailable() -> Unavailable:
    return Unavailable(
        Text("登录凭据库暂时无法访问，请稍后重试", "the credentials store does not answer; try again soon")
    )
