"""Applications from a file: checked as a whole, told by row and column, recorded row by row, and never twice."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner, Result

from api.cli.exits import Exit
from api.cli.program import program
from api.cli.speech import Language, Speech
from api.credentials import Credentials
from api.database import CREDENTIALS
from api.imports.csv_file import NotCsv, column_letter, read_sheet
from api.imports.values import value_of
from api.service import open_service
from ledger.application import FundingLedger
from ledger.calendar import system_clock
from ledger.commands.grant_role import GrantRole
from ledger.commands.submit_application import SubmitApplication
from ledger.errors import Refusal, Text, Unavailable
from ledger.policy.terms import Kind
from ledger.roles import SYSTEM
from projections.queries import CaseRow
from tests.office import ENTERPRISE

PROGRAM = program(Speech(Language.ZH))
OTHER = "91440303DEM000014R"
STAFF = {"intake": "intake", "intake2": "intake", "finance": "finance"}
CHINESE = f"""规则,统一社会信用代码,企业名称,注册证编号,实际投入研发费用（万元）,经国家或省级创新医疗器械特别审批
5.2,{ENTERPRISE},示例医疗科技有限公司,演械001,"1,600",是
5.1,{OTHER.lower()},深圳青鸾影像科技有限公司（演示）,演械 002,812.3456,否
"""
ENGLISH = f"""rule,enterprise,enterprise_name,item,rd_cost,special_approval
5.2,{ENTERPRISE},示例医疗科技有限公司,演械001,16000000.00,true
5.1,{OTHER},深圳青鸾影像科技有限公司（演示）,演械002,8123456.00,false
"""
RENT = f"""规则,统一社会信用代码,企业名称,合同编号,政府租金基准价,租赁面积,起租日,申报期间起日,申报期间止日（含）
22.2,{ENTERPRISE},示例医疗科技有限公司,租001,45,"4,000",2025/3/1,2025年3月1日,2026-02-28
"""


class Desk:
    """A folder with one clerk, and files to import into it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with open_service(path / "data") as service:
            for name, role in STAFF.items():
                service.ledger.execute(GrantRole(person=name, role=role), actor=SYSTEM, key=name)
        # Hashed as cheaply as can be: every test signs in.
        hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        credentials = Credentials(path / "data" / CREDENTIALS, system_clock, hasher)
        for name in STAFF:
            credentials.add_user(name, "geheim")
        credentials.close()

    def run(self, *arguments: str, typed: str | None = None) -> Result:
        result = CliRunner().invoke(PROGRAM, [*arguments, "--data", str(self.path / "data")], input=typed)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def bring(self, content: str | bytes, *options: str, user: str = "intake", password: str = "geheim") -> Result:
        file = self.path / "applications.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return self.run("import", str(file), "--user", user, "--password-stdin", *options, typed=password + "\n")

    def told(self, content: str | bytes, **who: str) -> Any:
        return json.loads(self.bring(content, "--json", **who).stdout)

    def head(self) -> int:
        with open_service(self.path / "data") as service:
            return service.recorder.head()

    def recorded(self) -> dict[str, CaseRow]:
        with open_service(self.path / "data") as service:
            service.views.catch_up()
            return {row.item: row for row in service.views.cases().rows}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def particulars(desk: Desk, item: str) -> dict[str, Any]:
    with open_service(desk.path / "data") as service:
        service.views.catch_up()
        (row,) = [row for row in service.views.cases().rows if row.item == item]
        return service.reader.case(row.case_number).particulars


@pytest.mark.parametrize(
    "content",
    [
        CHINESE.encode("utf-8"),
        CHINESE.encode("utf-8-sig"),
        CHINESE.encode("gb18030"),
        b"\x84\x31\x95\x33" + CHINESE.encode("gb18030"),
        CHINESE.replace("\n", "\r\n").encode("utf-8"),
        CHINESE.replace("（", "(").replace("）", ")").encode("gbk"),
        ENGLISH.encode("utf-8"),
    ],
    ids=["utf-8", "utf-8 with mark", "gb18030", "gb18030 with mark", "crlf", "half-width brackets, gbk", "english"],
)
def test_a_file_as_offices_write_them_is_read_otherwise(desk: Desk, content: bytes) -> None:
    told = desk.told(content)
    assert (told["rows"], told["imported"]) == (2, 2)
    assert set(desk.recorded()) == {"演械001", "演械002"}
    assert particulars(desk, "演械001") == {"rd_cost": "16000000.00", "special_approval": True}
    assert particulars(desk, "演械002") == {"rd_cost": "8123456.00", "special_approval": False}
    assert desk.recorded()["演械002"].enterprise == OTHER


