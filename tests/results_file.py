"""A file that a long run will write its rows into: asked about before the run, not after it."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from pathlib import Path


def results_file(name: str) -> Path:
    """The type of such an argument of a command line. Raises ``ArgumentTypeError`` for a place that cannot be written."""
    path = Path(name)
    if path.is_dir():
        raise ArgumentTypeError(f"{name} is a folder; name a file")
    if not path.absolute().parent.is_dir():
        raise ArgumentTypeError(f"there is no folder {path.parent} to write {path.name} into; create it first")
    if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise ArgumentTypeError(f"{name} cannot be written")
    return path
