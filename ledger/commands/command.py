"""The shape of a command, and what it may ask of the facts while it decides."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Protocol

import msgspec

from ledger.casefile import STATE_NAMES, CaseFile, CaseState
from ledger.errors import FieldError, Malformed, OutOfOrder, Text
from ledger.events import Event
from ledger.policy.model import Interpretation, Pin, Policy
from ledger.roles import Role
from ledger.rules import Standing
from ledger.scopes import REGISTER_LENGTH_MAX, register_key

REFERENCE_LENGTH_MAX = 120
REASON_LENGTH_MAX = 2000


class Facts(Protocol):
    """What has been recorded, as far as one decision asks. Whatever is asked becomes part of its boundary."""

    today: date
    effective_on: date

    def case(self, number: str) -> CaseFile:
        """Raises :class:`~ledger.errors.NotFound` where there is no such case."""
        ...

    def new_case_number(self) -> str: ...

    def policy(self, policy_id: str, version: int | None = None) -> Policy:
        """A version as read on the day of decision: where none is named the newest in force, or else that was.

        Raises :class:`~ledger.errors.UnknownName`, or a :class:`~ledger.errors.Refusal` where none has begun.
        """
        ...

    def other_policies(self, policy_id: str, stage: str) -> Iterable[Policy]:
        """Every version of every other policy that funds a stage of this name, as read on the day of decision."""
        ...

    def read_with(self, policy: Policy, decided: Interpretation) -> Policy:
        """The policy as read with one more interpretation, on the day from which that counts.

        Raises :class:`~ledger.errors.Unreadable` where it cannot take the value, :class:`~ledger.errors.PolicyFault` where
        that would make it unsound, then or on a later day.
        """
        ...

    def pinned_policy(self, pin: Pin | None) -> Policy:
        """The very text an application was made under."""
        ...

    def policy_as_approved(self, case: CaseFile) -> Policy:
        """The text of an award as it was read when it was approved, whatever was decided about it since."""
        ...

    def standing(self) -> Standing: ...

    def roles_of(self, person: str) -> frozenset[Role]:
        """The roles a person holds now."""
        ...


@dataclass(frozen=True, slots=True)
class Decision:
    """What a command decided: one fact, and the policy text that it rests on."""

    event: Event
    policy: Pin | None = None


class Command(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all commands. What is not said is left out of a request's digest, so that it stays the same when a later
    release lets one say more. ``roles`` may give it; a refusal of one that ``asks_for_money`` is recorded as a fact.

    ``effective_on`` is the business date (today where none is given), ``reference`` the document behind the fact,
    ``reason`` the words that explain it.
    """

    name: ClassVar[str]
    roles: ClassVar[frozenset[Role]]
    asks_for_money: ClassVar[bool] = False

    effective_on: date | None = None
    reference: str | None = None
    reason: str | None = None

    def field_errors(self, today: date) -> Iterator[FieldError]:
        """What is wrong with the command taken by itself, whatever the facts."""
        if self.effective_on is not None and self.effective_on > today:
            yield FieldError(
                "effective_on",
                "in-the-future",
                Text(
                    f"业务日期{self.effective_on}晚于今天{today}，请填写已经发生的日期",
                    f"{self.effective_on} is after today, {today}; give a date that has come",
                ),
            )
        yield from text_errors("reference", self.reference, REFERENCE_LENGTH_MAX)
        yield from text_errors("reason", self.reason, REASON_LENGTH_MAX, lines=True)

    def reason_errors(self, ask: Text) -> Iterator[FieldError]:
        """Whether a reason is given where there must be one; ``ask`` tells what it should say."""
        if self.reason is None or not self.reason.strip():
            yield FieldError("reason", "missing", ask)

    @property
    def about(self) -> tuple[str | None, str | None]:
        """The case and the enterprise a refusal should be filed under, as far as the command names them."""
        return getattr(self, "case", None), getattr(self, "enterprise", None)

    @property
    def asked_fen(self) -> int | None:
        return getattr(self, "amount_fen", None)

    def decide(self, facts: Facts) -> Decision:
        """The fact to record, or a :class:`~ledger.errors.Refusal`. Pure: asks ``facts`` and nothing else."""
        raise AssertionError(f"{type(self).__name__} decides nothing")


def text_errors(
    field: str, value: str | None, length_max: int, *, required: bool = False, lines: bool = False
) -> Iterator[FieldError]:
    """Whether a text is there where it must be, short enough, and free of what nobody sees; ``lines``: may have several."""
    if value is None or not value.strip():
        if required:
            yield FieldError(field, "missing", Text("必填", "required"))
        elif value is not None:
            yield FieldError(field, "blank", Text("不能只有空格", "must not be blank"))
    elif len(value) > length_max:
        yield FieldError(field, "too-long", Text(f"最多{length_max}个字符", f"at most {length_max} characters"))
    elif not value.isprintable() and any(map(_invisible, value.replace("\n", "") if lines else value)):
        yield FieldError(field, "control-character", Text("含有不可见的控制字符", "contains a control character"))


def _invisible(character: str) -> bool:
    """Control characters, and those that change the order or the look of others without being seen themselves."""
    return not character.isprintable() and unicodedata.category(character) != "Zs"


def register_errors(field: str, number: str) -> Iterator[FieldError]:
    """Whether a number can stand in a register that gives out each number once."""
    if not number.strip():
        yield FieldError(field, "missing", Text("必填", "required"))
        return
    try:
        register_key(number)
    except ValueError:
        yield FieldError(
            field,
            "invalid-number",
            Text(
                f"最多{REGISTER_LENGTH_MAX}个可见字符",
                f"at most {REGISTER_LENGTH_MAX} printable characters",
            ),
        )


def amount_errors(amount_fen: int, field: str = "amount") -> Iterator[FieldError]:
    """Whether a sum of money that is asked for is positive."""
    if amount_fen <= 0:
        yield FieldError(field, "not-positive", Text("金额必须大于零", "the amount must be above zero"))


def required(field: str) -> Malformed:
    return Malformed([FieldError(field, "missing", Text("必填", "required"))])


def require_state(case: CaseFile, allowed: Sequence[CaseState], step: Text) -> None:
    """Raise :class:`OutOfOrder` unless the case stands where ``step`` may follow."""
    if case.state not in allowed:
        here, before = STATE_NAMES[case.state], [STATE_NAMES[state] for state in allowed]
        raise OutOfOrder(
            "step-out-of-order",
            Text(
                f"案卷{case.number}当前为“{here.zh}”，不能{step.zh}；须处于：{'、'.join(t.zh for t in before)}",
                f"case {case.number} is “{here.en}”, so one cannot {step.en}; "
                f"it must be: {', '.join(t.en for t in before)}",
            ),
        )
