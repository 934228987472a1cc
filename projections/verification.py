"""A whole log checked: its seal against kept checkpoints, and its limits and balances added up a second time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ledger.counted import counted
from ledger.errors import Text
from ledger.policy.model import Pin
from ledger.seal.export import WRONG_LENGTH
from ledger.seal.merkle import EMPTY_ROOT
from ledger.seal.note import Checkpoint
from ledger.seal.sealed_log import Finding, SealedLog
from ledger.seal.verification import FINDINGS_MOST, UNREADABLE, Tree, check_log, in_order
from projections.derivation import Derivation, Totals

_SEAL_ONLY: Final = frozenset({"not-as-sealed", "seal-malformed", "seal-contradicts"})
"""What may be wrong with the stored hashes although every event is the one that was sealed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a check. ``findings`` are in the order of positions, the first wrong event first, those about no event
    last; ``unkept`` more were counted. ``remarks`` are worth knowing and leave the log whole. ``agreed`` are the checkpoints
    that the log begins with; ``root`` is the log's own as read, None where an event is missing. ``pins`` are the policy
    texts that its facts rest on. ``as_sealed``: the history is the one that was sealed, and is kept as it should be; what is
    wrong, if anything is, is what some of its events say.
    """

    size: int
    root: bytes | None
    agreed: tuple[Checkpoint, ...]
    findings: tuple[Finding, ...]
    unkept: int
    totals: Totals
    pins: tuple[Pin, ...]
    as_sealed: bool
    remarks: tuple[Finding, ...] = ()

    @property
    def whole(self) -> bool:
        return not self.findings

    @property
    def unvouched(self) -> int:
        """Events after the last checkpoint that the log begins with: that these are the log's own, nothing here shows."""
        return self.size - max((checkpoint.size for checkpoint in self.agreed), default=0)

    @property
    def first(self) -> Finding | None:
        """The first wrong event; None where what is wrong is with none of them."""
        return next((finding for finding in self.findings if finding.position is not None), None)


def verify(
    log: SealedLog,
    checkpoints: Sequence[Checkpoint],
    *,
    closing: Checkpoint | None = None,
    jobs: int = 1,
    progress: Callable[[int], None] = lambda position: None,
) -> Verdict:
    """Check every event of a log against checkpoints whose signatures are known to be true. ``progress`` is told the
    position reached.

    ``closing`` is the one of them that must be of all events: that of an export or a backup, which nobody goes on with.
    Anyone can add events to a copy and hash them rightly; only a checkpoint shows that they are the log's own.
    """
    derivation, tree = Derivation(), Tree()
    of_seal: list[Finding] = []
    of_rules: list[Finding] = []
    unkept, lost = 0, None
    marks = [checkpoint.size for checkpoint in checkpoints]
    for report, rows in check_log(log, marks, jobs=jobs):
        unkept += report.unkept
        unkept += _keep_first([*report.findings, *tree.add(report)], of_seal)
        unkept += _keep_first([*derivation.apply(rows)], of_rules)
        lost = lost or report.lost
        progress(report.last)
    # What ends the tree: an event that is there and cannot be read, or one that is not there.
    agreed, differing = _compare(checkpoints, tree, log, unreadable=lost == tree.size + 1)
    at_the_end = log.closing_findings()
    wrong = [_narrowed(finding, agreed) for finding in at_the_end if not finding.harmless]
    beyond = [_beyond(closing, log.size)] if closing is not None and closing.size < log.size else []
    of_seal = [*_told_apart(of_seal, agreed), *differing, *_of_one_log(checkpoints), *wrong, *beyond]
    return Verdict(
        size=log.size,
        root=_root(tree, log.size),
        agreed=tuple(agreed),
        findings=tuple(in_order([*of_seal, *of_rules])),
        unkept=unkept,
        totals=derivation.totals(),
        pins=tuple(sorted(derivation.pins, key=lambda pin: (pin.policy_id, pin.version, pin.sha256))),
        as_sealed=not of_seal,
        remarks=tuple(finding for finding in at_the_end if finding.harmless),
    )


def _keep_first(found: Sequence[Finding], kept: list[Finding]) -> int:
    """Adds to what is kept, and gives how many are not: a log shifted by one event has something wrong with every one after
    it, and the first are what is told."""
    room = max(0, FINDINGS_MOST - len(kept))
    kept += found[:room]
    return len(found[room:])


def _root(tree: Tree, size: int) -> bytes | None:
    return EMPTY_ROOT if size == 0 else tree.roots.get(size)


def _compare(
    checkpoints: Sequence[Checkpoint], tree: Tree, log: SealedLog, *, unreadable: bool
) -> tuple[list[Checkpoint], list[Finding]]:
    """The checkpoints that the log begins with, and what the first of the others shows."""
    agreed: list[Checkpoint] = []
    for checkpoint in sorted(checkpoints, key=lambda one: one.size):
        if checkpoint.size > log.size:
            return agreed, [
                _cut_off(checkpoint, log.size) if log.end_unreadable else _shorter(checkpoint, log.size, agreed)
            ]
        if (root := tree.roots.get(checkpoint.size)) != checkpoint.root:
            told = _not_compared if root is None and unreadable else _another
            return agreed, [told(checkpoint, agreed[-1].size if agreed else 0)]
        agreed.append(checkpoint)
    return agreed, []


