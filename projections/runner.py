"""Carries the views along the log: in a thread of its own for a server, by the call for everything else."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from typing import Final

from eventsourcing.dcb.api import DCBQuery, DCBQueryItem, DCBRecorder, DCBSubscription
from sqlalchemy import Connection, delete, select, update

from ledger.errors import StoreFault, Text
from ledger.mapper import Recorded, from_stored
from projections import queries
from projections.database import MARKER, open_database, writing
from projections.queries import CaseFilter, CaseRow, EnterpriseRow, Page, RoleRow
from projections.tables import cases, markers, policies, positions, roles
from projections.versions import Versions

BATCH_EVENTS: Final = 1_000
CASES_KEPT: Final = 10_000
_RETRY_SECONDS: Final = 1.0

_log = logging.getLogger(__name__)


class ViewsRunner:
    """The views of one log, kept in the database at ``url``. Safe for many threads, and for many processes on one url.

    On opening, views of another schema are emptied, to be filled again by the next :meth:`catch_up`; and views of another
    log (one that was restored from a backup, say, or of a server that took over) on opening and whenever they are to go
    on. A list is as current as :attr:`position`; :meth:`wait_for` waits for more.
    """

    def __init__(self, recorder: DCBRecorder, url: str) -> None:
        self._recorder = recorder
        self._engine = open_database(url)
        self._versions = Versions(self._history, CASES_KEPT)
        self._turn = threading.Lock()
        self._moved = threading.Condition()
        self._position = 0
        self._event_id = ""
        self._subscription: DCBSubscription[DCBRecorder] | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._adopt_or_empty()

    @property
    def position(self) -> int:
        """The position of the last event that the views hold."""
        return self._position

    @property
    def following(self) -> bool:
        """Whether the background thread lives that :meth:`start` began."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Follow the log in the background, until :meth:`stop`."""
        assert self._thread is None, "started once"
        self._thread = threading.Thread(target=self._follow, name="views", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop following and close the database. May be called again, and without :meth:`start`."""
        self._stopping.set()
        if (subscription := self._subscription) is not None:
            subscription.stop()
        if self._thread is not None:
            self._thread.join()
        self._engine.dispose()

    def catch_up(self) -> int:
        """Take in everything recorded so far; gives the position reached."""
        with self._turn:
            while not self._stopping.is_set() and self._take_batch():
                pass
            return self._position

    def wait_for(self, position: int, timeout_seconds: float) -> bool:
        """Whether the views hold ``position``; waits so long for it at most. Catches up itself where no thread does."""
        if self._position < position and self._thread is None:
            self.catch_up()
        with self._moved:
            return self._moved.wait_for(lambda: self._position >= position, timeout_seconds)

    def rebuild(self) -> int:
        """Fill the views anew from the whole log, in one transaction: readers see the old ones until it ends."""
        with self._turn, self._fresh_on_failure(), writing(self._engine) as connection:
            self._versions.forget()
            _empty(connection)
            reached = 0
            while batch := self._read(after=reached):
                self._write(connection, batch)
                reached = batch[-1].position
            event_id = _marker(connection)[1]
        self._reach(reached, event_id)
        return reached

    def cases(
        self,
        sought: CaseFilter | None = None,
        *,
        page: int = 1,
        page_size: int = 50,
        as_of: datetime | None = None,
        up_to: int | None = None,
    ) -> Page[CaseRow]:
        """Cases, the one that changed last first; with ``up_to`` as they stood at that position.

        Who goes through all pages gives the later ones the position of the first: else a case that moves between two
        pages is missed, or seen twice.
        """
        with self._engine.connect() as connection:
            return queries.find_cases(
                connection, sought or CaseFilter(), page=page, page_size=page_size, as_of=as_of, up_to=up_to
            )

    def enterprises(
        self, text: str | None = None, page: int = 1, page_size: int = 50, as_of: datetime | None = None
    ) -> Page[EnterpriseRow]:
        """Enterprises with what their cases come to, in the order of their codes."""
        with self._engine.connect() as connection:
            return queries.find_enterprises(connection, text, page=page, page_size=page_size, as_of=as_of)

    def roles(self, as_of: datetime | None = None) -> list[RoleRow]:
        """Who holds which role, by whose grant."""
        with self._engine.connect() as connection:
            return queries.find_roles(connection, as_of=as_of)

    def policies(self) -> list[tuple[str, int]]:
        """The id and the version of each policy that some case is made under, as far as the views reach."""
        with self._engine.connect() as connection:
            return queries.find_policies(connection)

    def _follow(self) -> None:
        while not self._stopping.is_set():
            try:
                self.catch_up()
                self._listen()
            except Exception:  # noqa: BLE001  it is in the log, and tried again
                # Whatever it was, the next attempt may do better; an end would be for good. Lists fall behind meanwhile
                # and say so by their position; the facts, and every decision, do without them.
                _log.exception("the views cannot be carried on; trying again")
                self._stopping.wait(_RETRY_SECONDS)
            else:
                return

    def _listen(self) -> None:
        """Catch up with every event that comes, until stopped or until the recorder is closed."""
        with self._recorder.subscribe(after=self._position) as news:
            self._subscription = news
            if self._stopping.is_set():
                return
            for event in news:
                # Many events may have been taken in with one: only what is new sets out again.
                if event.position > self._position:
                    self.catch_up()

    def _take_batch(self) -> bool:
        """Take in the next events; False where there are none."""
        before = self._position, self._event_id
        batch = self._read_from(*before)
        if batch == []:
            return False
        with self._fresh_on_failure(), writing(self._engine) as connection:
            reached = stand = _marker(connection)
            if stand == before:
                if batch is None:
                    _log.warning("the log is not the one that the views were made of; they are made anew")
                    _empty(connection)
                else:
                    self._write(connection, batch)
                reached = _marker(connection)
        if stand != before or batch is None:
            # Another process carried the views on, or they begin anew: what is kept here is of another position.
            self._versions.forget()
        self._reach(*reached)
        return True

    def _read_from(self, position: int, event_id: str) -> list[Recorded] | None:
        """The next events after the one that the views stand at; None where that is not in the log (any more)."""
        if not position:
            return self._read(after=0)
        found = self._read(after=position - 1, limit=BATCH_EVENTS + 1)
        stood_at = found[0] if found else None
        if stood_at is None or (stood_at.position, str(stood_at.envelope.event_id)) != (position, event_id):
            return None
        return found[1:]

    def _write(self, connection: Connection, batch: list[Recorded]) -> None:
        self._versions.batch(batch).write(connection)
        last = batch[-1]
        connection.execute(
            update(markers)
            .where(markers.c.id == MARKER)
            .values(position=last.position, event_id=str(last.envelope.event_id))
        )

    def _reach(self, position: int, event_id: str) -> None:
        with self._moved:
            self._position, self._event_id = position, event_id
            self._moved.notify_all()

    @contextmanager
    def _fresh_on_failure(self) -> Iterator[None]:
        """Case files are folded before their rows are committed: after a failure they are ahead of the rows."""
        try:
            yield
        except BaseException:
            self._versions.forget()
            raise

    def _adopt_or_empty(self) -> None:
        """Begin where the views stand, if that is a place in this log."""
        with writing(self._engine) as connection:
            position, event_id = _marker(connection)
            if position and self._event_id_at(position) != event_id:
                _log.warning("the views are of another log and will be rebuilt")
                _empty(connection)
                position, event_id = 0, ""
        self._position, self._event_id = position, event_id

    def _event_id_at(self, position: int) -> str | None:
        for recorded in self._read(after=position - 1, limit=1):
            if recorded.position == position:
                return str(recorded.envelope.event_id)
        return None

    def _read(self, after: int, limit: int = BATCH_EVENTS) -> list[Recorded]:
        batch = [from_stored(stored) for stored in self._recorder.read(after=after, limit=limit)]
        for earlier, later in pairwise(batch):
            if later.position <= earlier.position:
                raise _out_of_order(later.position)
        return batch

    def _history(self, tag: str) -> list[Recorded]:
        query = DCBQuery(items=[DCBQueryItem(tags=[tag])])
        return [from_stored(stored) for stored in self._recorder.read(query)]


def _marker(connection: Connection) -> tuple[int, str]:
    """Where the views stand: the last event's position and id. Nobody else moves them while this transaction lasts."""
    position, event_id = connection.execute(select(markers.c.position, markers.c.event_id).with_for_update()).one()
    return position, event_id


def _out_of_order(position: int) -> StoreFault:
    return StoreFault(
        Text(
            f"账本已损坏或被人从外部改动：第{position}号位置上有不该有的事件。请停用服务，运行 funding-ledger verify 查明，"
            "并从备份恢复。",
            f"The store is damaged or was changed from outside: an event lies at position {position} that does not belong "
            "there. Stop the service, find out with funding-ledger verify, and restore the store from a backup.",
        )
    )


def _empty(connection: Connection) -> None:
    connection.execute(delete(cases))
    connection.execute(delete(positions))
    connection.execute(delete(roles))
    connection.execute(delete(policies))
    connection.execute(update(markers).values(position=0, event_id=""))
