"""The base of all schemas: strict, and every fault told with a stable code and in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import marshmallow as ma

from ledger.errors import FieldError, Text


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one value, before it is known in which field it stands."""

    code: str
    text: Text


class Schema(ma.Schema):
    """Refuses what it does not know, by name."""

    error_messages: Any = {
        "unknown": Fault("unknown", Text("没有这一项，请检查拼写", "there is no such field; check the spelling")),
        "type": Fault("not-an-object", Text("应为JSON对象", "this should be a JSON object")),
    }

    class Meta:
        unknown = ma.RAISE


def field_errors(messages: Any, path: str = "") -> Iterator[FieldError]:
    """Marshmallow's tree of messages as one error for each field, with its path: ``evidence[0].key``."""
    match messages:
        case Fault(code, text):
            yield FieldError(path or "body", code, text)
        case dict():
            for name, below in messages.items():
                yield from field_errors(below, _below(path, name))
        case list():
            for message in messages:
                yield from field_errors(message, path)
        case _:
            # A message of the library's own, in English: every field of ours brings its own instead.
            yield FieldError(path or "body", "invalid", Text(f"有误：{messages}", str(messages)))


def _below(path: str, name: str | int) -> str:
    if name == "_schema":
        return path
    if isinstance(name, int):
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else name
