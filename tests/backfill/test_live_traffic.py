"""The application goes on: inserts, updates and the nightly scorer, while four workers fill its tables."""

import random
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import URL, Engine, text

from backfill.progress import Scope
from operations import phase1
from operations.phase1 import Shape
from tests.backfill.conftest import AS_OF, begin, history, load_file, run, verify, worker, write_csv
from tests.fixtures.databases import Clone

STATEMENTS = {
    "update a niche": "UPDATE features SET demand_score = :score, monetise_score = :score WHERE niche_id = :niche",
    "insert a niche": "INSERT INTO features (phrase, demand_score) VALUES (:phrase, :score) ON CONFLICT DO NOTHING",
    "insert an event": "INSERT INTO analytics.analytics_events "
    "(event_type, event_source, event_timestamp, event_data, niche_id) VALUES ('live', 'app', now(), '{}', :niche)",
    "upsert a metric": "INSERT INTO analytics.cross_platform_metrics (niche_id, platform, demand_score) "
    "VALUES (:niche, 'youtube', :score) "
    "ON CONFLICT (niche_id, platform, metric_date) DO UPDATE SET demand_score = :score",
}


def application(engine: Engine, stop: Event, seed: int, done: list[tuple[str, int]], failures: list[Exception]) -> None:
    """Statements of the application, each a transaction; every one must work."""
    chance = random.Random(seed)  # noqa: S311
    try:
        while not stop.is_set():
            name = chance.choice(list(STATEMENTS))
            niche = chance.randrange(200) + 1
            values = {"niche": niche, "score": chance.randrange(100) / 100, "phrase": f"live {chance.randrange(40)}"}
            statement = text(STATEMENTS[name])
            used = {key: value for key, value in values.items() if key in statement.compile().params}
            with engine.begin() as connection:
                connection.execute(statement, used)
            done.append((name, niche))
    except Exception as error:
        failures.append(error)


def scorer(engine: Engine, shape: Shape, stop: Event, failures: list[Exception]) -> None:
    try:
        while not stop.wait(0.2):
            with engine.begin() as connection:
                phase1.score(connection, shape)
    except Exception as error:
        failures.append(error)


def test_nothing_is_lost_doubled_or_deadlocked(
    shape: Shape, clone: Clone, connect: Callable[..., Engine], tmp_path: Path
) -> None:
    url: URL = clone(f"migrated_{shape}")
    engine = connect(url, pool_size=12)
    load_file(engine, write_csv(tmp_path / "h.csv", history(4_000)))
    begin(engine)
    stop, failures, done = Event(), list[Exception](), list[tuple[str, int]]()
    traffic = [Thread(target=application, args=(engine, stop, seed, done, failures)) for seed in range(3)]
    traffic.append(Thread(target=scorer, args=(engine, shape, stop, failures)))
    workers = [Thread(target=worker(engine).run, args=(Scope(AS_OF),)) for _ in range(4)]
    for thread in (*traffic, *workers):
        thread.start()
    for thread in workers:
        thread.join(120)
    assert not any(thread.is_alive() for thread in workers)
    proofs = verify_until_no_new_niches(engine)
    stop.set()
    for thread in traffic:
        thread.join(30)
    assert failures == []
    assert [proof for proof in proofs if not proof.holds] == []
    live = sum(name == "insert an event" for name, _ in done)
    with engine.connect() as connection:
        counts = "SELECT count(*) FILTER (WHERE event_type = 'live'), count(*) FILTER (WHERE event_source = 'web') "
        assert connection.execute(text(counts + "FROM analytics.analytics_events")).one() == (live, 4_000)
        deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        assert connection.scalar(text(deadlocks)) == 0


def verify_until_no_new_niches(engine: Engine) -> list[object]:
    """The application invents 40 niches at most: a second run takes up those that came after the ranges were cut."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        run(engine)
        proofs = verify(engine)
        if not any(proof.unfinished for proof in proofs):
            return list(proofs)
    pytest.fail("the ranges kept growing")
