"""The soak's rows: what was tried in small is no proof of a goal, and its file is asked about before the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.reliability import soak
from tests.reliability.soak import Check, Found, Run, carried_out, main
from tests.reliability.soak_figures import LONG, QUICK

CLEAN, FAULTY = Found("0 in 5"), Found("1 in 5", ["a loss"])


@pytest.mark.parametrize(
    ("found", "quick", "met"),
    [
        (CLEAN, False, True),
        (CLEAN, True, False),
        (FAULTY, True, False),
        (Found("0 in 5", enough=False), False, False),
        (Found("5 of 5 tests passed", whole=True), True, True),
    ],
)
def test_a_goal_is_met_by_less_than_it_asks(found: Found, *, quick: bool, met: bool) -> None:
    row, _ = carried_out(Check("R0", "what", "0 in 500", lambda _: found), Run(QUICK if quick else LONG, 1, quick))
    assert (row.met, row.quick) == (met, quick)


@pytest.mark.parametrize(("found", "shown", "status"), [(CLEAN, "quick", 0), (FAULTY, "NO", 1)])
def test_a_quick_run_is_shown_or_written_as_a_whole_one(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    found: Found,
    shown: str,
    status: int,
) -> None:
    monkeypatch.setattr(soak, "CHECKS", (Check("R0", "what", "0 in 500", lambda _: found),))
    file = tmp_path / "rows.json"
    assert main(["--quick", "--json", str(file)]) == status
    (row,) = json.loads(file.read_text())
    assert (row["met"], row["quick"]) == (False, True)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "0 in 500" in line]
    assert line.rstrip("│ ").endswith(shown)
    main(["--json", str(file)])
    assert "quick" not in json.loads(file.read_text())[0]


def test_a_file_that_cannot_be_written_is_found_out_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(soak, "CHECKS", (Check("R0", "what", "goal", lambda _: pytest.fail("it ran")),))
    for place in (tmp_path, tmp_path / "nodir" / "rows.json"):
        with pytest.raises(SystemExit) as ended:
            main(["--json", str(place)])
        assert ended.value.code == 2
        assert "folder" in capsys.readouterr().err
