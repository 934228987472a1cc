"""The demo: whole, repeatable to the byte, and never a danger to a folder that is not its own."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from random import Random

import pytest

from api.demo import folder as demo_folder
from api.demo.enterprises import ENTERPRISES
from api.demo.folder import MARKER, NotADemo, prepare_demo
from api.demo.plots import CUT_BY_LIMIT, FULL_CLAWBACK, NO_FAULT, STAGED
from api.demo.script import EXHAUSTED, FIRST_DAY, LAST_DAY, NEARLY_EXHAUSTED, play
from api.demo.staff import PASSWORD, STAFF
from api.demo.timeline import Timeline
from api.service import Service, open_service
from ledger.application import FundingLedger
from ledger.casefile import CaseState
from ledger.errors import Text
from ledger.events import AwardApproved, CommandRefused
from ledger.policy.registry import PolicyRegistry
from ledger.store.sqlite import SQLiteDCBRecorder
from ledger.uscc import parse_uscc
from projections.compose import compose


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "data"
    prepare_demo(folder, fresh=False)
    return folder


@pytest.fixture
def demo(made: Path, tmp_path: Path) -> Path:
    """A demo of the test's own, to do with as it likes."""
    return Path(shutil.copytree(made, tmp_path / "demo"))


@pytest.fixture
def service(demo: Path) -> Iterator[Service]:
    with open_service(demo) as service:
        yield service


def played(folder: Path) -> list[tuple[str, list[str], bytes]]:
    folder.mkdir()
    timeline = Timeline(FIRST_DAY, Random(1))
    recorder = SQLiteDCBRecorder(folder / "facts.sqlite")
    ledger = FundingLedger(recorder, PolicyRegistry.load(), compose(), timeline.clock, Random(2).randbytes)
    play(ledger, timeline, Random(3))
    log = [(stored.event.type, stored.event.tags, stored.event.data) for stored in recorder.read()]
    recorder.close()
    return log


def test_two_demos_differ_in_a_byte_of_their_logs(tmp_path: Path) -> None:
    first = played(tmp_path / "one")
    assert first == played(tmp_path / "two")
    assert len(first) > 900


def test_an_enterprise_is_no_valid_one_or_may_be_taken_for_a_real_one() -> None:
    assert len({enterprise.uscc for enterprise in ENTERPRISES}) == 40
    for enterprise in ENTERPRISES:
        assert parse_uscc(enterprise.uscc) == enterprise.uscc
        assert enterprise.uscc[8:11] == "DEM"
        assert enterprise.name.endswith("（演示）")


def test_a_state_or_a_year_is_missing_from_the_demo(service: Service) -> None:
    rows = service.views.cases(page_size=1000).rows
    assert len(rows) == 152
    assert {row.state for row in rows} == set(CaseState)
    assert {row.cap_year for row in rows if row.cap_year} == {2024, 2025, 2026}
    assert {row.rule for row in rows} == {"5.1", "5.2", "22.2", "3.2", "10.2"}
    assert service.views.enterprises(page_size=100).total == 40
    assert max(e.envelope.effective_on for e in service.reader.events(0, 10_000)) <= LAST_DAY == date(2026, 10, 31)


def test_no_limit_is_used_up_or_cut(service: Service) -> None:
    (exhausted,) = [use for use in service.reader.limits(EXHAUSTED.uscc, 2025) if use.limit.limit == "C5"]
    (nearly,) = [use for use in service.reader.limits(NEARLY_EXHAUSTED.uscc, 2026) if use.limit.limit == "C5"]
    assert exhausted.headroom.left_fen == 0
    assert nearly.headroom.left_fen == 520_000_00
    awards = [e.event for e in service.reader.events(0, 10_000) if isinstance(e.event, AwardApproved)]
    cut_by = Counter(award.bound_by.limit for award in awards if award.bound_by)
    assert cut_by["C5"] >= 3
    assert cut_by["C22R"] >= 3
    assert cut_by["item"] >= 3
    assert cut_by["window"] >= 1


