"""The windows of months recognised for an enterprise, and the months already paid for (readings B3, B12)."""

from __future__ import annotations

from dataclasses import replace

from ledger.events import AwardApproved, AwardReleased, RecoveryReceived
from ledger.identity import award_id
from ledger.mapper import Recorded
from ledger.rules import FundedSpan, RecognisedWindow


class WindowsFold:
    """Folds the events of one window scope. Months of an award that gave back all it drew are free again; where none
    is left, the window itself was never recognised, and a wrong anchor can be corrected.
    """

    name = "windows"
    kept = True

    def start(self, tag: str) -> RecognisedWindow | None:
        return None

    def apply(self, window: RecognisedWindow | None, recorded: Recorded) -> RecognisedWindow | None:
        event = recorded.event
        if isinstance(event, AwardApproved) and event.window is not None:
            funded = FundedSpan(event.item, event.window.funded, award_id(event.case))
            earlier = () if window is None else window.funded
            return RecognisedWindow(
                anchor=event.window.anchor,
                rent_free_months=event.window.rent_free_months,
                funded=(*earlier, funded),
            )
        if isinstance(event, AwardReleased | RecoveryReceived) and window is not None:
            gone = award_id(event.case)
            left = tuple(span for span in window.funded if span.award_id != gone)
            return replace(window, funded=left) if left else None
        return window
