"""Following a SQLite store: woken by what this process records; what others record is looked for every now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eventsourcing.dcb.api import DCBQuery

from ledger.store.following import Following

if TYPE_CHECKING:
    from ledger.store.sqlite import SQLiteDCBRecorder

POLL_SECONDS: Final = 0.05
"""How long events of another process may go unnoticed. Those of this process are noticed at once."""


class SQLiteSubscription(Following["SQLiteDCBRecorder"]):
    """What :meth:`SQLiteDCBRecorder.subscribe` returns."""

    def __init__(self, recorder: SQLiteDCBRecorder, query: DCBQuery | None = None, after: int | None = None) -> None:
        super().__init__(recorder, query, after, poll_seconds=POLL_SECONDS)

    def stop(self) -> None:
        super().stop()
        self._recorder.forget(self)
