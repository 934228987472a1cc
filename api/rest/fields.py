"""The kinds of value that the API takes and gives, each strict and documented where it is defined."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Final

import marshmallow as ma
from marshmallow import fields

from api.rest.schema import Fault
from ledger.errors import Text
from ledger.money import format_yuan, parse_yuan
from ledger.uscc import parse_uscc

YEAR_FIRST: Final = 2000
YEAR_LAST: Final = 2100
INTEGER_MOST: Final = 2**53 - 1
"""The largest whole number that every JSON reader holds exactly (RFC 8259, section 6)."""
SOUGHT_LENGTH_MAX: Final = 200
"""The longest text in any column that is searched has 120 characters."""

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's categories of controls, of format marks, halves of surrogate pairs, and separators of lines."""
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
# In a query string a plus sign means a blank; people forget to write %2B.
_BLANK_FOR_PLUS = re.compile(r"(?<=[0-9]) (?=[0-9]{2}:?[0-9]{2}$)", re.ASCII)
_INTEGER = re.compile(r"-?[0-9]{1,16}", re.ASCII)


class _Field(fields.Field[Any]):
    default_error_messages: Any = {
        "required": Fault("missing", Text("必填", "required")),
        "null": Fault("missing", Text("不能为空", "must not be null")),
    }


def _invalid(code: str, zh: str, en: str) -> ma.ValidationError:
    return ma.ValidationError([Fault(code, Text(zh, en))])