def test_dates_and_areas_as_offices_write_them_are_read_otherwise(desk: Desk) -> None:
    assert desk.bring(RENT).exit_code == Exit.DONE
    assert particulars(desk, "租001") == {
        "benchmark_rent": "45.00",
        "area_m2": "4000.00",
        "tenancy_from": "2025-03-01",
        "claim_from": "2025-03-01",
        "claim_until": "2026-02-28",
        "rent_free_months": 0,
    }


def test_a_repeated_import_records_a_row_twice(desk: Desk) -> None:
    first = desk.told(CHINESE)
    again, by_another = desk.told(CHINESE), desk.told(CHINESE, user="intake2")
    assert again["imported"] == by_another["imported"] == 0
    numbers = [row["application"] for row in first["applications"]]
    assert [row["application"] for row in again["applications"]] == numbers
    assert [row["application"] for row in by_another["applications"]] == numbers
    assert len(desk.recorded()) == 2
    assert "2项此前已导入" in desk.bring(CHINESE).stdout


@pytest.mark.parametrize(
    "again",
    [
        CHINESE.replace("\n", "\r\n").encode("utf-8"),
        CHINESE.encode("gb18030"),
        ENGLISH.encode("utf-8"),
        "\n".join([(lines := CHINESE.splitlines())[0], lines[2], "", lines[1]]).encode("utf-8"),
    ],
    ids=["crlf", "gb18030", "english", "another order"],
)
def test_the_same_rows_in_another_file_are_recorded_again(desk: Desk, again: bytes) -> None:
    first = {row["application"] for row in desk.told(CHINESE)["applications"]}
    told = desk.told(again)
    assert told["imported"] == 0
    assert {row["application"] for row in told["applications"]} == first
    assert len(desk.recorded()) == 2


FIVE = CHINESE.partition("\n")[0] + "".join(f"\n5.2,{ENTERPRISE},示例,演械{n},1600,是" for n in range(5)) + "\n"


def test_a_failure_in_between_hides_what_is_recorded_or_cannot_be_resumed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute, calls = FundingLedger.execute, count(1)

    def failing(ledger: FundingLedger, *arguments: Any, **named: Any) -> Any:
        if next(calls) in (3, 6):
            raise Unavailable(Text("存储故障", "the store is at fault"))
        return execute(ledger, *arguments, **named)

    monkeypatch.setattr(FundingLedger, "execute", failing)
    stopped = desk.bring(FIVE, "--json")
    told = json.loads(stopped.stdout)
    assert stopped.exit_code == Exit.FAULT
    assert [row["row"] for row in told["applications"]] == [2, 3]
    assert (told["rows"], told["imported"], told["stopped_at"]) == (5, 2, 4)
    assert told["error"]["detail"] == "存储故障"
    assert set(desk.recorded()) == {"演械0", "演械1"}

    shown = desk.bring(FIVE)
    assert shown.exit_code == Exit.FAULT
    assert "在第6行停下：以上4行已在账本中，其余1行没有记录" in shown.stdout
    assert "此前已导入" in shown.stdout
    assert desk.told(FIVE)["imported"] == 1
    assert len(desk.recorded()) == 5


def test_an_interrupted_import_tells_nothing_of_what_is_recorded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    execute, calls = FundingLedger.execute, count(1)

    def interrupted(ledger: FundingLedger, *arguments: Any, **named: Any) -> Any:
        if next(calls) == 2:
            raise KeyboardInterrupt
        return execute(ledger, *arguments, **named)

    monkeypatch.setattr(FundingLedger, "execute", interrupted)
    result = desk.bring(FIVE)
    assert result.exit_code == Exit.INTERRUPTED
    assert "在第3行停下：以上1行已在账本中" in result.stdout


