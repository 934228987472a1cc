"""Options and words that the commands for auditors share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from api.cli.screen import Screen, yuan
from api.cli.speech import Speech
from ledger.counted import counted
from ledger.errors import PolicyFault, Text
from ledger.policy.model import Pin
from ledger.policy.registry import PolicyRegistry
from ledger.seal.kept import read_note
from ledger.seal.note import Checkpoint, looks_signed
from ledger.seal.sealed_log import Finding
from ledger.seal.verification import SPAN
from projections.verification import Verdict

C = TypeVar("C", bound=Callable[..., Any])

_SHOWN_MOST: Final = 10
_SPANS_WORTH_SHARING: Final = 4
"""Starting other processes takes half a second: below this many spans one is faster."""


def key_option(speech: Speech) -> Callable[[C], C]:
    return click.option(
        "--key",
        "named_keys",
        multiple=True,
        metavar="PUBLIC",
        help=speech(
            "公钥或公钥文件，可重复（默认：数据目录的 log.pub；它与账本同在一处，请尽量使用您自己保存的公钥）",
            "a public key or a file of them, repeatable (default: log.pub in the data folder, which lies where the log "
            "does: better name the one you were given)",
        ),
    )


def checkpoint_option(speech: Speech, help_zh: str, help_en: str) -> Callable[[C], C]:
    return click.option(
        "--checkpoint",
        "kept",
        multiple=True,
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        callback=require_notes(speech),
        metavar="FILE",
        help=speech(help_zh, help_en),
    )


Named = Path | tuple[Path, ...] | None


def require_notes(speech: Speech) -> Callable[[click.Context, click.Parameter, Named], Named]:
    """Looks whether files named as checkpoints may be some, before anything is checked: another file, named by mistake, says
    nothing against the log. Raises ``click.BadParameter``."""

    def look(context: click.Context, parameter: click.Parameter, named: Named) -> Named:
        for path in (named,) if isinstance(named, Path) else named or ():
            if not looks_signed(read_note(path)):
                raise click.BadParameter(
                    speech(
                        f"{path} 不是检查点：没有签名行（检查点由 funding-ledger checkpoint 签署）",
                        f"{path} is no checkpoint: it has no signature line (funding-ledger checkpoint signs one)",
                    ),
                    context,
                    parameter,
                )
        return named

    return look


def remark_to(screen: Screen) -> Callable[[Text], None]:
    return lambda text: screen.note(screen.speech("注意：", "Note: ") + screen.speech.said(text))


def signing_key_option(speech: Speech) -> Callable[[C], C]:
    return click.option(
        "--signing-key",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help=speech("签名私钥（默认：数据目录的 log.key）", "the signing key (default: log.key in the data folder)"),
    )


def no_checkpoint(speech: Speech) -> click.UsageError:
    return click.UsageError(
        speech(
            "没有可供比较的检查点：请用 --checkpoint 给出保存的检查点（可用 funding-ledger checkpoint 签署一个）",
            "there is no checkpoint to compare with: name a kept one with --checkpoint "
            "(funding-ledger checkpoint signs one)",
        )
    )


def jobs_for(events: int, asked: int | None) -> int:
    """How many processes share a check beside this one, which folds what they have read: one for each other processor,
    where that is worth it."""
    if asked is not None:
        return asked
    return max(1, (os.cpu_count() or 1) - 1) if events > _SPANS_WORTH_SHARING * SPAN else 1


@contextmanager
def progress_to(position: int, told: str, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error, where somebody is looking. The function is told the position reached."""
    with progress_of(told, quiet=quiet) as progress:
        yield lambda reached: progress(reached, position)


