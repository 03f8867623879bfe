"""The application's queries against their time budgets (plan, "Post-Deployment: Run performance tests").

Each reader is asked for what is most work in this database: the niche with the most rows of its kind. The time is what
the application would wait, from here: the way to the server and the rows' way back included.
"""

import statistics
import time
from collections.abc import Iterator
from typing import Any

import psycopg
from alembic_online.messages import first_line
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from models.reader import Reader, readers
from operations.findings import Check, Finding
from operations.queries import HERE
from operations.verify.subject import Subject

READERS = Check(
    "readers",
    "Each query of the application (models/readers) answers within its budget, asked for the niche with the most rows:"
    " the median of nine runs.",
    "ANALYZE the tables it reads, then EXPLAIN (ANALYZE, BUFFERS) the reader's file; see that its indexes are valid.",
)
RUNS = 9


def within_budget(subject: Subject) -> Iterator[Finding]:
    """A finding for each reader. What it may not read, or is not there, is unknown."""
    for reader in readers():
        subject.say(f"reader {reader.name}")
        try:
            found = _measured(subject, reader)
        except (DBAPIError, psycopg.Error) as error:
            found = READERS.unknown(f"{reader.name}: {first_line(error)}")
        yield found


def _measured(subject: Subject, reader: Reader) -> Finding:
    with subject.piece():
        given = _parameters(subject, reader)
    statement = text(reader.sql)
    taken: list[float] = []
    for _ in range(RUNS):
        with subject.piece():
            began = time.perf_counter()
            rows = subject.connection.execute(statement, given).all()
            taken.append((time.perf_counter() - began) * 1000)
    median, longest = statistics.median(taken), max(taken)
    asked = ", ".join(f"{name} {value}" for name, value in given.items() if value is not None)
    if not asked:
        asked = "nothing: there is no data of its kind" if _chosen(reader) else "its defaults"
    detail = (
        f"{reader.name}: {median:.1f} ms, {longest:.1f} at most, budget {reader.budget_ms}"
        f" ({len(rows):,} rows for {asked})"
    )
    return READERS.ok(detail) if median <= reader.budget_ms else READERS.failed(detail)


def _parameters(subject: Subject, reader: Reader) -> dict[str, Any]:
    """What is most work to answer here; what is not chosen is NULL, the reader's default."""
    given: dict[str, Any] = dict.fromkeys(reader.parameters)
    if _chosen(reader):
        for row in subject.rows(f"parameters/{reader.name}"):
            given |= row._asdict()
    return given


def _chosen(reader: Reader) -> bool:
    """Whether what it is asked for is chosen from the data."""
    return (HERE / "verify" / "parameters" / f"{reader.name}.sql").exists()
