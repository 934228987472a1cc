"""The composition root: one folder of data opened as a whole service, for the server, the command line and the tests."""

from __future__ import annotations

import gc
import logging
import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, cast

from eventsourcing.dcb.persistence import DCBInfrastructureFactory

from api.credentials import Credentials
from api.database import CREDENTIALS, FACTS, require_driver
from api.evidence import keeper_of
from api.occupancy import occupy
from ledger.application import FundingLedger
from ledger.calendar import Clock, system_clock
from ledger.errors import LedgerError, NotFound
from ledger.identity import Entropy
from ledger.policy.registry import PolicyRegistry
from ledger.seal.kept import CHECKPOINT, Keeper, require_continues
from ledger.seal.merkle import RunReader
from ledger.store.contract import LedgerStore
from projections.compose import compose
from projections.reader import Reader
from projections.runner import ViewsRunner

VIEWS: Final = "views.sqlite"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """Everything a surface needs. ``views`` keeps the lists current; the caller starts it where lists are asked for."""

    ledger: FundingLedger
    reader: Reader
    views: ViewsRunner
    credentials: Credentials
    recorder: LedgerStore
    policies: PolicyRegistry
    clock: Clock
    keeper: Keeper
    _opened: ExitStack

    def close(self) -> None:
        self.views.stop()
        self._keep_checkpoint()
        self._opened.close()

    def _keep_checkpoint(self) -> None:
        """So that the next start knows how long the log was. Must not keep the service from closing."""
        try:
            self.keeper.advance(self.recorder)
        except LedgerError as error:
            _log.warning("no checkpoint was kept: %s", error)

    def __enter__(self) -> Service:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def calm_collector() -> None:
    """Let the cyclic garbage collector look less often.

    A ledger remembers hundreds of thousands of small objects, none of which refers to itself. At Python's own settings,
    looking through them after every 700 new ones takes a third of the time of a command (docs/performance.md).
    """
    gc.set_threshold(50_000, 20, 100)


def open_service(
    data: Path,
    *,
    database_url: str | None = None,
    clock: Clock = system_clock,
    entropy: Entropy = os.urandom,
    policies: PolicyRegistry | None = None,
) -> Service:
    """Open the service whose facts, views and credentials lie in the folder ``data``, creating what is missing.

    With ``database_url`` the facts lie in that PostgreSQL database instead.

    Raises a :class:`~ledger.errors.Fault` where a policy or a store is unsound, or where the log does not continue the
    checkpoint that the folder keeps.
    """
    calm_collector()
    registry = policies if policies is not None else PolicyRegistry.load()
    with ExitStack() as opened:
        opened.enter_context(occupy(data))
        keeper = keeper_of(data)
        if (kept := keeper.kept()) is not None and not _has_facts(data, database_url):
            # Before anything is made: a new ledger in the place of one that was signed would be taken for it later.
            require_continues(kept, 0, RunReader(lambda leaves: {}), f"{data / CHECKPOINT}")
        factory = _store_factory(data, database_url)
        opened.callback(factory.close)
        recorder = cast(LedgerStore, factory.dcb_recorder())
        keeper.require_continued(recorder)
        ledger = FundingLedger(recorder, registry, compose(), clock, entropy)
        ledger.check_policies()
        views = ViewsRunner(recorder, f"sqlite:///{data / VIEWS}")
        opened.callback(views.stop)
        registry.require_loaded(views.policies())
        credentials = Credentials(data / CREDENTIALS, clock)
        opened.callback(credentials.close)
        return Service(
            ledger=ledger,
            reader=Reader(recorder, registry, clock),
            views=views,
            credentials=credentials,
            recorder=recorder,
            policies=registry,
            clock=clock,
            keeper=keeper,
            # Whole: from here on, what was opened is the service's to close.
            _opened=opened.pop_all(),
        )


def _has_facts(data: Path, database_url: str | None) -> bool:
    """Whether a ledger was begun in the folder, or in the database."""
    if not database_url:
        return (data / FACTS).is_file()
    require_driver()
    # Only here: the driver need not be installed where there is no such database.
    from ledger.store.postgres_log import PostgresLog

    try:
        PostgresLog(database_url).close()
    except NotFound:
        return False
    return True


def _store_factory(data: Path, database_url: str | None) -> DCBInfrastructureFactory:
    if not database_url:
        return DCBInfrastructureFactory.construct(
            {"PERSISTENCE_MODULE": "ledger.store.sqlite", "SQLITE_DBNAME": str(data / FACTS)}
        )
    require_driver()
    return DCBInfrastructureFactory.construct(
        {"PERSISTENCE_MODULE": "ledger.store.postgres", "POSTGRES_URL": database_url}
    )
