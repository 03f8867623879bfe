"""What the backfill costs: python -m benchmarks.backfill [ROWS] [ROUNDS]

Loading against bare COPY of the same file into the same table; moving staged rows against one INSERT … SELECT of the
same rows, the limit, and against what programs often do instead (on a part of the rows: they are slow). Every round
runs all of them in turn, each on a copy of the same database; ratios are taken within a round. Autovacuum is off, for
all alike.
"""

import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import psycopg
from sqlalchemy import URL, NullPool, create_engine, text
from sqlalchemy.orm import Session

from backfill import bookkeeping, planning, verification
from backfill.formats.base import COLUMNS as ALL
from backfill.jobs import EVENT_HISTORY, JOBS
from backfill.loading import load
from backfill.pacing import BatchThrottle
from backfill.progress import Scope
from backfill.runner import Runner
from backfill.source import Source
from benchmarks.harness import ROOT, benchmark_server, median, new_database, report
from models import AnalyticsEvent
from operations import phase1
from operations.backfilling import reach
from operations.health import Health
from operations.phase1 import Shape
from tests.fixtures.databases import Alembic, conninfo

COLUMNS = ALL[:-1]
NICHES = 20_000
PART = 20_000
NOW = datetime(2025, 6, 1, tzinfo=UTC)
COPY = f"COPY sidb.backfill_events ({', '.join(COLUMNS)}) FROM STDIN (FORMAT csv, HEADER)"
EVENT = "event_id, event_timestamp, event_type, event_source, event_data, user_id, niche_id, created_at"
SINGLE = f"INSERT INTO analytics.analytics_events ({EVENT}) SELECT {EVENT} FROM sidb.backfill_events"  # noqa: S608


def write_history(path: Path, rows: int, phrases: bool = False) -> None:
    """A year of events in order of time, as an export has them; of niches by their id, or by their phrase."""
    chance = random.Random(1)  # noqa: S311
    step = timedelta(days=365) / rows
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*COLUMNS[:-1], "phrase" if phrases else "niche_id"])
        for number in range(rows):
            data = json.dumps({"views": chance.randrange(10**6), "likes": chance.randrange(10**4), "title": "x" * 20})
            at = (NOW - step * (rows - number)).isoformat()
            niche: int | str = chance.randrange(NICHES) + 1
            if phrases:
                niche = f"niche number {niche}"
            writer.writerow(
                (at, chance.choice(("view", "search")), "web", data, f"u{chance.randrange(10**5)}", "", niche)
            )


def timed(work: Callable[[], object]) -> float:
    since = time.monotonic()
    work()
    return time.monotonic() - since


def bare_copy(url: URL, path: Path) -> None:
    with psycopg.connect(conninfo(url)) as connection, connection.cursor().copy(COPY) as copy, path.open("rb") as file:
        while block := file.read(2**16):
            copy.write(block)


def ours(url: URL, path: Path) -> None:
    load(reach(url, poolclass=NullPool), Source(path, path.name))


def prepare(url: URL) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        phase1.create(connection, Shape.TABLE)
        phase1.sample(connection, NICHES)
        connection.execute(text("UPDATE features SET phrase = 'niche number ' || niche_id"))
        phase1.refresh(connection, Shape.TABLE)
    Alembic(url).upgrade()
    bookkeeping.create(engine)


def one_statement(url: URL) -> None:
    with psycopg.connect(conninfo(url)) as connection:
        connection.execute("SET timezone = 'UTC'")
        connection.execute(SINGLE)


def worker(url: URL) -> None:
    Runner(reach(url), BatchThrottle(Health(), None), jobs=[EVENT_HISTORY]).run(Scope(NOW))


def workers(url: URL, count: int) -> None:
    """As a user runs it: the ranges are cut first, by one of them."""
    with reach(url, poolclass=NullPool).begin() as connection:
        planning.begin(connection, [EVENT_HISTORY], datetime.now(UTC), NOW, 7)
    children = []
    for _ in range(count):
        if (pid := os.fork()) == 0:
            code = 1
            with suppress(Exception):
                worker(url)
                code = 0
            os._exit(code)
        children.append(pid)
    if any(os.waitpid(pid, 0)[1] for pid in children):
        raise SystemExit("a worker failed")


