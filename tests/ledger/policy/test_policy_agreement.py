"""Policy files whose entries are each of the right form and do not agree, or could not be meant: one example for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ledger.policy.broken_file import broken

RATE_71 = 'rate = { value = "40%", cite = "七" }'
TIER_20 = 'at_least = 20, ceiling = "200万元", cite = "十九"'
RENT_FREE = 'kind = "months", label = "因园区管理方原因免租的月数", default = '
FREE_DEFAULT = 'rules."22.2".particulars.rent_free_months.default'
C22O = """[limits.C22O]
label = "园区运营资助，单个企业每年"
clause = "二十二"
ceiling = { value = "500万元", cite = "二十二" }
cap_year = { reading = "B3" }
"""
OPERATION = 'length = { value = "3年", cite = "二十二" }\nanchor = "production_from"'

FAULTS = {
    # name: (changes, key, clause, what)
    "cites the article of another rule": (
        [(RATE_71, RATE_71.replace("七", "八"))],
        'rules."7.1".rate',
        "七",
        "cites article 八, and the entry carries out article 七",
    ),
    "cites an article without money": (
        [(RATE_71, RATE_71.replace("七", "六"))],
        'rules."7.1".rate',
        "七",
        "cites article 六",
    ),
    "tier of another article": (
        [(TIER_20, TIER_20.replace("十九", "五"))],
        'rules."19.1".tiers[1].cite',
        "十九",
        "cites article 五",
    ),
    "limit's ceiling of another article": (
        [('ceiling = { value = "1000万元", cite = "五" }', 'ceiling = { value = "1000万元", cite = "八" }')],
        "limits.C5.ceiling",
        "五",
        "cites article 八",
    ),
    "length that its reading contradicts": (
        [('"3年", cite = "二十二", reading = "B12"', '"24个月", cite = "二十二", reading = "B12"')],
        'rules."22.2".window.length',
        "二十二",
        "contradicts reading B12, whose value is 36个月: 24个月",
    ),
    "two windows of one limit, and not of one length": (
        [(C22O, ""), ('limit = "C22O"', 'limit = "C22U"'), (OPERATION, OPERATION.replace("3年", "2年"))],
        'rules."22.4".window.length',
        "二十二",
        "shares the limit C22U with 22.3, and not the length",
    ),
    "months before none": ([(RENT_FREE + "0", RENT_FREE + "-5")], FREE_DEFAULT, "二十二", "cannot stand in"),
    "months beyond all windows": ([(RENT_FREE + "0", RENT_FREE + "121")], FREE_DEFAULT, "二十二", "cannot stand in"),
    "day outside the calendar": (
        [('effective_from = { reading = "V1" }', 'effective_from = { value = "9999-01-01", cite = "附则" }')],
        "policy.effective_from",
        "附则",
        "of the years 1949 to 2199",
    ),
    "code that is a sentence": (
        [('code = "equity-relation"', 'code = "股权 关系"')],
        'rules."8.2".refused_when[0].code',
        "八",
        "not lower-case letters and hyphens",
    ),
    "limit that no address can name": (
        [("[limits.C14]", '[limits."C/14"]'), ('limit = "C14"', 'limit = "C/14"')],
        'limits."C/14"',
        "十四",
        "letters, digits, dots and hyphens",
    ),
    "rule in full-width digits": (
        [('[rules."7.1"]', '[rules."７.１"]'), ('[rules."7.1".particulars]', '[rules."７.１".particulars]')],
        'rules."７.１"',
        "七",
        "letters, digits, dots and hyphens",
    ),
    "one award a year, of a year that nobody states": (
        [('once_per_item = { value = true, reading = "B17" }', 'once_per_item = { value = "year", reading = "B17" }')],
        'rules."7.1".particulars',
        "七",
        "exactly one particular of kind year",
    ),
    "two stages under one label": (
        [('label = "园区水电气", clause', 'label = "园区租金", clause')],
        "stages.utilities.label",
        "二十二",
        "overlaps with stages.tenancy.label",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_file_whose_entries_do_not_agree_is_refused_by_key_and_clause(tmp_path: Path, name: str) -> None:
    changes, key, clause, what = FAULTS[name]
    said = [line for line in broken(tmp_path, *changes).splitlines() if what in line]
    assert any(f": {key} (article {clause}): " in line for line in said), said
