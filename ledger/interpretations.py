"""What the office decided about a policy's open questions, folded from the recorded interpretations (口径解释)."""

from __future__ import annotations

from ledger.events import InterpretationRecorded
from ledger.mapper import Recorded
from ledger.policy.model import Interpretation


class InterpretationsFold:
    """Folds the events tagged with one policy into its interpretations, in the order of recording."""

    name = "interpretations"
    kept = True

    def start(self, tag: str) -> tuple[Interpretation, ...]:
        return ()

    def apply(self, state: tuple[Interpretation, ...], recorded: Recorded) -> tuple[Interpretation, ...]:
        event, envelope = recorded.event, recorded.envelope
        if not isinstance(event, InterpretationRecorded):
            return state
        decided = Interpretation(
            version=event.version,
            reading=event.reading,
            value=event.value,
            since=event.effective_from,
            decided_by=event.decided_by,
            document=envelope.reference or "",
            why=envelope.reason or "",
            position=recorded.position,
        )
        return (*state, decided)
