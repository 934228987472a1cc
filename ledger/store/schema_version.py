"""A store whose tables another version of the program made: it is refused before anything is changed in it."""

from __future__ import annotations

from ledger.errors import StoreFault, Text


def other_version(kind: Text, name: str, found: int, used: int) -> StoreFault:
    """For the store ``name``, a file or a database, in which version ``found`` lies where this program uses ``used``."""
    if found > used:
        advice = Text("请升级本程序", "It was written by a newer program: upgrade this one.")
    else:
        advice = Text("请从备份恢复", "No release wrote that version: restore the store from a backup.")
    return StoreFault(
        Text(
            zh=f"{kind.zh} {name} 的账本结构版本为 {found}，本程序只能使用版本 {used}；{advice.zh}。",
            en=f"The store in the {kind.en} {name} has schema version {found}; this program uses version {used}. "
            f"{advice.en} Nothing was changed in it.",
        )
    )
