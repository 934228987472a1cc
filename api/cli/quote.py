"""``quote``: what a claim would be granted now, with every step; records nothing."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.calculation import show_steps, step_body
from api.cli.options import chosen_policy, data_option, json_option, open_existing
from api.cli.screen import Run, Screen, headroom_body, yuan
from api.cli.speech import Speech
from api.imports.values import Value, particular_names, plain, value_of
from ledger.errors import FieldError, Malformed, Text
from ledger.money import format_yuan
from ledger.policy.model import Rule
from ledger.rules import Determination


def command(speech: Speech) -> click.Command:
    @click.command(
        "quote",
        short_help=speech("试算：一项申报现在能得多少", "what a claim would be granted now"),
        help=speech(
            "试算一项申报现在能得多少资助，逐步列出计算与依据。与正式核定同一段程序，不作任何记录。\n\n"
            "例：\n\n\b\n"
            "  funding-ledger quote --rule 5.2 --enterprise 91440300MA5FX3K72N \\\n"
            "    --item 国械注准20263010001 --cap-year 2026 \\\n"
            "    -p rd_cost=1600万元 -p special_approval=是",
            "What a claim would be granted now, step by step and with its grounds. The code of the real decision; records "
            "nothing.\n\n"
            "Example:\n\n\b\n"
            "  funding-ledger quote --rule 5.2 --enterprise 91440300MA5FX3K72N \\\n"
            "    --item 国械注准20263010001 --cap-year 2026 \\\n"
            "    -p rd_cost=16000000.00 -p special_approval=true",
        ),
    )
    @click.option(
        "--policy", help=speech("政策编号（只有一个时可省略）", "the policy's id (not needed where there is one)")
    )
    @click.option("--rule", required=True, help=speech("规则编号，如 5.2", "the rule, such as 5.2"))
    @click.option(
        "--enterprise",
        required=True,
        help=speech("统一社会信用代码", "the unified social credit code (“统一社会信用代码”)"),
    )
    @click.option("--item", required=True, help=speech("资助对象：注册证号、合同号等", "certificate, lease or project"))
    @click.option("--cap-year", type=int, help=speech("限额年度（默认今年）", "the plan year (default: this year)"))
    @click.option(
        "-p",
        "particulars",
        multiple=True,
        metavar="NAME=VALUE",
        help=speech(
            "申报数据，可重复；缺少的项目会按名称列出",
            "one of the rule's particulars, repeatable; missing ones are told by name",
        ),
    )
    @data_option(speech)
    @json_option(speech)
    @click.pass_obj
    def quote(
        run: Run,
        policy: str | None,
        rule: str,
        enterprise: str,
        item: str,
        cap_year: int | None,
        particulars: tuple[str, ...],
        data: Path,
        as_json: bool,
    ) -> None:
        screen = run.show(as_json=as_json)
        with open_existing(data) as service:
            policy_id = chosen_policy(run.speech, service.policies, policy)
            values = _read(particulars, service.policies.get(policy_id).rule(rule))
            result = service.ledger.quote(policy_id, rule, enterprise, item, values, cap_year)
        _show(screen, result)

    return quote


def _read(particulars: tuple[str, ...], rule: Rule) -> dict[str, Value]:
    """By the names the rule declares, or by their labels (中文)."""
    names = particular_names(rule)
    values: dict[str, Value] = {}
    for particular in particulars:
        name, equals, text = particular.partition("=")
        name = names.get(plain(name), plain(name))
        if not equals or name in values:
            raise Malformed([_not_a_pair(particular)])
        declared = rule.particulars.get(name)
        values[name] = text if declared is None else value_of(declared.kind, text)
    return values


def _not_a_pair(particular: str) -> FieldError:
    return FieldError(
        "-p",
        "invalid",
        Text(f"“{particular}”应写成 名称=值，每个名称一次", f"{particular!r} should be NAME=VALUE, each name once"),
    )


def _show(screen: Screen, result: Determination) -> None:
    say, bound = screen.speech, result.bound_by
    if screen.as_json:
        screen.json(
            {
                "amount": format_yuan(result.amount_fen),
                "bound_by": None if bound is None else {"clause": bound.clause, "limit": bound.limit},
                "steps": [step_body(step, say) for step in result.steps],
                "headroom": [headroom_body(headroom) for headroom in result.headroom],
            }
        )
        return
    screen.line(say("可得资助 ", "would be granted ") + yuan(result.amount_fen) + say(" 元", " yuan"), style="bold")
    if bound is not None:
        screen.line(
            say(
                f"由第{bound.clause}条的限额 {bound.limit} 核减",
                f"cut by the limit {bound.limit}, article {bound.clause}",
            )
        )
    show_steps(screen, result.steps)
    screen.table(
        say("所用限额（本次申报之前）", "limits, as they are before this claim"),
        [say("限额", "limit"), say("范围", "scope"), say("上限", "ceiling"), say("已用", "used"), say("尚余", "left")],
        ([h.limit, h.scope, yuan(h.ceiling_fen), yuan(h.used_fen), yuan(h.left_fen)] for h in result.headroom),
        right=(2, 3, 4),
    )
