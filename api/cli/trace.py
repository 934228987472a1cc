"""``trace``: everything that happened to an award and the application behind it, and how its amount was computed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from api.cli.calculation import show_steps, step_body
from api.cli.case_named import case_named
from api.cli.options import data_option, json_option, open_existing
from api.cli.screen import Run, Screen, yuan
from api.cli.speech import Speech
from api.cli.step_names import EVENT_NAMES
from ledger.casefile import STATE_NAMES, CaseFile
from ledger.events import CommandRefused
from ledger.identity import application_id, award_id
from ledger.mapper import Recorded
from ledger.money import format_yuan
from ledger.roles import ROLE_NAMES, Role
from ledger.stages import StageOfAward


def command(speech: Speech) -> click.Command:
    @click.command(
        "trace",
        short_help=speech("追溯一笔资助：每一步、经办人、依据", "an award's history and calculation"),
        help=speech(
            "追溯一笔资助（或申报）：按顺序列出每一步的日期、经办人、角色、文件、金额，以及被拒绝的操作；"
            "再列出核定金额的计算步骤和条款。编号可写 awd-…、app-… 或案卷号。\n\n"
            "例：\n\n\b\n  funding-ledger trace awd-7Q2M4X9KDB",
            "An award or application from its first step to its last: date, who, role, document and amount, refused "
            "commands included; then the calculation of its amount, step by step with its clauses. AWARD is awd-…, "
            "app-… or the bare case number.\n\n"
            "Example:\n\n\b\n  funding-ledger trace awd-7Q2M4X9KDB",
        ),
    )
    @click.argument("award")
    @data_option(speech)
    @json_option(speech)
    @click.pass_obj
    def trace(run: Run, award: str, data: Path, as_json: bool) -> None:
        screen = run.show(as_json=as_json)
        number = case_named(award)
        with open_existing(data) as service:
            case, history = service.reader.case(number), service.reader.history(number)
        if screen.as_json:
            screen.json(_body(case, history, screen.speech))
        else:
            _show(screen, case, history)

    return trace


def _identifier(case: CaseFile) -> str:
    return application_id(case.number) if case.approval is None else award_id(case.number)


def _body(case: CaseFile, history: list[Recorded], speech: Speech) -> dict[str, Any]:
    steps = case.determination.steps if case.determination else ()
    return {
        "id": _identifier(case),
        "state": case.state,
        "enterprise": case.enterprise,
        "enterprise_name": case.enterprise_name,
        "rule": case.rule,
        "item": case.item,
        "awarded": format_yuan(case.awarded_fen),
        "settled": format_yuan(case.settled_fen),
        "recovered": format_yuan(case.recovered_fen),
        "stages": [_stage_body(stage) for stage in case.stages],
        "steps": [step_body(step, speech) for step in steps],
        "events": [_event_body(recorded) for recorded in history],
    }


def _stage_body(stage: StageOfAward) -> dict[str, Any]:
    return {
        "number": stage.number,
        "when": stage.when,
        "share": stage.share,
        "amount": format_yuan(stage.amount_fen),
        "reached_on": None if stage.reached_on is None else stage.reached_on.isoformat(),
        "paid": format_yuan(stage.paid_fen),
    }


def _event_body(recorded: Recorded) -> dict[str, Any]:
    """As the API's history: the payload as it was recorded, amounts in fen."""
    envelope = recorded.envelope
    return {
        "position": recorded.position,
        "event_id": envelope.event_id,
        "type": recorded.type_name,
        "effective_on": envelope.effective_on.isoformat(),
        "recorded_at": envelope.recorded_at.isoformat(),
        "actor": envelope.actor,
        "role": envelope.role,
        "reference": envelope.reference,
        "reason": envelope.reason,
        "payload": msgspec.to_builtins(recorded.event),
    }


def _show(screen: Screen, case: CaseFile, history: list[Recorded]) -> None:
    say = screen.speech
    screen.line(f"{_identifier(case)} · {say.said(STATE_NAMES[case.state])}", style="bold")
    screen.line(say(f"{case.enterprise_name}（{case.enterprise}）", f"{case.enterprise_name} ({case.enterprise})"))
    screen.line(say(f"规则 {case.rule} · 对象 {case.item}", f"rule {case.rule} · {case.item}"))
    screen.line(
        say("资助 ", "awarded ")
        + yuan(case.awarded_fen)
        + say("，已拨付 ", ", paid ")
        + yuan(case.settled_fen)
        + say("，已追回 ", ", recovered ")
        + yuan(case.recovered_fen)
    )
    if case.stages:
        _show_stages(screen, case)
    headings = [
        say("日期", "date"),
        say("步骤", "step"),
        say("经办", "who"),
        say("角色", "role"),
        say("文件", "document"),
        say("金额（元）", "amount (yuan)"),
        say("说明", "note"),
    ]
    screen.table(say("经过", "history"), headings, (_row(recorded, say) for recorded in history), right=(5,))
    if case.determination is not None:
        show_steps(screen, case.determination.steps)


def _show_stages(screen: Screen, case: CaseFile) -> None:
    say = screen.speech
    headings = [
        say("阶段", "stage"),
        say("条件", "when"),
        say("比例", "share"),
        say("金额（元）", "amount (yuan)"),
        say("达到日期", "reached on"),
        say("已拨付（元）", "paid (yuan)"),
    ]
    rows = (
        [
            str(stage.number),
            say.named(stage.when),
            stage.share,
            yuan(stage.amount_fen),
            say("未达到", "not yet") if stage.reached_on is None else stage.reached_on.isoformat(),
            yuan(stage.paid_fen),
        ]
        for stage in case.stages
    )
    screen.table(say("拨付阶段", "stages of payment"), headings, rows, right=(3, 5))


def _row(recorded: Recorded, say: Speech) -> list[str]:
    event, envelope = recorded.event, recorded.envelope
    name = EVENT_NAMES.get(recorded.type_name)
    refused = event if isinstance(event, CommandRefused) else None
    return [
        envelope.effective_on.isoformat(),
        recorded.type_name if name is None else say.said(name),
        envelope.actor,
        say.said(ROLE_NAMES[Role(envelope.role)]),
        envelope.reference or str(getattr(event, "bank_serial", getattr(event, "acceptance_number", ""))),
        yuan(refused.asked_fen if refused else getattr(event, "amount_fen", None)),
        say.said(refused.text) if refused else envelope.reason or "",
    ]
