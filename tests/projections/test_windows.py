"""What a window rests on: the awards that are left of it, and no other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ledger.calendar import Window
from ledger.causes import Cause
from ledger.commands.release_award import ReleaseAward
from ledger.errors import Refusal
from ledger.mapper import Recorded, read_back
from ledger.scopes import enterprise_window
from ledger.seal.leaf import leaf_bytes
from ledger.seal.sealed_log import Row
from ledger.store.sqlite_log import SQLiteLog
from projections.derivation import Derivation
from projections.windows import WindowsFold
from tests.office import ENTERPRISE, POLICY, Office

SCOPE = enterprise_window(POLICY, "C22R", ENTERPRISE)
MONTH_FEN = 500_000
"""Half of 100 yuan × 100 m²."""


def rent(tenancy: str, since: str, until: str, **more: Any) -> dict[str, Any]:
    stated = {"benchmark_rent": "100.00", "area_m2": "100.00", "tenancy_from": tenancy}
    return {**stated, "claim_from": since, "claim_until": until, **more}


@pytest.fixture
def renting(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path, today=date(2026, 7, 2))
    yield office
    office.close()


def approved(office: Office, item: str, *stated: str, **more: Any) -> str:
    return office.approved(item, rule="22.2", **rent(*stated, **more))


def give_back(office: Office, case: str) -> None:
    amount_fen = office.reader.case(case).awarded_fen
    office.give(ReleaseAward(case=case, amount_fen=amount_fen, cause=Cause.ARITHMETIC_ERROR, reason="误填"), "approver")


def rows_of(office: Office, folder: Path) -> list[Row]:
    log = SQLiteLog(folder / "facts.sqlite")
    rows = log.rows(1, log.size)
    log.close()
    return rows


def said_of(rows: list[Row]) -> set[str]:
    return {finding.code for finding in Derivation().apply(rows)}


def test_a_window_that_rests_on_nothing_else_does_not_keep_an_anchor_given_back(
    renting: Office, tmp_path: Path
) -> None:
    wrong = approved(renting, "甲", "2023-01-01", "2023-01-01", "2023-12-31", rent_free_months=12)
    approved(renting, "乙", "2024-07-01", "2024-07-01", "2024-12-31")
    approved(renting, "丙", "2025-01-01", "2025-01-01", "2025-03-31", rent_free_months=1)
    before = renting.reader.window(SCOPE)
    assert before is not None
    assert (before.anchor, before.rent_free_months) == (date(2023, 1, 1), 12)
    give_back(renting, wrong)
    after = renting.reader.window(SCOPE)
    assert after is not None
    assert (after.anchor, after.rent_free_months) == (date(2024, 7, 1), 1)
    late = approved(renting, "乙", "2024-07-01", "2026-01-01", "2026-06-30")
    use = renting.reader.case(late).window
    assert use is not None
    assert (use.anchor, use.window) == (date(2024, 7, 1), Window(date(2024, 7, 1), date(2027, 8, 1)))
    assert said_of(rows_of(renting, tmp_path)) == set(), "the facts, read a second time by other code"


def test_what_was_drawn_before_the_years_were_counted_anew_is_not_granted_again(renting: Office) -> None:
    big = {"benchmark_rent": "1000.00", "area_m2": "2000.00"}  # a million yuan a month after the rate
    wrong = approved(renting, "甲", "2023-01-01", "2023-01-01", "2023-01-31")
    approved(renting, "乙", "2024-07-01", "2024-09-01", "2024-12-31", **big)
    give_back(renting, wrong)
    quoted = renting.ledger.quote(
        POLICY, "22.2", ENTERPRISE, "乙", rent("2024-07-01", "2025-01-01", "2025-06-30", **big)
    )
    assert quoted.amount_fen == 100_000_000
    case = approved(renting, "乙", "2024-07-01", "2025-01-01", "2025-06-30", **big)
    (first,) = [use for use in renting.reader.limits(ENTERPRISE, 2024) if use.limit.limit == "C22R"]
    assert (first.limit.period, first.headroom.used_fen) == (Window(date(2024, 7, 1), date(2025, 7, 1)), 500_000_000)
    (told,) = renting.reader.sheet(case).limits
    assert (told.headroom.used_fen, told.headroom.left_fen) == (400_000_000, 100_000_000)


def test_no_benefit_years_are_shown_of_a_window_that_was_wholly_given_back(renting: Office) -> None:
    give_back(renting, approved(renting, "甲", "2023-01-01", "2023-01-01", "2023-12-31"))
    assert renting.reader.window(SCOPE) is None
    assert [use for use in renting.reader.limits(ENTERPRISE, 2023) if use.limit.limit == "C22R"] == []


def with_windows(rows: list[Row], change: Any) -> list[Row]:
    """The rows, with what ``change`` makes of the window of each award: it is given the award's item, too."""
    changed = []
    for row in rows:
        content = json.loads(row.data)
        if row.type_name == "award-approved":
            change(content["payload"]["item"], content["payload"]["window"])
            data = json.dumps(content, ensure_ascii=False).encode()
            changed.append(row._replace(data=data, leaf=leaf_bytes(row.type_name, json.loads(row.tags), data)))
        else:
            changed.append(row)
    return changed


