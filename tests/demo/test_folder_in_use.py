"""A demo's files are not replaced under a server that runs on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.occupancy import FolderInUse, occupy, require_unoccupied
from ledger.errors import StoreFault


def test_a_folder_is_in_use_while_any_of_its_services_is_open(tmp_path: Path) -> None:
    first, second = occupy(tmp_path), occupy(tmp_path)
    first.close()
    with pytest.raises(FolderInUse):
        require_unoccupied(tmp_path)
    second.close()
    require_unoccupied(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreFault, match="file/data"):
        occupy(tmp_path / "file" / "data")
