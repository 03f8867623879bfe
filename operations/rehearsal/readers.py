"""Readers: each query of the application at this volume, its time beside its budget, and its plan."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from alembic_online.sessions import driver
from sqlalchemy import Engine

from backfill.pacing import Throttle
from models.reader import Reader, readers
from operations.health import throttle
from operations.queries import query
from operations.rehearsal.context import Answer
from operations.rehearsal.latency import percentile
from operations.rehearsal.traffic import as_sent

RUNS = 20


def ask_all(engine: Engine, share: float = 1.0) -> list[Answer]:
    """Every reader, for the busiest and for a typical niche, as a session with prepared statements sends it.

    Beside the application it takes so large a share of the time.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as opened:
        connection, rest = driver(opened), throttle(opened, share)
        found = connection.execute(query("rehearsal/popular_niches")).fetchone()
        assert found is not None
        niches = {"busiest": found[0], "typical": found[1]}
        answers = []
        for reader in readers():
            by_niche = "niche_id" in reader.parameters
            for kind, niche in niches.items() if by_niche else (("all", None),):
                answers.append(_ask(connection, rest, reader, kind, niche))
        return answers


def _ask(connection: psycopg.Connection[Any], rest: Throttle, reader: Reader, kind: str, niche: int | None) -> Answer:
    sql = as_sent(reader)
    given = {"niche_id": niche, "user_id": "user 1", "since": datetime.now(UTC).date() - timedelta(days=365)}
    arguments = {name: given.get(name) for name in reader.parameters}
    times = []
    rows = 0
    for _ in range(RUNS):
        with rest.piece():
            began = time.perf_counter()
            rows = len(connection.execute(sql, arguments).fetchall())
            times.append((time.perf_counter() - began) * 1000)
    plan = psycopg.ClientCursor(connection).execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}", arguments).fetchall()
    times.sort()
    return Answer(
        reader=reader.name,
        niche=kind,
        budget_ms=reader.budget_ms,
        p50_ms=round(percentile(times, 0.50) or 0.0, 2),
        p95_ms=round(percentile(times, 0.95) or 0.0, 2),
        rows=rows,
        plan="\n".join(row[0] for row in plan),
    )
