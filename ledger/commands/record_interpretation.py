"""口径解释: the competent office decides how an open question of a policy is read from a day on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar, Final

from ledger.calendar import Window, add_days
from ledger.commands.command import Command, Decision, Facts, text_errors
from ledger.errors import FieldError, Malformed, PolicyFault, Refusal, Text, Unreadable
from ledger.events import InterpretationRecorded
from ledger.policy.model import Interpretation, Policy, Reading
from ledger.roles import Role

VALUE_LENGTH_MAX: Final = 200
DECIDED_BY_LENGTH_MAX: Final = 120


class RecordInterpretation(Command, frozen=True, kw_only=True):
    """``reading`` takes ``value`` for decisions from ``effective_from`` on, which is never in the past: what was decided
    stays as it was read then. ``reference`` is the document, ``reason`` the ground, ``decided_by`` the deciding office.

    A reading whose value no code takes and nobody goes by can only be confirmed as it is. ``version`` is the newest in force
    where none is given; applications under an older version keep reading that one.
    """

    name: ClassVar[str] = "record-interpretation"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.APPROVER})

    policy: str
    reading: str
    value: str
    decided_by: str
    effective_from: date
    version: int | None = None

    def field_errors(self, today: date) -> Iterator[FieldError]:
        yield from super().field_errors(today)
        yield from text_errors("value", self.value, VALUE_LENGTH_MAX, required=True)
        yield from text_errors("decided_by", self.decided_by, DECIDED_BY_LENGTH_MAX, required=True)
        if self.reference is None:
            yield from text_errors("reference", self.reference, 1, required=True)
        yield from self.reason_errors(Text("请写明解释的理由", "say why the question is read so"))
        if self.effective_from < today:
            yield FieldError(
                "effective_from",
                "in-the-past",
                Text(
                    "口径只适用于以后的决定，不能早于今天",
                    "a reading counts for decisions to come, from today at the earliest",
                ),
            )

    def decide(self, facts: Facts) -> Decision:
        policy = self._text(facts)
        reading = _reading_in(policy, self.reading)
        if reading.options and self.value not in reading.options:
            raise Malformed([_unknown_value(reading)])
        if self.value != reading.value and not reading.switchable:
            raise _fixed(reading)
        if self.effective_from >= policy.validity.end and not policy.windows_run_on.value:
            raise Malformed([_after_the_end(policy)])
        recorded = InterpretationRecorded(
            policy_id=policy.id,
            version=policy.version,
            reading=reading.id,
            value=self.value,
            decided_by=self.decided_by.strip(),
            effective_from=self.effective_from,
        )
        self._require_sound(policy, reading, facts)
        return Decision(recorded, policy.pin)

    def _text(self, facts: Facts) -> Policy:
        """The version that is interpreted, as read today."""
        try:
            return facts.policy(self.policy, self.version)
        except Refusal as none_begun:
            told = none_begun.text
            raise Refusal(
                none_begun.code,
                Text(
                    f"{told.zh}。没有写明版本的，解释的是施行中的一版；请写明版本",
                    f"{told.en}. Where no version is given, the one in force is interpreted; give the version",
                ),
                clause=none_begun.clause,
            ) from none_begun

    def _require_sound(self, policy: Policy, reading: Reading, facts: Facts) -> None:
        """The policy can be read so: no ceiling contradicts another, no value fails to fit, and it is in force still."""
        decided = Interpretation(
            version=policy.version,
            reading=reading.id,
            value=self.value,
            since=self.effective_from,
            decided_by=self.decided_by,
            document=self.reference or "",
            why=self.reason or "",
        )
        try:
            read = facts.read_with(policy, decided)
        except Unreadable as error:
            raise Malformed([FieldError("value", "invalid", error.text)]) from error
        except PolicyFault as fault:
            raise Refusal(
                "reading-does-not-fit",
                Text(f"口径{reading.id}不能取此值：{fault.text.zh}", f"reading {reading.id}: {fault.text.en}"),
                clause=reading.article,
            ) from fault
        if (why := _why_no_validity(policy.validity, read.validity, facts.today, self.effective_from)) is not None:
            raise Malformed([FieldError("value", "out-of-force", why)])


def _why_no_validity(before: Window, after: Window, today: date, since: date) -> Text | None:
    """What is wrong with a first day of the validity that is switched to: the text is in force, and goes on being so."""
    if after.start == before.start:
        return None
    if after.start > today:
        return Text(
            f"施行日{after.start}晚于今天{today}：政策会在此以前不再有效；施行日须为今天或更早的日期",
            f"{after.start} is after today, {today}: until then the policy would not be in force; "
            "give today or an earlier day",
        )
    if since in before and since not in after:
        return Text(
            f"自{after.start}起施行的，有效期到{after.end}前为止，自口径生效之日{since}起政策即已失效；请核对施行日",
            f"from {after.start} on, the validity ends before {after.end}: on {since}, when the reading takes effect, the "
            "policy would be over; check the day",
        )
    return None


def _reading_in(policy: Policy, name: str) -> Reading:
    if (reading := policy.readings.get(name)) is not None:
        return reading
    told = Text(f"没有编号为{name[:32]}的口径", f"there is no reading {name[:32]!r}")
    raise Malformed([FieldError("reading", "unknown", told)])


def _unknown_value(reading: Reading) -> FieldError:
    known = ", ".join(reading.options)
    return FieldError("value", "unknown", Text(f"可选的取值：{known}", f"the options are: {known}"))


def _after_the_end(policy: Policy) -> FieldError:
    """Where recognised windows run on, claims are decided after the end too, and read as the office then does."""
    last = add_days(policy.validity.end, -1)
    told = Text(
        f"政策有效期至{last}，此后不再有依据它的决定，请填写{last}或更早的日期",
        f"the policy is in force until {last}, and nothing is decided under it later; give that day or an earlier one",
    )
    return FieldError("effective_from", "after-the-policy", told)


def _fixed(reading: Reading) -> Refusal:
    why = reading.fixed or "系统不取此值"
    return Refusal(
        "reading-not-switchable",
        Text(
            f"口径{reading.id}在本版本中不能切换：{why}",
            f"reading {reading.id} cannot be switched in this version: {why}",
        ),
        clause=reading.article,
    )