def _narrowed(finding: Finding, agreed: Sequence[Checkpoint]) -> Finding:
    """What is wrong with how many events there are lies after those that a checkpoint vouches for."""
    if finding.code != WRONG_LENGTH or finding.through is None or not agreed:
        return finding
    return replace(finding, position=min(agreed[-1].size + 1, finding.through))


def _of_one_log(checkpoints: Sequence[Checkpoint]) -> list[Finding]:
    origins = sorted({checkpoint.origin for checkpoint in checkpoints})
    if len(origins) < 2:
        return []
    told = Text(
        f"所给检查点出自不同的日志：{'、'.join(origins)}",
        f"the checkpoints are of different logs: {', '.join(origins)}",
    )
    return [Finding(1, "another-origin", told)]


def _beyond(closing: Checkpoint, size: int) -> Finding:
    return Finding(
        closing.size + 1,
        "beyond-checkpoint",
        Text(
            f"检查点只有{closing.size}个事件，此后的事件没有任何签名证明，可能是他人添加的",
            f"it stands after the checkpoint, which is of {counted(closing.size, 'event')}: nothing vouches for it, "
            "and anyone may have added it",
        ),
        through=size if size > closing.size + 1 else None,
    )


def _told_apart(findings: Sequence[Finding], agreed: Sequence[Checkpoint]) -> list[Finding]:
    """Where a checkpoint vouches for the events, what differs from them is the stored hash, not the event."""
    vouched = agreed[-1].size if agreed else 0
    return [
        replace(finding, code="seal-changed", text=_seal_changed(finding))
        if finding.code in _SEAL_ONLY and (finding.through or finding.place) <= vouched
        else finding
        for finding in findings
    ]


def _seal_changed(finding: Finding) -> Text:
    return Text(
        f"事件与检查点相符，但其存储的封存哈希被改动或损坏（{finding.text.zh}）",
        f"the event is the one that the checkpoint vouches for, but its stored hashes were changed ({finding.text.en})",
    )


def _shorter(checkpoint: Checkpoint, size: int, agreed: Sequence[Checkpoint]) -> Finding:
    """Fewer events than were signed. Which of them are gone, one checkpoint cannot tell: the hashes of a log from whose
    middle one was taken are as right as those of one that ends early."""
    good = agreed[-1].size if agreed else 0
    has = Text(
        f"日志有{size}个事件，检查点有{checkpoint.size}个",
        f"the log has {counted(size, 'event')}, the checkpoint {checkpoint.size}",
    )
    if size == 0:
        told = Text(f"{has.zh}：全部缺失", f"{has.en}: all of them are missing")
    elif good == size:
        told = Text(
            f"{has.zh}：自第{size + 1}号起的事件缺失。前{size}个与另一检查点一致；若日志曾另立一份，则两个检查点互相矛盾，"
            "由它们自身看不出来",
            f"{has.en}: those from position {size + 1} are missing. Up to there they are those of another checkpoint; if "
            "the log was forked, the two checkpoints contradict each other, which they do not tell by themselves",
        )
    else:
        told = Text(
            f"{has.zh}：第{good + 1}至{checkpoint.size}号之中有事件缺失或被改动；是在末尾还是中间，由此检查点看不出来",
            f"{has.en}: one of {good + 1} to {checkpoint.size} is missing or changed; whether at the end or in between, "
            "this checkpoint cannot tell",
        )
    return Finding(
        good + 1, "shorter-than-checkpoint", told, through=checkpoint.size if checkpoint.size > good + 1 else None
    )


def _cut_off(checkpoint: Checkpoint, size: int) -> Finding:
    return Finding(
        size + 1,
        UNREADABLE,
        Text(
            f"检查点有{checkpoint.size}个事件，自第{size + 1}号起的事件无法读取",
            f"the checkpoint has {counted(checkpoint.size, 'event')}; those from position {size + 1} cannot be read",
        ),
        through=checkpoint.size if checkpoint.size > size + 1 else None,
    )


def _not_compared(checkpoint: Checkpoint, good: int) -> Finding:
    return Finding(
        good + 1,
        "not-compared",
        Text(
            f"前{checkpoint.size}个事件中有无法读取的，不能与检查点比较",
            f"some of the first {checkpoint.size} events cannot be read, and nobody can tell whether they are those of the "
            "checkpoint",
        ),
        through=checkpoint.size,
    )


def _another(checkpoint: Checkpoint, good: int) -> Finding:
    return Finding(
        good + 1,
        "not-of-checkpoint",
        Text(
            f"前{checkpoint.size}个事件与检查点不符：第{good + 1}号至第{checkpoint.size}号中有事件被改动、插入、删除或替换",
            f"the events up to position {checkpoint.size} are not those of the checkpoint: one of positions {good + 1} to "
            f"{checkpoint.size} was changed, inserted, removed or replaced",
        ),
        through=checkpoint.size,
    )
