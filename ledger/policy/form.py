"""From the bytes of a policy file to its tables, entry by entry, so that one faulty entry does not hide another."""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from marshmallow import Schema, ValidationError

from ledger.errors import Text
from ledger.policy.citation import SUPPLEMENT
from ledger.policy.findings import Findings
from ledger.policy.schema import (
    SHAPES,
    TABLES,
    ArticleSchema,
    EvidenceSchema,
    HeaderSchema,
    LimitSchema,
    ReadingSchema,
    StageNameSchema,
)
from ledger.policy.values import Draft, no_table

Entry = dict[str, Any]

_ENTRY_SCHEMAS: Final[Mapping[str, type[Schema]]] = {
    "articles": ArticleSchema,
    "stages": StageNameSchema,
    "evidence": EvidenceSchema,
    "limits": LimitSchema,
    "readings": ReadingSchema,
}
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_ERROR_LINE: Final = re.compile(r"at line (\d+)")
_HEADER_LINE: Final = re.compile(r"\s*\[\[?[^\[\]=]+\]\]?\s*(#.*)?$")
_KEY_PART: Final = re.compile(r'"[^"]*"|[^".]+')
_ARTICLE_LINE: Final = re.compile(r'\s*"([^"]+)"\s*=')
_CLAUSE_LINE: Final = re.compile(r'\s*(?:article|clause)\s*=\s*"([^"]+)"')
_PHRASES: Final = {
    "Unknown field.": Text(zh="未知的键", en="unknown key"),
    "Missing data for required field.": Text(zh="缺少此项", en="missing"),
    "Not a valid list.": Text(
        zh="应为列表：写在 [ ] 中；表的列表写作 [[…]]", en="not a list: write [ … ], or [[…]] for tables"
    ),
    "Field may not be null.": Text(zh="不得为空", en="empty"),
}


class _Float(str):
    """How a TOML float looks to us: never a number."""


@dataclass(slots=True)
class Form:
    """The tables of a file whose form is right, entry by entry.

    ``named``: all names, the faulty entries' included. ``valued``: readings whose value something in the file takes.
    """

    header: Entry | None = None
    articles: dict[str, Entry] = field(default_factory=dict)
    stages: dict[str, Entry] = field(default_factory=dict)
    evidence: dict[str, Entry] = field(default_factory=dict)
    limits: dict[str, Entry] = field(default_factory=dict)
    rules: dict[str, Entry] = field(default_factory=dict)
    readings: dict[str, Entry] = field(default_factory=dict)
    named: dict[str, frozenset[str]] = field(default_factory=dict)
    valued: frozenset[str] = frozenset()

    @property
    def has_faulty_rules(self) -> bool:
        """Whether a rule could not be read, so that what rules use is not fully known."""
        return bool(self.named["rules"] - self.rules.keys())


def key_of(*parts: str | int) -> str:
    """The dotted key as the file writes it: ``rules."5.2".item_cap``, ``rules."19.1".tiers[1]``."""
    key = ""
    for part in parts:
        if isinstance(part, int):
            key += f"[{part}]"
        else:
            key += ("." if key else "") + (part if _BARE_KEY.fullmatch(part) else f'"{part}"')
    return key


def read_form(content: bytes, findings: Findings) -> Form:
    """The file's tables. Notes every fault of form; an entry with one is left out of its table."""
    raw = _parse(content, findings)
    form = Form()
    for table, value in raw.items():
        if table not in TABLES:
            findings.add(key_of(table), None, Text(zh="未知的键", en="unknown key"))
        elif not isinstance(value, dict):
            findings.add(key_of(table), None, Text(zh="应为表", en="not a table"))
    if not isinstance(raw.get("policy"), dict):
        findings.add("policy", SUPPLEMENT, Text(zh="缺少此项", en="missing"))
    else:
        form.header = _entry(("policy",), raw["policy"], HeaderSchema, findings)
    for table in TABLES[1:]:
        entries = raw.get(table)
        entries = entries if isinstance(entries, dict) else {}
        form.named[table] = frozenset(entries)
        getattr(form, table).update(_entries(table, entries, findings))
    form.valued = frozenset(draft.reading for draft in takers(form) if draft.reading is not None)
    return form


def takers(form: Form) -> Iterator[Draft[Any]]:
    """The values of a file that are left to a reading."""
    return _taken([form.header, form.evidence, form.limits, form.rules])


def _taken(entry: object) -> Iterator[Draft[Any]]:
    if isinstance(entry, Draft):
        if entry.value is None and entry.reading is not None:
            yield entry
    elif isinstance(entry, dict | list):
        for part in entry.values() if isinstance(entry, dict) else entry:
            yield from _taken(part)


