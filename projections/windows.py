"""The windows of months recognised for an enterprise, and the months already paid for (readings B3, B12)."""

from __future__ import annotations

from ledger.events import AwardApproved, AwardReleased, RecoveryReceived
from ledger.identity import award_id
from ledger.mapper import Recorded
from ledger.rules import RecognisedWindow


class WindowsFold:
    """Folds the events of one window scope. What an award that gave back all it drew paid for is free again, and the window
    rests on those that are left, so that a wrong anchor can be corrected; without any it was never recognised.
    """

    name = "windows"
    kept = True

    def start(self, tag: str) -> RecognisedWindow | None:
        return None

    def apply(self, window: RecognisedWindow | None, recorded: Recorded) -> RecognisedWindow | None:
        event = recorded.event
        if isinstance(event, AwardApproved) and event.window is not None:
            earlier = () if window is None else window.funded
            return RecognisedWindow((*earlier, *event.window.spans(event.item, award_id(event.case))))
        if isinstance(event, AwardReleased | RecoveryReceived) and window is not None:
            gone = award_id(event.case)
            left = tuple(span for span in window.funded if span.award_id != gone)
            return RecognisedWindow(left) if left else None
        return window
