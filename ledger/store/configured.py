"""A store as the environment describes it: its address, and the longest wait for others in whole seconds."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Final

from eventsourcing.dcb.persistence import DCBInfrastructureFactory
from eventsourcing.persistence import TrackingRecorder
from eventsourcing.utils import Environment, EnvType

from ledger.errors import StoreFault, Text
from ledger.store.contract import LedgerStore

LOCK_TIMEOUT_S: Final = 10


class StoreFactory(DCBInfrastructureFactory[TrackingRecorder]):
    """Makes the recorder that the environment describes; ``close()`` closes it.

    ``ADDRESS`` and ``LOCK_TIMEOUT`` are the variables, ``kind`` what an address names. A persistence module must hold one
    class of this kind only, its own: import this module there, not the class.

    Raises ``StoreFault`` for an environment without an address or a usable lock timeout.
    """

    ADDRESS: ClassVar[str]
    LOCK_TIMEOUT: ClassVar[str]
    kind: ClassVar[Text]

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        self._address = (self.env.get(self.ADDRESS) or "").strip()
        if not self._address:
            keys = ", ".join(self.env.create_keys(self.ADDRESS))
            raise StoreFault(
                Text(
                    zh=f"未指定账本{self.kind.zh}；请设置环境变量 {keys}。",
                    en=f"No {self.kind.en} is named for the event store: set one of {keys} in the environment.",
                )
            )
        timeout = (self.env.get(self.LOCK_TIMEOUT) or "").strip() or str(LOCK_TIMEOUT_S)
        if not (timeout.isascii() and timeout.isdigit()):
            raise StoreFault(
                Text(
                    zh=f"环境变量 {self.LOCK_TIMEOUT} 应为整数秒，而不是“{timeout}”。",
                    en=f"{self.LOCK_TIMEOUT} is a whole number of seconds, not {timeout!r}.",
                )
            )
        self._lock_timeout_s = int(timeout)
        self._recorder: LedgerStore | None = None

    @abstractmethod
    def open_store(self, address: str, *, lock_timeout_s: int) -> LedgerStore:
        """The recorder of that store."""

    def dcb_recorder(self) -> LedgerStore:
        """The one recorder of this factory."""
        if self._recorder is None:
            self._recorder = self.open_store(self._address, lock_timeout_s=self._lock_timeout_s)
        return self._recorder

    def close(self) -> None:
        if self._recorder is not None:
            self._recorder.close()
