"""One writer for many: batches, the failure of one, the failure of all, and other processes."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from eventsourcing.dcb.api import DCBEvent

from ledger.commands.accept_application import AcceptApplication
from ledger.errors import Refusal, StoreFault, Text, Unavailable
from ledger.events import case_tag
from ledger.mapper import Recorded
from ledger.memory import Memory
from ledger.session import Session
from ledger.writer import Writer, _Company, _Ticket
from tests.ledger.counting_store import (  # noqa: F401
    CountingStore,
    counted,
    office,
    postgres_server_url,
    postgres_url,
    store,
)
from tests.office import Office

# ruff: noqa: F811


class Counting:
    """A task that counts its decisions, and waits inside one where it is told to."""

    def __init__(self, answer: object = None, hold: threading.Event | None = None) -> None:
        self.answer, self.hold, self.entered, self.decided = answer, hold, threading.Event(), 0

    def foreseen(self) -> Sequence[str]:
        return ()

    def decide(self, session: Session) -> object:
        self.entered.set()
        if self.hold is not None:
            assert self.hold.wait(60)
        self.decided += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_those_who_wait_while_one_is_decided_share_the_next_commit(store: CountingStore) -> None:
    writer, go = Writer(store, Memory()), threading.Event()
    first = Counting("first", hold=go)
    others = [Counting(number) for number in range(20)]
    with ThreadPoolExecutor(21) as pool:
        leading = pool.submit(writer.run, first)
        assert first.entered.wait(60)
        following = [pool.submit(writer.run, other) for other in others]
        while len(writer._waiting) < 20:
            time.sleep(0.001)
        go.set()
        assert leading.result() == "first"
        assert [future.result() for future in following] == list(range(20))
    assert store.transactions == 2


def test_a_task_that_fails_fails_alone(store: CountingStore) -> None:
    writer, go = Writer(store, Memory()), threading.Event()
    first, poisoned, sound = Counting(hold=go), Counting(RuntimeError("poison")), Counting("sound")
    with ThreadPoolExecutor(3) as pool:
        pool.submit(writer.run, first)
        assert first.entered.wait(60)
        failing = pool.submit(writer.run, poisoned)
        while len(writer._waiting) < 1:
            time.sleep(0.001)
        succeeding = pool.submit(writer.run, sound)
        while len(writer._waiting) < 2:
            time.sleep(0.001)
        go.set()
        assert succeeding.result() == "sound"
        with pytest.raises(RuntimeError, match="poison"):
            failing.result()


def test_a_commit_that_fails_fails_all_of_its_batch_and_the_next_is_decided_afresh(store: CountingStore) -> None:
    writer = Writer(store, Memory())
    store.fail = OSError("disk")
    with pytest.raises(Unavailable, match="same key"):
        writer.run(Counting("lost"))
    store.fail = None
    assert writer.run(Counting("kept")) == "kept"


def test_a_failure_of_all_is_told_to_each_by_an_error_of_its_own(store: CountingStore) -> None:
    writer = Writer(store, Memory())
    store.fail = Unavailable(Text("锁", "locked"))
    told = writer.run_many([Counting(number) for number in range(3)])
    store.fail = None
    assert [str(error) for error in told] == ["locked"] * 3
    assert len({id(error) for error in told}) == 3


def test_a_backlog_beyond_the_bound_is_told_at_once(store: CountingStore) -> None:
    writer, go = Writer(store, Memory(), backlog_max=1), threading.Event()
    first = Counting(hold=go)
    with ThreadPoolExecutor(2) as pool:
        leading = pool.submit(writer.run, first)
        assert first.entered.wait(60)
        waiting = pool.submit(writer.run, Counting("second"))
        while len(writer._waiting) < 1:
            time.sleep(0.001)
        with pytest.raises(Unavailable, match="overloaded"):
            writer.run(Counting())
        go.set()
        leading.result()
        assert waiting.result() == "second"


def test_a_failed_commit_leaves_no_memory_of_what_it_would_have_recorded(office: Office) -> None:
    case = office.submit("国械注准20263010001")
    counted(office).fail = OSError("disk")
    with pytest.raises(Unavailable):
        office.give(AcceptApplication(case=case, acceptance_number="1"), "intake", key="k")
    counted(office).fail = None
    assert office.give(AcceptApplication(case=case, acceptance_number="1"), "intake", key="k").replayed is False


def test_what_another_process_recorded_is_known_before_the_next_decision(office: Office) -> None:
    other = office.reopen()
    case = office.submit("国械注准20263010001")
    other.execute(AcceptApplication(case=case, acceptance_number="1"), actor="intake", key="other-1")
    second = office.submit("国械注准20263010002")
    office.give(AcceptApplication(case=second, acceptance_number="2"), "intake")
    third = AcceptApplication(case=office.submit("国械注准20263010003"), acceptance_number="2")
    with pytest.raises(Refusal, match="acceptance number 2"):
        other.execute(third, actor="intake", key="other-2")


def test_memory_is_bounded_and_what_is_forgotten_is_read_again(office: Office) -> None:
    office.ledger._writer._memory = memory = Memory(tags_max=3)
    cases = [office.submit(f"国械注准2026301000{number}") for number in range(5)]
    for number, case in enumerate(cases):
        office.give(AcceptApplication(case=case, acceptance_number=str(number)), "intake")
    assert len(memory) <= 3


def test_an_unreadable_history_fails_the_one_who_asks_for_it(office: Office) -> None:
    sick = office.submit("国械注准20263010001")
    office.store.append([DCBEvent("from-the-future", b"{}", [case_tag(sick)])])
    sound = office.submit("国械注准20263010002")
    other = office.reopen()
    release = threading.Event()
    first = Counting(hold=release)
    with ThreadPoolExecutor(3) as pool:
        pool.submit(other._writer.run, first)
        assert first.entered.wait(60)
        failing, succeeding = (
            pool.submit(
                other.execute,
                AcceptApplication(case=case, acceptance_number=case),
                actor="intake",
                key=f"together-{case}",
            )
            for case in (sick, sound)
        )
        while len(other._writer._waiting) < 2:
            time.sleep(0.001)
        release.set()
        assert succeeding.result().case == sound
        with pytest.raises(StoreFault):
            failing.result()


class Poison:
    """A fold that fails on the second fact of its tag."""

    name = "poison"
    kept = True

    def start(self, tag: str) -> int:
        return 0

    def apply(self, state: int, recorded: Recorded) -> int:
        assert state == 0, "poisoned"
        return state + 1


def test_a_fact_that_a_fold_cannot_take_is_not_recorded(office: Office) -> None:
    case = office.submit("国械注准20263010001")
    before = office.head()
    memory = office.ledger._writer._memory
    memory.keep(Poison(), case_tag(case), 1)
    with pytest.raises(AssertionError, match="poisoned"):
        office.give(AcceptApplication(case=case, acceptance_number="1"), "intake")
    assert office.head() == before
    office.give(AcceptApplication(case=case, acceptance_number="1"), "intake")


def test_who_is_interrupted_while_waiting_passes_the_lead_on(store: CountingStore) -> None:
    writer = Writer(store, Memory())
    gone, after = _Ticket(Counting("gone")), Counting("after")
    with writer._gate:
        writer._at_work = True
        writer._waiting.append(gone)
    with ThreadPoolExecutor(1) as pool:
        served = pool.submit(writer.run, after)
        while len(writer._waiting) < 2:
            time.sleep(0.001)
        with writer._gate:
            writer._appoint()
        gone.called = InterruptedLock()  # type: ignore[assignment]
        with pytest.raises(KeyboardInterrupt):
            writer._wait(gone)
        assert served.result(60) == "after"


class InterruptedLock:
    def acquire(self) -> bool:
        raise KeyboardInterrupt


def test_a_single_client_waits_for_company() -> None:
    company = _Company()
    for _ in range(3):
        assert company.patience_s(1) == 0
        company.dispersed(1, flush_s=1.0)


def test_a_leader_waits_although_a_flush_is_quick_or_all_are_there_or_they_left_long_ago() -> None:
    company = _Company()
    company.dispersed(16, flush_s=0.00005)
    assert company.patience_s(1) == 0
    company.dispersed(16, flush_s=0.004)
    assert company.patience_s(16) == 0
    assert 0 < company.patience_s(15) <= 0.002
    time.sleep(0.003)
    assert company.patience_s(15) == 0


def test_a_leader_waits_longer_than_until_the_last_is_back() -> None:
    company = _Company()
    company.dispersed(2, flush_s=60.0)
    patience = company.patience_s(1)
    assert 0 < patience <= 0.005
    company.arrived(2)
    company.wait(60)
    company.settle()
    # A call that came when nobody waited any more is not heard by the next leader.
    company.dispersed(2, flush_s=60.0)
    company.patience_s(1)
    company.arrived(2)
    company.settle()
    assert company._complete.locked()


def test_a_leader_interrupted_while_it_waits_for_company_leaves_nobody_called(
    store: CountingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(company: _Company, patience_s: float) -> None:
        company.arrived(2)
        raise KeyboardInterrupt

    writer = Writer(store, Memory())
    writer._company.dispersed(2, flush_s=60.0)
    with monkeypatch.context() as once:
        once.setattr(_Company, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            writer.run(Counting("gone"))
    assert writer._company._complete.locked()
    assert writer.run(Counting("after")) == "after"


def test_an_import_that_is_interrupted_leaves_lines_that_nobody_leads(store: CountingStore) -> None:
    writer = Writer(store, Memory())
    lines = [_Ticket(Counting(number)) for number in range(3)]
    with writer._gate:
        writer._at_work = True
        writer._waiting.extend(lines)
    with ThreadPoolExecutor(1) as pool:
        served = pool.submit(writer.run, Counting("after"))
        while len(writer._waiting) < 4:
            time.sleep(0.001)
        with writer._gate:
            writer._appoint()
        lines[0].called = InterruptedLock()  # type: ignore[assignment]
        with pytest.raises(KeyboardInterrupt):
            writer._wait(*lines)
        assert served.result(60) == "after"
