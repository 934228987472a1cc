"""The bench itself: every measurement runs, and its row has what it should. Nothing here says how fast anything is."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tests.bench.document import BEGIN, END, written_into
from tests.bench.machine import described
from tests.bench.measuring import FULL, QUICK, ROOT, TINY, Goal, Row, as_json, percentile, row
from tests.bench.run import SUBJECTS, main, measure, table

KEYS = {"id", "what", "value", "anchor", "ratio", "goal", "met"}


# Long logs are staged: facts of one day are put in beside the door, also after those of another.
@pytest.mark.beside_the_door
@pytest.mark.parametrize("name", SUBJECTS)
def test_a_measurement_does_not_run_or_gives_a_row_of_another_shape(name: str, tmp_path: Path) -> None:
    (measured,) = measure([name], TINY, tmp_path)
    (told,) = json.loads(as_json([measured]))
    assert set(told) == KEYS | {"quick"}
    assert told["quick"] is True
    assert set(json.loads(as_json([replace(measured, quick=False)]))[0]) == KEYS
    assert set(told["ratio"]) == {"median", "min", "max"}
    assert told["id"] == name
    assert told["value"] > 0
    assert isinstance(told["met"], bool)
    assert isinstance(told["goal"], str)
    if told["anchor"] is None:
        assert "not measured" in told["what"]
        assert not told["met"]
    else:
        assert told["ratio"]["min"] <= told["ratio"]["median"] <= told["ratio"]["max"]
    assert table([measured]).row_count == 1


def test_a_goal_is_met_on_the_wrong_side_of_its_bound() -> None:
    at_least, at_most = Goal(0.5, at_least=True), Goal(1.2, at_least=False)
    assert [at_least.met_by(ratio) for ratio in (0.49, 0.5, 0.51)] == [False, True, True]
    assert [at_most.met_by(ratio) for ratio in (1.19, 1.2, 1.21)] == [True, True, False]


def test_a_row_tells_a_mean_where_it_should_tell_a_median() -> None:
    measured = row("P0", "what", [(10, 100), (20, 100), (90, 100)], Goal(0.3, at_least=True))
    assert (measured.value, measured.anchor, measured.ratio.median, measured.met) == (20, 100, 0.2, False)
    assert (measured.ratio.min, measured.ratio.max) == (0.1, 0.9)


def test_a_goal_is_met_although_something_else_failed() -> None:
    measured = row("P0", "what", [(1, 1)], Goal(0.5, at_least=True), unless="nobody was served")
    assert not measured.met
    assert "nobody was served" in measured.what


def test_fewer_than_five_rounds_are_measured() -> None:
    assert min(FULL.rounds, QUICK.rounds) >= 5


def test_the_last_percentile_is_beyond_the_last_value() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.99) == 3.0
    assert percentile([1.0], 0.5) == 1.0


def test_an_unknown_name_measures_something(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "P99"])
    assert "P99" in capsys.readouterr().err


def test_a_row_is_written_with_keys_of_its_own_invention() -> None:
    assert set(Row.__slots__) == KEYS | {"quick"}


def test_a_quick_row_is_shown_as_a_whole_one() -> None:
    measured, shown = row("P0", "what", [(1, 1)], Goal(0.5, at_least=True)), StringIO()
    Console(file=shown, width=160).print(table([measured, replace(measured, quick=True)]))
    assert shown.getvalue().count("quick: what") == 1
    assert "| quick: what |" in written_into(f"{BEGIN}\n{END}\n", [replace(measured, quick=True)], "", ["P0"])


def test_a_file_that_cannot_be_written_is_found_out_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(SUBJECTS, "P1", lambda _: pytest.fail("it was measured"))
    (tmp_path / "words.md").write_text("only words", encoding="utf-8")
    for option, place, told in (
        ("--json", "nodir/x.json", "no folder"),
        ("--json", ".", "is a folder"),
        ("--document", "nodir/x.md", "no folder"),
        ("--document", "words.md", "no place"),
        ("--document", "none.md", "No such file"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["--only", "P1", option, str(tmp_path / place)])
        assert ended.value.code == 2
        assert told in capsys.readouterr().err


# The document


def test_a_row_measured_again_stands_twice_in_the_document_or_loses_the_others() -> None:
    at_least = Goal(0.5, at_least=True)
    first, second = row("P1", "one", [(1, 1)], at_least), row("P2", "two", [(1, 4)], at_least)
    empty = f"before\n{BEGIN}\n{END}\nafter\n"
    both = written_into(empty, [second, first], "a machine", ["P1", "P2"])
    again = written_into(both, [row("P1", "one", [(3, 1)], at_least)], "another", ["P1", "P2"])
    rows = [line for line in again.splitlines() if line.startswith("| P")]
    assert [line.split(" | ")[0] for line in rows] == ["| P1", "| P2"]
    assert "| 3 | 3 – 3 | ≥ 0.5 × | yes |" in rows[0]
    assert "| 0.25 | 0.25 – 0.25 | ≥ 0.5 × | **no** |" in rows[1]
    assert "another" in again
    assert "a machine" not in again
    assert again.startswith("before\n")
    assert again.endswith("\nafter\n")


def test_a_document_without_a_place_for_the_table_is_overwritten() -> None:
    with pytest.raises(ValueError, match="no place"):
        written_into("only words", [], "a machine", [])


def test_the_document_of_this_project_has_no_place_for_the_table() -> None:
    text = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert written_into(text, [], "a machine", []) != text


def test_the_machine_is_told_without_its_disk(tmp_path: Path) -> None:
    assert "one flush" in described(tmp_path)
    assert "SQLite" in described(tmp_path)