def executemany(url: URL) -> None:
    with psycopg.connect(conninfo(url)) as connection, psycopg.connect(conninfo(url)) as reader:
        rows = reader.execute(f"SELECT {EVENT} FROM sidb.backfill_events LIMIT {PART}").fetchall()  # noqa: S608
        insert = f"INSERT INTO analytics.analytics_events ({EVENT}) VALUES ({', '.join(['%s'] * 8)})"  # noqa: S608
        adapted = [(*row[:4], json.dumps(row[4]), *row[5:]) for row in rows]
        connection.cursor().executemany(insert, adapted)


def orm_loop(url: URL) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with Session(engine) as session, engine.connect() as reader:
        query = text(f"SELECT {EVENT} FROM sidb.backfill_events LIMIT {PART}")  # noqa: S608
        for row in reader.execute(query).mappings():
            session.add(AnalyticsEvent(**row))
            session.flush()
        session.commit()


def memory(url: URL, path: Path) -> float:
    """The loader's largest resident size in MB."""
    command = [Path(sys.executable).parent / "sidb", "backfill", "load", path]
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": conninfo(url)}
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit("the loader failed")
    return used.ru_maxrss / 1024


def main(rows: int, rounds: int) -> None:
    loads = ("sidb backfill load", "sidb backfill load, by phrase")
    loading: dict[str, list[float]] = {name: [] for name in ("bare COPY", *loads)}
    moves: dict[str, Callable[[URL], object]] = {
        "one INSERT … SELECT (the limit)": one_statement,
        "sidb backfill run, 1 worker": lambda url: workers(url, 1),
        "sidb backfill run, 2 workers": lambda url: workers(url, 2),
        "executemany": executemany,
        "ORM, row by row": orm_loop,
    }
    moving: dict[str, list[float]] = {name: [] for name in moves}
    verifying, resident = [], []
    options = {"autovacuum": "off", "shared_buffers": "1GB", "max_wal_size": "4GB"}
    with tempfile.TemporaryDirectory() as directory, benchmark_server(**options) as server:
        path, small, named = (Path(directory, f"{name}.csv") for name in ("history", "small", "named"))
        write_history(path, rows)
        write_history(named, rows, phrases=True)
        with path.open() as whole, small.open("w") as part:
            part.writelines(islice(whole, rows // 10))
        prepare(new_database(server, "empty"))
        for _ in range(rounds):
            loading["bare COPY"].append(rows / timed(lambda: bare_copy(new_database(server, "copied", "empty"), path)))
            for name, file in zip(reversed(loads), (named, path), strict=True):  # what is loaded last is moved
                seconds = timed(lambda file=file: ours(new_database(server, "loaded", "empty"), file))  # type: ignore[misc]
                loading[name].append(rows / seconds)
            with create_engine(
                server.url("loaded"), isolation_level="AUTOCOMMIT", poolclass=NullPool
            ).connect() as loaded:
                loaded.execute(text("VACUUM ANALYZE sidb.backfill_events"))
            for name, move in moves.items():
                url = new_database(server, "moved", "loaded")
                moved = PART if move in (executemany, orm_loop) else rows
                moving[name].append(moved / timed(lambda move=move, url=url: move(url)))  # type: ignore[misc]
                if "1 worker" in name:
                    engine = reach(url, poolclass=NullPool)
                    verifying.append(rows / timed(lambda engine=engine: verification.verify(engine, JOBS[:1], NOW)))  # type: ignore[misc]
        resident = [memory(new_database(server, "copied", "empty"), each) for each in (small, path)]
    limits = moving["one INSERT … SELECT (the limit)"]
    copies = loading["bare COPY"]
    table = [[name, f"{median(rates):,.0f}", _ratio(rates, copies)] for name, rates in loading.items()]
    table += [[name, f"{median(rates):,.0f}", _ratio(rates, limits)] for name, rates in moving.items()]
    table += [["sidb backfill verify", f"{median(verifying):,.0f}", _ratio(verifying, limits)]]
    method = (
        f"medians of {rounds} rounds of {rows:,} events; executemany and ORM on {PART:,}; the loader's memory was "
        f"{resident[0]:.0f} MB for {rows // 10:,} rows and {resident[1]:.0f} MB for {rows:,}"
    )
    report("Backfill", ["", "rows a second", "ratio to the limit"], table, method)


def _ratio(rates: list[float], limits: list[float]) -> str:
    return f"{median([rate / limit for rate, limit in zip(rates, limits, strict=True)]):.2f}"


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    main(*(given + [2_000_000, 3][len(given) :]))
