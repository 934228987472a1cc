"""What the bank has paid, from a file: told by row and column, line by line through the door, never twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner, Result

from api.cli.exits import Exit
from api.cli.program import program
from api.cli.speech import Language, Speech
from api.credentials import Credentials
from api.database import CREDENTIALS, FACTS
from api.service import open_service
from ledger.calendar import add_days, business_date, system_clock
from ledger.casefile import DisbursementState
from ledger.commands.grant_role import GrantRole
from ledger.commands.order_disbursement import OrderDisbursement
from ledger.commands.request_disbursement import RequestDisbursement
from ledger.commands.settle_disbursement import SettleDisbursement
from ledger.errors import Refusal, Text
from ledger.identity import award_id
from ledger.roles import SYSTEM
from ledger.store.sqlite import SQLiteDCBRecorder
from tests.office import Office

PROGRAM = program(Speech(Language.ZH))
ORDERED_ON = add_days(business_date(system_clock()), -20)
PAID_ON = add_days(ORDERED_ON, 3)
HEADING = "资助编号,拨付序号,金额,银行流水号,到账日期,凭证号"
PEOPLE = ("cashier", "cashier2", "approver", "finance")


class Desk:
    """A ledger with two awards, each with two payments ordered, and files of a bank to import."""

    def __init__(self, path: Path) -> None:
        self.file, self.data = path / "bank.csv", path / "data"
        self.data.mkdir()
        office = Office(self.data, store=SQLiteDCBRecorder(self.data / FACTS), today=ORDERED_ON)
        for person in ("cashier2", "approver"):
            office.give(GrantRole(person=person, role="cashier"), SYSTEM)
        self.cases = [office.approved(f"演械00{number}") for number in (1, 2)]
        for case in self.cases:
            for number, amount_fen in ((1, 120_000_00), (2, 80_000_00)):
                office.give(RequestDisbursement(case=case, amount_fen=amount_fen), "finance")
                office.give(OrderDisbursement(case=case, disbursement=number), "finance2")
        office.close()
        credentials = Credentials(
            self.data / CREDENTIALS, system_clock, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        )
        for name in PEOPLE:
            credentials.add_user(name, "geheim")
        credentials.close()

    def line(self, award: int, number: str, amount: str, serial: str, day: str = PAID_ON.isoformat()) -> str:
        return f'{award_id(self.cases[award])},{number},"{amount}",{serial},{day},凭2026-1'

    def bring(
        self, *lines: str, options: tuple[str, ...] = (), user: str = "cashier", heading: str = HEADING
    ) -> Result:
        self.file.write_text("\n".join([heading, *lines]) + "\n", encoding="utf-8")
        words = ["import-settlements", str(self.file), "--data", str(self.data), *options]
        if "--dry-run" not in options:
            words += ["--user", user, "--password-stdin"]
        result = CliRunner().invoke(PROGRAM, words, input="geheim\n")
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def told(self, *lines: str, **more: Any) -> Any:
        return json.loads(self.bring(*lines, options=("--json",), **more).stdout)

    def errors(self, *lines: str, **more: Any) -> list[tuple[int, str | None, str]]:
        return [(each["row"], each["column"], each["code"]) for each in self.told(*lines, **more)["errors"]]

    def settled(self) -> dict[tuple[int, int], str | None]:
        """(award, number of the disbursement) → serial number, of what is settled."""
        with open_service(self.data) as service:
            return {
                (award, each.number): each.bank_serial
                for award, case in enumerate(self.cases)
                for each in service.reader.case(case).disbursements.values()
                if each.state is DisbursementState.SETTLED
            }

    def head(self) -> int:
        with open_service(self.data) as service:
            return service.recorder.head()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_line_of_the_bank_is_recorded_as_something_else(desk: Desk) -> None:
    told = desk.told(
        desk.line(0, "1", "120,000", "S1"),
        desk.line(1, "2", "8万元", "S2", PAID_ON.strftime("%Y年%m月%d日")),
        desk.line(0, "", "80000.00", "S3"),
    )
    assert told == {"rows": 3, "imported": 3, "before": 0, "refused": []}
    assert desk.settled() == {(0, 1): "S1", (1, 2): "S2", (0, 2): "S3"}
    with open_service(desk.data) as service:
        last = service.reader.history(desk.cases[1])[-1]
    assert (last.envelope.effective_on, last.envelope.reference, last.envelope.actor) == (
        PAID_ON,
        "凭2026-1",
        "cashier",
    )


def test_a_file_in_english_is_not_read(desk: Desk) -> None:
    line = f"{award_id(desk.cases[0])},120000.00,S1,{PAID_ON}"
    assert desk.told(line, heading="award,amount,bank_serial,value_date")["imported"] == 1
    assert desk.settled() == {(0, 1): "S1"}


def test_a_repeated_import_records_a_line_twice(desk: Desk) -> None:
    lines = [desk.line(0, "1", "120000", "S1"), desk.line(1, "", "80000", "S2")]
    assert desk.told(*lines)["imported"] == 2
    head = desk.head()
    for user in ("cashier", "cashier2"):
        assert desk.told(*lines, user=user) == {"rows": 2, "imported": 0, "before": 2, "refused": []}
    assert desk.head() == head
    assert "2笔此前已登记" in desk.bring(*lines).stdout
    # Half of the file came before, as after a crash, and somebody else brings all of it.
    more = [*lines, desk.line(0, "2", "80000", "S3")]
    assert desk.told(*more, user="cashier2") == {"rows": 3, "imported": 1, "before": 2, "refused": []}


def test_a_line_that_was_refused_once_stays_refused_when_the_reason_is_gone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = desk.line(0, "1", "120000", "S1")
    with monkeypatch.context() as patched:

        def refusing(*_: Any) -> Any:
            raise Refusal("some-reason", Text("不予登记", "refused"))

        patched.setattr(SettleDisbursement, "decide", refusing)
        heads = []
        for _ in range(3):
            assert [row["code"] for row in desk.told(line)["refused"]] == ["some-reason"]
            heads.append(desk.head())
        # The refusal stands in the log already: who asks again is told it, and adds none.
        assert len(set(heads)) == 1
    assert desk.told(line)["imported"] == 1
    assert desk.settled() == {(0, 1): "S1"}


def test_a_line_that_is_refused_keeps_others_out_or_is_not_told(desk: Desk) -> None:
    result = desk.bring(
        desk.line(0, "1", "120000", "S1"),
        desk.line(0, "1", "120000", "S2"),
        desk.line(1, "1", "120000.01", "S3"),
        desk.line(1, "9", "80000", "S4"),
        desk.line(1, "1", "120000", "S5", add_days(ORDERED_ON, -1).isoformat()),
        desk.line(1, "2", "80000", "S6"),
        options=("--json",),
    )
    assert result.exit_code == Exit.REFUSED
    told = json.loads(result.stdout)
    assert (told["rows"], told["imported"], told["before"]) == (6, 2, 0)
    assert [(each["row"], each["code"]) for each in told["refused"]] == [
        (3, "step-out-of-order"),
        (4, "amount-differs-from-order"),
        (5, "not-found"),
        (6, "effective-before-last-step"),
    ]
    assert desk.settled() == {(0, 1): "S1", (1, 2): "S6"}
    shown = desk.bring(desk.line(1, "1", "120000", "S1")).stdout
    assert award_id(desk.cases[1]) in shown
    assert "1笔未登记" in shown


@pytest.mark.parametrize(
    ("line", "column", "code"),
    [
        ("awd-00,1,120000,S9,{day},", "A", "invalid-id"),
        (",1,120000,S9,{day},", "A", "missing"),
        ("{award},x,120000,S9,{day},", "B", "invalid-number"),
        ("{award},0,120000,S9,{day},", "B", "invalid-number"),
        ("{award},1,12万,S9,{day},", "C", "invalid-money"),
        ("{award},1,-5,S9,{day},", "C", "formula"),
        ("{award},1,0.005,S9,{day},", "C", "invalid-money"),
        ("{award},1,0,S9,{day},", "C", "not-positive"),
        ("{award},,70000,S9,{day},", "C", "nothing-ordered"),
        ("{award},1,120000,=A1,{day},", "D", "formula"),
        ("{award},1,120000,,{day},", "D", "missing"),
        ("{award},1,120000,s1,{day},", "D", "repeated-serial"),
        ("{award},1,120000,S9,2026-02-30,", "E", "invalid-date"),
        ("{award},1,120000,S9,2999-01-01,", "E", "in-the-future"),
        ("{award},1,120000,S9,{day},凭,多", None, "too-many-cells"),
        ("awd-0000000000,,120000,S9,{day},", "A", "not-found"),
    ],
)
def test_a_malformed_line_lets_others_in_or_is_not_told_by_its_cell(
    desk: Desk, line: str, column: str | None, code: str
) -> None:
    bad = line.format(award=award_id(desk.cases[1]), day=PAID_ON)
    assert desk.errors(desk.line(0, "1", "120000", "S1"), bad) == [(3, column, code)]
    assert desk.settled() == {}


@pytest.mark.parametrize(
    ("heading", "code"),
    [
        ("资助编号,拨付序号,金额,银行流水号,凭证号", "missing-column"),
        (HEADING + ",金额", "repeated-column"),
        (HEADING + ",备注", "unknown-column"),
    ],
)
def test_a_heading_that_cannot_be_used_is_used(desk: Desk, heading: str, code: str) -> None:
    assert code in {found for _, _, found in desk.errors(desk.line(0, "1", "120000", "S1"), heading=heading)}
    assert desk.settled() == {}


def test_two_payments_of_one_amount_are_told_apart_by_chance(desk: Desk) -> None:
    with open_service(desk.data) as service:
        for number in (3, 4):
            request = RequestDisbursement(case=desk.cases[0], amount_fen=5_000_00)
            service.ledger.execute(request, actor="finance", key=f"request-{number}")
            order = OrderDisbursement(case=desk.cases[0], disbursement=number)
            service.ledger.execute(order, actor="finance2", key=f"order-{number}")
    today = business_date(system_clock()).isoformat()
    assert desk.errors(desk.line(0, "", "5000", "S1", today)) == [(2, "C", "ambiguous")]
    assert desk.told(desk.line(0, "4", "5000", "S1", today))["imported"] == 1


def test_a_line_refused_for_another_reason_by_now_is_told_the_old_one(desk: Desk) -> None:
    line = desk.line(1, "1", "120000.01", "S1")
    assert [row["code"] for row in desk.told(line)["refused"]] == ["amount-differs-from-order"]
    assert desk.told(desk.line(1, "1", "120000", "S2"))["imported"] == 1
    head = desk.head()
    for _ in range(3):
        assert [row["code"] for row in desk.told(line)["refused"]] == ["step-out-of-order"]
    assert desk.head() == head + 1


def test_a_dry_run_records_something_or_asks_who_it_is(desk: Desk) -> None:
    head = desk.head()
    result = desk.bring(desk.line(0, "1", "120000", "S1"), options=("--dry-run", "--json"))
    assert result.exit_code == Exit.DONE
    assert json.loads(result.stdout) == {
        "file": str(desk.file),
        "rows": 1,
        "imported": 0,
        "errors": [],
        "would_import": 1,
        "before": 0,
        "refused": [],
    }
    assert (desk.settled(), desk.head()) == ({}, head)


def test_a_dry_run_promises_what_the_import_then_refuses(desk: Desk) -> None:
    assert desk.told(desk.line(0, "1", "120000", "S1"))["imported"] == 1
    early, head = add_days(ORDERED_ON, -1).isoformat(), desk.head()
    lines = [
        desk.line(0, "1", "120000", "S1"),
        desk.line(0, "2", "80000", "S2", early),
        desk.line(1, "1", "120000", "S3"),
        desk.line(1, "1", "120000", "S4"),
        desk.line(1, "7", "80000", "S5"),
        desk.line(0, "2", "80000", "S6"),
        desk.line(1, "2", "80000", "S7"),
    ]
    dry = desk.bring(*lines, options=("--dry-run", "--json"))
    told = json.loads(dry.stdout)
    assert (dry.exit_code, desk.head()) == (Exit.REFUSED, head)
    assert (told["rows"], told["would_import"], told["before"], told["imported"]) == (7, 3, 1, 0)
    assert [(each["row"], each["code"]) for each in told["refused"]] == [
        (3, "effective-before-last-step"),
        (5, "step-out-of-order"),
        (6, "not-found"),
    ]
    shown = desk.bring(*lines, options=("--dry-run",)).stdout
    assert "3行可以记录，1行此前已记录，3行会被拒绝。没有记录任何内容" in shown
    assert "--user" in shown
    real = desk.told(*lines)
    assert (real["imported"], real["before"], real["refused"]) == (3, 1, told["refused"])


def test_a_dry_run_lets_a_serial_number_pass_that_was_used_before(desk: Desk) -> None:
    assert desk.told(desk.line(0, "1", "120000", "S1"))["imported"] == 1
    lines = [desk.line(1, "2", "80000", "S2"), desk.line(1, "1", "120000", "s1")]
    told = json.loads(desk.bring(*lines, options=("--dry-run", "--json")).stdout)
    assert [(each["row"], each["code"]) for each in told["refused"]] == [(3, "bank-serial-used")]
    assert desk.told(*lines)["refused"] == told["refused"]


def test_a_dry_run_in_somebodys_name_forgets_their_duties(desk: Desk) -> None:
    line, head = desk.line(0, "1", "120000", "S1"), desk.head()
    told = json.loads(desk.bring(line, options=("--dry-run", "--json", "--user", "approver")).stdout)
    assert [each["code"] for each in told["refused"]] == ["same-person"]
    assert desk.bring(line, options=("--dry-run", "--user", "finance")).exit_code == Exit.REFUSED
    assert desk.head() == head


def test_an_error_is_told_only_when_others_are_corrected_or_out_of_order(desk: Desk) -> None:
    day, award = PAID_ON.isoformat(), award_id(desk.cases[0])
    heading = "到账日期,金额,拨付序号,资助编号,银行流水号"
    lines = [
        f"2026-02-30,12万,1,{award},S1",
        f"{day},120000,1,awd-0000000000,S2",
        f"{day},120000,,awd-0000000000,S2",
        "2999-01-01,0,x,awd-1,",
        f"{day},70000,,{award},S3",
    ]
    assert desk.errors(*lines, heading=heading) == [
        (2, "A", "invalid-date"),
        (2, "B", "invalid-money"),
        (3, "D", "not-found"),
        (4, "D", "not-found"),
        (4, "E", "repeated-serial"),
        (5, "A", "in-the-future"),
        (5, "B", "not-positive"),
        (5, "C", "invalid-number"),
        (5, "D", "invalid-id"),
        (5, "E", "missing"),
        (6, "B", "nothing-ordered"),
    ]
    assert desk.errors(f"{day},120000,1,awd-0000000000,S2", heading=heading) == [(2, "D", "not-found")]


def test_an_import_happens_in_the_name_of_somebody_who_may_not(desk: Desk) -> None:
    line = desk.line(0, "1", "120000", "S1")
    assert desk.bring(line, user="finance").exit_code == Exit.REFUSED
    assert desk.bring(line, user="nobody").exit_code == Exit.REFUSED
    # A cashier who approved the award: the guard of duties stands in the way of a file as of a hand.
    told = desk.told(line, user="approver")
    assert [each["code"] for each in told["refused"]] == ["same-person"]
    assert desk.settled() == {}
