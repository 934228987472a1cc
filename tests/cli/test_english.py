"""Who reads English is told in English: amounts, flags and counts of ours, and Chinese names in quotation marks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.audited_folder import Folder, in_file  # noqa: F401
from tests.office import ENTERPRISE

# ruff: noqa: F811

ITEM = "国械注准20263010001"
QUOTE = ("quote", "--enterprise", ENTERPRISE, "--item", ITEM)
ARTICLES = "五六八十四附则"
HAN = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+")
DATA = ("示例医疗科技有限公司", "国械注准", "受理", "流水", "贰佰万元整", "陆佰万元整", "记账凭证", "资助文")
"""What an office wrote into the case, and the amount in capitals, which is a Chinese way of writing it."""


def left_in_chinese(text: str) -> list[str]:
    """What is neither quoted, nor data, nor the number of an article."""
    text = re.sub(r"“[^”]*”", "", text)
    for data in DATA:
        text = text.replace(data, "")
    return [found for found in HAN.findall(text) if not set(found) <= set(ARTICLES)]


def rows_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("│")]


@pytest.mark.parametrize(
    "arguments",
    [
        ("sheet", "CASE"),
        ("trace", "CASE"),
        ("limits", ENTERPRISE, "--year", "2026"),
        (*QUOTE, "--rule", "5.2", "-p", "rd_cost=1.00", "-p", "special_approval=no"),
        (*QUOTE, "--rule", "六"),
        ("users", "list"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_english_holds_chinese_that_is_ours(in_file: Folder, arguments: tuple[str, ...]) -> None:
    shown = in_file.run(*(in_file.case if word == "CASE" else word for word in arguments)).output
    assert shown.strip()
    assert left_in_chinese(shown) == []


def test_an_amount_or_a_flag_of_a_sheet_is_in_chinese(in_file: Folder) -> None:
    shown = in_file.done("sheet", in_file.case).stdout
    stated = [row for row in rows_of(shown) if "rd_cost “实际投入研发费用”" in row or "special_approval “" in row]
    assert [row.split("│")[2].strip() for row in stated] == ["16000000.00 yuan", "yes"]
    texts = {stated["name"]: stated["text"] for stated in in_file.json("sheet", in_file.case)["particulars"]}
    assert texts == {"rd_cost": "16000000.00 yuan", "special_approval": "yes"}
    assert "C5 “首次注册资助，单个企业每年” 2026" in shown
    assert "per item “医疗器械注册证”" in shown


def test_a_missing_column_is_named_in_chinese(in_file: Folder, tmp_path: Path) -> None:
    file = tmp_path / "applications.csv"
    file.write_text(f"rule,enterprise,item\n5.2,{ENTERPRISE},{ITEM}\n", encoding="utf-8")
    shown = in_file.run("import", file, "--dry-run")
    assert [cell.strip() for cell in rows_of(shown.stdout)[0].split("│")[1:4]] == ["1", "", "enterprise_name"]
    assert "企业名称" in in_file.run("import", file, "--dry-run", chinese=True).stdout


def test_one_is_told_as_many(in_file: Folder, tmp_path: Path) -> None:
    file = tmp_path / "settlements.csv"
    file.write_text("award,amount,bank_serial,value_date\nawd-1,1,2,2026-03-02\n", encoding="utf-8")
    assert re.search(r"\b1 error\b", in_file.run("import-settlements", file, "--dry-run").stdout)
    shown = in_file.run("sheet", in_file.case, "--determination", "2").stderr
    assert "determined 1 time\n" in shown
    in_file.done("checkpoint")
    assert ", 1 award: " in in_file.done("verify").stdout
    assert "1 case, " in in_file.done("verify").stdout