def test_no_limit_is_overdrawn_in_the_demo(service: Service) -> None:
    for enterprise in ENTERPRISES:
        for year in (2024, 2025, 2026):
            assert all(use.headroom.left_fen >= 0 for use in service.reader.limits(enterprise.uscc, year))


def test_the_stories_worth_showing_do_not_show_it(service: Service, demo: Path) -> None:
    shown = json.loads((demo / MARKER).read_text(encoding="utf-8"))["shown"]
    clawback = service.reader.case(shown[FULL_CLAWBACK])
    assert clawback.state is CaseState.RECOVERED
    assert clawback.recovered_fen == clawback.settled_fen > 0
    assert sum(draw.amount_fen for draw in clawback.drawn if draw.limit == "C5") == clawback.settled_fen
    no_fault = service.reader.case(shown[NO_FAULT])
    drawn_fen = sum(draw.amount_fen for draw in no_fault.drawn if draw.limit == "C5")
    assert drawn_fen == no_fault.settled_fen - no_fault.recovered_fen > 0
    cut = service.reader.case(shown[CUT_BY_LIMIT])
    assert cut.approval is not None
    assert cut.approval.bound_by is not None
    assert cut.approval.bound_by.limit == "C5"
    staged = service.reader.case(shown[STAGED])
    assert staged.state is CaseState.PAID
    assert [stage.paid_fen for stage in staged.stages] == [stage.amount_fen for stage in staged.stages]
    assert staged.released_fen == 400_000_00


def test_a_kind_of_refusal_is_missing_from_the_demo(service: Service) -> None:
    codes = {e.event.code for e in service.reader.refusals(0, 100) if isinstance(e.event, CommandRefused)}
    assert {"limit-exhausted", "headroom-moved", "same-person", "bank-serial-used", "above-paid-amount"} <= codes
    assert {"stage-not-reached", "above-settlement", "audit-report-missing"} <= codes


def test_a_demo_user_cannot_sign_in_or_holds_another_role(service: Service) -> None:
    for username, role in STAFF.items():
        assert service.ledger.roles_of(username) == {role}
    assert service.credentials.verify("finance2", PASSWORD, address="127.0.0.1")
    assert not service.credentials.verify("finance2", "Demo", address="127.0.0.1")


# The folder


def test_a_second_start_makes_the_data_anew(demo: Path) -> None:
    before = (demo / "facts.sqlite").read_bytes()
    prepared = prepare_demo(demo, fresh=False)
    assert not prepared.is_new
    assert (demo / "facts.sqlite").read_bytes() == before


def test_a_folder_that_is_not_a_demo_is_touched(tmp_path: Path) -> None:
    for name in ("facts.sqlite", "letter.txt"):
        folder = tmp_path / name.partition(".")[0]
        folder.mkdir()
        (folder / name).write_text("precious", encoding="utf-8")
        for fresh in (False, True):
            with pytest.raises(NotADemo):
                prepare_demo(folder, fresh=fresh)
        assert [(path.name, path.read_text(encoding="utf-8")) for path in folder.iterdir()] == [(name, "precious")]


def test_fresh_removes_what_somebody_put_into_the_demos_folder(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (demo / "notes.txt").write_text("mine", encoding="utf-8")
    monkeypatch.setattr(demo_folder, "play", lambda ledger, timeline, random: {"shown": "as new"})
    prepared = prepare_demo(demo, fresh=True)
    assert prepared.shown == {"shown": "as new"}
    assert (demo / "notes.txt").read_text(encoding="utf-8") == "mine"
    with open_service(demo) as service:
        assert service.reader.events(0, 10) == []


def test_a_demo_that_was_interrupted_is_served_half_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*given: object) -> dict[str, str]:
        raise KeyboardInterrupt

    told: list[Text] = []
    with monkeypatch.context() as patched:
        patched.setattr(demo_folder, "play", interrupted)
        with pytest.raises(KeyboardInterrupt):
            prepare_demo(tmp_path / "demo", fresh=False)
    monkeypatch.setattr(demo_folder, "play", lambda *given: {})
    assert prepare_demo(tmp_path / "demo", fresh=False, tell=told.append).is_new
    assert len(told) == 1
