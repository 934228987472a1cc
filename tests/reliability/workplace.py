"""Where reliability tests keep their stores: in memory where the machine has such a folder.

No test here relies on a real disk: power failures are taken from a record, and ``kill -9`` loses nothing that the kernel
has.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")


@contextmanager
def workplace(name: str) -> Iterator[Path]:
    """A new folder, removed at the end."""
    place = MEMORY if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=place))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
