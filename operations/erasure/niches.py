"""Niches whose events went are analysed anew, by the backfill's own job: vector, chart, and the day's hot niches."""

import time
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import psycopg
from sqlalchemy import CTE, Connection, Select

from backfill.jobs import HOT_NICHES, NICHE_TRENDS
from backfill.jobs.niche_trends import NicheTrends
from backfill.phase1_columns import ChangedError
from backfill.tables import Range
from models import Feature
from operations.erasure.pace import Pace
from operations.erasure.records import Erasure
from operations.queries import query

FEW = 50
"""Niches at once, whose rows the application may want; less each time that it has some."""
ROUNDS = 50
"""How often niches are tried whose rows the application holds."""
MANY = 1_000
"""More than there are hot niches of a day."""
WAIT = 0.1
"""Seconds between two tries."""


@dataclass(frozen=True)
class Touched(NicheTrends):
    """The job of trends, for these niches alone."""

    niches: tuple[int, ...] = ()

    def next_rows(self, claimed: Range, as_of: datetime, count: int, *columns: Any) -> Select[*tuple[Any, ...]]:
        return self.read(*columns).where(Feature.niche_id.in_(self.niches)).order_by(Feature.niche_id)

    def meant(self, listed: CTE, niche_id: Any) -> Any:
        """By their numbers, which may lie far apart."""
        return niche_id.in_(self.niches)


def analyse(pace: Pace, erasure: Erasure) -> tuple[int, str | None]:
    """Analyse what is to be analysed, each niche as of the time for which it was; how many, and why some are not."""
    done = 0
    for number in range(ROUNDS):
        pace.transaction(_drain)  # or each batch would read all that is not folded in yet
        left = pace.transaction(partial(_left, erasure))
        if number and left:
            time.sleep(WAIT)
        few = max(1, FEW >> number)
        try:
            if not left:
                pace.transaction(lambda _: _hot(pace.connection, erasure.begun))
                return done, None
            for as_of, niches in left.items():
                for begin in range(0, len(niches), few):
                    work = partial(_few, pace, erasure, as_of, niches[begin : begin + few])
                    done += pace.batch(["public.features"], work)
        except ChangedError as error:
            return done, str(error)
    return done, f"{sum(map(len, left.values())):,} of them were held by the application throughout"


def _drain(session: psycopg.Connection[Any]) -> None:
    if session.execute(query("erasure/has_trends")).fetchone() == (True,):
        session.execute("SELECT analytics.drain_niche_daily_activity()")


def _few(pace: Pace, erasure: Erasure, as_of: datetime, niches: list[int], session: psycopg.Connection[Any]) -> int:
    """Analyse these niches in the open transaction; where the application holds one, none of them is done."""
    job = Touched(**{**NICHE_TRENDS.__dict__, "niches": tuple(niches)})
    batch = job.batch(pace.connection, _everything(), as_of, len(niches))
    if not batch.skipped:
        session.execute(query("erasure/analysed"), {"erasure_id": erasure.erasure_id, "niches": niches})
    return batch.read - batch.skipped


def _everything() -> Range:
    """A range that is in no bookkeeping."""
    return Range(range_id=0, lower="0", upper="1", rows_refused=0)


def _hot(connection: Connection, as_of: datetime) -> None:
    """Where the day's hot niches are a table; a view is Phase 1's to refresh, with all who read it behind that."""
    kind = "SELECT relkind = 'r' FROM pg_class WHERE oid = to_regclass('public.hot_niches_today')"
    trends = "SELECT to_regprocedure('analytics.trend_of(jsonb)') IS NOT NULL"
    if connection.exec_driver_sql(kind).scalar() is True and connection.exec_driver_sql(trends).scalar() is True:
        HOT_NICHES.batch(connection, _everything(), as_of, MANY)


def _left(erasure: Erasure, connection: psycopg.Connection[Any]) -> dict[datetime, list[int]]:
    """Niches that are still to be analysed, by the time as of which they were; those that never were are done."""
    parameters = {"erasure_id": erasure.erasure_id}
    if connection.execute(query("erasure/has_trends")).fetchone() != (True,):
        return {}
    connection.execute(query("erasure/never_analysed"), parameters)
    found: dict[datetime, list[int]] = {}
    for niche_id, as_of in connection.execute(query("erasure/touched"), parameters):
        found.setdefault(as_of, []).append(niche_id)
    return found
