"""口径解释: the competent office decides how an open question of a policy is read from a day on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar, Final

from ledger.calendar import add_days
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

    A reading whose value no code takes can only be confirmed as it is. ``version`` is the newest in force where none is
    given; applications under an older version keep reading that one.
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
        policy = facts.policy(self.policy, self.version)
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

    def _require_sound(self, policy: Policy, reading: Reading, facts: Facts) -> None:
        """The policy can be read so: no ceiling contradicts another, no value fails to fit."""
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
            facts.check_readable(policy, decided)
        except Unreadable as error:
            raise Malformed([FieldError("value", "invalid", error.text)]) from error
        except PolicyFault as fault:
            raise Refusal(
                "reading-does-not-fit",
                Text(f"口径{reading.id}不能取此值：{fault.text.zh}", f"reading {reading.id}: {fault.text.en}"),
                clause=reading.article,
            ) from fault


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
