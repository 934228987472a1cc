"""An office's own policies, loaded beside the built-in ones, or the start is stopped and told why."""

from __future__ import annotations

import json
import os
import shutil
import socket
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from api.cli.exits import Exit
from api.cli.program import program
from api.cli.speech import Language, Speech
from api.policies import load_policies
from ledger.commands.determine_amount import DetermineAmount
from ledger.commands.submit_application import SubmitApplication
from tests.office import ENTERPRISE, Office

DISTRICT = "qinghe-meddev-2025"
EXAMPLE = Path(__file__).parents[1] / "ledger" / "policy" / "example_district.toml"
QUOTE = (
    "quote", "--policy", DISTRICT, "--rule", "1.1", "--enterprise", ENTERPRISE, "--item", "甲", "--json",
    "-p", "equipment_cost=4000000.00", "-p", "second_hand=false",
)  # fmt: skip


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """A folder that holds the invented district's policy."""
    folder = tmp_path / "own"
    (folder / DISTRICT).mkdir(parents=True)
    shutil.copy(EXAMPLE, folder / DISTRICT / "1.toml")
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    Office(folder).close()
    return folder


def run(data: Path, *arguments: str, **environ: str) -> Result:
    english = program(Speech(Language.EN))
    return CliRunner().invoke(english, list(arguments), env={"FUNDING_LEDGER_DATA": str(data), **environ})


def test_a_district_s_own_policy_is_quoted_under_without_touching_the_product(data: Path, policies: Path) -> None:
    named = run(data, *QUOTE, "--policies", str(policies))
    assert named.exit_code == Exit.DONE, named.output
    assert json.loads(named.stdout)["amount"] == "500000.00"
    by_environment = run(data, *QUOTE, LEDGER_POLICIES=str(policies))
    assert by_environment.stdout == named.stdout
    unnamed = run(data, *QUOTE)
    assert unnamed.exit_code != Exit.DONE
    assert DISTRICT in unnamed.output


@pytest.mark.parametrize("language", Language)
def test_which_of_two_policies_is_meant_is_asked_for_with_the_option_and_an_example(
    data: Path, policies: Path, tmp_path: Path, language: Language
) -> None:
    environ = {"FUNDING_LEDGER_DATA": str(data), "LEDGER_POLICIES": str(policies)}
    unnamed = [word for word in QUOTE if word not in ("--policy", DISTRICT, "--json")]
    asked = CliRunner().invoke(program(Speech(language)), unnamed, env=environ)
    assert asked.exit_code == Exit.MALFORMED
    assert "--policy shenzhen-meddev-2022" in asked.stderr
    assert DISTRICT in asked.stderr
    assert ("有2个政策" if language is Language.ZH else "there are 2 policies") in asked.stderr
    file = tmp_path / "applications.csv"
    file.write_text(
        f"rule,enterprise,enterprise_name,item,equipment_cost\n1.1,{ENTERPRISE},a,b,1.00\n", encoding="utf-8"
    )
    asked = CliRunner().invoke(program(Speech(language)), ["import", str(file), "--dry-run"], env=environ)
    assert asked.exit_code == Exit.MALFORMED
    assert DISTRICT in asked.stdout
    assert ("请加“政策”一列" if language is Language.ZH else "add a column policy") in asked.stdout


