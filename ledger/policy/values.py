"""How single values are written in a policy file, and the fields that read them, each with its citation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, Final, Generic, TypeVar

from marshmallow import Schema, ValidationError, fields

from ledger.errors import Text, Unreadable
from ledger.money import parse_policy_amount

T = TypeVar("T")
Parse = Callable[[object], T]

_LENGTH: Final = re.compile(r"([1-9][0-9]?)(年|个月)", re.ASCII)
_POLICY_ID: Final = re.compile(r"[a-z][a-z0-9-]*", re.ASCII)
_DAYS: Final = re.compile(r"([1-9][0-9]{0,3})日", re.ASCII)
_NONE: Final = "none"
_YEARS: Final = range(1949, 2200)
_CODE: Final = re.compile(r"[a-z]+(-[a-z]+)*", re.ASCII)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_MONTHS_PER: Final = {"年": 12, "个月": 1}
_MONTHS_MOST: Final = 240
"""Twenty years: as long as a lease may be at most (民法典第七百零五条), and longer than any such policy or window."""
_DAYS_MOST: Final = 731
"""Two years: a longer time is told in months or years."""


def parse_months(value: object) -> int:
    """``3年`` → 36, ``18个月`` → 18; at most ``20年``. Raises ``ValueError`` for anything else."""
    if not isinstance(value, str) or (match := _LENGTH.fullmatch(value)) is None:
        raise Unreadable(
            f"应为3年、36个月这样的期限，不能是{value!r}", f"not a length such as 3年 or 36个月: {value!r}"
        )
    months = int(match[1]) * _MONTHS_PER[match[2]]
    if months > _MONTHS_MOST:
        raise Unreadable(
            f"期限最长{_MONTHS_MOST // 12}年，不能是{value!r}",
            f"a length is at most {_MONTHS_MOST // 12} years, not {value!r}",
        )
    return months


def parse_days(value: object) -> int:
    """``90日`` → 90; at most ``731日``. Raises ``ValueError`` for anything else."""
    if not isinstance(value, str) or (match := _DAYS.fullmatch(value)) is None:
        raise Unreadable(f"应为90日这样的天数，不能是{value!r}", f"not a number of days such as 90日: {value!r}")
    if (days := int(match[1])) > _DAYS_MOST:
        raise Unreadable(
            f"天数最多{_DAYS_MOST}日（两年），不能是{value!r}",
            f"a number of days is at most {_DAYS_MOST}, two years: {value!r}",
        )
    return days


def parse_day(value: object) -> date:
    """``2022-08-01``. Years are counted on from a policy's days: a slip of the pen must not run out of the calendar."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        with suppress(ValueError):
            day = date.fromisoformat(value)
            if day.year in _YEARS:
                return day
    raise Unreadable(
        f"应为加引号的、存在的日期，如2022-08-01，年份在{_YEARS[0]}至{_YEARS[-1]}之间，不能是{value!r}",
        f"not a date that exists, such as 2022-08-01 in quotes, of the years {_YEARS[0]} to {_YEARS[-1]}: {value!r}",
    )


def parse_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Unreadable(f"应为true或false，不能是{value!r}", f"not true or false: {value!r}")
    return value


def meaning(**words: T) -> Parse[T]:
    """Reads one of some words, written with hyphens, as what it means."""
    meant = {name.replace("_", "-"): what for name, what in words.items()}

    def parse(value: object) -> T:
        if not isinstance(value, str) or value not in meant:
            raise _not_one_of(meant, value)
        return meant[value]

    return parse


parse_rounding: Final = meaning(yuan=100, fen=1)


E = TypeVar("E", bound=Enum)


def one_of(kind: type[E]) -> Parse[E]:
    """Reads a member of an enumeration by its value."""

    def parse(value: object) -> E:
        try:
            return kind(value)
        except ValueError as error:
            raise _not_one_of([str(member.value) for member in kind], value) from error

    return parse


