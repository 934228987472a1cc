"""Opening the service: whole, or not at all."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from sqlalchemy.exc import SQLAlchemyError

from api import service
from api.database import CREDENTIALS
from api.service import VIEWS, open_service
from ledger.errors import StoreFault


def files_open_in(folder: Path) -> set[str]:
    targets = (os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if fd.isdigit() and alive(fd))
    return {Path(target).name for target in targets if target.startswith(str(folder))}


def alive(fd: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{fd}")


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="asks Linux which files are open")
def test_credentials_that_cannot_be_opened_leave_the_stores_open(tmp_path: Path) -> None:
    (tmp_path / CREDENTIALS).write_bytes(b"no database at all, " * 500)
    with pytest.raises(StoreFault):
        open_service(tmp_path)
    gc.collect()
    assert files_open_in(tmp_path) <= {CREDENTIALS}


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="asks Linux which files are open")
def test_views_that_cannot_be_opened_leave_the_facts_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[bool] = []
    made = service._store_factory

    def watched(*arguments: object) -> object:
        factory = made(*arguments)
        close = factory.close

        def closing() -> None:
            closed.append(True)
            close()

        monkeypatch.setattr(factory, "close", closing, raising=False)
        return factory

    monkeypatch.setattr(service, "_store_factory", watched)
    (tmp_path / VIEWS).mkdir()
    with pytest.raises((SQLAlchemyError, OSError)):
        open_service(tmp_path)
    assert closed == [True]
