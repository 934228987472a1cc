"""What a store's schema is made of, named so that people find it in the database."""

from __future__ import annotations

from typing import Final, NamedTuple

from ledger.errors import Text

_KINDS: Final = {
    "table": Text("表", "table"),
    "view": Text("视图", "view"),
    "index": Text("索引", "index"),
    "trigger": Text("触发器", "trigger"),
    "function": Text("函数", "function"),
    "sequence": Text("序列", "sequence"),
    "constraint": Text("约束", "constraint"),
    "comment": Text("注释", "comment on"),
}


class SchemaObject(NamedTuple):
    """A part of a schema. ``kind`` is one of ``table``, ``view``, ``index``, ``trigger``, ``function``, ``sequence``,
    ``constraint``, ``comment``."""

    kind: str
    name: str

    @property
    def text(self) -> Text:
        kind = _KINDS[self.kind]
        return Text(f"{kind.zh} {self.name}", f"{kind.en} {self.name}")