def some_of(kind: type[E]) -> Parse[frozenset[E]]:
    """Reads ``withdrawal, duplicate`` as those members of an enumeration; ``none`` as no member."""
    parse_one = one_of(kind)

    def parse(value: object) -> frozenset[E]:
        if not isinstance(value, str):
            raise Unreadable(f"应为以逗号分隔的词，不能是{value!r}", f"not a list in words: {value!r}")
        names = [] if value == _NONE else [name.strip() for name in value.split(",")]
        if len(set(names)) < len(names):
            raise Unreadable(f"重复：{value!r}", f"named twice: {value!r}")
        return frozenset(parse_one(name) for name in names)

    return parse


def _not_one_of(known: Iterable[str], value: object) -> Unreadable:
    names = ", ".join(known)
    return Unreadable(f"应为其中之一：{names}，不能是{value!r}", f"not one of {names}: {value!r}")


def told(error: ValueError) -> Text:
    """What a parser had to say, in both languages."""
    return error.text if isinstance(error, Unreadable) else Text(zh=str(error), en=str(error))


@dataclass(frozen=True, slots=True)
class Draft(Generic[T]):
    """A cited value. ``value`` is None where it is left to the reading; ``written`` is how the file writes it. ``beside``:
    the table's other keys.
    """

    parse: Parse[T]
    value: T | None
    cite: str | None
    reading: str | None
    beside: Mapping[str, str]
    written: object = None


def fault(zh: str, en: str) -> ValidationError:
    return ValidationError([Text(zh=zh, en=en)])


class CitedField(fields.Field[Draft[Any]]):
    """``{ value, cite, reading }`` with ``value`` read by ``parse``, plus the text keys named in ``beside``."""

    def __init__(self, parse: Parse[Any], *, beside: tuple[str, ...] = (), required: bool = False) -> None:
        super().__init__(required=required)
        self.parse = parse
        self.beside = beside

    def _deserialize(self, value: object, *_: Any, **__: Any) -> Draft[Any]:
        if not isinstance(value, dict):
            raise fault(
                f'{value!r}没有出处；请写成 {{ value = …, cite = "条" }}',
                f'{value!r} is uncited; write {{ value = …, cite = "article" }}',
            )
        cite, reading = value.get("cite"), value.get("reading")
        self._check_keys(value)
        if cite is None and reading is None:
            raise fault("没有出处：缺少 cite 或 reading", "uncited: neither cite nor reading is given")
        if "value" not in value and reading is None:
            raise fault("缺少 value", "value is missing")
        read = None
        if "value" in value:
            try:
                read = self.parse(value["value"])
            except ValueError as error:
                raise fault(f"无法识别：{told(error).zh}", told(error).en) from error
        return Draft(self.parse, read, cite, reading, {name: value[name] for name in self.beside}, value.get("value"))

    def _check_keys(self, value: Mapping[str, object]) -> None:
        known = {"value", "cite", "reading", *self.beside}
        if unknown := [name for name in value if name not in known]:
            names = ", ".join(unknown)
            raise fault(f"未知的键：{names}", f"unknown key: {names}")
        if missing := [name for name in self.beside if name not in value]:
            names = ", ".join(missing)
            raise fault(f"缺少：{names}", f"missing: {names}")
        for name in ("cite", "reading", *self.beside):
            if not isinstance(value.get(name, "text"), str):
                raise fault(f"{name}应为文本", f"{name} is not text")


class Parsed(fields.Field[Any]):
    """A plain value read by ``parse``."""

    def __init__(self, parse: Parse[Any], *, required: bool = True) -> None:
        super().__init__(required=required)
        self.parse = parse

    def _deserialize(self, value: object, *_: Any, **__: Any) -> Any:
        try:
            return self.parse(value)
        except ValueError as error:
            raise fault(f"无法识别：{told(error).zh}", told(error).en) from error


def parse_word(value: object) -> str:
    """Text that says something."""
    if not isinstance(value, str) or not value.strip():
        raise Unreadable(f"应为文本，不能是{value!r}", f"not text: {value!r}")
    return value


def parse_whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Unreadable(f"应为不小于0的整数，不能是{value!r}", f"not a whole number: {value!r}")
    return value