def _parse(content: bytes, findings: Findings) -> dict[str, Any]:
    if content.startswith(codecs.BOM_UTF8):
        findings.add(
            "—",
            None,
            Text(
                zh="文件开头有字节顺序标记（BOM）；请另存为“UTF-8”，不要选“带BOM的UTF-8”",
                en="it begins with a byte-order mark (BOM); save it as “UTF-8”, not as “UTF-8 with BOM”",
            ),
        )
        findings.raise_any()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        findings.add("—", None, Text(zh="不是UTF-8编码", en=f"not UTF-8: {error}"))
        findings.raise_any()
        raise AssertionError("unreachable") from error
    try:
        return tomllib.loads(text, parse_float=_Float)
    except tomllib.TOMLDecodeError as error:
        key, clause = _place(text, str(error))
        findings.add(key, clause, Text(zh=f"TOML语法有误或键重复：{error}", en=f"not TOML, or a key twice: {error}"))
    findings.raise_any()
    raise AssertionError("unreachable")


def _place(text: str, error: str) -> tuple[str, str | None]:
    """The table in which a line of broken TOML stands, and the clause that the table carries out."""
    match = _ERROR_LINE.search(error)
    lines = text.splitlines()
    at = min(int(match[1]), len(lines)) if match else len(lines)
    headers = [n for n, line in enumerate(lines) if _HEADER_LINE.match(line)]
    above = [n for n in headers if n < at]
    if not above:
        return f"line {at}", None
    key = lines[above[-1]].strip().strip("[]")
    if key == "articles" and (number := _ARTICLE_LINE.match(lines[at - 1])):
        return key_of("articles", number[1]), number[1]
    if key == "policy":
        return key, SUPPLEMENT
    entry = ".".join(_KEY_PART.findall(key)[:2])
    for header in reversed(above):
        if lines[header].strip().strip("[]") == entry:
            end = next((n for n in headers if n > header), len(lines))
            clauses = (found[1] for line in lines[header:end] if (found := _CLAUSE_LINE.match(line)))
            return key, next(clauses, None)
    return key, None


def _entries(table: str, entries: Mapping[str, Any], findings: Findings) -> Iterator[tuple[str, Entry]]:
    for name, raw in entries.items():
        schema = _rule_schema(name, raw, findings) if table == "rules" else _ENTRY_SCHEMAS[table]
        if schema is None:
            continue
        if (entry := _entry((table, name), raw, schema, findings)) is not None:
            yield name, entry


def _rule_schema(name: str, raw: object, findings: Findings) -> type[Schema] | None:
    shape = raw.get("shape") if isinstance(raw, dict) else None
    if isinstance(shape, str) and shape in SHAPES:
        return SHAPES[shape]
    known = ", ".join(SHAPES)
    findings.add(
        key_of("rules", name, "shape"),
        _clause(("rules", name), raw),
        Text(zh=f"未知的规则形态{shape!r}，可用：{known}", en=f"unknown shape {shape!r}; the shapes are {known}"),
    )
    return None


def _entry(path: tuple[str, ...], raw: object, schema: type[Schema], findings: Findings) -> Entry | None:
    clause = _clause(path, raw)
    floats = list(_floats(path, raw))
    for at in floats:
        findings.add(
            key_of(*at), clause, Text(zh='不得使用浮点数；请写成文本，如 "40%"', en='a float; write text such as "40%"')
        )
    try:
        if not isinstance(raw, dict):
            raise no_table(schema, raw)
        entry: Entry = schema().load(raw)
    except ValidationError as error:
        for at, text in _told(path, error.messages):
            if not any(at == f[: len(at)] for f in floats):
                findings.add(key_of(*at), clause, text)
        return None
    return None if floats else entry


def _clause(path: tuple[str, ...], raw: object) -> str | None:
    """The clause an entry carries out: the one it names, an article's own number, 附则 for the head of the file."""
    if path == ("policy",):
        return SUPPLEMENT
    if path[0] == "articles":
        return path[1]
    named = (raw.get("article") or raw.get("clause")) if isinstance(raw, dict) else None
    return named if isinstance(named, str) else None


def _floats(path: tuple[str | int, ...], raw: object) -> Iterator[tuple[str | int, ...]]:
    if isinstance(raw, _Float):
        yield path
    elif isinstance(raw, dict):
        for name, value in raw.items():
            yield from _floats((*path, name), value)
    elif isinstance(raw, list):
        for position, value in enumerate(raw):
            yield from _floats((*path, position), value)


def _told(path: tuple[str | int, ...], messages: Any) -> Iterator[tuple[tuple[str | int, ...], Text]]:
    """marshmallow's nested messages, flattened to a key and a text each."""
    if isinstance(messages, dict):
        for name, inner in messages.items():
            yield from _told(path if name == "_schema" else (*path, name), inner)
    else:
        for message in messages if isinstance(messages, list) else [messages]:
            if isinstance(message, Text):
                yield path, message
            else:
                yield path, _PHRASES.get(str(message), Text(zh=str(message), en=str(message)))
