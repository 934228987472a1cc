"""The calculation sheet over HTTP: the whole trace as data, and a page that an office can print and file."""

from __future__ import annotations

import base64
import hashlib
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.api.http_office import ENTERPRISE, HttpOffice

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
SECOND_CLASS = {"rule": "5.1", "particulars": {"rd_cost": "7000000.00", "special_approval": False}}


def cut_by_others(office: HttpOffice) -> tuple[list[str], str]:
    """Three items under one yearly limit, the last one cut: the ids of two awards, and the third's application."""
    awards = [office.approved(item="甲"), office.approved(item="乙", **SECOND_CLASS)]
    stated = {"rd_cost": "8000000.00", "special_approval": False}
    third = office.determined(item="丙", rule="5.1", particulars=stated)
    return [award.rpartition("/")[2] for award in awards], third


class Elements(HTMLParser):
    """The elements of a page, and what is wrong with how they are nested."""

    VOID = frozenset({"meta", "br", "link", "img"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == [], f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def named(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag in tags]


def test_a_sheet_tells_every_step_what_was_cut_and_who_had_used_the_limit(office: HttpOffice) -> None:
    earlier, application = cut_by_others(office)
    answer = office.get("auditor", f"{application}/sheet")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    sheet = answer.json
    assert (sheet["amount"], sheet["capitals"]) == ("1200000.00", "壹佰贰拾万元整")
    assert (sheet["enterprise"], sheet["rule"], sheet["article"], sheet["cap_year"]) == (ENTERPRISE, "5.1", "五", 2026)
    assert (sheet["award_id"], sheet["approval"], sheet["determination"], sheet["superseded"]) == (None, None, 1, False)
    assert sheet["basis"] == {
        "name": "rd_cost", "label": "实际投入研发费用", "value": "8000000.00", "text": "800万元",
    }  # fmt: skip
    in_english = office.get("auditor", f"{application}/sheet", Accept_Language="en").json
    assert [stated["text"] for stated in in_english["particulars"]] == ["8000000.00 yuan", "no"]
    assert in_english["limits"][0]["label"] == "C5 “首次注册资助，单个企业每年”"
    assert sheet["rate"] == "40%"
    yearly, item = sheet["limits"]
    assert [(step["step"], step["amount"], step["cut"], step["scope"]) for step in sheet["steps"]] == [
        ("rate", "3200000.00", None, None),
        ("item-cap", "3000000.00", "200000.00", item["scope"]),
        ("annual-cap", "1200000.00", "1800000.00", yearly["scope"]),
    ]
    assert {name: yearly[name] for name in ("name", "clause", "ceiling", "used", "left", "cut", "counted")} == {
        "name": "C5", "clause": "五", "ceiling": "10000000.00", "used": "8800000.00", "left": "1200000.00",
        "cut": "1800000.00",
        "counted": [{"award_id": earlier[0], "amount": "6000000.00"}, {"award_id": earlier[1], "amount": "2800000.00"}],
    }  # fmt: skip
    assert sheet["bound_by"] == {"clause": "五", "limit": "C5"}
    assert {"B1", "B7", "B27"} <= {reading["id"] for reading in sheet["readings"]}
    assert {stated["name"]: stated["value"] for stated in sheet["particulars"]} == {
        "rd_cost": "8000000.00",
        "special_approval": False,
    }


def test_an_award_s_sheet_is_its_application_s_with_the_approval(office: HttpOffice) -> None:
    _, application = cut_by_others(office)
    assert office.get("auditor", f"{application.replace('applications/app', 'awards/awd')}/sheet").status_code == 404
    award = office.post("approver", f"{application}/approval", {"amount": "1200000.00"}).headers["Location"]
    sheet = office.get("auditor", f"{award}/sheet").json
    assert sheet == office.get("auditor", f"{application}/sheet").json
    assert (sheet["approval"]["amount"], sheet["approval"]["capitals"]) == ("1200000.00", "壹佰贰拾万元整")
    assert sheet["award_id"] == award.rpartition("/")[2]


def test_every_determination_keeps_its_own_sheet(office: HttpOffice) -> None:
    application = office.determined()
    verified = {"particulars": {"rd_cost": "1000000.00", "special_approval": True}, "reason": "审计核减"}
    office.does("reviewer", f"{application}/determination", verified)
    first, second = (office.get("auditor", f"{application}/determinations/{n}/sheet").json for n in (1, 2))
    assert (first["amount"], first["superseded"]) == ("6000000.00", True)
    assert (second["amount"], second["superseded"], second["reason"]) == ("400000.00", False, "审计核减")
    assert office.get("auditor", f"{application}/sheet").json == second
    missing = office.get("auditor", f"{application}/determinations/3/sheet")
    assert (missing.status_code, "共核定2次" in missing.json["detail"]) == (404, True)


def test_there_is_no_sheet_before_an_amount_was_determined(office: HttpOffice) -> None:
    answer = office.get("auditor", f"{office.submitted()}/sheet")
    assert (answer.status_code, answer.json["code"]) == (404, "not-found")


@pytest.fixture
def page(office: HttpOffice) -> str:
    _, application = cut_by_others(office)
    office.does("approver", f"{application}/approval", {"amount": "1200000.00"})
    return office.get("auditor", f"{application}/sheet", **PAGE).text


def test_a_browser_gets_the_sheet_as_a_page_in_chinese(office: HttpOffice) -> None:
    _, application = cut_by_others(office)
    answer = office.get("auditor", f"{application}/sheet", **PAGE, Accept_Language="en")
    assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")
    assert (answer.headers["Content-Language"], "Accept" in answer.headers["Vary"]) == ("zh-CN", True)
    again = office.get("auditor", f"{application}/sheet", **PAGE, If_None_Match=answer.headers["ETag"])
    assert again.status_code == 304
    assert office.get("auditor", f"{application}/sheet", Accept="*/*").is_json
    assert office.get("auditor", f"{application}/sheet").is_json
    assert office.get("auditor", f"{application}/sheet", Accept="application/json").is_json
    neither = office.get("auditor", f"{application}/sheet", Accept="application/pdf")
    assert (neither.status_code, neither.json["code"]) == (406, "not-acceptable")


def test_the_page_says_the_whole_sheet(office: HttpOffice) -> None:
    earlier, application = cut_by_others(office)
    said = "".join(Elements(office.get("auditor", f"{application}/sheet", **PAGE).text).text)
    sheet = office.get("auditor", f"{application}/sheet").json
    for told in (
        "壹佰贰拾万元整", "1,200,000.00", "800万元", "40%", "1,800,000.00", "8,800,000.00", *earlier,
        sheet["policy"]["sha256"], sheet["enterprise"], sheet["enterprise_name"], "reviewer",
        *(step["detail"] for step in sheet["steps"]), *(reading["question"] for reading in sheet["readings"]),
    ):  # fmt: skip
        assert told in said, told


def test_the_page_is_whole_in_itself_and_runs_nothing(page: str) -> None:
    elements = Elements(page)
    assert elements.named("script", "link", "img", "iframe", "form") == []
    assert not any({"src", "href", "style"} & set(attributes) for _, attributes in elements.found)
    assert "url(" not in page
    assert "@import" not in page


def test_the_page_s_own_style_is_the_only_thing_that_its_security_policy_allows(office: HttpOffice) -> None:
    answer = office.get("auditor", f"{office.determined()}/sheet", **PAGE)
    style = answer.text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = answer.headers["Content-Security-Policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy


def test_the_page_s_tables_can_be_read_by_ear(page: str) -> None:
    elements = Elements(page)
    assert elements.named("html") == [{"lang": "zh-CN"}]
    assert page.startswith("<!doctype html>")
    assert len(elements.named("caption")) == len(elements.named("table")) > 3
    assert all(cell.get("scope") in ("row", "col") for cell in elements.named("th"))
    assert len(elements.named("h1")) == 1


def test_the_page_shows_what_was_typed_and_does_not_run_it(office: HttpOffice) -> None:
    application = office.determined(enterprise_name="<script>alert(1)</script>有限公司", item="<b>甲</b>")
    page = office.get("auditor", f"{application}/sheet", **PAGE).text
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;有限公司" in page


@pytest.mark.parametrize(
    ("rule", "stated", "reason"),
    [
        ("7.1", {"build_cost": "30000000.00", "area_m2": "5000.00"}, None),
        ("2.1", {"proposed": "100.00"}, "评审意见"),
        ("19.1", {"project_count": 10, "proposed": "100.00", "service_year": 2025}, "评审意见"),
        (
            "22.2",
            {
                "benchmark_rent": "1000.00", "area_m2": "2000.00", "tenancy_from": "2023-07-01",
                "claim_from": "2024-01-01", "claim_until": "2024-12-31",
            },
            None,
        ),
    ],
)  # fmt: skip
def test_every_shape_of_rule_has_a_page(
    office: HttpOffice, rule: str, stated: dict[str, Any], reason: str | None
) -> None:
    application = office.submitted(rule=rule, item="甲", particulars=stated)
    office.does("intake", f"{application}/acceptance", {"acceptance_number": "SL-1"})
    office.does("reviewer", f"{application}/determination", {"reason": reason} if reason else {})
    sheet = office.get("auditor", f"{application}/sheet").json
    said = "".join(Elements(office.get("auditor", f"{application}/sheet", **PAGE).text).text)
    assert sheet["capitals"] in said
    assert all(step["detail"] in said for step in sheet["steps"])
    assert all(limit["label"] in said for limit in sheet["limits"])
