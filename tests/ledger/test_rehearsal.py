"""A rehearsal decides as the real door would, sees what it recorded itself, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.application import Instruction, Outcome
from ledger.commands.request_disbursement import RequestDisbursement
from ledger.writer import BATCH_MAX
from tests.ledger.counting_store import counted, office, postgres_server_url, postgres_url, store  # noqa: F401
from tests.office import Office

# ruff: noqa: F811


def request(case: str, amount_fen: int, key: str) -> Instruction:
    return Instruction(RequestDisbursement(case=case, amount_fen=amount_fen), "finance", key)


def told(answers: Iterator[Outcome | Exception]) -> list[object]:
    return [
        (answer.position, answer.replayed) if isinstance(answer, Outcome) else getattr(answer, "code", type(answer))
        for answer in answers
    ]


def test_a_rehearsal_decides_otherwise_than_the_door_or_records_something(office: Office) -> None:
    case = office.approved("演械001")
    left_fen = office.reader.case(case).awarded_fen
    once = office.give(RequestDisbursement(case=case, amount_fen=50), "finance", key="before")
    wanted = [
        request(case, 50, "before"),
        request(case, left_fen - 150, "most of it"),
        request(case, 101, "above what is left after that"),
        request(case, 100, "the rest"),
        request(case, 1, "one fen more"),
        request(case, 101, "above what is left after that"),
        request(case, 7, "the rest"),
        request("0000000000", 1, "unknown"),
        *(request(case, 1, f"again {number}") for number in range(BATCH_MAX)),
    ]
    head, before = office.head(), counted(office).transactions
    rehearsed = told(office.ledger.rehearsal().execute_many(wanted))
    assert (office.head(), counted(office).transactions) == (head, before)
    assert rehearsed == told(office.ledger.execute_many(wanted))
    assert rehearsed[0] == (once.position, True)
    assert [type(each) for each in rehearsed[1:5]] == [tuple, str, tuple, str]
    assert office.reader.case(case).disbursements[2].amount_fen == left_fen - 150


def test_a_rehearsal_waits_for_the_door_or_shows_what_came_later(office: Office) -> None:
    case = office.approved("演械001")
    rehearsal = office.ledger.rehearsal()
    head = office.head()
    office.give(RequestDisbursement(case=case, amount_fen=office.reader.case(case).awarded_fen), "finance")
    with office.store.transaction():
        outcome = rehearsal.execute(RequestDisbursement(case=case, amount_fen=100), actor="finance", key="rehearsed")
    assert outcome.position == head + 1
    again = rehearsal.execute(RequestDisbursement(case=case, amount_fen=100), actor="finance", key="rehearsed")
    assert (again.position, again.replayed) == (head + 1, True)
    assert office.head() == head + 1
