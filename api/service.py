"""The composition root: one folder of data opened as a whole service, for the server, the command line and the tests."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, cast

from eventsourcing.dcb.persistence import DCBInfrastructureFactory

from api.credentials import Credentials
from ledger.application import FundingLedger
from ledger.calendar import Clock, system_clock
from ledger.identity import Entropy
from ledger.policy.registry import PolicyRegistry
from ledger.store.contract import LedgerStore
from projections.compose import compose
from projections.reader import Reader
from projections.runner import ViewsRunner

FACTS: Final = "facts.sqlite"
VIEWS: Final = "views.sqlite"
CREDENTIALS: Final = "credentials.sqlite"


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
    _factory: DCBInfrastructureFactory

    def close(self) -> None:
        self.views.stop()
        self.credentials.close()
        self._factory.close()

    def __enter__(self) -> Service:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_service(
    data: Path, *, clock: Clock = system_clock, entropy: Entropy = os.urandom, policies: PolicyRegistry | None = None
) -> Service:
    """Open the service whose facts, views and credentials lie in the folder ``data``, creating what is missing.

    Raises a :class:`~ledger.errors.Fault` where a policy or a store is unsound.
    """
    data.mkdir(parents=True, exist_ok=True)
    registry = policies if policies is not None else PolicyRegistry.load()
    factory = DCBInfrastructureFactory.construct(
        {"PERSISTENCE_MODULE": "ledger.store.sqlite", "SQLITE_DBNAME": str(data / FACTS)}
    )
    recorder = cast(LedgerStore, factory.dcb_recorder())
    return Service(
        ledger=FundingLedger(recorder, registry, compose(), clock, entropy),
        reader=Reader(recorder, registry),
        views=ViewsRunner(recorder, f"sqlite:///{data / VIEWS}"),
        credentials=Credentials(data / CREDENTIALS, clock),
        recorder=recorder,
        policies=registry,
        clock=clock,
        _factory=factory,
    )
