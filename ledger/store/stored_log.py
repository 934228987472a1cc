"""A store as a sealed log, to be checked, exported and proven from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Final, Protocol

from ledger.errors import Text
from ledger.seal.merkle import NodeReader
from ledger.seal.sealed_log import Finding, SealedLog
from ledger.store.schema_object import SchemaObject


class StoredLog(SealedLog, Protocol):
    """A sealed log that lies in a store, with the hashes that the store keeps of it."""

    @abstractmethod
    def nodes(self) -> NodeReader:
        """The stored hashes, for proofs and for the root at an earlier size."""
        ...

    @abstractmethod
    def head(self) -> int:
        """How many events there are now: others may have appended some since it was opened."""
        ...

    def leaves(self, first: int, last: int) -> list[tuple[int, bytes]]:
        """The events from one position to another: each position, and what its leaf is the hash of."""
        return [(row.position, row.leaf) for row in self.rows(first, last)]


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


def before_first(position: int, type_name: str) -> Finding:
    """Readers begin at position 1, and so does the tree; whoever asks an index by tag may meet it."""
    return Finding(
        position,
        "before-first",
        Text("账本自第1号起，此处不应有事件", "a log begins at position 1, and no event belongs here"),
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


def miscounted(entries: int, carried: int) -> Finding:
    """Where no entry can be named that makes the difference; about no event, since it may be about any."""
    return Finding(
        None,
        "index-differs",
        Text(
            f"索引有{entries}项，事件共有{carried}个标签，两者应当相等：按标签计算的限额或历史会遗漏或多计",
            f"the index has {entries} entries, the events carry {carried} tags, and these should be as many: limits and "
            "histories are read by tag, and may miss an event or count one that is none",
        ),
    )


def change_permitted(role: str, rights: str, table: str) -> Finding:
    """What the database lets a role do, and only its triggers refuse then."""
    return Finding(
        None,
        "rights",
        Text(
            f"角色 {role} 在表 {table} 上有 {rights} 权限：现在只有触发器阻止修改，请收回（REVOKE）",
            f"the role {role} holds {rights} on the table {table}, so that only triggers keep it from changing events; "
            "revoke it",
        ),
        schema_object=f"table {table}",
        harmless=True,
    )


def schema_findings(changed: Iterable[SchemaObject], foreign: Iterable[SchemaObject]) -> list[Finding]:
    """What to say of the objects that keep a store append-only and were changed, or that were added and touch them; and of
    ``foreign`` ones, which only lie beside ours. About no event, since nobody knows when."""
    return [
        *(_about(one, "schema-changed", *_CHANGED, harmless=False) for one in changed),
        *(_about(one, "schema-foreign", *_FOREIGN, harmless=True) for one in foreign),
    ]


_CHANGED: Final = (
    "缺失、被改动或不是本系统的：防止修改的措施可能已失效",
    "is missing, changed, or not ours: what keeps the store append-only may be gone",
)
_FOREIGN: Final = (
    "不是本系统的；它不触及账本的表，但账本的数据库中不应有别的东西",
    "is not ours; it does not touch the tables of the ledger, but nothing else belongs into its database",
)


def _about(one: SchemaObject, code: str, zh: str, en: str, *, harmless: bool) -> Finding:
    text = Text(f"{one.text.zh} {zh}", f"the {one.text.en} {en}")
    return Finding(None, code, text, schema_object=f"{one.kind} {one.name}", harmless=harmless)
