"""Every scenario of every feature, as one test each, under the scenario's own name and number."""

from __future__ import annotations

from pathlib import Path

from pytest_bdd import scenario
from pytest_bdd.feature import get_features

FEATURES = Path(__file__).resolve().parents[2] / "features"

# pytest-bdd's own scenarios() drops a number at the beginning of a name, which is what an officer looks for.
for _feature in get_features([str(FEATURES)]):
    for _name in _feature.scenarios:

        @scenario(_feature.filename, _name)
        def _bound(driver: object) -> None:
            # Named here, because only what a test asks for itself can make two tests of it: one for each driver.
            pass

        assert f"test_{_name}" not in globals(), f"two scenarios are named {_name}"
        globals()[f"test_{_name}"] = _bound
        del _bound
