"""Numbers that may be used once: a bank's serial number, an acceptance number. The guard refuses the second use."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.errors import Refusal, Text
from ledger.events import ACCEPTANCE_NUMBER, BANK_SERIAL, CaseEvent, Event, register_tag
from ledger.guards import Look
from ledger.mapper import Envelope, Recorded
from ledger.principles import NUMBER_USED_ONCE

_NAMES = {
    BANK_SERIAL: Text("银行流水号", "bank serial number"),
    ACCEPTANCE_NUMBER: Text("受理号", "acceptance number"),
}


class RegistersGuard:
    """Folds a number's tag into the fact that first used it."""

    name = "registers"
    kept = False

    def start(self, tag: str) -> Recorded | None:
        return None

    def apply(self, first: Recorded | None, recorded: Recorded) -> Recorded | None:
        return first or recorded

    def concerns(self, event: Event) -> Iterator[str]:
        if isinstance(event, CaseEvent):
            for register, number in event.register_entries():
                yield register_tag(register, number)

    def permits(self, event: Event, envelope: Envelope, look: Look[Recorded | None]) -> None:
        if not isinstance(event, CaseEvent):
            return
        for register, number in event.register_entries():
            if (first := look(register_tag(register, number))) is not None:
                raise _used(register, number, first)


def _used(register: str, number: str, first: Recorded) -> Refusal:
    what, case = _NAMES[register], getattr(first.event, "case", "")
    on = first.envelope.effective_on
    return Refusal(
        f"{register}-used",
        Text(
            f"{what.zh}{number}已于{on}用于案卷{case}，同一号码只能使用一次，请核对",
            f"{what.en} {number} was used on {on} for case {case}; a number is used once, please check",
        ),
        clause=NUMBER_USED_ONCE,
    )
