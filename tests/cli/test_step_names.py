"""Every event that a case can have is called by a name in both languages."""

from __future__ import annotations

from api.cli.step_names import EVENT_NAMES
from ledger.events import EVENT_TYPES


def test_an_event_of_a_case_has_no_name() -> None:
    of_cases = {name for name, cls in EVENT_TYPES.items() if "case" in cls.__struct_fields__}
    assert of_cases <= EVENT_NAMES.keys()
    assert EVENT_NAMES.keys() <= EVENT_TYPES.keys()