def recognised_in(rows: list[Row]) -> Any:
    fold = WindowsFold()
    window = fold.start(SCOPE.key)
    for position, row in enumerate(rows, 1):
        fact = read_back(row.type_name, row.data)
        window = fold.apply(window, Recorded(position=position, tags=(), envelope=fact.envelope, event=fact.event))
    return window


def test_what_was_recorded_before_each_award_s_own_terms_were_kept_reads_as_it_did(
    renting: Office, tmp_path: Path
) -> None:
    wrong = approved(renting, "甲", "2023-01-01", "2023-01-01", "2023-12-31", rent_free_months=12)
    approved(renting, "乙", "2024-07-01", "2024-07-01", "2024-12-31")
    give_back(renting, wrong)

    def older(item: str, window: dict[str, Any]) -> None:
        del window["own_anchor"], window["own_rent_free_months"]

    rows = with_windows(rows_of(renting, tmp_path), older)
    assert said_of(rows) == set()
    window = recognised_in(rows)
    assert (window.anchor, window.rent_free_months) == (date(2023, 1, 1), 12), "all that 乙's award then said"
    assert [span.span for span in window.funded] == [Window(date(2024, 7, 1), date(2025, 1, 1))]


def gap(window: dict[str, Any]) -> None:
    window["parts"] = [
        {"start": "2024-07-01", "end": "2024-08-01"},
        {"start": "2024-10-01", "end": "2025-01-01"},
    ]


def test_a_second_reading_sees_months_and_terms_that_are_not_so(renting: Office, tmp_path: Path) -> None:
    approved(renting, "甲", "2023-01-01", "2023-01-01", "2023-12-31", rent_free_months=1)
    approved(renting, "乙", "2024-07-01", "2024-07-01", "2024-12-31")
    approved(renting, "丙", "2024-07-01", "2024-08-01", "2024-09-30")
    rows = rows_of(renting, tmp_path)
    with pytest.raises(Refusal):
        approved(renting, "乙", "2024-07-01", "2024-09-01", "2024-09-30")

    def said(item: str, change: Any) -> set[str]:
        return said_of(with_windows(rows, lambda its, window: change(window) if its == item else None))

    assert said("乙", gap) == set()
    assert said("乙", lambda window: [gap(window), window["parts"].reverse()]) == {"outside-window"}
    assert said("乙", lambda window: [gap(window), window["parts"].pop()]) == {"outside-window"}
    assert said("乙", lambda window: window.update(anchor="2024-07-01")) >= {"another-window"}
    assert said("乙", lambda window: window.update(own_anchor="2022-12-31")) >= {"another-window"}
    assert said("乙", lambda window: window.update(rent_free_months=0)) == {"another-window"}
    assert said("丙", lambda window: window.update(own_rent_free_months=2)) == {"another-window"}


@pytest.mark.parametrize(("between", "code"), [(False, "months-twice"), (True, None)])
def test_months_in_a_gap_are_not_twice_paid_for(renting: Office, tmp_path: Path, between: bool, code: str) -> None:
    approved(renting, "乙", "2024-07-01", "2024-07-01", "2024-12-31")
    approved(renting, "丙", "2024-07-01", "2024-08-01", "2024-09-30")
    rows = [row._replace(data=row.data.replace("丙".encode(), "乙".encode())) for row in rows_of(renting, tmp_path)]
    first = iter([True])
    forged = with_windows(rows, lambda its, window: gap(window) if between and next(first, False) else None)
    assert said_of(forged) & {"months-twice"} == ({code} if code else set())
