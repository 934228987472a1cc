"""The real set of folds and guards, composed once: for the server, the command line and the tests alike."""

from __future__ import annotations

from ledger.guards import Projections
from projections.budget import BudgetGuard
from projections.duties import DutiesGuard
from projections.evidence import EvidenceGuard
from projections.limits import LimitsGuard
from projections.registers import RegistersGuard
from projections.windows import WindowsFold


def compose() -> Projections:
    limits = LimitsGuard()
    return Projections(
        usage=limits,
        windows=WindowsFold(),
        guards=(DutiesGuard(), RegistersGuard(), EvidenceGuard(), limits, BudgetGuard()),
    )
