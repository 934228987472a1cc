"""The command line: what it shows, what it refuses, and what its exit status says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from api.cli.exits import Exit
from api.cli.program import program
from api.cli.speech import Language, Speech, language_of
from api.service import open_service
from ledger.application import FundingLedger
from ledger.errors import Text, Unavailable
from ledger.events import CommandRefused
from ledger.identity import award_id
from tests.office import ENTERPRISE, Office

CHINESE = program(Speech(Language.ZH))
ENGLISH = program(Speech(Language.EN))


class Folder:
    """A folder with a ledger, and the command line pointed at it. ``case`` is the one case in it, if there is one."""

    def __init__(self, path: Path, case: str = "") -> None:
        self.path = path
        self.case = case

    def run(self, *arguments: str, typed: str | None = None, english: bool = False) -> Result:
        command = ENGLISH if english else CHINESE
        environ = {"FUNDING_LEDGER_DATA": str(self.path)}
        result = CliRunner().invoke(command, list(arguments), input=typed, env=environ)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def json(self, *arguments: str, typed: str | None = None) -> Any:
        return json.loads(self.run(*arguments, "--json", typed=typed).stdout)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """With one award that was paid and clawed back, and a refused payment."""
    (tmp_path / "data").mkdir()
    office = Office(tmp_path / "data")
    case = office.approved("国械注准20263010001")
    office.pay(case, 6_000_000_00, "流水1")
    office.claw_back(case, 6_000_000_00)
    office.receive(case, 2_000_000_00, "流水2")
    office.close()
    return Folder(tmp_path / "data", case)


def test_a_quote_differs_from_the_worked_example(folder: Folder) -> None:
    claim = ("quote", "--rule", "5.2", "--enterprise", ENTERPRISE, "--item", "演械2", "--cap-year", "2027")
    quoted = folder.json(*claim, "-p", "rd_cost=16000000.00", "-p", "special_approval=true")
    assert quoted["amount"] == "6000000.00"
    assert quoted["bound_by"] == {"clause": "五", "limit": "item"}
    assert [(step["step"], step["amount"]) for step in quoted["steps"]] == [
        ("rate", "6400000.00"),
        ("item-cap", "6000000.00"),
        ("annual-cap", "6000000.00"),
    ]
    same = folder.json(*claim, "-p", "实际投入研发费用=1,600万元", "-p", "经国家或省级创新医疗器械特别审批=是")
    assert same == quoted
    shown = folder.run(*claim, "-p", "rd_cost=1600万元", "-p", "special_approval=是")
    assert shown.exit_code == Exit.DONE
    assert "6,000,000.00" in shown.stdout
    assert "1600万元 × 40% = 640万元" in shown.stdout


def test_a_quote_leaves_something_in_the_ledger(folder: Folder) -> None:
    before = (folder.path / "facts.sqlite").read_bytes()
    folder.run("quote", "--rule", "六", "--enterprise", ENTERPRISE, "--item", "x")
    folder.run("quote", "--rule", "5.1", "--enterprise", ENTERPRISE, "--item", "x", "-p", "rd_cost=1.00")
    assert (folder.path / "facts.sqlite").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["quote", "--rule", "六", "--enterprise", ENTERPRISE, "--item", "x"], Exit.REFUSED, "no-money-rule"),
        (["quote", "--rule", "5.2", "--enterprise", "123", "--item", "x"], Exit.MALFORMED, "invalid-request"),
        (
            ["quote", "--policy", "x", "--rule", "5", "--enterprise", ENTERPRISE, "--item", "x"],
            Exit.NOT_FOUND,
            "not-found",
        ),
        (["trace", "awd-0000000000"], Exit.NOT_FOUND, "not-found"),
        (["trace", "12"], Exit.MALFORMED, "invalid-request"),
        (["limits", "123"], Exit.MALFORMED, "invalid-request"),
        (["import", "nothing.csv", "--dry-run"], Exit.MALFORMED, "invalid-request"),
        (["import"], Exit.MALFORMED, "invalid-usage"),
        (["verify", "nothing.jsonl"], Exit.MALFORMED, "invalid-usage"),
        (["users", "password", "nobody", "--password-stdin"], Exit.NOT_FOUND, "not-found"),
    ],
)
def test_an_error_ends_with_another_status_than_documented(
    folder: Folder, arguments: list[str], status: Exit, told: str
) -> None:
    result = folder.run(*arguments, "--json")
    assert result.exit_code == status
    assert json.loads(result.stdout)["code"] == told
    in_words = folder.run(*arguments)
    assert in_words.exit_code == status
    assert in_words.stdout == ""
    assert in_words.stderr.strip()


def test_errors_are_not_told_by_field(folder: Folder) -> None:
    arguments = [
        "quote",
        "--rule",
        "5.2",
        "--enterprise",
        ENTERPRISE,
        "--item",
        "x",
        "-p",
        "rd_cost=1.234",
        "-p",
        "y=1",
    ]
    errors = folder.json(*arguments)["errors"]
    assert {(error["field"], error["code"]) for error in errors} == {
        ("particulars.rd_cost", "invalid-money"),
        ("particulars.y", "unknown"),
        ("particulars.special_approval", "missing"),
    }
    shown = folder.run(*arguments, english=True)
    assert "particulars.special_approval: missing" in shown.stderr


@pytest.mark.parametrize(
    "arguments", [["limits"], ["bogus"], ["quote", "--nonsense"], ["limits", "x", "--year", "soon"]]
)
def test_wrong_usage_ends_in_a_traceback_or_another_status(folder: Folder, arguments: list[str]) -> None:
    for english in (False, True):
        result = folder.run(*arguments, english=english)
        assert result.exit_code == Exit.MALFORMED
        assert "--help" in result.stderr


def test_a_question_makes_a_ledger_where_there_was_none(tmp_path: Path) -> None:
    nowhere = Folder(tmp_path / "nowhere")
    assert nowhere.run("limits", ENTERPRISE).exit_code == Exit.NOT_FOUND
    assert not nowhere.path.exists()


def test_a_ledger_that_cannot_be_opened_ends_in_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "facts.sqlite").write_bytes(b"no database at all, " * 500)
    result = Folder(tmp_path).run("limits", ENTERPRISE)
    assert result.exit_code == Exit.FAULT
    assert str(tmp_path / "facts.sqlite") in result.stderr.replace("\n", "")


def test_a_trace_leaves_out_a_step_or_the_clause_of_the_amount(folder: Folder) -> None:
    award = award_id(folder.case)
    traced = folder.json("trace", award)
    assert traced["id"] == award
    assert traced["state"] == "recovering"
    assert [event["type"] for event in traced["events"]] == [
        "application-submitted",
        "application-accepted",
        "amount-determined",
        "award-approved",
        "disbursement-requested",
        "disbursement-ordered",
        "disbursement-settled",
        "violation-found",
        "recovery-ordered",
        "recovery-received",
    ]
    assert [step["clause"] for step in traced["steps"]] == ["五", "五", "五"]
    shown = folder.run("trace", award.lower()).stdout
    for told in ("违规认定", "虚报研发费用", "supervisor2", "2,000,000.00", "年度限额", "追缴中"):
        assert told in shown


def test_limits_show_another_room_than_the_guard_counts(folder: Folder) -> None:
    limits = folder.json("limits", ENTERPRISE.lower(), "--year", "2026")["limits"]
    (c5,) = [limit for limit in limits if limit["name"] == "C5"]
    assert (c5["ceiling"], c5["used"], c5["left"]) == ("10000000.00", "6000000.00", "4000000.00")
    assert len(c5["events"]) == 1
    assert "4,000,000.00" in folder.run("limits", ENTERPRISE, "--year", "2026").stdout


# Users


def test_a_user_cannot_be_added_given_roles_and_another_password(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "new")
    added = folder.run("users", "add", "wanglan", "--role", "finance", "--role", "cashier", typed="geheim\ngeheim\n")
    assert added.exit_code == Exit.DONE
    assert "geheim" not in added.output
    assert "财务人员、出纳" in added.stdout
    again = folder.run("users", "add", "wanglan", "--role", "admin", "--password-stdin", typed="x\n")
    assert again.exit_code == Exit.REFUSED
    assert folder.run("users", "grant", "wanglan", "--role", "auditor").exit_code == Exit.DONE
    assert folder.json("users", "list") == [
        {"user": "wanglan", "roles": ["auditor", "cashier", "finance"], "can_sign_in": True}
    ]
    assert folder.run("users", "password", "wanglan", typed="neu\nneu\n").exit_code == Exit.DONE
    shown = folder.run("users", "list").stdout
    assert "system" in shown


def test_a_role_cannot_be_revoked_or_is_revoked_from_who_does_not_hold_it(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "new")
    folder.run("users", "add", "WangLan", "--role", "finance", "--role", "cashier", "--password-stdin", typed="x\n")
    assert folder.json("users", "revoke", "WANGLAN", "--role", "cashier") == {"user": "wanglan", "roles": ["finance"]}
    assert folder.json("users", "list") == [{"user": "wanglan", "roles": ["finance"], "can_sign_in": True}]
    assert folder.run("users", "revoke", "wanglan", "--role", "cashier").exit_code == Exit.NOT_FOUND
    folder.run("users", "revoke", "wanglan", "--role", "finance")
    assert folder.json("users", "list") == [{"user": "wanglan", "roles": [], "can_sign_in": True}]
    assert "无角色" in folder.run("users", "list").stdout
    assert folder.run("users", "revoke", "nobody", "--role", "cashier").exit_code == Exit.NOT_FOUND


def test_a_closed_user_signs_in_keeps_a_role_or_gives_the_name_to_another(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "new")
    folder.run("users", "add", "wanglan", "--role", "finance", "--role", "cashier", "--password-stdin", typed="x\n")
    with open_service(folder.path) as service:
        token = service.credentials.issue_token("wanglan").token
    assert folder.json("users", "close", "wanglan") == {"user": "wanglan", "revoked": ["cashier", "finance"]}
    with open_service(folder.path) as service:
        assert service.credentials.person_of(token) is None
        assert not service.credentials.verify("wanglan", "x", address="here")
        assert service.ledger.roles_of("wanglan") == set()
    assert folder.json("users", "list") == []
    assert folder.run("users", "close", "nobody").exit_code == Exit.NOT_FOUND
    assert folder.run("users", "grant", "wanglan", "--role", "finance").exit_code == Exit.NOT_FOUND
    another = ("users", "add", "wanglan", "--role", "finance", "--password-stdin")
    assert folder.run(*another, typed="y\n").exit_code == Exit.REFUSED
    assert folder.run("users", "password", "wanglan", "--password-stdin", typed="y\n").exit_code == Exit.DONE
    assert folder.run("users", "grant", "wanglan", "--role", "finance").exit_code == Exit.DONE


def test_a_user_whose_roles_cannot_be_granted_is_left_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path / "new")
    execute, calls = FundingLedger.execute, count(1)

    def failing(ledger: FundingLedger, *arguments: Any, **named: Any) -> Any:
        if next(calls) == 2:
            raise Unavailable(Text("存储故障", "the store is at fault"))
        return execute(ledger, *arguments, **named)

    monkeypatch.setattr(FundingLedger, "execute", failing)
    add = ("users", "add", "wanglan", "--role", "finance", "--role", "cashier", "--password-stdin")
    added = folder.run(*add, typed="x\n")
    assert added.exit_code == Exit.FAULT
    assert "funding-ledger users grant wanglan --role cashier" in added.stderr
    assert folder.run("users", "grant", "wanglan", "--role", "cashier").exit_code == Exit.DONE
    assert folder.json("users", "list")[0]["roles"] == ["cashier", "finance"]


def test_a_password_may_be_an_argument_or_mistyped(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "new")
    assert folder.run("users", "add", "li", "--role", "finance", "--password", "geheim").exit_code == Exit.MALFORMED
    mistyped = folder.run("users", "add", "li", "--role", "finance", typed="one\ntwo\n")
    assert mistyped.exit_code == Exit.MALFORMED
    assert "--password-stdin" in mistyped.stderr
    assert folder.run("users", "grant", "li", "--role", "finance").exit_code == Exit.NOT_FOUND


@pytest.mark.parametrize(
    ("name", "password", "field"),
    [("system", "x", "NAME"), ("SYSTEM", "x", "NAME"), ("a b", "x", "NAME"), ("li", "", "password")],
)
def test_a_name_or_password_that_cannot_be_one_is_taken(tmp_path: Path, name: str, password: str, field: str) -> None:
    told = Folder(tmp_path / "new").json(
        "users", "add", name, "--role", "finance", "--password-stdin", typed=f"{password}\n"
    )
    assert [error["field"] for error in told["errors"]] == [field]


# Language and help


def every_command(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from every_command(below, (*path, name))


@pytest.mark.parametrize("path", list(every_command(CHINESE)))
def test_a_command_has_no_help_or_no_example(path: tuple[str, ...]) -> None:
    for command, example in ((CHINESE, "例："), (ENGLISH, "Example:")):
        result = CliRunner().invoke(command, [*path, "--help"])
        assert result.exit_code == Exit.DONE
        assert "--lang" in result.stdout
        assert not path or example in result.stdout


def test_the_exit_statuses_are_not_documented() -> None:
    told = CliRunner().invoke(CHINESE, ["--help"]).stdout
    assert all(str(status.value) in told for status in Exit)


@pytest.mark.parametrize(
    ("arguments", "environ", "language"),
    [
        ([], {}, "zh"),
        ([], {"LANG": "C.UTF-8"}, "zh"),
        ([], {"LANG": "en_GB.UTF-8"}, "en"),
        ([], {"LANG": "en_GB.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "zh"),
        (["limits", "x", "--lang", "en"], {}, "en"),
        (["--lang=zh", "limits"], {"LANG": "en_GB.UTF-8"}, "zh"),
    ],
)
def test_the_language_is_not_the_one_asked_for(arguments: list[str], environ: dict[str, str], language: str) -> None:
    assert language_of(arguments, environ) == language


def test_refused_commands_recorded_by_questions(folder: Folder) -> None:
    folder.run("quote", "--rule", "5.2", "--enterprise", ENTERPRISE, "--item", "国械注准20263010001")
    traced = folder.json("trace", folder.case)
    assert CommandRefused.type_name not in {event["type"] for event in traced["events"]}


def test_a_sheet_shows_how_an_amount_was_computed(folder: Folder) -> None:
    sheet = folder.json("sheet", award_id(folder.case))
    assert (sheet["amount"], sheet["capitals"], sheet["award_id"]) == (
        "6000000.00",
        "陆佰万元整",
        award_id(folder.case),
    )
    assert [(step["step"], step["cut"]) for step in sheet["steps"]] == [
        ("rate", None),
        ("item-cap", "400000.00"),
        ("annual-cap", "0.00"),
    ]
    shown = folder.run("sheet", folder.case).stdout
    assert "陆佰万元整" in shown
    assert "1600万元 × 40% = 640万元" in shown
    assert "cut" in folder.run("sheet", folder.case, english=True).stdout


def test_a_sheet_is_written_as_a_page_that_opens_anywhere_and_replaces_nothing(folder: Folder, tmp_path: Path) -> None:
    page = tmp_path / "核算表.html"
    assert folder.run("sheet", folder.case, "-o", str(page)).exit_code == Exit.DONE
    written = page.read_text(encoding="utf-8")
    assert written.startswith("<!doctype html>")
    assert "陆佰万元整" in written
    again = folder.run("sheet", folder.case, "-o", str(page))
    assert (again.exit_code, str(page) in again.stderr) == (Exit.MALFORMED, True)
    assert page.read_text(encoding="utf-8") == written


def test_a_sheet_of_what_does_not_exist_is_not_found(folder: Folder, tmp_path: Path) -> None:
    page = tmp_path / "sheet.html"
    for arguments in (("awd-0000000000",), (folder.case, "--determination", "2")):
        assert folder.run("sheet", *arguments, "-o", str(page)).exit_code == Exit.NOT_FOUND
    assert not page.exists()
    assert folder.run("sheet", "7").exit_code == Exit.MALFORMED


def test_a_sheet_into_a_folder_that_is_not_there_is_a_slip(folder: Folder, tmp_path: Path) -> None:
    result = folder.run("sheet", folder.case, "-o", str(tmp_path / "gone" / "sheet.html"))
    assert (result.exit_code, str(tmp_path / "gone") in result.stderr) == (Exit.MALFORMED, True)