class Money(_Field):
    """Yuan as a string with exactly two decimals; fen inside."""

    def __init__(self, *, signed: bool = False, **kwargs: Any) -> None:
        sign = "-?" if signed else ""
        kwargs.setdefault("metadata", {})
        kwargs["metadata"] = {
            "description": "元，两位小数 / yuan, exactly two decimals",
            "pattern": rf"^{sign}(0|[1-9][0-9]{{0,15}})\.[0-9]{{2}}$",
            "examples": ["3000000.00"],
            **kwargs["metadata"],
        }
        super().__init__(**kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else format_yuan(value)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        try:
            return parse_yuan(value)
        except ValueError as error:
            raise _invalid(
                "invalid-money",
                '请写成以元为单位、两位小数的文本，如 "3000000.00"',
                'write yuan with exactly two decimals as text, like "3000000.00"',
            ) from error


class Words(_Field):
    """Text. How long it may be is said by the ledger, which is asked for every command."""

    def __init__(self, *, length_max: int | None = None, **kwargs: Any) -> None:
        if length_max is not None:
            kwargs["metadata"] = {"maxLength": length_max, **kwargs.get("metadata", {})}
        super().__init__(**kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else str(value)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise _invalid("invalid-text", "应为文本", "this should be text")
        return value


class Sought(Words):
    """Words that something is looked for by: short, and of characters that can be seen.

    Bounded here because the database is asked, not the ledger: a pattern beyond its bounds is an error there, and text
    with a zero byte in it ends at that byte.
    """

    def __init__(self, *, length_max: int = SOUGHT_LENGTH_MAX, **kwargs: Any) -> None:
        self._length_max = length_max
        super().__init__(length_max=length_max, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        words = super()._deserialize(value, attr, data, **kwargs)
        if len(words) > self._length_max:
            raise _invalid("too-long", f"不超过{self._length_max}个字符", f"at most {self._length_max} characters")
        if any(unicodedata.category(character) in _UNSEEN for character in words):
            raise _invalid("control-character", "不能含控制字符", "must not hold control characters")
        return words


class Code(Words):
    """A 统一社会信用代码, in its compact form."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["metadata"] = {
            "description": "统一社会信用代码 / unified social credit code (GB 32100-2015)",
            "examples": ["91440300MA5FX3K72N"],
            **kwargs.get("metadata", {}),
        }
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        try:
            return parse_uscc(value)
        except ValueError as error:
            raise _invalid(
                "invalid-uscc",
                "不是有效的统一社会信用代码（18位，含校验码），请对照营业执照核对",
                "not a valid unified social credit code (“统一社会信用代码”: 18 characters with a check character); "
                "compare it with the licence",
            ) from error


class Choice(Words):
    """One word of a closed list."""

    def __init__(self, choices: Iterable[StrEnum], **kwargs: Any) -> None:
        self._choices = [choice.value for choice in choices]
        # A document that allows null lists it too.
        listed = [*self._choices, *([None] if kwargs.get("allow_none") else [])]
        kwargs["metadata"] = {"enum": listed, **kwargs.get("metadata", {})}
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        word = super()._deserialize(value, attr, data, **kwargs)
        if word not in self._choices:
            known = ", ".join(self._choices)
            raise _invalid("unknown", f"须为：{known}", f"must be one of: {known}")
        return word


class Whole(_Field):
    """A whole number. ``text`` for query strings, where all values are text."""

    def __init__(self, *, least: int = 0, most: int = INTEGER_MOST, text: bool = False, **kwargs: Any) -> None:
        self._least, self._most, self._text = least, most, text
        kwargs["metadata"] = {"minimum": least, "maximum": most, **kwargs.get("metadata", {})}
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if self._text and isinstance(value, str) and _INTEGER.fullmatch(value):
            value = int(value)
        # True is an int in Python, and 1.0 equals 1: neither is a whole number as a person writes it.
        if type(value) is not int or not self._least <= value <= self._most:
            raise _invalid(
                "invalid-number",
                f"应为{self._least}至{self._most}的整数",
                f"this should be a whole number from {self._least} to {self._most}",
            )
        return value


class Flag(_Field):
    """True or false. ``text`` for query strings, where all values are text."""

    def __init__(self, *, text: bool = False, **kwargs: Any) -> None:
        self._text = text
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if self._text and value in ("true", "false"):
            return bool(value == "true")
        if not isinstance(value, bool):
            raise _invalid("invalid-flag", "应为true或false", "this should be true or false")
        return value


class Year(Whole):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(least=YEAR_FIRST, most=YEAR_LAST, **kwargs)


class Day(_Field):
    """A date, ISO 8601."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.isoformat()

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        try:
            if not isinstance(value, str) or _DATE.fullmatch(value) is None:
                raise ValueError(value)
            day = date.fromisoformat(value)
        except ValueError as error:
            raise _invalid(
                "invalid-date", "请写成存在的日期，如 2026-01-31", "write a date that exists, like 2026-01-31"
            ) from error
        if not YEAR_FIRST <= day.year <= YEAR_LAST:
            raise _invalid(
                "invalid-date",
                f"日期应在{YEAR_FIRST}-01-01至{YEAR_LAST}-12-31之间",
                f"give a date from {YEAR_FIRST}-01-01 to {YEAR_LAST}-12-31",
            )
        return day


class Instant(_Field):
    """An instant with its offset, ISO 8601; UTC inside."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["metadata"] = {"examples": ["2026-11-21T09:30:00+08:00"], **kwargs.get("metadata", {})}
        super().__init__(**kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.isoformat()

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        try:
            if not isinstance(value, str) or _DATE.match(value) is None or "T" not in value.upper():
                raise ValueError(value)
            instant = datetime.fromisoformat(_BLANK_FOR_PLUS.sub("+", value))
            if instant.tzinfo is None:
                raise ValueError(value)
            return instant.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise _invalid(
                "invalid-instant",
                "请写成带时区的时刻，如 2026-11-21T09:30:00+08:00",
                "write an instant with its offset, like 2026-11-21T09:30:00+08:00",
            ) from error


class Particulars(_Field):
    """What a claim states, by name. Which names a rule knows, and how each is written, is the ledger's to say."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["metadata"] = {
            "description": "申报要素，按规则而定 / the particulars that the rule asks for, see /policies/{id}",
            "additionalProperties": {"type": ["string", "integer", "boolean"]},
            "examples": [{"rd_cost": "16000000.00", "special_approval": True}],
            **kwargs.get("metadata", {}),
        }
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise _invalid("not-an-object", "应为JSON对象", "this should be a JSON object")
        if faults := {name: fault for name, held in value.items() if (fault := _particular_fault(held))}:
            raise ma.ValidationError(faults)
        return value


def _particular_fault(value: object) -> list[Fault]:
    """What could not even be compared with an earlier request: nested values, and numbers beyond every use."""
    if isinstance(value, str | bool) or (isinstance(value, int | float) and abs(value) <= INTEGER_MOST):
        return []
    if isinstance(value, int):
        told = Text(
            f"整数应在-{INTEGER_MOST}至{INTEGER_MOST}之间",
            f"this should be a whole number from -{INTEGER_MOST} to {INTEGER_MOST}",
        )
        return [Fault("invalid", told)]
    return [Fault("invalid", Text("应为文本、整数或true/false", "this should be text, a whole number, true or false"))]


class Nested(fields.Nested):
    """An object of a schema of its own."""

    default_error_messages: Any = {"type": Fault("not-an-object", Text("应为JSON对象", "this should be a JSON object"))}


class Many(fields.List[Any]):
    """A list; in a query a parameter that may be repeated."""

    default_error_messages: Any = {
        "invalid": Fault("not-a-list", Text("应为JSON数组", "this should be a JSON array")),
        "null": Fault("missing", Text("不能为空", "must not be null")),
    }


class Payload(_Field):
    """For answers: what an event says, as it was recorded."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["metadata"] = {
            "description": "as recorded; amounts are integer fen in members named *_fen",
            **kwargs.get("metadata", {}),
        }
        super().__init__(**kwargs)
