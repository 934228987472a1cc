"""The command line shows the stages of an award that is paid in parts."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from api.cli.program import program
from api.cli.speech import Language, Speech
from ledger.commands.confirm_stage import ConfirmStage
from tests.office import Office


def test_a_trace_leaves_out_the_stages(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    office = Office(tmp_path / "data")
    case = office.approved("装备", rule="3.2", total_investment="25000000.00")
    office.give(ConfirmStage(case=case, stage=2, reference="进度审计1号"), "reviewer")
    office.pay(case, 500_000_000, "流水1")
    office.close()
    ask = ["trace", f"awd-{case}", "--data", str(tmp_path / "data")]
    told = CliRunner().invoke(program(Speech(Language.ZH)), ask).stdout
    assert "完成项目总投资的40%" in told
    assert "确认阶段" in told
    assert "“完成项目总投资的40%”" in CliRunner().invoke(program(Speech(Language.EN)), ask).stdout
    shown = json.loads(CliRunner().invoke(program(Speech(Language.ZH)), [*ask, "--json"]).stdout)
    assert [(stage["amount"], stage["paid"], stage["reached_on"]) for stage in shown["stages"]] == [
        ("4000000.00", "4000000.00", "2026-03-02"),
        ("3000000.00", "1000000.00", "2026-03-02"),
        ("3000000.00", "0.00", None),
    ]
