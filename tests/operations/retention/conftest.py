"""A database with rows whose time is over."""

import csv
import gzip
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic_online import Options
from psycopg.rows import namedtuple_row
from sqlalchemy import URL, Engine

from operations.maintenance import Maintenance, Task, run
from operations.retention import tables
from tests.fixtures.databases import conninfo
from tests.fixtures.lived_in import administrator

A_MONTH = 28 * 3
"""Events of each of the 30 months before this one, and of this."""

ACTIVITY = "SELECT niche_id, day::text, event_type, events FROM analytics.niche_daily_activity ORDER BY 1, 2, 3"
PARTITIONS = """
    SELECT c.relname FROM pg_inherits AS i INNER JOIN pg_class AS c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'analytics.analytics_events'::regclass ORDER BY 1
"""


@dataclass(frozen=True)
class Aged:
    """A database of an age, by the address of the tables' owner."""

    url: URL

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[Any]:
        """What a superuser's statement gives; rows without columns, too."""
        with psycopg.connect(conninfo(administrator(self.url)), autocommit=True, row_factory=namedtuple_row) as opened:
            cursor = opened.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.rownumber is not None else []

    def count(self, table: str, condition: str = "true") -> int:
        [(number,)] = self.rows(f"SELECT count(*) FROM {table} WHERE {condition}")  # noqa: S608 - names from below
        return int(number)

    def keep(self, **months: int | None) -> None:
        with psycopg.connect(conninfo(self.url), autocommit=True) as opened:
            tables.keep(opened, months)

    def maintain(self, archive: Path | None = None) -> dict[str, Task]:
        """The tasks of a run that let rows go, by table."""
        return expiries(run(self.url, Options(deadline=2), archive))

    @property
    def past(self) -> list[str]:
        """The three months that go whole, of 24."""
        found = self.rows(
            "SELECT to_char(date_trunc('month', now() AT TIME ZONE 'UTC') - n * interval '1 month',"
            ' \'"analytics_events_"YYYY"_"MM\') FROM generate_series(27, 25, -1) AS n'
        )
        return [name for (name,) in found]

    @property
    def kept_from(self) -> str:
        [(day,)] = self.rows(
            "SELECT (date_trunc('month', now() AT TIME ZONE 'UTC') - interval '24 months')::date::text"
        )
        return str(day)


def expiries(result: Maintenance) -> dict[str, Task]:
    return {
        task.task.removeprefix("expire "): task for task in result.tasks if task.task.removeprefix("expire ") in NAMES
    }


NAMES = {each.name for each in tables.TABLES}


@pytest.fixture
def aged(migrated: Engine) -> Aged:
    found = Aged(migrated.url)
    found.rows((Path(__file__).parent / "aged.sql").read_text(encoding="utf-8"))
    return found


def exported(directory: Path, name: str) -> list[dict[str, str]]:
    """The rows of all files of a table, whose hashes are seen to be right."""
    rows: list[dict[str, str]] = []
    for path in sorted(directory.glob(f"{name}*.csv.gz")):
        digest, named = path.with_name(f"{path.name}.sha256").read_text().split()
        assert named == path.name
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            rows += csv.DictReader(file)
    return rows
