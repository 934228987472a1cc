"""The mutation test can be believed: it tells a killed mutant from one that lives, and its list from the truth; and, in
short, the features kill what is changed in each file.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants.engine import ROOT, Fate, Verdict
from tests.mutants.mutation import Mutant, Name, mutants_of
from tests.mutants.run import all_mutants, changed_files, explained, sample
from tests.mutants.survivors import LIST, Unreadable, as_entry, complaints, read_survivors

SAMPLE = """\
from __future__ import annotations
from ledger.errors import Refusal, Text

MOST = 10

def cut(amount_fen: int, most_fen: int) -> int:
    \"\"\"Cut.\"\"\"
    assert amount_fen >= 0, "never below"
    if amount_fen > most_fen:
        raise Refusal("above", Text(zh=f"{amount_fen + 1}元", en="above"), clause="五")
    return min(amount_fen, most_fen)

def told(amount_fen: int) -> Text:
    return Text(zh=str(amount_fen + 1), en="")
"""


def mutants_in(folder: Path, source: str) -> list[Mutant]:
    path = folder / "sample.py"
    path.write_text(source, encoding="utf-8")
    return mutants_of(path, folder, [source])


def test_every_change_a_person_could_make_is_a_mutant(tmp_path: Path) -> None:
    changes = {its.name.change for its in mutants_in(tmp_path, SAMPLE)}
    for expected in (
        "10 → 11",
        "10 → 9",
        "amount_fen > most_fen → amount_fen >= most_fen",
        "amount_fen > most_fen → amount_fen <= most_fen",
        "'above' → 'XXabove'",
        "min(amount_fen, most_fen) → max(amount_fen, most_fen)",
        "min(amount_fen, most_fen) → amount_fen",
        "return min(amount_fen, most_fen) → return None",
    ):
        assert expected in changes
    assert any(its.startswith("raise Refusal") and its.endswith("→ pass") for its in changes)


def test_texts_assertions_and_docstrings_are_no_mutants(tmp_path: Path) -> None:
    mutants = mutants_in(tmp_path, SAMPLE)
    assert not [its.name for its in mutants if "assert" in its.name.line or its.name.function == "told"]
    assert not [its.name for its in mutants if its.name.change.startswith(("amount_fen + 1", "'Cut.'"))]


def test_what_only_assertions_ask_is_no_mutant_and_what_anybody_else_asks_is(tmp_path: Path) -> None:
    asserted = SAMPLE + "\ndef _sound(amount_fen: int) -> bool:\n    return amount_fen > 7\n"
    asserted = asserted.replace("assert amount_fen >= 0", "assert _sound(amount_fen)")
    used = asserted.replace("if amount_fen > most_fen", "if _sound(most_fen)")
    public = asserted.replace("_sound", "sound")
    found = [{its.name.function for its in mutants_in(tmp_path, source)} for source in (asserted, used, public)]
    assert found == [{"(module)", "cut"}, {"(module)", "cut", "_sound"}, {"(module)", "cut", "sound"}]


def test_a_mutant_keeps_its_name_when_lines_are_added_above(tmp_path: Path) -> None:
    before = [its.name for its in mutants_in(tmp_path, SAMPLE)]
    after = [its.name for its in mutants_in(tmp_path, SAMPLE.replace("MOST = 10", "# why\n\nMOST = 10"))]
    assert before == after
    assert len(set(before)) == len(before)


def test_every_mutant_of_ours_is_another_program() -> None:
    for path in changed_files():
        source = ast.dump(ast.parse(path.read_text(encoding="utf-8")))
        for mutant in all_mutants([path]):
            assert ast.dump(mutant.make()) != source, mutant.name


def test_the_list_and_a_run_must_agree(tmp_path: Path) -> None:
    mutant, other = mutants_in(tmp_path, SAMPLE)[:2]
    file, gone = {mutant.name.file}, Name("sample.py", "cut", "return 0", "0 → 1")
    killed, alive = Fate(mutant, Verdict.KILLED, "a scenario"), Fate(mutant, Verdict.SURVIVED)
    names = [mutant.name, other.name]

    assert complaints([killed], {}, names, file) == []
    assert complaints([alive], {mutant.name: "why"}, names, file) == []
    assert "Add the example" in complaints([alive], {}, names, file)[0]
    assert "no scenario runs this" in complaints([Fate(mutant, Verdict.UNREACHED)], {}, names, file)[0]
    assert "killed by a scenario" in complaints([killed], {mutant.name: "why"}, names, file)[0]
    assert "no such mutant any more" in complaints([], {gone: "why"}, names, file)[0]
    assert complaints([], {gone: "why"}, names, {"another.py"}) == [], "only what was looked at"


def test_what_lives_is_told_with_where_its_reason_stands(tmp_path: Path) -> None:
    first, second, third = mutants_in(tmp_path, SAMPLE)[:3]
    killed, alive, another = Fate(first, Verdict.KILLED), Fate(second, Verdict.SURVIVED), Fate(third, Verdict.UNREACHED)
    assert explained([killed], {}, 1) == []
    listed = {second.name: "why"}
    assert explained([killed, alive], listed, 2) == [
        "The other is listed, with the reason why no scenario can see it: tests/mutants/survivors.toml"
    ]
    assert explained([killed, alive, another], {**listed, third.name: "why"}, 3)[0].startswith("The other 2 are listed")
    assert explained([killed, alive, another], listed, 3) == [
        "Of the other 2, 1 is listed, with the reason why no scenario can see it: tests/mutants/survivors.toml"
    ]
    assert explained([another], {}, 1) == [], "it is complained of"
    assert explained([killed], {}, 40)[-1].startswith("A sample of 1 of the 40 mutants of these files")


def test_a_survivor_without_a_reason_is_refused() -> None:
    name = Name("a.py", "f", "it's", "1 → 2", 2)
    assert read_survivors(as_entry(name, "because")) == {name: "because"}
    for bad in (as_entry(name, " "), as_entry(name, "why").replace("change", "chance"), as_entry(name, "x") * 2):
        with pytest.raises(Unreadable):
            read_survivors(bad)


def test_every_listed_survivor_is_a_mutant_that_exists() -> None:
    mutants = all_mutants(changed_files())
    files = {its.name.file for its in mutants}
    listed = read_survivors(LIST.read_text(encoding="utf-8"))
    assert complaints([], listed, [its.name for its in mutants], files) == []
    assert {its.file for its in listed} <= files


def test_the_sample_takes_some_of_each_file_the_same_every_time() -> None:
    mutants = all_mutants(changed_files())
    chosen = sample(mutants, 2)
    assert chosen == sample(mutants, 2)
    assert {its.name.file for its in chosen} == {its.name.file for its in mutants}
    assert len(chosen) == 2 * len({its.name.file for its in mutants})


@pytest.mark.slow
def test_the_features_kill_a_few_mutants_of_every_file_and_spare_one_that_cannot_be_seen(tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    command = [sys.executable, "-m", "tests.mutants.run", "--quick", "--json", str(found)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    told = {(its["function"], its["change"]): its for its in json.loads(found.read_text(encoding="utf-8"))["fates"]}
    verdicts = [its["verdict"] for its in told.values()]
    assert verdicts.count(Verdict.KILLED) >= len(verdicts) * 9 // 10
    assert verdicts.count(Verdict.SURVIVED) >= 1, "the sample holds one of the list"
    assert "survivors.toml" in run.stdout
    assert "A sample of" in run.stdout
