"""The views against the log: they agree with it at every past position, however they came to stand where they stand."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from api.demo.script import FIRST_DAY, play
from api.demo.timeline import Timeline
from ledger.application import FundingLedger
from ledger.casefile import CaseState
from ledger.commands.determine_amount import DetermineAmount
from ledger.errors import NotFound
from ledger.events import CaseEvent
from ledger.policy.registry import PolicyRegistry
from ledger.store.sqlite import SQLiteDCBRecorder
from projections import database, runner, versions
from projections.compose import compose
from projections.queries import CaseFilter
from projections.reader import Moment, Reader
from projections.runner import ViewsRunner
from projections.tables import cases, positions, roles
from projections.versions import version_of
from tests.office import Office

EARLY = datetime(2020, 1, 1, tzinfo=UTC)


def views_at(folder: Path, recorder: SQLiteDCBRecorder, name: str = "views") -> ViewsRunner:
    return ViewsRunner(recorder, f"sqlite:///{folder / name}.sqlite")


def everything_in(views: ViewsRunner) -> list[list[tuple[Any, ...]]]:
    with views._engine.connect() as connection:
        return [
            [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in (cases, positions, roles)
        ]


class Followed:
    """Three years of an office's business, with views that followed it while it was recorded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.recorder = SQLiteDCBRecorder(folder / "facts.sqlite")
        policies = PolicyRegistry.load()
        self.reader = Reader(self.recorder, policies)
        timeline = Timeline(FIRST_DAY, Random(1))
        ledger = FundingLedger(self.recorder, policies, compose(), timeline.clock, Random(2).randbytes)
        self.views = views_at(folder, self.recorder)
        self.views.start()
        play(ledger, timeline, Random(3))
        self.history = self.reader.events(0, 10_000)
        assert self.views.wait_for(self.history[-1].position, 30)


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    followed = Followed(tmp_path_factory.mktemp("followed"))
    yield followed
    followed.views.stop()
    followed.recorder.close()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.close()


@pytest.fixture
def views(office: Office, tmp_path: Path) -> Iterator[ViewsRunner]:
    views = views_at(tmp_path, office.store)
    yield views
    views.stop()


# R10: rebuild = incremental = as-of replay


def test_views_that_followed_differ_from_views_that_were_rebuilt(followed: Followed, tmp_path: Path) -> None:
    rebuilt = views_at(tmp_path, followed.recorder)
    assert rebuilt.rebuild() == followed.history[-1].position
    assert everything_in(rebuilt) == everything_in(followed.views)
    rebuilt.stop()


def test_small_batches_and_a_forgetful_cache_change_the_views(
    followed: Followed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "BATCH_EVENTS", 7)
    monkeypatch.setattr(runner.ViewsRunner._read, "__defaults__", (7,))
    monkeypatch.setattr(runner, "CASES_KEPT", 3)
    slow = views_at(tmp_path, followed.recorder)
    slow.catch_up()
    assert everything_in(slow) == everything_in(followed.views)
    slow.stop()


def test_a_list_as_of_a_past_instant_differs_from_the_cases_folded_as_of_it(followed: Followed) -> None:
    numbers = {recorded.event.case for recorded in followed.history if isinstance(recorded.event, CaseEvent)}
    chosen = [*Random(7).sample(followed.history, 12), followed.history[-1]]
    for recorded in chosen:
        as_of = recorded.envelope.recorded_at
        page = followed.views.cases(page_size=1000, as_of=as_of)
        listed = {row.case_number: row for row in page.rows}
        for number in numbers:
            try:
                case = followed.reader.case(number, Moment(as_of=as_of))
            except NotFound:
                assert number not in listed
                continue
            told = {("position" if key == "from_position" else key): value for key, value in version_of(case).items()}
            assert {key: getattr(listed[number], key) for key in told if key != "until_position"} == {
                key: value for key, value in told.items() if key != "until_position"
            }


def test_what_an_enterprise_got_differs_from_the_sum_of_its_cases(followed: Followed) -> None:
    as_of = followed.history[600].envelope.recorded_at
    for row in followed.views.enterprises(page_size=100, as_of=as_of).rows:
        summary = followed.reader.enterprise(row.enterprise, Moment(as_of=as_of))
        assert (row.name, row.cases, row.awarded_fen, row.settled_fen, row.recovered_fen) == (
            summary.name,
            len(summary.cases),
            summary.awarded_fen,
            summary.settled_fen,
            summary.recovered_fen,
        )


