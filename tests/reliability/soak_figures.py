"""How much each reliability check does in the tests, in a soak and in a quick soak: the one place for these numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of what is done; what each goal asks for is said with the goal, in :mod:`tests.reliability.soak`."""

    http_kills: int
    http_kills_postgres: int
    power_loss_images: int
    money_sequences: int
    money_sequences_postgres: int
    races: int
    crashes: int
    fault_points: int
    subscription_events: int
    cold_starts: int


SHORT: Final = Figures(
    http_kills=50,
    http_kills_postgres=10,
    power_loss_images=10_000,
    money_sequences=160,
    money_sequences_postgres=5,
    races=1,
    crashes=24,
    fault_points=300,
    subscription_events=300,
    cold_starts=2,
)
"""In the tests, hence in every CI run."""

LONG: Final = Figures(
    http_kills=500,
    http_kills_postgres=100,
    power_loss_images=50_000,
    # Some end early: as many as make 50,000 steps.
    money_sequences=1_400,
    money_sequences_postgres=1_400,
    races=20,
    crashes=500,
    fault_points=5_000,
    subscription_events=10_000,
    cold_starts=30,
)

QUICK: Final = Figures(
    http_kills=20,
    http_kills_postgres=5,
    power_loss_images=1_000,
    money_sequences=20,
    money_sequences_postgres=5,
    races=1,
    crashes=20,
    fault_points=200,
    subscription_events=300,
    cold_starts=1,
)
"""To see that everything runs; its figures are below the goals, and are reported so."""
