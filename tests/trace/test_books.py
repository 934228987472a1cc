"""The books: complete, the same however the run went, and fit to be printed and signed."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.trace.command import ROOT, stale
from tests.trace.html import html_book
from tests.trace.markdown import markdown_book
from tests.trace.plugin import is_whole
from tests.trace.sample import SHA256, matrix_of, our_books

MATRIX = matrix_of(our_books())
MARKDOWN = markdown_book(MATRIX)
HTML = html_book(MATRIX)


@pytest.mark.parametrize("book", [MARKDOWN, HTML], ids=["markdown", "html"])
def test_nothing_of_the_policy_is_missing_from_a_book(book: str) -> None:
    policy = MATRIX.policy
    for told in (policy.title, policy.number, SHA256, MATRIX.file):
        assert told in book
    for reading in policy.readings.values():
        assert reading.question in book and reading.answer in book
    for article in policy.articles.values():
        assert article.name in book
    for scene in MATRIX.scenes:
        assert scene.numeral in book and scene.title in book
    for article in MATRIX.without_money:
        assert article.refusal in book


def test_every_number_stands_in_the_table_with_its_place() -> None:
    for its in MATRIX.numbers:
        address = f"../{its.file}#L{its.number.line}) `{its.number.key}`"
        assert address in MARKDOWN


def test_a_book_names_no_machine_and_no_moment() -> None:
    for book in (MARKDOWN, HTML):
        assert str(ROOT) not in book
        assert not re.search(r"[0-9]{2}:[0-9]{2}:[0-9]{2}", book)


def test_links_of_the_table_lead_somewhere() -> None:
    for address in set(re.findall(r"\]\(\.\./([^)#]+)#L[0-9]+\)", MARKDOWN)):
        assert (ROOT / address).is_file(), address


def test_the_officers_book_needs_nothing_beside_itself() -> None:
    assert '<html lang="zh-CN">' in HTML
    assert "<script" not in HTML and "http://" not in HTML and "https://" not in HTML
    assert not re.search(r"<(link|img|iframe)\b|\bsrc=|url\(", HTML)


def test_every_article_with_money_has_its_signature() -> None:
    for article in MATRIX.money:
        assert f'aria-label="{article.heading}签字"' in HTML
    assert HTML.count("经办人<") == len(MATRIX.money) + 4, (
        "the cover, 附则, the procedure and the articles without money"
    )


def test_what_did_not_pass_is_not_shown_as_passed() -> None:
    def fail(run: Any) -> None:
        for rows in run.played.values():
            for played in rows.values():
                played.passed = False

    failed = matrix_of(our_books(), fail)
    assert "✓" not in html_book(failed) and "未通过" in html_book(failed)
    assert not re.search(r"\| 通过(（[0-9]+例）)? \|", markdown_book(failed))


def test_a_stale_table_tells_the_command(tmp_path: Path) -> None:
    path = tmp_path / "traceability.md"
    assert "python3 dev.py trace" in stale(path, "new")[0]
    path.write_text("old", encoding="utf-8")
    assert "python3 dev.py trace" in stale(path, "new")[0]
    assert stale(path, "old") == []


@pytest.mark.parametrize(
    ("args", "changed", "whole"),
    [
        (["tests"], {}, True),
        (["tests/features"], {}, True),
        (["tests/features/test_features.py"], {"markexpr": "not http"}, True),
        (["tests/features/test_features.py"], {"markexpr": "http"}, False),
        (["tests/features/test_features.py"], {"keyword": "5.1"}, False),
        (["tests/features/test_features.py"], {"maxfail": 1}, False),
        (["tests/features/test_features.py::test_x"], {}, False),
        (["tests/trace"], {}, False),
    ],
)
def test_a_run_of_some_features_is_not_judged_as_if_it_were_all(
    args: list[str], changed: dict[str, Any], whole: bool
) -> None:
    none = ("keyword", "deselect", "ignore", "ignore_glob", "collectonly", "maxfail", "lf")
    option = SimpleNamespace(**{**dict.fromkeys(none, None), "markexpr": "", **changed})
    config: Any = SimpleNamespace(option=option, rootpath=ROOT, args=[str(ROOT / arg) for arg in args])
    assert is_whole(config) is whole