def test_an_instant_between_two_facts_belongs_to_the_later_one(followed: Followed) -> None:
    recorded = followed.history[500]
    just_before = recorded.envelope.recorded_at - timedelta(microseconds=1)
    assert followed.views.cases(as_of=just_before).position == recorded.position - 1
    assert followed.views.cases(as_of=EARLY).total == 0
    assert followed.views.roles(as_of=EARLY) == []


# Beginning


def test_views_of_another_log_are_taken_for_views_of_this_one(tmp_path: Path) -> None:
    folder, other = tmp_path / "one", tmp_path / "two"
    folder.mkdir()
    other.mkdir()
    one, two = Office(folder), Office(other, today=date(2026, 3, 3))
    for number in range(3):
        one.submit(f"甲{number}")
        two.submit(f"乙{number}")
    before = views_at(tmp_path, one.store)
    before.catch_up()
    before.stop()
    after = views_at(tmp_path, two.store)
    assert after.position == 0
    after.catch_up()
    assert {row.item for row in after.cases().rows} == {"乙0", "乙1", "乙2"}
    after.stop()
    one.close()
    two.close()


def test_views_ahead_of_a_restored_log_are_kept(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.submit("甲")
    office.close()
    shutil.copy(tmp_path / "facts.sqlite", tmp_path / "backup.sqlite")
    office = Office(tmp_path, today=date(2026, 3, 3))
    office.submit("甲")  # the same key again: a replay
    office.submit("乙")
    views = views_at(tmp_path, office.store)
    views.catch_up()
    assert views.cases().total == 2
    views.stop()
    office.close()
    restored = SQLiteDCBRecorder(tmp_path / "backup.sqlite")
    again = views_at(tmp_path, restored)
    assert again.position == 0
    again.catch_up()
    assert again.cases().total == 1
    again.stop()
    restored.close()


@pytest.mark.parametrize("more", [0, 1, 5])
def test_a_log_put_in_place_of_the_one_that_is_followed_is_gone_on_with(tmp_path: Path, more: int) -> None:
    """A standby took over that lacks the last facts, and has recorded others, fewer or more of them."""
    folder, other = tmp_path / "one", tmp_path / "two"
    folder.mkdir()
    other.mkdir()
    one, two = Office(folder), Office(other, today=date(2026, 3, 3))
    for number in range(3):
        one.submit(f"甲{number}")
    views = views_at(tmp_path, one.store)
    views.catch_up()
    for number in range(2 + more):
        two.submit(f"乙{number}")
    views._recorder = two.store
    assert views.catch_up() == two.head()
    assert {row.item for row in views.cases().rows} == {f"乙{number}" for number in range(2 + more)}
    views.stop()
    one.close()
    two.close()


def test_views_of_an_older_schema_are_read_as_if_they_were_of_this_one(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.submit("甲")
    views = views_at(tmp_path, office.store)
    views.catch_up()
    views.stop()
    monkeypatch.setattr(database, "SCHEMA_VERSION", database.SCHEMA_VERSION + 1)
    newer = views_at(tmp_path, office.store)
    assert newer.position == 0
    newer.catch_up()
    assert newer.cases().total == 1
    newer.stop()


def test_a_spoilt_file_of_views_stops_the_start(office: Office, tmp_path: Path) -> None:
    office.submit("甲")
    (tmp_path / "views.sqlite").write_bytes(b"no database at all, " * 500)
    views = views_at(tmp_path, office.store)
    views.catch_up()
    assert views.cases().total == 1
    views.stop()


def test_many_that_begin_at_once_on_an_empty_folder_get_in_each_others_way(office: Office, tmp_path: Path) -> None:
    office.submit("甲")
    faults: list[BaseException] = []

    def begin() -> None:
        try:
            views = views_at(tmp_path, office.store)
            views.catch_up()
            views.stop()
        except BaseException as error:  # noqa: BLE001
            faults.append(error)

    threads = [threading.Thread(target=begin) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


# Going on


def test_two_who_carry_the_same_views_on_write_a_step_twice_or_not_at_all(office: Office, tmp_path: Path) -> None:
    one, two = views_at(tmp_path, office.store), views_at(tmp_path, office.store)
    case = office.approved("甲")
    one.catch_up()
    two.catch_up()
    office.pay(case, 100_000_00, "流水1")
    two.catch_up()
    office.pay(case, 200_000_00, "流水2")
    one.catch_up()
    fresh = views_at(tmp_path, office.store, "fresh")
    fresh.catch_up()
    assert everything_in(one) == everything_in(fresh)
    assert one.position == office.head()
    for views in (one, two, fresh):
        views.stop()


def test_a_failure_while_writing_leaves_rows_without_their_position(
    office: Office, views: ViewsRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = office.accepted("甲")
    views.catch_up()
    before, write = everything_in(views), versions.Batch.write
    office.give(DetermineAmount(case=case), "reviewer")

    def write_and_fail(batch: versions.Batch, connection: Any) -> None:
        write(batch, connection)
        raise OSError("the disk is gone")

    with monkeypatch.context() as patched:
        patched.setattr(versions.Batch, "write", write_and_fail)
        with pytest.raises(OSError, match="the disk is gone"):
            views.catch_up()
    assert everything_in(views) == before
    views.catch_up()
    fresh = views_at(tmp_path, office.store, "fresh")
    fresh.catch_up()
    assert everything_in(views) == everything_in(fresh)
    fresh.stop()


def test_readers_see_half_of_a_rebuild(office: Office, views: ViewsRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        office.submit(f"甲{number}")
    views.catch_up()
    seen, read = [], views._read

    def look_while_reading(after: int) -> Any:
        seen.append(views.cases().total)
        return read(after)

    monkeypatch.setattr(views, "_read", look_while_reading)
    views.rebuild()
    assert set(seen) == {5}


def test_a_reader_waits_for_a_position_that_nobody_reaches(office: Office, views: ViewsRunner) -> None:
    office.submit("甲")
    assert views.wait_for(office.head(), 0)
    assert not views.wait_for(office.head() + 1, 0.01)
    views.start()
    waited: list[bool] = []
    waiting = threading.Thread(target=lambda: waited.append(views.wait_for(office.head() + 1, 10)))
    waiting.start()
    office.submit("乙")
    waiting.join()
    assert waited == [True]


@pytest.mark.parametrize("error", [ValueError("no such event"), AssertionError(), MemoryError(), KeyError("state")])
def test_an_error_that_nobody_foresaw_stops_the_views_for_good(
    office: Office, views: ViewsRunner, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    write, failed = versions.Batch.write, threading.Event()

    def fail_once(batch: versions.Batch, connection: Any) -> None:
        if not failed.is_set():
            failed.set()
            raise error
        write(batch, connection)

    monkeypatch.setattr(runner, "_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(versions.Batch, "write", fail_once)
    office.submit("甲")
    views.start()
    assert views.wait_for(office.head(), 10)
    assert failed.is_set()
    assert views.following


# Asking


def test_a_filter_finds_what_it_should_not_or_misses_what_it_should(office: Office, views: ViewsRunner) -> None:
    first = office.approved("国械注准20263010001")
    office.submit("100%进口")
    office.submit("租1", rule="5.1")
    views.catch_up()

    def found(**sought: Any) -> set[str]:
        return {row.item for row in views.cases(CaseFilter(**sought)).rows}

    assert found(states=[CaseState.APPROVED]) == {"国械注准20263010001"}
    assert found(rule="5.1") == {"租1"}
    assert found(policy="another") == set()
    assert found(text="2026301") == {"国械注准20263010001"}
    assert found(text="２０２６３０１") == {"国械注准20263010001"}
    assert found(text=first.lower()) == {"国械注准20263010001"}
    assert found(text="0%") == {"100%进口"}
    assert found(text="示例医疗") == {"国械注准20263010001", "100%进口", "租1"}
    assert found(text="受理1") <= {"国械注准20263010001"}


def test_a_case_that_moves_while_pages_are_read_is_missed_or_seen_twice(office: Office, views: ViewsRunner) -> None:
    submitted = [office.submit(f"甲{number}") for number in range(4)]
    views.catch_up()
    first = views.cases(page=1, page_size=2)
    office.submit("later")
    office.accept(submitted[0])
    views.catch_up()
    second = views.cases(page=2, page_size=2, up_to=first.position)
    assert [row.case_number for row in (*first.rows, *second.rows)] == submitted[::-1]
    assert (second.total, second.position) == (4, first.position)


@pytest.mark.parametrize("year", [1, 99, 999])
def test_a_list_as_of_antiquity_shows_what_was_recorded_since(office: Office, views: ViewsRunner, year: int) -> None:
    office.submit("甲")
    views.catch_up()
    assert views.cases(as_of=datetime(year, 6, 1, tzinfo=UTC)).total == 0


def test_pages_show_a_case_twice_or_leave_one_out(office: Office, views: ViewsRunner) -> None:
    submitted = [office.submit(f"甲{number}") for number in range(7)]
    views.catch_up()
    pages = [views.cases(page=number, page_size=3) for number in (1, 2, 3, 4)]
    assert [row.case_number for page in pages for row in page.rows] == submitted[::-1]
    assert {page.total for page in pages} == {7}
    assert views.enterprises("示例").total == 1
    assert views.enterprises("nobody").total == 0