def test_a_row_that_was_refused_once_stays_refused_when_the_reason_is_gone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:

        def refusing(*_: Any) -> Any:
            raise Refusal("some-reason", Text("不予受理", "refused"))

        patched.setattr(SubmitApplication, "decide", refusing)
        refused = desk.bring(FIVE)
        assert (refused.exit_code, "不予受理" in refused.output) == (Exit.REFUSED, True)
        head = desk.head()
        assert desk.bring(FIVE).exit_code == Exit.REFUSED
        # The refusal stands in the log already.
        assert desk.head() == head
    assert desk.told(FIVE)["imported"] == 5


def test_one_bad_row_lets_the_others_in_or_is_not_told_by_its_cell(desk: Desk) -> None:
    bad = (
        CHINESE
        + f"5.2,{ENTERPRISE[:-1]}X,示例,演械003,1.23456789,也许\n5.9,{ENTERPRISE},示例,演械004,1,是\n5.9,9,示例,=A1,1,是\n"
    )
    result = desk.bring(bad, "--json")
    assert result.exit_code == Exit.MALFORMED
    assert [(e["row"], e["column"], e["code"]) for e in json.loads(result.stdout)["errors"]] == [
        (4, "B", "invalid-uscc"),
        (4, "E", "invalid-money"),
        (4, "F", "invalid-flag"),
        (5, "A", "unknown-rule"),
        (6, "A", "unknown-rule"),
        (6, "B", "invalid-uscc"),
        (6, "D", "formula"),
    ]
    assert desk.recorded() == {}
    shown = desk.bring(bad).stdout
    assert "实际投入研发费用（万元）" in shown
    assert "没有导入任何一行" in shown


@pytest.mark.parametrize(
    ("line", "column", "code"),
    [
        (f"5.2,{ENTERPRISE},示例,演械003,,是", "E", "missing"),
        (f"5.2,{ENTERPRISE},示例,,1,是", "D", "invalid-item"),
        (f"5.2,{ENTERPRISE},,演械003,1,是", "C", "missing"),
        (f"六,{ENTERPRISE},示例,演械003,1,是", "A", "no-money-rule"),
        (f"5.2,{ENTERPRISE},示例,演械003,=1+1,是", "E", "formula"),
        (f'5.2,"=""{ENTERPRISE}""",示例,演械003,1,是', "B", "formula"),
        (f"5.2,{ENTERPRISE},示例,演械003,-1,是", "E", "formula"),
        (f"5.2,{ENTERPRISE},示例,演械003,１２,是", "E", "invalid-money"),
        (f"5.2,{ENTERPRISE},示例,演械003,1e3,是", "E", "invalid-money"),
        (f"5.2,{ENTERPRISE},示例,演械003,1,是,多", None, "too-many-cells"),
        (f"5.2,{ENTERPRISE},示例,演械001,1600.00,是", None, "repeated-row"),
        (f"5.2,{ENTERPRISE.lower()},示例,演械 ００１,1600.00,是", None, "repeated-row"),
    ],
)
def test_a_bad_row_is_imported(desk: Desk, line: str, column: str | None, code: str) -> None:
    errors = desk.told(CHINESE + "\n" + line + "\n")["errors"]
    assert [(error["row"], error["column"], error["code"]) for error in errors] == [(5, column, code)]
    assert desk.recorded() == {}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("规则,企业名称,注册证编号\n", "missing-column"),
        (CHINESE.replace("企业名称", "规则"), "repeated-column"),
        (CHINESE.partition("\n")[0] + "\n", "no-rows"),
    ],
)
def test_a_heading_that_cannot_be_used_is_used(desk: Desk, content: str, code: str) -> None:
    errors = desk.told(content)["errors"]
    assert code in {error["code"] for error in errors}
    assert {error["row"] for error in errors} == {1}


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"PK\x03\x04rest", CHINESE.encode("utf-16"), b"\xff\xff\xff", b"a,b\0,c\n", b'a,"b\n'],
    ids=["empty", "blank", "excel", "utf-16", "no text", "with a zero byte", "open quote"],
)
def test_what_is_no_csv_ends_in_a_traceback(desk: Desk, content: bytes) -> None:
    result = desk.bring(content, "--json")
    assert result.exit_code == Exit.MALFORMED
    assert [error["field"] for error in json.loads(result.stdout)["errors"]] == ["FILE"]
    with pytest.raises(NotCsv):
        read_sheet(content)


