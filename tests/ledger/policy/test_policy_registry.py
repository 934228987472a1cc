"""Versions, pins, dates: which text counts when."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest

from ledger.errors import NotFound, PolicyFault
from ledger.policy import BUILT_IN, Pin, PolicyRegistry, built_in_policies

ID = "shenzhen-meddev-2022"
TEXT = (BUILT_IN / ID / "1.toml").read_text(encoding="utf-8")


def place(directory: Path, version: int = 1, text: str = TEXT, name: str | None = None) -> Path:
    path = directory / ID / (name or f"{version}.toml")
    path.parent.mkdir(exist_ok=True)
    path.write_text(text.replace("version = 1\n", f"version = {version}\n"), encoding="utf-8")
    return path


def test_the_pin_is_the_hash_of_the_file_s_bytes() -> None:
    policy = built_in_policies().get(ID)
    sha256 = hashlib.sha256((BUILT_IN / ID / "1.toml").read_bytes()).hexdigest()
    assert policy.pin == Pin(ID, 1, sha256)
    built_in_policies().check_pin(ID, 1, sha256)
    assert built_in_policies().pinned(policy.pin) == policy


def test_a_changed_text_is_refused(tmp_path: Path) -> None:
    place(tmp_path)
    pin = PolicyRegistry.load([tmp_path]).get(ID).pin
    place(tmp_path, text=TEXT + "# a comment\n")
    with pytest.raises(PolicyFault, match=r"1\.toml: policy\.version \(article 附则\): .*changed"):
        PolicyRegistry.load([tmp_path]).pinned(pin)


def test_a_missing_version_that_decisions_stand_on_is_refused(tmp_path: Path) -> None:
    place(tmp_path)
    with pytest.raises(PolicyFault, match="version 2"):
        PolicyRegistry.load([tmp_path]).check_pin(ID, 2, "0" * 64)


def test_the_newest_version_in_force_is_meant_where_none_is_named(tmp_path: Path) -> None:
    place(tmp_path)
    later = TEXT.replace('value = "2022-08-01"', 'value = "2025-01-01"')
    place(tmp_path, version=2, text=later)
    place(tmp_path, version=10, text=TEXT.replace('value = "2022-08-01"', 'value = "2030-01-01"'))
    registry = PolicyRegistry.load([tmp_path])
    assert registry.versions(ID) == (1, 2, 10)
    assert registry.get(ID).version == 10
    assert [p.version for p in registry.current()] == [10]
    assert registry.get(ID, 1, on=date(2030, 1, 1)).version == 1
    for day, version in (
        (date(2022, 8, 1), 1),
        (date(2024, 12, 31), 1),
        (date(2025, 1, 1), 2),
        (date(2034, 12, 31), 10),
    ):
        assert registry.get(ID, on=day).version == version
    for outside in (date(2022, 7, 31), date(2035, 1, 1)):
        with pytest.raises(NotFound):
            registry.get(ID, on=outside)


@pytest.mark.parametrize(("policy_id", "version"), [("guangming", None), (ID, 3), ("../x", 1)])
def test_what_does_not_exist_is_not_found(policy_id: str, version: int | None) -> None:
    with pytest.raises(NotFound):
        built_in_policies().get(policy_id, version)


def test_a_file_in_the_wrong_place_is_refused(tmp_path: Path) -> None:
    place(tmp_path, name="7.toml")
    with pytest.raises(PolicyFault, match=r"7\.toml"):
        PolicyRegistry.load([tmp_path])


def test_an_id_that_is_not_its_folder_s_name_is_refused_in_both_languages(tmp_path: Path) -> None:
    path = place(tmp_path, text=TEXT.replace(f'id = "{ID}"', 'id = "qinghe-meddev-2025"'))
    with pytest.raises(PolicyFault) as fault:
        PolicyRegistry.load([tmp_path])
    assert f"{path}: policy.id (article 附则): not its folder's name '{ID}'" in fault.value.text.en
    assert f"{path}：policy.id（附则）：应与所在目录名'{ID}'一致" in fault.value.text.zh


def test_one_version_in_two_directories_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    place(tmp_path / "a")
    place(tmp_path / "b")
    with pytest.raises(PolicyFault, match="both version 1"):
        PolicyRegistry.load([tmp_path / "a", tmp_path / "b"])


def test_the_faults_of_all_files_are_told_together(tmp_path: Path) -> None:
    place(tmp_path, version=1, text=TEXT.replace('"40%"', '"400%"'))
    place(tmp_path, version=2, text=TEXT.replace('"1000万元"', '"1000万"'))
    with pytest.raises(PolicyFault) as fault:
        PolicyRegistry.load([tmp_path])
    assert f"{ID}/1.toml" in fault.value.text.zh
    assert f"{ID}/2.toml" in fault.value.text.zh


def test_a_switched_reading_counts_from_its_day_on(tmp_path: Path) -> None:
    switch = (
        '[[readings.B13.switched]]\nvalue = "benchmark"\nsince = 2026-07-01\ndecided_by = "市发展和改革委员会"\n'
        'document = "会议纪要〔2026〕7号"\nwhy = "统一口径"\n\n[readings.B22]'
    )
    place(tmp_path, text=TEXT.replace("[readings.B22]", switch))
    registry = PolicyRegistry.load([tmp_path])
    before, after = registry.get(ID, on=date(2026, 6, 30)), registry.get(ID, on=date(2026, 7, 1))
    assert before.readings["B13"].value == "lower"
    assert after.readings["B13"].value == "benchmark"
    assert after.readings["B13"].document == "会议纪要〔2026〕7号"
    assert registry.get(ID).readings["B13"].value == "benchmark"
    assert before.rules["22.2"].terms != after.rules["22.2"].terms
    assert before.pin == after.pin


def _version(folder: Path, number: int, since: str) -> None:
    text = TEXT
    for old, new in (
        ("version = 1", f"version = {number}"),
        ('effective_from = { reading = "V1" }', f'effective_from = {{ value = "{since}", cite = "附则" }}'),
    ):
        assert old in text, old
        text = text.replace(old, new, 1)
    (folder / ID).mkdir(parents=True, exist_ok=True)
    (folder / ID / f"{number}.toml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("second", ["2022-08-01", "2022-07-31"])
def test_a_version_that_does_not_begin_after_the_one_before_is_a_fault_of_both_files(
    tmp_path: Path, second: str
) -> None:
    _version(tmp_path, 1, "2022-08-01")
    _version(tmp_path, 2, second)
    with pytest.raises(PolicyFault) as fault:
        PolicyRegistry.load([tmp_path])
    for number in (1, 2):
        assert str(tmp_path / ID / f"{number}.toml") in fault.value.text.zh


@pytest.mark.parametrize("second", ["2022-08-02", "2035-01-01"])
def test_a_version_may_replace_one_in_force_or_follow_after_a_gap(tmp_path: Path, second: str) -> None:
    _version(tmp_path, 1, "2022-08-01")
    _version(tmp_path, 2, second)
    assert PolicyRegistry.load([tmp_path]).versions(ID) == (1, 2)


def test_a_fault_names_the_folder_that_the_file_lies_in(tmp_path: Path) -> None:
    _version(tmp_path, 1, "2022-02-30")
    with pytest.raises(PolicyFault) as fault:
        PolicyRegistry.load([tmp_path])
    assert f"{tmp_path / ID / '1.toml'}：" in fault.value.text.zh
