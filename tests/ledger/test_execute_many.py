"""Many instructions at once: the answers of one at a time, in their order, with fewer commits."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from ledger.application import Instruction, Outcome
from ledger.commands.request_disbursement import RequestDisbursement
from ledger.errors import IdempotencyConflict, Malformed, NotFound, Refusal, Unavailable
from ledger.writer import BATCH_MAX
from tests.ledger.counting_store import counted, office, postgres_server_url, postgres_url, store  # noqa: F401
from tests.office import Office

# ruff: noqa: F811


def request(case: str, amount_fen: int, key: str) -> Instruction:
    return Instruction(RequestDisbursement(case=case, amount_fen=amount_fen), "finance", key)


def told(answers: Iterator[Outcome | Exception]) -> list[object]:
    return [answer.position if isinstance(answer, Outcome) else type(answer) for answer in answers]


def test_many_take_as_many_commits_as_one_by_one_or_their_answers_come_in_another_order(office: Office) -> None:
    case = office.approved("演械001")
    head, before = office.head(), counted(office).transactions
    answers = office.ledger.execute_many(request(case, 100, f"many-{n}") for n in range(2 * BATCH_MAX + 3))
    assert told(answers) == [head + n for n in range(1, 2 * BATCH_MAX + 4)]
    assert counted(office).transactions - before == 3
    assert len(office.reader.case(case).disbursements) == 2 * BATCH_MAX + 3


def test_one_that_fails_takes_others_with_it(office: Office) -> None:
    case = office.approved("演械001")
    head, award_fen = office.head(), office.reader.case(case).awarded_fen
    answers = office.ledger.execute_many(
        [
            request(case, 100, "good"),
            request(case, -5, "malformed"),
            request(case, award_fen + 1, "above"),
            request("0000000000", 100, "unknown"),
            request(case, 200, " bad key "),
            request(case, 300, "good too"),
        ]
    )
    # What asks for money and is refused is recorded as well, hence the gap.
    assert told(answers) == [head + 1, Malformed, Refusal, NotFound, Malformed, head + 3]
    assert [each.amount_fen for each in office.reader.case(case).disbursements.values()] == [100, 300]


def test_a_key_counts_twice_within_a_batch_or_in_the_next(office: Office) -> None:
    case, head = office.approved("演械001"), office.head()
    several = [request(case, 100, "same"), request(case, 100, "same"), request(case, 200, "same")]
    assert told(office.ledger.execute_many(several)) == [head + 1, head + 1, IdempotencyConflict]
    again = list(office.ledger.execute_many(several[:1]))
    assert [answer.replayed for answer in again if isinstance(answer, Outcome)] == [True]
    outcome = office.ledger.execute(several[0].command, actor="finance", key="same")
    assert outcome.position == head + 1


def test_a_limit_is_overshot_by_a_batch(office: Office) -> None:
    case = office.approved("演械001")
    tenth_fen = office.reader.case(case).awarded_fen // 10
    answers = told(office.ledger.execute_many(request(case, tenth_fen, f"part-{n}") for n in range(15)))
    assert answers.count(Refusal) == 5
    assert office.reader.case(case).uncommitted_fen == 0


def test_a_commit_that_fails_fails_more_than_its_own_batch(office: Office) -> None:
    case = office.approved("演械001")
    store = counted(office)
    store.fail, store.fail_in = OSError("the disk is gone"), store.transactions + 1
    instructions = [request(case, 100, f"many-{n}") for n in range(BATCH_MAX + 2)]
    head = office.head()
    answers = told(office.ledger.execute_many(instructions))
    assert answers == [Unavailable] * BATCH_MAX + [head + 1, head + 2]
    again = told(office.ledger.execute_many(instructions))
    assert again == [*range(head + 3, head + BATCH_MAX + 3), head + 1, head + 2]


def test_nothing_to_do_waits_for_ever(office: Office) -> None:
    before = counted(office).transactions
    assert list(office.ledger.execute_many([])) == []
    assert told(office.ledger.execute_many([request("0000000000", -1, "malformed")])) == [Malformed]
    assert counted(office).transactions == before


def test_others_wait_for_the_whole_of_a_long_import_or_meet_half_of_it(office: Office) -> None:
    cases = [office.approved(f"演械{n:03d}", rd_cost="2500.00", special_approval=False) for n in range(4)]
    with ThreadPoolExecutor(6) as pool:
        bulk = [
            pool.submit(
                lambda case=case: told(
                    office.ledger.execute_many(request(case, 1, f"bulk-{case}-{n}") for n in range(BATCH_MAX + 50))
                )
            )
            for case in cases[:2]
        ]
        single = [
            pool.submit(
                lambda case=case, n=n: (
                    office.ledger.execute(
                        RequestDisbursement(case=case, amount_fen=1), actor="finance", key=f"one-{case}-{n}"
                    ).position
                )
            )
            for case in cases[2:]
            for n in range(30)
        ]
        positions = [position for each in bulk for position in each.result()]
        positions += [each.result() for each in single]
    assert len(set(positions)) == 2 * (BATCH_MAX + 50) + 60
    assert [len(office.reader.case(case).disbursements) for case in cases] == [BATCH_MAX + 50] * 2 + [30] * 2


def test_a_reader_that_pauses_between_answers_holds_up_the_others(office: Office) -> None:
    case = office.approved("演械001")
    slow = office.ledger.execute_many(request(case, 1, f"slow-{n}") for n in range(2 * BATCH_MAX))
    assert isinstance(next(slow), Outcome)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(
            office.ledger.execute, RequestDisbursement(case=case, amount_fen=1), actor="finance", key="other"
        )
        assert isinstance(other.result(60), Outcome)
    assert len(list(slow)) == 2 * BATCH_MAX - 1
