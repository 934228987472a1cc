"""Every store that a ledger worked on is derived again when a test closes it: what the door lets pass must be whole.

The rules lie in two places that share no code, the guards and ``projections/derivation``. Whichever of them is wrong, an
office would learn of it from ``verify``, which calls a sound ledger forged. A test that puts facts into a store behind the
door's back, or breaks the door, is marked ``beside_the_door``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Final
from weakref import WeakSet

import pytest

from ledger.application import FundingLedger
from ledger.errors import LedgerError
from ledger.seal.sealed_log import Row
from ledger.store.contract import LedgerStore
from ledger.store.postgres import PostgresDCBRecorder
from ledger.store.sqlite import SQLiteDCBRecorder
from projections.derivation import Derivation

MARK: Final = "beside_the_door"
EVENTS_MOST: Final = 5_000
"""Longer logs are made by tests of speed and endurance, which check them by themselves."""


class StoresDerived:
    """Derives stores as they are closed, and fails the test that closed one which is not whole."""

    name = "stores-derived"

    def __init__(self) -> None:
        self._ledgers_own: WeakSet[LedgerStore] = WeakSet()
        self._findings: list[str] = []
        self._asked = True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._asked = item.get_closest_marker(MARK) is None
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Iterator[None]:
        """After all fixtures that end with this test were torn down."""
        yield
        self.tell()

    def tell(self) -> None:
        """Fails where something was found since the last time."""
        said, self._findings = self._findings, []
        if said:
            pytest.fail(
                "the door let pass what derivation calls wrong:\n" + "\n".join(dict.fromkeys(said)), pytrace=False
            )

    def watch(self, replace: Callable[[type, str, Any], None]) -> None:
        replace(FundingLedger, "__init__", self._noticing(FundingLedger.__init__))
        for store in (SQLiteDCBRecorder, PostgresDCBRecorder):
            replace(store, "close", self._deriving(store.close))

    def _noticing(self, initialise: Callable[..., None]) -> Callable[..., None]:
        @wraps(initialise)
        def noticed(ledger: FundingLedger, store: LedgerStore, *args: Any, **more: Any) -> None:
            initialise(ledger, store, *args, **more)
            self._ledgers_own.add(store)

        return noticed

    def _deriving(self, close: Callable[[Any], None]) -> Callable[[Any], None]:
        @wraps(close)
        def derived(store: LedgerStore) -> None:
            if self._asked and store in self._ledgers_own:
                self._ledgers_own.discard(store)
                self._findings += findings_of(store)
            close(store)

        return derived


def findings_of(store: LedgerStore) -> list[str]:
    """What derivation has against the events of an open store; nothing of one that a test has made unreadable."""
    try:
        if not 0 < store.head() <= EVENTS_MOST:
            return []
        events = [(each.position, each.event) for each in store.read()]
    except LedgerError:
        return []
    rows = [Row(position, b"", event.type, b"", event.data, None) for position, event in events]
    found = Derivation().apply(rows)
    return [f"position {each.position} {each.type_name}: {each.code}: {each.text.en}" for each in found]


def pytest_configure(config: pytest.Config) -> None:
    watching, patch = StoresDerived(), pytest.MonkeyPatch()
    watching.watch(patch.setattr)
    config.add_cleanup(patch.undo)
    config.pluginmanager.register(watching, StoresDerived.name)
