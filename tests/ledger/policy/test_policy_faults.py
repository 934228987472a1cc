"""One broken file for each fault: the start is refused, and the message names the file, the key and the clause."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ledger.errors import PolicyFault
from ledger.policy import BUILT_IN, read_policy

GOOD = {
    "first": (BUILT_IN / "shenzhen-meddev-2022" / "1.toml").read_text(encoding="utf-8"),
    "all": (Path(__file__).parent / "all_rules.toml").read_text(encoding="utf-8"),
}


def broken(tmp_path: Path, good: str, *changes: tuple[str, str]) -> str:
    """The message for a good file with some text replaced, each exactly where it occurs first."""
    text = GOOD[good]
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = tmp_path / "broken.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyFault) as fault:
        read_policy(path)
    assert len(fault.value.text.zh.splitlines()) == len(fault.value.text.en.splitlines())
    return fault.value.text.en


RATE_51 = 'rate = { value = "40%", cite = "五" }'
CAP_51 = 'item_cap = { value = "300万元", cite = "五" }'
WINDOW_222 = 'length = { value = "3年", cite = "二十二", reading = "B12" }'

LIMIT_UNUSED = """[limits.C9]
label = "x"
clause = "五"
ceiling = { value = "1元", cite = "五" }
cap_year = { reading = "B1" }
"""
COST_222 = """[rules."22.2".cost]
of = "benchmark_rent"
split = { reading = "B3.1" }
"""
TIERS_192 = """tiers = [
    { at_least = 10, ceiling = "50万元", cite = "十九" },
    { at_least = 20, ceiling = "100万元", cite = "十九" },
    { at_least = 40, ceiling = "150万元", cite = "十九" },
]"""

FAULTS = {
    # name: (good file, old, new, key, clause, what)
    "unknown key": ("first", RATE_51, RATE_51 + "\nratio = 1", 'rules."5.1".ratio', "五", "unknown key"),
    "unknown key in a number": (
        "first",
        RATE_51,
        'rate = { value = "40%", cite = "五", per = "x" }',
        'rules."5.1".rate',
        "五",
        "unknown key: per",
    ),
    "unknown table": ("first", "[articles]", "[extra]\n[articles]", "extra", "—", "unknown key"),
    "float": ("first", RATE_51, 'rate = { value = 0.4, cite = "五" }', 'rules."5.1".rate.value', "五", "a float"),
    "float beside": ("first", "version = 1", "version = 1.0", "policy.version", "附则", "a float"),
    "infinite float": ("first", "version = 1", "version = inf", "policy.version", "附则", "a float"),
    "uncited number": ("first", RATE_51, 'rate = "40%"', 'rules."5.1".rate', "五", "uncited"),
    "number without a source": (
        "first",
        CAP_51,
        'item_cap = { value = "300万元" }',
        'rules."5.1".item_cap',
        "五",
        "uncited",
    ),
    "bare number": ("first", CAP_51, "item_cap = 3000000", 'rules."5.1".item_cap', "五", "uncited"),
    "uncited tier": (
        "all",
        'ceiling = "100万元", cite = "十九" }',
        'ceiling = "100万元" }',
        'rules."19.1".tiers[0].cite',
        "十九",
        "missing",
    ),
    "uncited stages": (
        "all",
        'required = true\ncite = "三"\nreading = "B28"',
        "required = true",
        'rules."3.2".stages',
        "三",
        "uncited",
    ),
    "no number": ("first", CAP_51, 'item_cap = { cite = "五" }', 'rules."5.1".item_cap', "五", "value is missing"),
    "amount that is none": (
        "first",
        CAP_51,
        CAP_51.replace("万元", "万"),
        'rules."5.1".item_cap',
        "五",
        "not an amount",
    ),
    "fraction of a fen": (
        "first",
        CAP_51,
        CAP_51.replace("300万元", "0.001元"),
        'rules."5.1".item_cap',
        "五",
        "not a whole number of fen",
    ),
    "rate above 100%": ("first", RATE_51, RATE_51.replace("40%", "140%"), 'rules."5.1".rate', "五", "100%"),
    "rate that is none": ("first", RATE_51, RATE_51.replace("40%", "40"), 'rules."5.1".rate', "五", "not a rate"),
    "cites a missing article": (
        "first",
        CAP_51,
        CAP_51.replace("五", "五十"),
        'rules."5.1".item_cap',
        "五",
        "cites article 五十",
    ),
    "names a missing reading": (
        "first",
        'reading = "B22" }',
        'reading = "B99" }',
        'rules."5.1".once_per_item',
        "五",
        "names reading B99",
    ),
    "lists a missing reading": (
        "first",
        '"B6", "B7"',
        '"B99", "B7"',
        'rules."5.1".readings',
        "五",
        "names reading B99",
    ),
    "reading's value does not fit": (
        "first",
        'rounding = { reading = "B27" }',
        'rounding = { reading = "B1" }',
        "policy.rounding",
        "附则",
        "value of reading B1",
    ),
    "reading's value is no option": (
        "first",
        'value = "lower"',
        'value = "highest"',
        "readings.B13.value",
        "二十二",
        "not among the options",
    ),
    "switch without effect": (
        "first",
        'alternatives = ["仅自产"]',
        'options = { "own-or-entrusted" = "a", "own" = "b" }',
        "readings.B24.options",
        "五",
        "no effect",
    ),
    "duplicate rule": ("first", '[rules."5.2"]', '[rules."5.1"]', 'rules."5.1"', "五", "twice"),
    "duplicate limit": ("first", "[limits.C22R]", "[limits.C5]", "limits.C5", "二十二", "twice"),
    "duplicate key": ("first", CAP_51, CAP_51 + "\n" + CAP_51, 'rules."5.1"', "五", "twice"),
    "duplicate article": ("first", '"六" = ', '"五" = ', 'articles."五"', "五", "Cannot overwrite"),
    "broken syntax": ("first", CAP_51, "item_cap = {", 'rules."5.1"', "五", "not TOML"),
    "rules that overlap": (
        "first",
        'name = "首次获批三类',
        'name = "首次获批二类',
        'rules."5.2".name',
        "五",
        "overlaps",
    ),
    "limits that overlap": (
        "all",
        "产业化资助，单个企业每年",
        "首次注册资助，单个企业每年",
        "limits.C8.label",
        "八",
        "overlaps",
    ),
    "missing article": ("first", '"二十六" = ', '"二十七" = ', 'articles."二十六"', "二十六", "gap"),
    "rule of a missing article": (
        "first",
        'article = "五"\nname',
        'article = "五十"\nname',
        'rules."5.1".article',
        "五十",
        "cites article 五十",
    ),
    "rule of an article without money": (
        "first",
        'article = "五"\nname',
        'article = "六"\nname',
        'articles."六".funding',
        "六",
        "there is a rule",
    ),
    "ruled article without a rule": (
        "first",
        '产品在本市产业化", funding = "pending"',
        '产品在本市产业化", funding = "ruled"',
        'articles."八".funding',
        "八",
        "gap",
    ),
    "missing limit": ("first", 'limit = "C5"', 'limit = "C6"', 'rules."5.1".limit', "五", "limit C6, which is missing"),
    "limit of no rule": ("first", "[limits.C22R]", LIMIT_UNUSED + "[limits.C22R]", "limits.C9", "五", "no rule draws"),
    "missing particular": ("first", 'basis = "rd_cost"', 'basis = "cost"', 'rules."5.1".basis', "五", "not declared"),
    "particular of another kind": (
        "first",
        'basis = "rd_cost"',
        'basis = "special_approval"',
        'rules."5.1".basis',
        "五",
        "of kind money",
    ),
    "basis that is optional": (
        "first",
        'label = "实际投入研发费用" }',
        'label = "实际投入研发费用", optional = true }',
        'rules."5.1".basis',
        "五",
        "optional",
    ),
    "particular nobody uses": (
        "first",
        'rd_cost = { kind = "money"',
        'x = { kind = "money", label = "x" }\nrd_cost = { kind = "money"',
        'rules."5.1".particulars.x',
        "五",
        "nothing in the rule uses it",
    ),
    "unknown kind": (
        "first",
        'kind = "flag"',
        'kind = "colour"',
        'rules."5.1".particulars.special_approval.kind',
        "五",
        "not one of",
    ),
    "default of another kind": (
        "first",
        "default = 0 }",
        "default = true }",
        'rules."22.2".particulars.rent_free_months.default',
        "二十二",
        "cannot stand in",
    ),
    "unknown shape": ("first", 'shape = "rate"', 'shape = "ratio"', 'rules."5.1".shape', "五", "unknown shape"),
    "key of another shape": (
        "first",
        WINDOW_222,
        WINDOW_222 + '\nitem_cap = { value = "1元", cite = "五" }',
        'rules."22.2".window.item_cap',
        "二十二",
        "unknown key",
    ),
    "window without an anchor": (
        "first",
        'anchor = "tenancy_from"\n',
        "",
        'rules."22.2".window.anchor',
        "二十二",
        "missing",
    ),
    "window without a length": ("first", WINDOW_222 + "\n", "", 'rules."22.2".window.length', "二十二", "missing"),
    "windowed rule without a limit": ("first", 'limit = "C22R"\n', "", 'rules."22.2".limit', "二十二", "benefit-year"),
    "limit by benefit year without a window": (
        "first",
        'limit = "C5"',
        'limit = "C22R"',
        'rules."5.1".limit',
        "五",
        "benefit-year",
    ),
    "rent and cost": (
        "all",
        '[rules."22.2".rent]',
        COST_222 + '[rules."22.2".rent]',
        'rules."22.2".rent',
        "二十二",
        "either rent or cost",
    ),
    "neither rent nor cost": (
        "all",
        '[rules."22.4".cost]\nof = "operating_cost"\nsplit = { reading = "B3.1" }\n',
        "",
        'rules."22.4".rent',
        "二十二",
        "either rent or cost",
    ),
    "yearly cap below the item's": ("first", '"1000万元"', '"599万元"', "limits.C5.ceiling", "五", "cap below"),
    "cap below a tier": (
        "all",
        'count = "project_count"',
        'limit = "C22U"\ncount = "project_count"',
        "limits.C22U.ceiling",
        "二十二",
        "cap below a tier",
    ),
    "tiers in disorder": ("all", "at_least = 20", "at_least = 9", 'rules."19.1".tiers[1]', "十九", "not ascending"),
    "ceilings in disorder": (
        "all",
        'ceiling = "200万元", cite = "十九"',
        'ceiling = "100万元", cite = "十九"',
        'rules."19.1".tiers[1]',
        "十九",
        "not ascending",
    ),
    "two tiers at one count": (
        "all",
        "at_least = 40",
        "at_least = 20",
        'rules."19.1".tiers[2]',
        "十九",
        "not ascending",
    ),
    "bonus without a cap": ("first", CAP_51 + "\n", "", 'rules."5.1".item_cap_bonus', "五", "no item_cap"),
    "once without a cap": ("first", CAP_51 + "\n", "", 'rules."5.1".once_per_item', "五", "needs an item_cap"),
    "bonus without a condition": (
        "first",
        ', when = "special_approval"',
        "",
        'rules."5.1".item_cap_bonus',
        "五",
        "missing: when",
    ),
    "shares that are not the whole": (
        "all",
        'share = "40%"',
        'share = "30%"',
        'rules."3.2".stages.parts',
        "三",
        "100%",
    ),
    "year nobody states": (
        "all",
        'purchase_year = { kind = "year"',
        'purchase_year = { kind = "count"',
        'rules."15.1".particulars',
        "十五",
        "which year",
    ),
    "no policy head": ("first", "[policy]", "[rules.x]", "policy", "附则", "missing"),
    "text without words": (
        "first",
        'name = "首次获批二类医疗器械注册证"',
        'name = " "',
        'rules."5.1".name',
        "五",
        "not text",
    ),
    "date that does not exist": (
        "first",
        'value = "2022-08-01"',
        'value = "2022-02-30"',
        "policy.effective_from",
        "附则",
        "reading V1",
    ),
    "empty tiers": ("all", TIERS_192, "tiers = []", 'rules."19.2".tiers', "十九", "no tiers"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_broken_file_is_refused_by_file_key_and_clause(tmp_path: Path, name: str) -> None:
    good, old, new, key, clause, what = FAULTS[name]
    changes = [(old, new)]
    if name == "once without a cap":
        changes.append(
            ('item_cap_bonus = { value = "100万元", cite = "五", reading = "B8", when = "special_approval" }\n', "")
        )
    message = broken(tmp_path, good, *changes)
    lines = [line for line in message.splitlines() if f": {key} (article {clause}): " in line]
    assert lines, message
    assert all(line.startswith(f"{tmp_path / 'broken.toml'}: ") for line in lines)
    assert any(what in line for line in lines), message


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    message = broken(
        tmp_path,
        "first",
        (RATE_51, 'rate = "40%"'),
        ('item_cap = { value = "500万元", cite = "五" }', 'item_cap = { value = 0.5, cite = "五" }'),
        ('limit = "C22R"', 'limit = "C23"'),
        ('anchor = "tenancy_from"', 'anchor = "moved_in"'),
        ('"六" = { name', '"六" = { nam'),
    )
    for key in (
        'rules."5.1".rate',
        'rules."5.2".item_cap.value',
        'rules."22.2".limit',
        'rules."22.2".window.anchor',
        'articles."六".nam',
    ):
        assert f": {key} (article " in message, message


def test_a_fault_after_a_switch_of_reading_stops_the_start_too(tmp_path: Path) -> None:
    switch = (
        '[[readings.B27.switched]]\nvalue = "jiao"\nsince = 2027-01-01\ndecided_by = "x"\ndocument = "x"\nwhy = "x"\n\n'
        "[readings.B30]"
    )
    message = broken(tmp_path, "first", ("[readings.B30]", switch))
    assert "readings.B27.switched[0].value" in message
    assert "policy.rounding" in message


def test_a_file_that_is_not_utf_8_or_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gbk.toml"
    path.write_bytes("# 政策".encode("gbk"))
    with pytest.raises(PolicyFault, match=re.escape("gbk.toml")):
        read_policy(path)
    with pytest.raises(PolicyFault, match=re.escape("none.toml")):
        read_policy(tmp_path / "none.toml")


def test_the_good_files_have_no_fault() -> None:
    read_policy(BUILT_IN / "shenzhen-meddev-2022" / "1.toml")
    read_policy(Path(__file__).parent / "all_rules.toml")
