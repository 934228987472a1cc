"""Two ways of typing one number are one; two numbers stay two."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.evidence import evidence_key
from ledger.scopes import ITEM_LENGTH_MAX, REGISTER_LENGTH_MAX, item_key, register_key
from ledger.typed_alike import typed_alike

REPORT = "深审字〔2026〕12号"
ALIKE = {
    "brackets of a year": [
        REPORT, "深审字[2026]12号", "深审字【2026】12号", "深审字（2026）12号", "深审字(2026)12号", "深审字［2026］12号",
        "深审字〖2026〗12号", "深审字『2026』12号", "深审字「2026」12号", "深审字<2026>12号", "深审字《2026》12号",
        "深审字〈2026〉12号", "深审字{2026}12号", "深审字﹝2026﹞12号", "深审字︹2026︺12号", "深审字«2026»12号",
        "深审字‹2026›12号", "深审字⟨2026⟩12号", "深审字〘2026〙12号", "深审字〚2026〛12号", "深审字＜2026＞12号",
        "深审字≪2026≫12号",
    ],
    "第 and 号": [
        REPORT, "深审字〔2026〕第12号", "深审字〔2026〕12", "深审字〔２０２６〕 １２ 號", "深审字〔2026〕12号。",
        "深审字〔2026〕12号；",
    ],
    "quotation marks": [
        "园区“甲”", '园区"甲"', "园区「甲」", "园区'甲'", "园区‘甲’", "园区”甲“", "园区„甲‟", "园区『甲』", "园区＂甲＂",
        "园区〝甲〞", "园区“‘甲’”", "园区''甲''", "园区`甲`", "园区（甲）", "园区《甲》",
    ],
    "marks round all of it": ["甲方合同", "“甲方合同”", "《甲方合同》", "[甲方合同]", "「甲方合同」。"],
    "an apostrophe": ["XI'AN", "Xi’an", "xi‘an", "ＸＩ＇ＡＮ"],
    "middle dots": ["甲·乙", "甲・乙", "甲•乙", "甲‧乙", "甲∙乙", "甲⋅乙", "甲･乙", "甲●乙", "甲 · 乙"],
    "hyphens": [
        "HT-2026", "ht‐2026", "HT‑2026", "HT‒2026", "HT–2026", "HT—2026", "HT―2026", "HT−2026", "HT－2026", "HT﹣2026",
        "HT——2026", "HT--2026", "HT─2026", "HTー2026", "HT⁃2026",
    ],
    "a certificate's number": [
        "国械注准20263010001", "国械注准20263010001号", "国械注准20263010001號", "国械注准２０２６３０１０００１",
        "国械注准 2026 301 0001", "“国械注准20263010001”", "国械注准20263010001。", "国械注准2026301\u200b0001",
        "\ufeff国械注准20263010001",
    ],
    "No.": ["合同No.1", "合同№1", "合同NO:1", "合同 no. 1", "合同No：1", "合同No1"],
    "a register's number": ["第0001号", "0001号", "0001"],
    "other signs": ["甲/1,2:3~4.5", "甲／1，2：3～4．5", "甲∕1、2∶3〜4。5"],
    "a circle for nought": ["二〇二六", "二○二六", "二◯二六"],
}  # fmt: skip
APART = [
    ("深审字〔2026〕12号", "深审字〔2026〕1号"), ("深审字〔2026〕12号", "深审字〔2025〕12号"),
    ("深审字〔2026〕12号", "深审〔2026〕12号"), ("深审字〔2026〕12号", "深审字202612号"),
    ("深审字〔2026〕12号", "深审字〔2026〕012号"), ("甲（1）23", "甲（12）3"), ("甲（1）", "甲1"), ("园区“甲”", "园区甲"),
    ("1-23", "12-3"), ("1-23", "123"), ("2025第1号", "20251号"), ("甲第1号", "甲第一号"), ("第一号", "第1号"),
    ("二〇二六", "2026"), ("第〇号", "第零号"), ("国械注准20263010001", "国械注准20263010002"),
    ("国械注准20263010001", "粤械注准20263010001"), ("国械注准20263010001", "国械注进20263010001"), ("O1", "01"),
    ("l1", "11"), ("甲·乙", "甲乙"), ("甲/1", "甲1"), ("1号厂房", "1厂房"), ("甲的合同", "甲之合同"), ("No.1", "1"),
    ("センサー1", "センサ-1"),
]  # fmt: skip


@pytest.mark.parametrize("ways", ALIKE.values(), ids=ALIKE)
@pytest.mark.parametrize("key", [item_key, register_key, evidence_key])
def test_one_number_typed_in_two_ways_is_two(key: object, ways: list[str]) -> None:
    assert callable(key)
    differing = {way: key(way) for way in ways if key(way) != key(ways[0])}
    assert not differing, f"not {key(ways[0])}"


@pytest.mark.parametrize(("one", "other"), APART)
def test_two_numbers_are_one(one: str, other: str) -> None:
    assert item_key(one) != item_key(other)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("深审字[2026]第12", REPORT),
        ("租（2025）1号续", "租〔2025〕1号续"),
        ("项目（一期）", "项目(一期)"),
        ("国械注准20263010001号", "国械注准20263010001"),
    ],
)
def test_a_number_is_shown_in_a_way_that_no_office_writes(typed: str, shown: str) -> None:
    assert item_key(typed) == shown


MARKS = "()[]〔〕【】（）《》<>「」“”‘’\"'`-—－ー·・•.。,，、:：;；/／~～ \u3000\u200b号號第No№〇○①ﬁßıŉΐ½1２aＢ甲年"


@given(st.text(st.sampled_from(MARKS)) | st.text())
def test_a_key_is_not_its_own_key(text: str) -> None:
    assert typed_alike(typed_alike(text)) == typed_alike(text)


@given(st.lists(st.sampled_from("甲乙AB12"), min_size=1, max_size=6), st.sampled_from("-·/,:~("))
def test_where_a_mark_stands_is_lost(letters: list[str], mark: str) -> None:
    """The same letters with a mark at each of their places are as many numbers as there are places."""
    places = range(1, len(letters))
    keys = [typed_alike("".join([*letters[:place], mark, *letters[place:]])) for place in places]
    assert len(set(keys)) == len(keys)
    assert all(one != other for one, other in pairwise(keys))


@pytest.mark.parametrize("key", [item_key, register_key])
@pytest.mark.parametrize("text", ["", " ", "“”", "。", "——", "\u200b", "a\x00b"])
def test_nothing_is_taken_for_a_number(key: object, text: str) -> None:
    assert callable(key)
    with pytest.raises(ValueError, match="told apart"):
        key(text)


@pytest.mark.parametrize(("key", "most"), [(item_key, ITEM_LENGTH_MAX), (register_key, REGISTER_LENGTH_MAX)])
def test_a_number_longer_than_its_column_is_taken(key: object, most: int) -> None:
    assert callable(key)
    assert len(key("x" * most)) == most
    with pytest.raises(ValueError, match="told apart"):
        key("x" * (most + 1))