def test_several_folders_are_loaded_and_the_option_goes_before_the_environment(
    data: Path, policies: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other" / "baihe-meddev-2025"
    other.mkdir(parents=True)
    text = EXAMPLE.read_text(encoding="utf-8").replace(DISTRICT, "baihe-meddev-2025")
    (other / "1.toml").write_text(text, encoding="utf-8")
    twice = run(data, *QUOTE, "--policies", str(policies), "--policies", str(tmp_path / "other"))
    assert twice.exit_code == Exit.DONE, twice.output
    both = os.pathsep.join([str(tmp_path / "other"), str(policies)])
    assert run(data, *QUOTE, LEDGER_POLICIES=both).exit_code == Exit.DONE
    assert run(data, *QUOTE, "--policies", str(policies), LEDGER_POLICIES="/nowhere").exit_code == Exit.DONE


def faulty(policies: Path) -> tuple[Path, str]:
    text = EXAMPLE.read_text(encoding="utf-8").replace(
        'item_cap = { value = "80万元", cite = "一" }', 'item_cap = "80万元"'
    )
    (policies / DISTRICT / "1.toml").write_text(text, encoding="utf-8")
    return policies, f'{DISTRICT}/1.toml: rules."1.1".item_cap'


def repeated(policies: Path) -> tuple[Path, str]:
    shutil.copytree(policies / DISTRICT, policies / "twice" / DISTRICT)
    return policies / "twice", "1.toml"


def empty(policies: Path) -> tuple[Path, str]:
    return policies / DISTRICT, "<id>/<version>.toml"


def missing(policies: Path) -> tuple[Path, str]:
    return policies / "gone", str(policies / "gone")


def misplaced(policies: Path) -> tuple[Path, str]:
    (policies / DISTRICT / "1.toml").rename(policies / DISTRICT / "2.toml")
    return policies, f"{DISTRICT}/1.toml"


@pytest.mark.parametrize("broken", [faulty, empty, missing, misplaced])
def test_a_server_does_not_start_on_a_policy_that_is_unsound_and_says_where(
    data: Path, policies: Path, broken: Any
) -> None:
    folder, told = broken(policies)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    result = run(data, "serve", "--port", str(port), "--policies", str(folder))
    assert result.exit_code == (Exit.MALFORMED if broken in (empty, missing) else Exit.FAULT), result.output
    assert told in result.stderr


def test_one_version_in_two_folders_is_a_fault(data: Path, policies: Path) -> None:
    folder, told = repeated(policies)
    result = run(data, *QUOTE, "--policies", str(policies), "--policies", str(folder))
    assert (result.exit_code, told in result.stdout) == (Exit.FAULT, True)


def test_a_case_under_an_own_policy_is_not_computed_without_it(data: Path, policies: Path) -> None:
    office = Office(data, today=date(2026, 3, 3))
    office.policies = load_policies([policies])
    office.ledger = office.reopen()
    claim = SubmitApplication(
        policy=DISTRICT,
        rule="1.1",
        enterprise=ENTERPRISE,
        enterprise_name="示例医疗科技有限公司",
        item="甲",
        particulars={"equipment_cost": "4000000.00", "second_hand": False},
    )
    case = office.give(claim, "intake").case
    assert case is not None
    office.accept(case)
    office.give(DetermineAmount(case=case), "reviewer")
    office.close()
    assert "伍拾万元整" in run(data, "sheet", case, "--policies", str(policies)).stdout
    without = run(data, "sheet", case)
    assert (without.exit_code, DISTRICT in without.stderr) == (Exit.FAULT, True)


def check(path: Path, speech: Language, *more: str) -> Result:
    return CliRunner().invoke(program(Speech(speech)), ["policies", "check", str(path), *more])


def test_the_faults_of_files_are_told_a_line_each_in_the_reader_s_language(policies: Path) -> None:
    folder, _ = faulty(policies)
    text = (policies / DISTRICT / "1.toml").read_text(encoding="utf-8")
    (policies / DISTRICT / "1.toml").write_text(text.replace('"12.5%"', '"0%"', 1), encoding="utf-8")
    for path in (folder, folder / DISTRICT / "1.toml"):
        for language, said in ((Language.ZH, "没有出处"), (Language.EN, "uncited")):
            result = check(path, language)
            assert result.exit_code == Exit.FAULT
            lines = result.stdout.splitlines()
            assert len(lines) == 2
            assert all(line.startswith(str(policies / DISTRICT / "1.toml")) for line in lines)
            assert said in result.stdout
    assert len(json.loads(check(folder, Language.EN, "--json").stdout)["faults"]) == 2


def test_files_without_a_fault_are_listed(policies: Path) -> None:
    for path in (policies, policies / DISTRICT / "1.toml"):
        result = check(path, Language.ZH)
        assert (result.exit_code, len(result.stdout.splitlines())) == (Exit.DONE, 1)
        assert f"{DISTRICT}/1.toml" in result.stdout
    assert check(policies / "gone", Language.ZH).exit_code == Exit.MALFORMED, "it is the path that is wrong"


def test_the_demo_keeps_to_the_built_in_policies(tmp_path: Path) -> None:
    result = run(tmp_path, "demo", "--policies", str(tmp_path))
    assert result.exit_code == Exit.MALFORMED
