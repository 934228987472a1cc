"""The folder of a demo: made once, reused after that, and never mistaken for the folder of real facts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from argon2 import PasswordHasher

from api.credentials import Credentials
from api.database import CREDENTIALS, FACTS
from api.demo.script import FIRST_DAY, play
from api.demo.staff import PASSWORD, STAFF
from api.demo.timeline import Timeline
from api.occupancy import LOCK, make_folder, require_unoccupied
from api.service import VIEWS, open_service
from ledger.errors import LedgerError, Text
from ledger.seal.kept import CHECKPOINT, CHECKPOINT_LOCK, PUBLIC_KEYS, SIGNING_KEY

MARKER: Final = "demo.json"
SEED: Final = 20220510
_FILES: Final = (FACTS, VIEWS, CREDENTIALS, CHECKPOINT, CHECKPOINT_LOCK, SIGNING_KEY, PUBLIC_KEYS, LOCK)
_SUFFIXES: Final = ("", "-wal", "-shm", "-journal")


class NotADemo(LedgerError):
    """The folder holds something else; nothing in it was touched."""

    code = "not-a-demo"


@dataclass(frozen=True, slots=True)
class Demo:
    """A folder with demo data. ``shown`` are case numbers worth a look, by what they show; ``is_new`` if made just now."""

    folder: Path
    shown: dict[str, str]
    is_new: bool


def prepare_demo(folder: Path, *, fresh: bool, tell: Callable[[Text], None] = lambda text: None) -> Demo:
    """The demo in ``folder``: as it stands, or made now where the folder is empty, unfinished or to be ``fresh``.

    Raises :class:`NotADemo` for a folder that holds anything else.
    """
    marker = folder / MARKER
    if marker.is_file():
        content = json.loads(marker.read_text(encoding="utf-8"))
        if content["complete"] and not fresh:
            return Demo(folder, content["shown"], is_new=False)
        _clear(folder)
    elif folder.exists() and any(folder.iterdir()):
        raise NotADemo(
            Text(
                f"目录{folder}里已有其他数据，且不是演示数据，未作改动。请用 --data 另选一个目录。",
                f"{folder} holds data that is not a demo's; nothing was touched. Choose another folder with --data.",
            )
        )
    make_folder(folder)
    tell(Text(f"正在{folder}生成演示数据……", f"making demo data in {folder} …"))
    shown = _make(folder)
    return Demo(folder, shown, is_new=True)


def _make(folder: Path) -> dict[str, str]:
    """The marker comes first, so that a demo that was interrupted is still known as one."""
    _mark(folder, complete=False, shown={})
    timeline = Timeline(FIRST_DAY, Random(SEED))
    with open_service(folder, clock=timeline.clock, entropy=Random(SEED + 1).randbytes) as service:
        shown = play(service.ledger, timeline, Random(SEED + 2))
        service.views.catch_up()
    _add_users(folder, timeline)
    _mark(folder, complete=True, shown=shown)
    return shown


def _add_users(folder: Path, timeline: Timeline) -> None:
    # A password that everybody is told needs no costly hash; signing in replaces it by one of the usual strength.
    hasher = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
    credentials = Credentials(folder / CREDENTIALS, timeline.clock, hasher)
    try:
        for username in STAFF:
            credentials.add_user(username, PASSWORD)
    finally:
        credentials.close()


def _mark(folder: Path, *, complete: bool, shown: dict[str, str]) -> None:
    content = {"made_by": "funding-ledger demo", "complete": complete, "shown": shown}
    (folder / MARKER).write_text(json.dumps(content, ensure_ascii=False, indent=2), encoding="utf-8")


def _clear(folder: Path) -> None:
    """Remove what a demo made, and nothing else; the marker last. Raises :class:`~api.occupancy.FolderInUse`."""
    require_unoccupied(folder)
    for name in _FILES:
        for suffix in _SUFFIXES:
            (folder / f"{name}{suffix}").unlink(missing_ok=True)
    (folder / MARKER).unlink()
