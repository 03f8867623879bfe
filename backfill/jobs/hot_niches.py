"""The three new columns of ``hot_niches_today``: an update where it is a table, a refresh where it is a view.

It holds the few niches of today: one range, whatever is in it. What comes later its trigger fills, or its refresh.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import CTE, ColumnElement, Connection, Select, delete, func, or_, select, text, true, update

from backfill.job import Batch, Part, Rows, only, table_of
from backfill.jobs.phase1 import Phase1Job
from backfill.queries import query
from backfill.tables import Range, SetAside
from models import Feature, HotNicheToday

FILLED = ("trend_direction", "trend_confidence", "days_trending")


class HotNiches(Phase1Job):
    """The niches of today."""

    def lower(self) -> ColumnElement[int]:
        nothing: ColumnElement[int] = table_of(HotNicheToday).c.niche_id * 0
        return nothing

    def within(self, column: Any, lower: int, upper: int) -> ColumnElement[bool]:
        return true()

    def batch(self, connection: Connection, claimed: Range, as_of: datetime, asked: int) -> Batch:
        is_concurrent = connection.scalar(query("hot_niches_view"))
        if is_concurrent is None:
            return super().batch(connection, claimed, as_of, asked)
        concurrently = "CONCURRENTLY " if is_concurrent else ""  # its readers would wait without
        connection.execute(text(f"REFRESH MATERIALIZED VIEW {concurrently}public.hot_niches_today"))
        connection.execute(delete(SetAside).where(SetAside.job == self.name, SetAside.again))  # it fills every row
        return Batch(read=0, written=claimed.planned, present=0, skipped=0, over=True)

    def take(self, listed: CTE, part: Part) -> CTE:
        """Rows that the application holds are left."""
        hot = table_of(HotNicheToday)
        rows = only(select(hot, self.kept(HotNicheToday)), HotNicheToday).join(
            listed, listed.c.niche_id == hot.c.niche_id
        )
        return rows.with_for_update(of=hot, skip_locked=True, key_share=True).cte("batch")

    def write(self, batch: CTE, part: Part) -> tuple[CTE, ...]:
        now = trends().where(HotNicheToday.niche_id.in_(select(batch.c.niche_id))).cte("now")
        differs = or_(*(getattr(HotNicheToday, name).is_distinct_from(now.c[name]) for name in FILLED))
        filled = (
            update(HotNicheToday)
            .with_hint("ONLY", dialect_name="postgresql")
            .values({name: now.c[name] for name in FILLED})
            .where(HotNicheToday.niche_id == now.c.key, differs)
            .returning(HotNicheToday.niche_id, self.kept(HotNicheToday))
            .cte("filled")
        )
        return filled, self.unchanged(filled, batch)

    def expected(self, part: Part) -> Rows:
        """The trends of those whose vector nobody has changed since "now"."""
        return trends().where(Feature.last_analyzed_at <= part.as_of)

    def actual(self, part: Part) -> Rows:
        columns = (getattr(HotNicheToday, name) for name in FILLED)
        return (
            only(select(HotNicheToday.niche_id.label("key"), *columns), HotNicheToday, Feature)
            .join(Feature, Feature.niche_id == HotNicheToday.niche_id)
            .where(Feature.last_analyzed_at <= part.as_of)
        )


def trends() -> Select[*tuple[Any, ...]]:
    """The trend of each hot niche, as its vector gives it now."""
    trend = (
        func.analytics.trend_of(Feature.trend_vector).table_valued("direction", "confidence", "days").lateral("trend")
    )
    columns = zip((trend.c.direction, trend.c.confidence, trend.c.days), FILLED, strict=True)
    named = (column.label(name) for column, name in columns)
    return (
        only(select(HotNicheToday.niche_id.label("key"), *named), HotNicheToday, Feature)
        .join(Feature, Feature.niche_id == HotNicheToday.niche_id)
        .join(trend, true())
    )


HOT_NICHES = HotNiches(
    name="hot_niches",
    fills=tuple(getattr(HotNicheToday, name) for name in FILLED),
    partition_column=HotNicheToday.niche_id,
    key=HotNicheToday.niche_id,
    time=HotNicheToday.updated_at,
    width=1,
    grows=False,
    needs="niche_trends",
    seconds=0.05,
)
