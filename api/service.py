"""The composition root: one folder of data opened as a whole service, for the server, the command line and the tests."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Final, cast

from eventsourcing.dcb.persistence import DCBInfrastructureFactory

from api.credentials import Credentials
from api.evidence import keeper_of
from ledger.application import FundingLedger
from ledger.calendar import Clock, system_clock
from ledger.errors import LedgerError, StoreFault, Text
from ledger.identity import Entropy
from ledger.policy.registry import PolicyRegistry
from ledger.seal.kept import Keeper
from ledger.store.contract import LedgerStore
from projections.compose import compose
from projections.reader import Reader
from projections.runner import ViewsRunner

FACTS: Final = "facts.sqlite"
VIEWS: Final = "views.sqlite"
CREDENTIALS: Final = "credentials.sqlite"

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
    _factory: DCBInfrastructureFactory

    def close(self) -> None:
        self.views.stop()
        self.credentials.close()
        self._keep_checkpoint()
        self._factory.close()

    def _keep_checkpoint(self) -> None:
        """So that the next start knows how long the log was. Must not keep the service from closing."""
        try:
            self.keeper.advance(self.recorder.head(), self.recorder.nodes())
        except LedgerError as error:
            _log.warning("no checkpoint was kept: %s", error)

    def __enter__(self) -> Service:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


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
    data.mkdir(parents=True, exist_ok=True)
    registry = policies if policies is not None else PolicyRegistry.load()
    factory = _store_factory(data, database_url)
    recorder = cast(LedgerStore, factory.dcb_recorder())
    keeper = keeper_of(data)
    ledger = FundingLedger(recorder, registry, compose(), clock, entropy)
    try:
        keeper.require_continued(recorder.head(), recorder.nodes())
        ledger.check_policies()
    except LedgerError:
        factory.close()
        raise
    return Service(
        ledger=ledger,
        reader=Reader(recorder, registry, clock),
        views=ViewsRunner(recorder, f"sqlite:///{data / VIEWS}"),
        credentials=Credentials(data / CREDENTIALS, clock),
        recorder=recorder,
        policies=registry,
        clock=clock,
        keeper=keeper,
        _factory=factory,
    )


def _store_factory(data: Path, database_url: str | None) -> DCBInfrastructureFactory:
    if not database_url:
        return DCBInfrastructureFactory.construct(
            {"PERSISTENCE_MODULE": "ledger.store.sqlite", "SQLITE_DBNAME": str(data / FACTS)}
        )
    if find_spec("psycopg") is None:
        raise StoreFault(
            Text(
                "账本指定了PostgreSQL数据库，但未安装其驱动；请执行 pip install 'funding-ledger[postgres]'",
                "the ledger is to lie in PostgreSQL, but its driver is missing: pip install 'funding-ledger[postgres]'",
            )
        )
    return DCBInfrastructureFactory.construct(
        {"PERSISTENCE_MODULE": "ledger.store.postgres", "POSTGRES_URL": database_url}
    )
