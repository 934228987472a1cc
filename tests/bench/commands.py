"""P1 to P6: how many disbursements a second, for one client and for sixteen, spread out and all in one place."""

from __future__ import annotations

from statistics import median

from ledger.store.postgres import PostgresDCBRecorder
from ledger.store.sqlite import SQLiteDCBRecorder
from tests.bench.measuring import Bench, Goal, Pair, Row, Sizes, clock, interleaved, percentile, rates, row
from tests.bench.peers import LibraryRecorder, Orm, PlainPostgres, PlainSQLite, closing
from tests.bench.till import Till

HALF = Goal(0.5, at_least=True)
TENFOLD = Goal(10, at_least=True)
_CLIENTS = "16 clients in one process"


def one_client_sqlite(bench: Bench) -> Row:
    sizes, folder = bench.sizes, bench.place("p1")
    store, plain = SQLiteDCBRecorder(folder / "facts.sqlite"), PlainSQLite(folder)
    with closing(store, plain):
        till = Till(store, "P1", settling=sizes.rounds * sizes.slices * sizes.one_client)
        pairs = rates(sizes, sizes.one_client, till.settle, plain.insert)
    return row("P1", "disbursements a second, one client, SQLite; anchor: plain one-row INSERTs", pairs, HALF)


def one_client_postgres(bench: Bench) -> Row:
    sizes = bench.sizes
    store, plain = PostgresDCBRecorder(bench.database()), PlainPostgres(bench.database())
    with closing(store, plain):
        till = Till(store, "P2", settling=sizes.rounds * sizes.slices * sizes.one_client)
        pairs = rates(sizes, sizes.one_client, till.settle, plain.insert)
    return row("P2", "disbursements a second, one client, PostgreSQL; anchor: psycopg one-row INSERTs", pairs, HALF)


def many_clients_postgres(bench: Bench) -> Row:
    sizes = bench.sizes
    store, library = PostgresDCBRecorder(bench.database()), LibraryRecorder(bench.database())
    with closing(store, library):
        till = Till(store, "P3", settling=sizes.rounds * sizes.slices * sizes.many_clients)
        pairs = _against(sizes, till, library)
    what = f"disbursements a second, {_CLIENTS}, PostgreSQL; anchor: eventsourcing's DCB recorder, read + append"
    return row("P3", what, pairs, TENFOLD)


def many_clients_sqlite(bench: Bench) -> Row:
    sizes, folder = bench.sizes, bench.place("p4")
    store, orm = SQLiteDCBRecorder(folder / "facts.sqlite"), Orm(folder)
    with closing(store, orm):
        till = Till(store, "P4", settling=sizes.rounds * sizes.slices * sizes.many_clients)
        pairs = _against(sizes, till, orm)
    what = f"disbursements a second, {_CLIENTS}, SQLite; anchor: SQLAlchemy's ORM, one limit checked, two rows written"
    return row("P4", what, pairs, TENFOLD)


def _against(sizes: Sizes, till: Till, peer: LibraryRecorder | Orm) -> list[Pair]:
    return rates(sizes, sizes.many_clients, till.settle_together, peer.settle_together, anchor_count=sizes.slower_peers)


def hot(bench: Bench) -> Row:
    """Settlements on both stores and approvals, all of one enterprise and one budget, against the same spread out."""
    sizes = bench.sizes
    folder, count = bench.place("p5"), sizes.rounds * sizes.slices * sizes.many_clients
    sqlite, spread = SQLiteDCBRecorder(folder / "hot.sqlite"), SQLiteDCBRecorder(folder / "spread.sqlite")
    postgres, postgres_spread = PostgresDCBRecorder(bench.database()), PostgresDCBRecorder(bench.database())
    with closing(sqlite, spread, postgres, postgres_spread):
        one = "91440300MA5FX3K72N"
        tills = Till(sqlite, "hot", settling=count, approving=count, enterprise=one)
        apart = Till(spread, "spread", settling=count, approving=count)
        settled = rates(sizes, sizes.many_clients, tills.settle_together, apart.settle_together)
        approved = rates(sizes, sizes.many_clients, tills.approve_together, apart.approve_together)
        on_server = Till(postgres, "hot", settling=count, enterprise=one)
        on_server_apart = Till(postgres_spread, "spread", settling=count)
        served = rates(sizes, sizes.many_clients, on_server.settle_together, on_server_apart.settle_together)
    ways = {"settlements on SQLite": settled, "approvals on SQLite": approved, "settlements on PostgreSQL": served}
    worst = min(ways, key=lambda way: median(ours / anchor for ours, anchor in ways[way]))
    what = (
        f"commands a second, {_CLIENTS}, all on one budget and one enterprise; anchor: the same spread over enterprises; "
        f"the worst of settlements and approvals on SQLite and settlements on PostgreSQL: {worst}"
    )
    return row("P5", what, ways[worst], Goal(0.9, at_least=True))


def latency(bench: Bench) -> Row:
    sizes, folder = bench.sizes, bench.place("p6")
    store, plain = SQLiteDCBRecorder(folder / "facts.sqlite"), PlainSQLite(folder)
    pairs: list[Pair] = []
    with closing(store, plain):
        till = Till(store, "P6", settling=sizes.rounds * sizes.slices * sizes.many_clients)
        for _ in range(sizes.rounds):
            seconds, commits = list[float](), list[float]()

            def commands(into: list[float] = seconds) -> float:
                into += till.settle_together(sizes.many_clients)
                return 0.0

            def inserts(into: list[float] = commits) -> float:
                into += [clock(lambda: plain.insert(1)) for _ in range(sizes.one_client)]
                return 0.0

            interleaved(1, sizes.slices, commands, inserts)
            pairs.append((percentile(seconds, 0.99) * 1e3, median(commits) * 1e3))
    what = f"p99 of a command in milliseconds, {_CLIENTS}, SQLite; anchor: the p50 of a one-row commit"
    return row("P6", what, pairs, Goal(20, at_least=False))