def parse_version(value: object) -> int:
    """The number of a version: the first is 1."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise Unreadable(f"应为不小于1的整数，不能是{value!r}", f"not a whole number from 1 on: {value!r}")
    return value


def parse_policy_id(value: object) -> str:
    """A policy's id, which also names its folder."""
    if not isinstance(value, str) or _POLICY_ID.fullmatch(value) is None:
        raise Unreadable(
            f"只能用小写字母、数字和连字符，以字母开头，如qinghe-meddev-2025，不能是{value!r}",
            f"not lower-case letters, digits and hyphens that begin with a letter, such as qinghe-meddev-2025: {value!r}",
        )
    return value


def parse_code(value: object) -> str:
    """What programs know a refusal by."""
    if not isinstance(value, str) or _CODE.fullmatch(value) is None:
        raise Unreadable(
            f"只能用小写字母和连字符，如equity-relation，不能是{value!r}",
            f"not lower-case letters and hyphens, such as equity-relation: {value!r}",
        )
    return value


def parse_ceiling(value: object) -> int:
    """A cap or a ceiling, in fen. One of nothing would refuse every claim, and is a slip."""
    amount_fen = parse_policy_amount(value)
    if amount_fen == 0:
        raise Unreadable(f"上限须大于零，不能是{value!r}", f"a cap or ceiling must be above zero: {value!r}")
    return amount_fen


def parse_bonus(value: object) -> int:
    """What a ceiling is raised by, in fen. A raise by nothing raises nothing, and is a slip."""
    amount_fen = parse_policy_amount(value)
    if amount_fen == 0:
        raise Unreadable(f"提高的金额须大于零，不能是{value!r}", f"a raise of a ceiling must be above zero: {value!r}")
    return amount_fen


def parse_least(value: object) -> int:
    """The count that a tier begins at. One from 0 would fund who has done nothing, and is a slip."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise Unreadable(
            f"档次的起点应为不小于1的整数，不能是{value!r}", f"a tier begins at a whole number from 1 on: {value!r}"
        )
    return value


def parse_toml_date(value: object) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise Unreadable(f"应为不加引号的日期，不能是{value!r}", f"not a date: {value!r}")
    return value


def parse_default(value: object) -> int | bool:
    if not isinstance(value, int):
        raise Unreadable(f"应为整数、true或false，不能是{value!r}", f"not a whole number, true or false: {value!r}")
    return value


def word(*, required: bool = True) -> Parsed:
    return Parsed(parse_word, required=required)


def no_table(form: type[Schema] | Schema, value: object) -> ValidationError:
    """``value`` stands where a table belongs: tells which keys the table has, those that it must have first."""
    keys = (form() if isinstance(form, type) else form).fields
    needed = ", ".join(f"{name} = …" for name, key in keys.items() if key.required)
    more = [name for name, key in keys.items() if not key.required]
    zh_more = f"（还可写{'、'.join(more)}）" if more else ""
    en_more = f" (it may also have {', '.join(more)})" if more else ""
    return fault(f"应为表 {{ {needed} }}{zh_more}，不能是{value!r}", f"not a table {{ {needed} }}{en_more}: {value!r}")


class Table(fields.Nested):
    """A table of one form."""

    def _deserialize(self, value: object, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise no_table(self.schema, value)
        return super()._deserialize(value, *args, **kwargs)


class Named(fields.Field[dict[str, Any]]):
    """A table of entries with names of their own, each of one form."""

    def __init__(self, entry: type[Schema] | Parse[Any], *, required: bool = True) -> None:
        super().__init__(required=required)
        self.entry = entry

    def _deserialize(self, value: object, *_: Any, **__: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise fault("应为表", "not a table")
        read: dict[str, Any] = {}
        errors: dict[str, Any] = {}
        for name, entry in value.items():
            try:
                read[name] = self._entry(entry)
            except ValidationError as error:
                errors[name] = error.messages
            except ValueError as error:
                errors[name] = [Text(zh=f"无法识别：{told(error).zh}", en=told(error).en)]
        if errors:
            raise ValidationError(errors)
        return read

    def _entry(self, value: object) -> Any:
        if not isinstance(self.entry, type):
            return self.entry(value)
        if not isinstance(value, dict):
            raise no_table(self.entry, value)
        return self.entry().load(value)


def words(*, required: bool = True) -> fields.List[str]:
    return fields.List(word(), required=required)
