"""P13 and P14: what a question and a command cost in a long log, against the same in a short one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ledger.store.sqlite import SQLiteDCBRecorder
from projections.reader import Reader
from tests.bench.biglog import big_log
from tests.bench.measuring import Bench, Goal, Pair, Row, clock, percentile, row
from tests.bench.peers import closing
from tests.bench.staging import SETTLED, STEPS, Names, Stage
from tests.bench.till import Till, loaded_policies

SHORT_EVENTS = 1_000


def questions(bench: Bench) -> Row:
    """The trace of an award and the limits of an enterprise, of those that every log has: ten cases each."""
    sizes, log, folder = bench.sizes, big_log(bench), bench.place("p13")
    store, short = SQLiteDCBRecorder(log.path), SQLiteDCBRecorder(folder / "facts.sqlite")
    few = Names("short").matters(SETTLED, min(SHORT_EVENTS, sizes.big_log) // len(STEPS))
    stage = Stage(short, "short")
    stage.staff()
    stage.matters(few)
    policies, chance = loaded_policies(), Names("P13").random
    asked = [matter for matter in log.matters if matter.enterprise != log.busy]
    readers = ((Reader(store, policies), asked), (Reader(short, policies), few))
    traces, limits = list[Pair](), list[Pair]()
    with closing(store, short):
        for _ in range(sizes.rounds):
            seconds: dict[str, tuple[list[float], list[float]]] = {"trace": ([], []), "limits": ([], [])}
            for _ in range(sizes.questions):
                for which, (reader, matters) in enumerate(readers):
                    matter = chance.choice(matters)
                    seconds["trace"][which].append(clock(lambda: reader.history(matter.case)))  # noqa: B023
                    seconds["limits"][which].append(clock(lambda: reader.limits(matter.enterprise, 2026)))  # noqa: B023
            traces.append(_p99(seconds["trace"]))
            limits.append(_p99(seconds["limits"]))
    worst = max((traces, limits), key=_mean_ratio)
    what = (
        f"p99 in milliseconds at {log.head:,} events, the worse of an award's trace and an enterprise's limits "
        f"({'trace' if worst is traces else 'limits'}); anchor: the same at {SHORT_EVENTS:,}"
    )
    return row("P13", what, worst, Goal(1.3, at_least=False))


def _p99(both: tuple[list[float], list[float]]) -> Pair:
    return percentile(both[0], 0.99) * 1e3, percentile(both[1], 0.99) * 1e3


def _mean_ratio(pairs: Sequence[Pair]) -> float:
    return sum(ours / anchor for ours, anchor in pairs) / len(pairs)


def commands(bench: Bench) -> Row:
    """Durable settlements of cases that the door has not met, and approvals on a limit that it has: in turns, one client."""
    sizes, log, folder = bench.sizes, big_log(bench), bench.place("p14")
    settling, approving = list[Pair](), list[Pair]()
    store = SQLiteDCBRecorder(log.path)
    with closing(store):
        for turn in range(sizes.rounds):
            short = SQLiteDCBRecorder(folder / f"{turn}.sqlite")
            with closing(short):
                settling.append(_settlements(bench, store, short, turn))
            approving.append(_approvals(bench, store, log.busy, turn))
    worst = max((settling, approving), key=_mean_ratio)
    what = (
        f"milliseconds a command, one client; the worse of settlements at {log.head:,} events against {SHORT_EVENTS:,}, "
        f"and approvals for an enterprise with {len(log.matters) and _busy(log.head):,} events this year against 10 "
        f"({'settlements' if worst is settling else 'approvals'})"
    )
    return row("P14", what, worst, Goal(1.2, at_least=False))


def _busy(head: int) -> int:
    return 10_000 * head // 1_000_000


def _settlements(bench: Bench, long: SQLiteDCBRecorder, short: SQLiteDCBRecorder, turn: int) -> Pair:
    count = bench.sizes.commands
    # The orders are made by another ledger than the one measured: it remembers nothing of these cases.
    filler = max(0, SHORT_EVENTS - count * len(STEPS)) // len(STEPS)
    stage = Stage(short, f"short-{turn}")
    stage.staff()
    stage.matters(Names(f"filler-{turn}").matters(SETTLED, filler))
    seed = f"P14-{turn}-{long.head()}"
    tills = [Till(store, f"{seed}-{which}", settling=count + 1) for which, store in enumerate((long, short))]
    for till in tills:
        till.forget()
        till.settle(1)
    return _in_turns(count, [till.settle for till in tills])


def _approvals(bench: Bench, store: SQLiteDCBRecorder, busy: str, turn: int) -> Pair:
    count, seed = bench.sizes.commands, f"P14-{turn}-{store.head()}"
    one = Till(store, f"{seed}-busy", approving=count + 1, enterprise=busy)
    others = Till(store, f"{seed}-others", approving=count + 1)
    for till in (one, others):
        till.approve(1)
    return _in_turns(count, [one.approve, others.approve])


def _in_turns(count: int, ways: Sequence[Callable[[int], None]]) -> Pair:
    sums = [0.0, 0.0]
    for turn in range(count):
        for which in (0, 1) if turn % 2 else (1, 0):
            sums[which] += clock(lambda: ways[which](1))  # noqa: B023 - called at once
    return sums[0] * 1e3 / count, sums[1] * 1e3 / count