def test_a_dry_run_records_something_or_asks_who_it_is(desk: Desk) -> None:
    file = desk.path / "applications.csv"
    file.write_text(CHINESE, encoding="utf-8")
    result = desk.run("import", str(file), "--dry-run", "--json")
    assert result.exit_code == Exit.DONE
    told = json.loads(result.stdout)
    assert told.items() >= {"file": str(file), "rows": 2, "imported": 0, "errors": []}.items()
    assert (told["would_import"], told["before"], told["refused"]) == (2, 0, [])
    assert desk.recorded() == {}


def test_a_dry_run_promises_what_the_import_then_refuses(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert desk.told(CHINESE)["imported"] == 2
    decide = SubmitApplication.decide

    def refusing(command: SubmitApplication, facts: Any) -> Any:
        if command.item == "演械008":
            raise Refusal("some-reason", Text("不予受理", "refused"))
        return decide(command, facts)

    monkeypatch.setattr(SubmitApplication, "decide", refusing)
    heading, first, _ = CHINESE.splitlines()
    content = "\n".join([heading, first, *(first.replace("001", f"00{n}") for n in (7, 8, 9))])
    file = desk.path / "applications.csv"
    file.write_text(content, encoding="utf-8")
    head = desk.head()
    result = desk.run("import", str(file), "--dry-run", "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, desk.head()) == (Exit.REFUSED, head)
    assert (told["rows"], told["before"], told["would_import"], told["imported"]) == (4, 1, 2, 0)
    assert told["refused"] == [{"row": 4, "code": "some-reason", "message": "不予受理"}]
    shown = desk.run("import", str(file), "--dry-run").stdout
    assert "2行可以记录，1行此前已记录，1行会被拒绝" in shown
    assert "会在第4行停下" in shown
    assert desk.run("import", str(file), "--dry-run", "--user", "finance").exit_code == Exit.REFUSED
    stopped = desk.told(content)
    assert (stopped["stopped_at"], stopped["error"]["detail"]) == (4, "不予受理")


def test_an_import_happens_in_the_name_of_somebody_who_did_not_ask_for_it(desk: Desk) -> None:
    assert desk.bring(CHINESE, password="guess").exit_code == Exit.REFUSED
    assert desk.bring(CHINESE, user="finance").exit_code == Exit.REFUSED
    assert desk.bring(CHINESE, user="nobody").exit_code == Exit.REFUSED
    file = desk.path / "applications.csv"
    assert desk.run("import", str(file)).exit_code == Exit.MALFORMED
    assert desk.recorded() == {}


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        (Kind.MONEY, "1600万元", "16000000.00"),
        (Kind.MONEY, "1.5亿元", "150000000.00"),
        (Kind.MONEY, "12,345.6", "12345.60"),
        (Kind.MONEY, "12,34.6", "12,34.6"),
        (Kind.MONEY, "0.005", "0.005"),
        (Kind.MONEY, "0.000001万元", "0.01"),
        (Kind.MONEY, "0.0000001万元", "0.0000001万元"),
        (Kind.DATE, "2026.1.5", "2026-01-05"),
        (Kind.DATE, "2026-02-30", "2026-02-30"),
        (Kind.DATE, "5/1/2026", "5/1/2026"),
        (Kind.FLAG, "否", False),
        (Kind.MONTHS, "3", 3),
        (Kind.MONTHS, "-3", "-3"),
    ],
)
def test_a_typed_value_is_read_as_another(kind: Kind, typed: str, value: object) -> None:
    assert value_of(kind, typed) == value


def test_columns_are_lettered_otherwise_than_in_a_spreadsheet() -> None:
    assert [column_letter(index) for index in (0, 25, 26, 51, 52, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
    ]
