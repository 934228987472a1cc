"""One broken file for each fault: the start is refused, and the message names the file, the key and the clause."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ledger.errors import PolicyFault
from ledger.policy import BUILT_IN, read_policy
from tests.ledger.policy.broken_file import GOOD, broken

RATE_51 = 'rate = { value = "40%", cite = "五" }'
CAP_51 = 'item_cap = { value = "300万元", cite = "五" }'
WINDOW_222 = 'length = { value = "3年", cite = "二十二", reading = "B12" }'
CLAIMABLE = 'claimable = { reading = "B11.1" }'

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
    # name: (old, new, key, clause, what)
    "unknown key": (RATE_51, RATE_51 + "\nratio = 1", 'rules."5.1".ratio', "五", "unknown key"),
    "unknown key in a number": (
        RATE_51,
        'rate = { value = "40%", cite = "五", per = "x" }',
        'rules."5.1".rate',
        "五",
        "unknown key: per",
    ),
    "unknown table": ("[articles]", "[extra]\n[articles]", "extra", "—", "unknown key"),
    "float": (RATE_51, 'rate = { value = 0.4, cite = "五" }', 'rules."5.1".rate.value', "五", "a float"),
    "float beside": ("version = 1", "version = 1.0", "policy.version", "附则", "a float"),
    "infinite float": ("version = 1", "version = inf", "policy.version", "附则", "a float"),
    "uncited number": (RATE_51, 'rate = "40%"', 'rules."5.1".rate', "五", "uncited"),
    "number without a source": (
        CAP_51,
        'item_cap = { value = "300万元" }',
        'rules."5.1".item_cap',
        "五",
        "uncited",
    ),
    "bare number": (CAP_51, "item_cap = 3000000", 'rules."5.1".item_cap', "五", "uncited"),
    "uncited tier": (
        'ceiling = "100万元", cite = "十九" }',
        'ceiling = "100万元" }',
        'rules."19.1".tiers[0].cite',
        "十九",
        "missing",
    ),
    "uncited stages": (
        'required = true\ncite = "三"\nreading = "B28"',
        "required = true",
        'rules."3.2".stages',
        "三",
        "uncited",
    ),
    "no number": (CAP_51, 'item_cap = { cite = "五" }', 'rules."5.1".item_cap', "五", "value is missing"),
    "amount that is none": (
        CAP_51,
        CAP_51.replace("万元", "万"),
        'rules."5.1".item_cap',
        "五",
        "not an amount",
    ),
    "fraction of a fen": (
        CAP_51,
        CAP_51.replace("300万元", "0.001元"),
        'rules."5.1".item_cap',
        "五",
        "not a whole number of fen",
    ),
    "rate above 100%": (RATE_51, RATE_51.replace("40%", "140%"), 'rules."5.1".rate', "五", "100%"),
    "rate of nothing": (RATE_51, RATE_51.replace("40%", "0%"), 'rules."5.1".rate', "五", "above 0%"),
    "rate that is none": (RATE_51, RATE_51.replace("40%", "40"), 'rules."5.1".rate', "五", "not a rate"),
    "cites a missing article": (
        CAP_51,
        CAP_51.replace("五", "五十"),
        'rules."5.1".item_cap',
        "五",
        "cites article 五十",
    ),
    "names a missing reading": (
        'reading = "B22" }',
        'reading = "B99" }',
        'rules."5.1".once_per_item',
        "五",
        "names reading B99",
    ),
    "lists a missing reading": (
        '"B7", "B8"',
        '"B99", "B8"',
        'rules."5.1".readings',
        "五",
        "names reading B99",
    ),
    "reading's value does not fit": (
        'rounding = { reading = "B27" }',
        'rounding = { reading = "B1" }',
        "policy.rounding",
        "附则",
        "value of reading B1",
    ),
    "reading's value is no option": (
        'value = "lower"',
        'value = "highest"',
        "readings.B13.value",
        "二十二",
        "not among the options",
    ),
    "switch without effect": (
        'alternatives = ["拨付额"]',
        'options = { "approved" = "a", "paid" = "b" }',
        "readings.B4.options",
        "五",
        "no effect",
    ),
    "remainder of what is funded every year": (
        'once_per_item = { value = true, cite = "五", reading = "B22" }',
        'once_per_item = { value = "year", cite = "五", reading = "B22" }',
        'rules."5.1".remainder',
        "五",
        "an item that is funded once",
    ),
    "followed by nobody we know": (
        'followed_by = "reviewer"',
        'followed_by = "auditor"',
        "readings.B16.followed_by",
        "七",
        "reviewer, process",
    ),
    "followed by people, and taken by a number": (
        'options = { "yuan" =',
        'followed_by = "reviewer"\noptions = { "yuan" =',
        "readings.B27.followed_by",
        "附则",
        "takes its value, and not people",
    ),
    "followed, with nothing to choose from": (
        'alternatives = ["拨付额"]\nfixed =',
        'alternatives = ["拨付额"]\nfollowed_by = "reviewer"\nfixed =',
        "readings.B4.followed_by",
        "五",
        "at least two values",
    ),
    "followed, and fixed": (
        'options = { "5" = "五个工作日"',
        'fixed = "…"\noptions = { "5" = "五个工作日"',
        'readings."B42.1".followed_by',
        "附则",
        "fixed says that it cannot",
    ),
    "length beyond any lease": (
        'length = { value = "3年", cite = "二十二" }',
        'length = { value = "21年", cite = "二十二" }',
        'rules."22.3".window.length',
        "二十二",
        "at most 20 years",
    ),
    "days beyond two years": ('value = "90日"', 'value = "732日"', 'rules."5.1".cost_dates.tail', "五", "at most 731"),
    "rate that grants nothing": (
        RATE_51,
        RATE_51.replace("40%", "0.0099%"),
        'rules."5.1".rate',
        "五",
        "at least 0.01%",
    ),
    "duplicate rule": ('[rules."5.2"]', '[rules."5.1"]', 'rules."5.1"', "五", "twice"),
    "duplicate limit": ("[limits.C22R]", "[limits.C5]", "limits.C5", "二十二", "twice"),
    "duplicate key": (CAP_51, CAP_51 + "\n" + CAP_51, 'rules."5.1"', "五", "twice"),
    "duplicate article": ('"六" = ', '"五" = ', 'articles."五"', "五", "Cannot overwrite"),
    "broken syntax": (CAP_51, "item_cap = {", 'rules."5.1"', "五", "not TOML"),
    "rules that overlap": (
        'name = "首次获批三类',
        'name = "首次获批二类',
        'rules."5.2".name',
        "五",
        "overlaps",
    ),
    "limits that overlap": (
        "产业化资助，单个企业每年",
        "首次注册资助，单个企业每年",
        "limits.C8.label",
        "八",
        "overlaps",
    ),
    "missing article": ('"二十六" = ', '"二十七" = ', 'articles."二十六"', "二十六", "gap"),
    "rule of a missing article": (
        'article = "五"\nname',
        'article = "五十"\nname',
        'rules."5.1".article',
        "五十",
        "cites article 五十",
    ),
    "rule of an article without money": (
        'article = "五"\nname',
        'article = "六"\nname',
        'articles."六".funding',
        "六",
        "there is a rule",
    ),
    "ruled article without a rule": (
        '注册申报服务", funding = "none"',
        '注册申报服务", funding = "ruled"',
        'articles."六".funding',
        "六",
        "gap",
    ),
    "missing limit": ('limit = "C5"', 'limit = "C6"', 'rules."5.1".limit', "五", "limit C6, which is missing"),
    "limit of no rule": ("[limits.C22R]", LIMIT_UNUSED + "[limits.C22R]", "limits.C9", "五", "no rule draws"),
    "missing particular": ('basis = "rd_cost"', 'basis = "cost"', 'rules."5.1".basis', "五", "not declared"),
    "particular of another kind": (
        'basis = "rd_cost"',
        'basis = "special_approval"',
        'rules."5.1".basis',
        "五",
        "of kind money",
    ),
    "basis that is optional": (
        'label = "实际投入研发费用" }',
        'label = "实际投入研发费用", optional = true }',
        'rules."5.1".basis',
        "五",
        "optional",
    ),
    "particular nobody uses": (
        'rd_cost = { kind = "money"',
        'x = { kind = "money", label = "x" }\nrd_cost = { kind = "money"',
        'rules."5.1".particulars.x',
        "五",
        "nothing in the rule uses it",
    ),
    "unknown kind": (
        'kind = "flag"',
        'kind = "colour"',
        'rules."5.1".particulars.special_approval.kind',
        "五",
        "not one of",
    ),
    "default of another kind": (
        "default = 0 }",
        "default = true }",
        'rules."22.2".particulars.rent_free_months.default',
        "二十二",
        "cannot stand in",
    ),
    "unknown shape": ('shape = "rate"', 'shape = "ratio"', 'rules."2.3".shape', "二", "unknown shape"),
    "key of another shape": (
        WINDOW_222,
        WINDOW_222 + '\nitem_cap = { value = "1元", cite = "五" }',
        'rules."22.2".window.item_cap',
        "二十二",
        "unknown key",
    ),
    "window without an anchor": (
        'anchor = "tenancy_from"\n',
        "",
        'rules."22.2".window.anchor',
        "二十二",
        "missing",
    ),
    "window without a length": (WINDOW_222 + "\n", "", 'rules."22.2".window.length', "二十二", "missing"),
    "window that does not say what may be claimed": (
        CLAIMABLE + "\n",
        "",
        'rules."22.2".window.claimable',
        "二十二",
        "missing",
    ),
    "claimable in words of its own": (
        CLAIMABLE,
        'claimable = { value = "always", cite = "二十二" }',
        'rules."22.2".window.claimable',
        "二十二",
        "not one of",
    ),
    "windowed rule without a limit": ('limit = "C22R"\n', "", 'rules."22.2".limit', "二十二", "benefit-year"),
    "limit by benefit year without a window": (
        'limit = "C5"',
        'limit = "C22R"',
        'rules."5.1".limit',
        "五",
        "benefit-year",
    ),
    "rent and cost": (
        '[rules."22.2".rent]',
        COST_222 + '[rules."22.2".rent]',
        'rules."22.2".rent',
        "二十二",
        "either rent or cost",
    ),
    "neither rent nor cost": (
        '[rules."22.4".cost]\nof = "operating_cost"\nsplit = { reading = "B3.1" }\n',
        "",
        'rules."22.4".rent',
        "二十二",
        "either rent or cost",
    ),
    "yearly cap below the item's": ('"1000万元"', '"599万元"', "limits.C5.ceiling", "五", "cap below"),
    "cap below a tier": (
        'count = "project_count"',
        'limit = "C22U"\ncount = "project_count"',
        "limits.C22U.ceiling",
        "二十二",
        "cap below a tier",
    ),
    "tiers in disorder": ("at_least = 20", "at_least = 9", 'rules."19.1".tiers[1]', "十九", "not ascending"),
    "ceilings in disorder": (
        'ceiling = "200万元", cite = "十九"',
        'ceiling = "100万元", cite = "十九"',
        'rules."19.1".tiers[1]',
        "十九",
        "not ascending",
    ),
    "two tiers at one count": (
        "at_least = 40",
        "at_least = 20",
        'rules."19.1".tiers[2]',
        "十九",
        "not ascending",
    ),
    "bonus without a cap": (CAP_51 + "\n", "", 'rules."5.1".item_cap_bonus', "五", "no item_cap"),
    "once without a cap": (CAP_51 + "\n", "", 'rules."5.1".once_per_item', "五", "needs an item_cap"),
    "once a year without a year": (
        'limit = "C15"\n',
        "",
        'rules."15.1".once_per_item',
        "十五",
        "needs a yearly limit",
    ),
    "once in words that mean nothing": (
        'once_per_item = { value = "year"',
        'once_per_item = { value = "month"',
        'rules."15.1".once_per_item',
        "十五",
        "not true or false",
    ),
    "items shared under one of two rules of a limit": (
        'item_shared = { value = true, cite = "八", reading = "B23" }\nlimit = "C8"\nevent_day = "cost_until"\n'
        'readings = ["B23", "B26"',
        'limit = "C8"\nevent_day = "cost_until"\nreadings = ["B23", "B26"',
        'rules."8.2".item_shared',
        "八",
        "shares the limit C8 with 8.1",
    ),
    "bonus without a condition": (
        ', when = "special_approval"',
        "",
        'rules."5.1".item_cap_bonus',
        "五",
        "missing: when",
    ),
    "shares that are not the whole": (
        'share = "40%"',
        'share = "30%"',
        'rules."3.2".stages.parts',
        "三",
        "100%",
    ),
    "stage without a share": (
        '{ share = "40%", when = "下达资助计划" }',
        '{ share = "40%", when = "下达资助计划" }, { share = "0%", when = "立项" }',
        'rules."3.2".stages.parts[1].share',
        "三",
        "above 0%",
    ),
    "stages that do not say how they are settled": (
        'settlement = { reading = "B29" }\n',
        "",
        'rules."3.2".stages.settlement',
        "三",
        "missing",
    ),
    "settlement without a cost": (
        '[rules."10.1".particulars]',
        '[rules."10.1".stages]\nrequired = false\ncite = "十"\nsettlement = { reading = "B29" }\n'
        'parts = [{ share = "100%", when = "立项" }]\n\n[rules."10.1".particulars]',
        'rules."10.1".stages.settlement',
        "十",
        "no basis",
    ),
    "year nobody states": (
        'purchase_year = { kind = "year"',
        'purchase_year = { kind = "count"',
        'rules."15.1".particulars',
        "十五",
        "which year",
    ),
    "no policy head": ("[policy]", "[rules.x]", "policy", "附则", "missing"),
    "text without words": (
        'name = "首次获批二类医疗器械注册证"',
        'name = " "',
        'rules."5.1".name',
        "五",
        "not text",
    ),
    "date that does not exist": (
        'value = "2022-08-01"',
        'value = "2022-02-30"',
        "policy.effective_from",
        "附则",
        "reading V1",
    ),
    "missing stage": (
        'stage = "registration"',
        'stage = "registry"',
        'rules."5.1".stage',
        "五",
        "names the stage registry",
    ),
    "stage of no rule": (
        "[stages]\n",
        '[stages]\nx = { label = "x", clause = "五" }\n',
        "stages.x",
        "五",
        "no rule funds",
    ),
    "evidence without its use": (
        'invoice = { used = { value = "once", reading = "B9" }',
        'invoices = { used = { value = "once", reading = "B9" }',
        "evidence.invoice",
        "附则",
        "missing",
    ),
    "unknown kind of evidence": (
        'invoice = { used = { value = "once", reading = "B9" }',
        'invoices = { used = { value = "once", reading = "B9" }',
        "evidence.invoices",
        "附则",
        "no kind of evidence",
    ),
    "bonus that says nothing of the year": (
        'bonus_raises_limit = { reading = "B6" }\n',
        "",
        'rules."5.1".bonus_raises_limit',
        "五",
        "missing",
    ),
    "bound on a day nobody states": (
        'paid_until = "paid_until"\n',
        "",
        'rules."5.1".cost_dates.tail',
        "五",
        "needs paid_until, event",
    ),
    "last payment without its days after the event": (
        'tail = { reading = "B25.2" }\n',
        "",
        'rules."5.1".cost_dates.tail',
        "五",
        "missing: says how many days",
    ),
    "paid first, on no day": (
        'paid_on = "paid_on"\n',
        "",
        'rules."22.3".cost',
        "二十二",
        "need each other",
    ),
    "cause that is none": (
        'value = "withdrawal, ',
        'value = "illness, ',
        "policy.restoring_causes",
        "附则",
        "value of reading B5",
    ),
    "option that breaks a rule": (
        'event_day = "certified_on"\n',
        "",
        'rules."5.1".event_day',
        "五",
        "counts by event-year",
    ),
    "alternatives without a word why they are fixed": (
        'alternatives = ["拨付额"]\nfixed = ',
        'alternatives = ["拨付额"]\ndocument = ',
        "readings.B4.fixed",
        "五",
        "why this version cannot switch",
    ),
    "version nought": ("version = 1", "version = 0", "policy.version", "附则", "not a whole number from 1 on: 0"),
    "id that leads out of its folder": (
        'id = "shenzhen-meddev-2022"',
        'id = "../shenzhen-meddev-2022"',
        "policy.id",
        "附则",
        "not lower-case letters, digits and hyphens",
    ),
    "cap of nothing": (CAP_51, CAP_51.replace("300万元", "0元"), 'rules."5.1".item_cap', "五", "above zero"),
    "ceiling of nothing": ('"1000万元"', '"0万元"', "limits.C5.ceiling", "五", "above zero"),
    "tier up to nothing": (
        'ceiling = "100万元", cite = "十九" }',
        'ceiling = "0.00元", cite = "十九" }',
        'rules."19.1".tiers[0].ceiling',
        "十九",
        "above zero",
    ),
    "cap a square metre of nothing": (
        'area_cap = { value = "3000元"',
        'area_cap = { value = "0元"',
        'rules."7.1".area_cap',
        "七",
        "above zero",
    ),
    "bonus of nothing": (
        'item_cap_bonus = { value = "100万元"',
        'item_cap_bonus = { value = "0元"',
        'rules."5.1".item_cap_bonus',
        "五",
        "above zero",
    ),
    "tier from nothing": ("at_least = 10", "at_least = 0", 'rules."19.1".tiers[0].at_least', "十九", "from 1 on"),
    "rent in place of its table": (
        'stage = "park-operation"\n',
        'stage = "park-operation"\nrent = "operating_cost"\n',
        'rules."22.4".rent',
        "二十二",
        "not a table { benchmark = …, actual = …, area = …, basis = … }: 'operating_cost'",
    ),
    "particular in place of its table": (
        'operating_cost = { kind = "money", label = "运营成本" }',
        'operating_cost = "运营成本"',
        'rules."22.4".particulars.operating_cost',
        "二十二",
        "not a table { kind = …, label = … }",
    ),
    "empty tiers": (TIERS_192, "tiers = []", 'rules."19.2".tiers', "十九", "no tiers"),
}


def test_no_fault_that_the_office_was_promised_is_without_its_example() -> None:
    """The ninth, the changed text of a version in force, is in test_policy_registry.py: it takes a decision first."""
    promised = {
        "overlap": "rules that overlap",
        "gap": "missing article",
        "float": "float",
        "unknown key": "unknown key",
        "uncited number": "uncited number",
        "cap below a tier": "cap below a tier",
        "window without an anchor": "window without an anchor",
        "duplicate id": "duplicate rule",
    }
    assert set(promised.values()) <= set(FAULTS)


@pytest.mark.parametrize("name", FAULTS)
def test_a_broken_file_is_refused_by_file_key_and_clause(tmp_path: Path, name: str) -> None:
    old, new, key, clause, what = FAULTS[name]
    changes = [(old, new)]
    if name == "once without a cap":
        changes.append(
            ('item_cap_bonus = { value = "100万元", cite = "五", reading = "B8", when = "special_approval" }\n', "")
        )
    message = broken(tmp_path, *changes)
    lines = [line for line in message.splitlines() if f": {key} (article {clause}): " in line]
    assert lines, message
    assert all(line.startswith(f"{tmp_path / 'broken.toml'}: ") for line in lines)
    assert any(what in line for line in lines), message


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    message = broken(
        tmp_path,
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
    message = broken(tmp_path, ("[readings.B30]", switch))
    assert "readings.B27.switched[0].value" in message
    assert "policy.rounding" in message


def test_a_file_that_is_not_utf_8_or_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gbk.toml"
    path.write_bytes("# 政策".encode("gbk"))
    with pytest.raises(PolicyFault, match=re.escape("gbk.toml")):
        read_policy(path)
    with pytest.raises(PolicyFault, match=re.escape("none.toml")):
        read_policy(tmp_path / "none.toml")


def test_a_file_with_a_byte_order_mark_is_told_how_to_be_saved(tmp_path: Path) -> None:
    path = tmp_path / "marked.toml"
    path.write_text(GOOD, encoding="utf-8-sig")
    with pytest.raises(PolicyFault, match=re.escape("marked.toml")) as fault:
        read_policy(path)
    for said in (fault.value.text.zh, fault.value.text.en):
        assert "BOM" in said
        assert "UTF-8" in said
        assert "TOML" not in said


def test_what_is_wrong_with_a_value_is_told_in_each_language_alone(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text(GOOD.replace(RATE_51, RATE_51.replace("40%", "140%"), 1), encoding="utf-8")
    with pytest.raises(PolicyFault) as fault:
        read_policy(path)
    assert "比例须大于0，不超过100%" in fault.value.text.zh
    assert "rate is" not in fault.value.text.zh


def test_a_word_in_place_of_a_table_is_told_what_the_table_has(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    text = GOOD.replace('[rules."22.4".cost]\nof = "operating_cost"\nsplit = { reading = "B3.1" }\n', "", 1)
    stage = 'stage = "park-operation"\n'
    path.write_text(text.replace(stage, stage + 'cost = "operating_cost"\n', 1), encoding="utf-8")
    with pytest.raises(PolicyFault) as fault:
        read_policy(path)
    (en,), (zh,) = (
        [line for line in told.splitlines() if 'rules."22.4".cost' in line]
        for told in (fault.value.text.en, fault.value.text.zh)
    )
    assert en.endswith("not a table { of = …, split = … } (it may also have paid_on, bills): 'operating_cost'")
    assert zh.endswith("应为表 { of = …, split = … }（还可写paid_on、bills），不能是'operating_cost'")


@pytest.mark.parametrize("policy_id", ["Qinghe", "2025-qinghe", "-qinghe", "qing_he", "青禾", "a/b", "..", "qinghe\\n"])
def test_an_id_is_lower_case_letters_digits_and_hyphens(tmp_path: Path, policy_id: str) -> None:
    path = tmp_path / "broken.toml"
    path.write_text(GOOD.replace('id = "shenzhen-meddev-2022"', f'id = "{policy_id}"', 1), encoding="utf-8")
    with pytest.raises(PolicyFault) as fault:
        read_policy(path)
    assert "policy.id (article 附则): not lower-case letters" in fault.value.text.en
    assert "policy.id（附则）：无法识别：只能用小写字母" in fault.value.text.zh


def test_the_good_file_has_no_fault() -> None:
    read_policy(BUILT_IN / "shenzhen-meddev-2022" / "1.toml")
