"""One version of a policy as the office reads it: nothing that decides about money is left out or without its source."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from ledger.policy import BUILT_IN
from tests.api.http_office import POLICY, V1, HttpOffice, SetClock
from tests.api.test_readings import SWITCH, TEXT

FILE = BUILT_IN / POLICY / "1.toml"


@pytest.fixture
def text(office: HttpOffice) -> dict[str, Any]:
    answer = office.get("publisher", TEXT)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json
    return shown


def numbers(text: dict[str, Any]) -> list[dict[str, Any]]:
    holders = [text, *text["evidence"], *text["limits"], *text["rules"]]
    return [number for holder in holders for number in holder["numbers"]]


def test_the_text_is_named_by_its_number_its_validity_and_its_fingerprint(text: dict[str, Any]) -> None:
    assert (text["id"], text["version"], text["versions"], text["number"]) == (POLICY, 1, [1], "深发改规〔2022〕10号")
    assert (text["valid_from"], text["valid_until"]) == ("2022-08-01", "2027-07-31")
    assert text["sha256"] == hashlib.sha256(FILE.read_bytes()).hexdigest()
    assert text["read_on"] == "2026-06-01"


def test_every_article_is_there_with_money_or_without(text: dict[str, Any]) -> None:
    articles = {article["number"]: article for article in text["articles"]}
    assert len(articles) == 26
    assert sum(article["funding"] == "none" for article in articles.values()) == 15
    assert articles["五"]["rules"] == ["5.1", "5.2"]
    assert articles["六"]["rules"] == []
    assert {"B1", "B6"} <= set(articles["五"]["readings"])


def cited(entry: Any) -> Iterator[dict[str, Any]]:
    """Every value of the file that says where it comes from, and every tier and instalment."""
    if isinstance(entry, dict):
        if entry.keys() & {"cite", "reading"} and "because" not in entry and "parts" not in entry:
            yield entry
            return
        yield from (found for below in entry.values() for found in cited(below))
    elif isinstance(entry, list):
        for part in entry:
            if isinstance(part, dict) and "share" in part:
                yield part
            else:
                yield from cited(part)


def test_no_number_of_the_file_is_left_out_and_none_is_without_a_source(text: dict[str, Any]) -> None:
    tables = tomllib.loads(FILE.read_text(encoding="utf-8"))
    del tables["readings"]
    shown = numbers(text)
    assert len(shown) == len(list(cited(tables)))
    assert len({number["key"] for number in shown}) == len(shown)
    for number in shown:
        assert number["text"], number
        assert number["label"], number
        assert number["cite"] or number["reading"], number
        assert number["label"] != number["key"].rpartition(".")[2], f"{number['key']} has no name in words"


def test_a_number_is_told_as_the_policy_writes_it_with_its_key(office: HttpOffice, text: dict[str, Any]) -> None:
    by_key = {number["key"]: number for number in numbers(text)}
    assert by_key['rules."5.2".item_cap'] == {
        "key": 'rules."5.2".item_cap', "clause": "五", "label": "单项上限", "text": "500万元", "cite": "五",
        "reading": None, "answer": None,
    }  # fmt: skip
    assert by_key["limits.C5.ceiling"]["text"] == "1000万元"
    assert by_key['rules."19.1".tiers[1]']["text"] == "20起，上限200万元"
    assert by_key['rules."3.2".stages.parts[0]']["text"] == "40%：下达资助计划"
    in_english = office.get("publisher", TEXT, Accept_Language="en").json
    told = {number["key"]: number["text"] for number in numbers(in_english)}
    assert told['rules."19.1".tiers[1]'] == "from 20, at most 2000000.00 yuan"
    assert told['rules."3.2".stages.parts[0]'] == "40%: “下达资助计划”"
    assert told["limits.C5.ceiling"] == "1000万元", "as the policy writes it"
    assert by_key["policy.rounding"]["reading"] == "B27"
    assert by_key["policy.rounding"]["answer"]
    (limit,) = [limit for limit in text["limits"] if limit["name"] == "C5"]
    assert limit["rules"] == ["5.1", "5.2"]


def test_a_rule_tells_who_may_ask_for_what_and_what_bars_it(text: dict[str, Any]) -> None:
    (rule,) = [rule for rule in text["rules"] if rule["id"] == "8.2"]
    assert (rule["shape"], rule["review"], rule["limit"], rule["stage"]) == (
        "rate",
        "entitled",
        "C8",
        "industrialisation",
    )
    assert rule["condition"]
    assert [bar["code"] for bar in rule["refused_when"]] == ["equity-relation"]
    assert "B26" in rule["readings"]


def test_the_text_is_read_as_of_a_day_and_its_tag_follows(office: HttpOffice, clock: SetClock) -> None:
    before = office.get("publisher", f"{TEXT}?effective=2026-07-01")
    office.does("approver", f"{TEXT}/interpretations", {**SWITCH, "reading": "B21", "value": "80%"})
    now, then = office.get("publisher", TEXT), office.get("publisher", f"{TEXT}?effective=2026-07-01")
    rates = [
        next(number for number in numbers(answer.json) if number["key"] == 'rules."14.1".rate')["text"]
        for answer in (before, now, then)
    ]
    assert rates == ["100%", "100%", "80%"]
    assert before.headers["ETag"] != then.headers["ETag"]
    unchanged = office.get("publisher", TEXT, If_None_Match=now.headers["ETag"])
    assert unchanged.status_code == 304
    (b21,) = [reading for reading in then.json["readings"] if reading["id"] == "B21"]
    assert (b21["value"], b21["reference"], b21["effective_from"]) == ("80%", "会议纪要〔2026〕7号", "2026-07-01")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_labels_follow_the_language(office: HttpOffice, language: str) -> None:
    shown = numbers(office.get("publisher", TEXT, Accept_Language=language).json)
    assert all(number["label"].isascii() == (language == "en") for number in shown)


@pytest.mark.parametrize(
    ("address", "named"), [(f"{V1}/policies/{POLICY}/2", "现有第1版"), (f"{V1}/policies/nowhere/1", POLICY)]
)
def test_an_unknown_version_is_404_and_the_known_ones_are_named(office: HttpOffice, address: str, named: str) -> None:
    answer = office.get("publisher", address)
    assert (answer.status_code, answer.json["code"]) == (404, "not-found")
    assert named in answer.json["detail"]