@contextmanager
def progress_of(told: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """The same where it is only known later how much there is: the function is told what is done, and of how much."""
    if quiet or not sys.stderr.isatty():
        yield lambda done, of: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(told, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def finding_body(finding: Finding, speech: Speech) -> dict[str, Any]:
    body: dict[str, Any] = {"position": finding.position}
    if finding.schema_object is not None:
        body["object"] = finding.schema_object
    if finding.through is not None:
        body["through"] = finding.through
    return {**body, "type": finding.type_name, "code": finding.code, "message": speech.said(finding.text)}


def verdict_body(verdict: Verdict, speech: Speech) -> dict[str, Any]:
    totals = verdict.totals
    return {
        "whole": verdict.whole,
        "as_sealed": verdict.as_sealed,
        "events": verdict.size,
        "events_after_last_checkpoint": verdict.unvouched,
        "root": None if verdict.root is None else verdict.root.hex(),
        "checkpoints": [{"origin": one.origin, "size": one.size, "root": one.root.hex()} for one in verdict.agreed],
        "first_wrong": None if verdict.first is None else finding_body(verdict.first, speech),
        "findings": [finding_body(finding, speech) for finding in verdict.findings],
        "findings_left_out": verdict.unkept,
        "remarks": [finding_body(finding, speech) for finding in verdict.remarks],
        "policies": [
            {"policy_id": pin.policy_id, "version": pin.version, "sha256": pin.sha256} for pin in verdict.pins
        ],
        "totals": {
            "cases": totals.cases,
            "awards": totals.awards,
            "awarded_fen": totals.awarded_fen,
            "paid_fen": totals.paid_fen,
            "recovered_fen": totals.recovered_fen,
        },
    }


def show_verdict(
    screen: Screen,
    verdict: Verdict,
    policies: PolicyRegistry,
    *,
    told_as: Mapping[Checkpoint, str],
    rules_stop: bool = True,
) -> None:
    """``told_as``: whose each checkpoint is. ``rules_stop``: a log that is as it was sealed may not be used where a rule has
    something against an event."""
    say, totals = screen.speech, verdict.totals
    for pin in verdict.pins:
        if (told := _unknown(pin, policies)) is not None:
            screen.note(say.said(told))
    for remark in verdict.remarks:
        screen.note(say("注意：", "Note: ") + say.said(remark.text))
    if verdict.whole:
        sizes = ", ".join(str(size) for size in sorted({one.size for one in verdict.agreed}))
        screen.line(say("核验通过：账本完整。", "Whole."), style="bold green")
        screen.line(
            say(
                f"{verdict.size}个事件逐一核对：封存哈希、顺序、限额、预算、余额、编号、岗位分离均无误；与检查点（{sizes}）一致。",
                f"{counted(verdict.size, 'event')} checked one by one: seals, order, limits, budgets, balances, numbers and "
                f"separation of duties all hold, and the log begins with what the checkpoints ({sizes}) state.",
            )
        )
        if verdict.unvouched:
            screen.line(_unvouched(verdict.unvouched, say), style="yellow")
        screen.line(
            say(
                f"案卷 {totals.cases}，资助 {totals.awards} 笔：资助 {yuan(totals.awarded_fen)} 元，"
                f"已拨付 {yuan(totals.paid_fen)} 元，已追回 {yuan(totals.recovered_fen)} 元。",
                f"{counted(totals.cases, 'case')}, {counted(totals.awards, 'award')}: "
                f"awarded {yuan(totals.awarded_fen)} yuan, paid {yuan(totals.paid_fen)}, recovered "
                f"{yuan(totals.recovered_fen)}.",
            )
        )
        return
    if verdict.as_sealed and not rules_stop:
        screen.line(
            say(
                "注意：账本与检查点一致，但其中有不合规则的事实。这些事实原已在账本中，请连同导出文件报告。",
                "Note: the log is as it was sealed, but some of its facts break the rules. It had them before; report them "
                "with an export.",
            ),
            style="bold yellow",
        )
        _show_findings(screen, verdict)
        return
    screen.line(say("核验未通过。", "NOT whole."), style="bold red")
    _show_findings(screen, verdict)
    if verdict.agreed:
        last = verdict.agreed[-1]
        whose = told_as.get(last, last.origin)
        screen.line(
            say(
                f"前{last.size}个事件与检查点（{whose}）一致。",
                f"Up to position {last.size} the events are those of the checkpoint {whose}.",
            )
        )


def _show_findings(screen: Screen, verdict: Verdict) -> None:
    say, first = screen.speech, verdict.first
    if first is not None:
        screen.line(say("第一个有问题的事件：", "The first wrong event: ") + _told(first, say), style="red")
    of_events = [finding for finding in verdict.findings if finding.position is not None and finding is not first]
    for finding in of_events[: _SHOWN_MOST - 1]:
        screen.line("  " + _told(finding, say))
    more = max(0, len(of_events) - _SHOWN_MOST + 1) + verdict.unkept
    if more > 0:
        screen.line(say(f"  ……另有{more}项（见 --json）", f"  … and {more} more; see --json"))
    # What is about no event may be the cause of the others, and tells what to do: never among those left out.
    for finding in (finding for finding in verdict.findings if finding.position is None):
        screen.line(_told(finding, say), style="red")


def _unknown(pin: Pin, policies: PolicyRegistry) -> Text | None:
    """What this installation cannot show of a policy text. No fault of the log, which states what it rests on."""
    try:
        policies.check_pin(pin.policy_id, pin.version, pin.sha256)
    except PolicyFault as fault:
        return Text(f"注意：{fault.text.zh}", f"Note: {fault.text.en}")
    return None


def _unvouched(count: int, say: Speech) -> str:
    events = "1 event after the last checkpoint is" if count == 1 else f"{count} events after the last checkpoint are"
    return say(
        f"最后一个检查点之后的{count}个事件没有签名证明，仅核对了其自身（可用 funding-ledger checkpoint 签署新的检查点）。",
        f"{events} vouched for by nothing: only what they say was checked (funding-ledger checkpoint signs one).",
    )


def _told(finding: Finding, say: Speech) -> str:
    if finding.position is None:
        return say("账本本身：", "The store itself: ") + say.said(finding.text)
    kind = f" {finding.type_name}" if finding.type_name else ""
    if finding.through is None or finding.through == finding.position:
        return say(f"第{finding.position}号{kind}：", f"position {finding.position}{kind}: ") + say.said(finding.text)
    span = say(f"第{finding.position}至{finding.through}号之中：", f"one of {finding.position} to {finding.through}: ")
    return span + say.said(finding.text)
