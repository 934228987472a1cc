"""The built-in policy with a fault, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.errors import PolicyFault
from ledger.policy import BUILT_IN, read_policy

GOOD = (BUILT_IN / "shenzhen-meddev-2022" / "1.toml").read_text(encoding="utf-8")


def broken(tmp_path: Path, *changes: tuple[str, str]) -> str:
    """The message for a good file with some text replaced, each exactly where it occurs first."""
    text = GOOD
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = tmp_path / "broken.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyFault) as fault:
        read_policy(path)
    assert len(fault.value.text.zh.splitlines()) == len(fault.value.text.en.splitlines())
    return fault.value.text.en
