"""A number is found in the policy file by its line."""

from __future__ import annotations

from tests.trace.places import lines_of_keys

TEXT = """\
# 说明
[policy]
validity = { value = "5年", cite = "附则" }

[articles]
"一" = { name = "原始创新", funding = "none" }

[rules."19.1"] # 牵头
tiers = [
    { at_least = 10, ceiling = "100万元", cite = "十九" },
    { at_least = 20, ceiling = "200万元", cite = "十九" },
]
at_least = { reading = "B18" }

[rules."19.1".cost_dates]
tail = { reading = "B25.2" }
"""


def test_a_number_is_not_told_at_another_line() -> None:
    assert lines_of_keys(TEXT) == {
        "policy": 2,
        "policy.validity": 3,
        "articles": 5,
        'articles."一"': 6,
        'rules."19.1"': 8,
        'rules."19.1".tiers': 9,
        'rules."19.1".tiers[0]': 10,
        'rules."19.1".tiers[1]': 11,
        'rules."19.1".at_least': 13,
        'rules."19.1".cost_dates': 15,
        'rules."19.1".cost_dates.tail': 16,
    }
