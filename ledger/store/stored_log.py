"""A store as a sealed log, to be checked, exported and proven from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol

from ledger.errors import Text
from ledger.seal.merkle import NodeReader
from ledger.seal.verification import Finding, SealedLog


class StoredLog(SealedLog, Protocol):
    """A sealed log that lies in a store, with the hashes that the store keeps of it."""

    @abstractmethod
    def nodes(self) -> NodeReader:
        """The stored hashes, for proofs and for the root at an earlier size."""
        ...


def not_indexed(position: int, type_name: str, tag: str) -> Finding:
    return Finding(
        position,
        "not-indexed",
        Text(
            f"索引中缺少标签{tag}：按该标签计算的限额或历史会遗漏此事件",
            f"the index misses its tag {tag}: a limit or history read by it leaves this event out",
        ),
        type_name,
    )


def not_carried(position: int, tag: str | None) -> Finding:
    """``tag`` is None where nobody can tell which it was, because the index holds hashes."""
    text = (
        Text("索引中有该事件没有的标签", "the index gives it a tag that it does not carry")
        if tag is None
        else Text(f"索引中有该事件没有的标签{tag}", f"the index gives it the tag {tag}, which it does not carry")
    )
    return Finding(position, "index-foreign", text)


def changed_schema(size: int, changed: Sequence[str]) -> list[Finding]:
    """What to say of objects that were changed, if any: about the whole log, since nobody knows when."""
    if not changed:
        return []
    names = ", ".join(changed)
    text = Text(
        f"账本的结构已被改动（{names}），防止修改的措施可能已失效",
        f"the schema of the store was changed ({names}): what keeps it append-only may be gone",
    )
    return [Finding(size, "schema-changed", text, through=size)]
