"""Niches whose events went are analysed anew, by the backfill's own job: vector, chart, and the day's hot niches."""

import time
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import psycopg
from sqlalchemy import CTE, Connection, Select
from sqlalchemy.exc import DBAPIError

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
NAMED = 10
"""Niches that are named."""
MANY = 1_000
"""More than there are hot niches of a day."""
REFUSING = (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.RaiseException)
"""Errors of a niche, or of a trigger of others on it: another try would end alike."""
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
    done, refused = 0, dict[int, str]()
    for number in range(ROUNDS):
        pace.transaction(_drain)  # or each batch would read all that is not folded in yet
        left = pace.transaction(partial(_left, erasure, set(refused)))
        if number and left:
            time.sleep(WAIT)
        few = max(1, FEW >> number)
        try:
            if not left:
                pace.transaction(lambda _: _hot(pace.connection, erasure.begun))
                return done, _told(refused)
            for as_of, niches in left.items():
                for begin in range(0, len(niches), few):
                    done += _analyse(pace, erasure, as_of, niches[begin : begin + few], refused)
        except ChangedError as error:
            return done, str(error)
    return done, f"{sum(map(len, left.values())):,} of them were held by the application throughout"


def _analyse(pace: Pace, erasure: Erasure, as_of: datetime, niches: list[int], refused: dict[int, str]) -> int:
    """Analyse these niches: how many. Where one is refused, each is tried by itself; those are added to `refused`."""
    try:
        return pace.batch(["public.features"], partial(_few, pace, erasure, as_of, niches))
    except (DBAPIError, psycopg.Error) as error:
        original = error.orig if isinstance(error, DBAPIError) else error
        if not isinstance(original, REFUSING):
            raise
        if len(niches) == 1:
            refused[niches[0]] = original.sqlstate or ""
            return 0
    return sum(_analyse(pace, erasure, as_of, [each], refused) for each in niches)


def _told(refused: dict[int, str]) -> str | None:
    """Without the server's words, which may name a user."""
    if not refused:
        return None
    named = ", ".join(f"niche {niche} (SQLSTATE {state})" for niche, state in sorted(refused.items())[:NAMED])
    more = ", …" if len(refused) > NAMED else ""
    return f"{len(refused):,} of them cannot be analysed: {named}{more}. Correct that; then sidb erase --resume"


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


def _left(erasure: Erasure, without: set[int], connection: psycopg.Connection[Any]) -> dict[datetime, list[int]]:
    """Niches still to be analysed, `without` some, by the time as of which they were; never analysed ones are done."""
    parameters = {"erasure_id": erasure.erasure_id}
    if connection.execute(query("erasure/has_trends")).fetchone() != (True,):
        return {}
    connection.execute(query("erasure/never_analysed"), parameters)
    found: dict[datetime, list[int]] = {}
    for niche_id, as_of in connection.execute(query("erasure/touched"), parameters):
        if niche_id not in without:
            found.setdefault(as_of, []).append(niche_id)
    return found
