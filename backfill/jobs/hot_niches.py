"""The three new columns of ``hot_niches_today``: an update where it is a table, a refresh where it is a view."""

from typing import Any

from sqlalchemy import CTE, Connection, Select, func, or_, select, text, true, update

from backfill.job import Job, Slice
from models import Feature, HotNicheToday

FILLED = ("trend_direction", "trend_confidence", "days_trending")


def trends() -> Select[*tuple[Any, ...]]:
    """The trend of each hot niche, as its vector gives it now."""
    trend = (
        func.analytics.trend_of(Feature.trend_vector).table_valued("direction", "confidence", "days").lateral("trend")
    )
    columns = zip((trend.c.direction, trend.c.confidence, trend.c.days), FILLED, strict=True)
    return (
        select(HotNicheToday.niche_id.label("key"), *(column.label(name) for column, name in columns))
        .join(Feature, Feature.niche_id == HotNicheToday.niche_id)
        .join(trend, true())
    )


def write(batch: CTE, _slice: Slice) -> tuple[CTE, ...]:
    now = trends().where(HotNicheToday.niche_id.in_(select(batch.c.niche_id))).cte("now")
    differs = or_(*(getattr(HotNicheToday, name).is_distinct_from(now.c[name]) for name in FILLED))
    filled = (
        update(HotNicheToday)
        .values({name: now.c[name] for name in FILLED})
        .where(HotNicheToday.niche_id == now.c.key, differs)
    )
    return (filled.returning(HotNicheToday.niche_id).cte("filled"),)


def refresh(connection: Connection) -> bool:
    """Refresh it where Phase 1 made it a materialized view; False where it is a table."""
    kind = text("SELECT relkind = 'm' FROM pg_class WHERE oid = to_regclass('public.hot_niches_today')")
    if not connection.scalar(kind):
        return False
    connection.execute(text("REFRESH MATERIALIZED VIEW public.hot_niches_today"))
    return True


def expected(slice: Slice) -> Select[*tuple[Any, ...]]:
    """The trends of those whose vector nobody has changed since "now"."""
    return trends().where(slice.of(HotNicheToday.niche_id), Feature.last_analyzed_at <= slice.as_of)


def actual(slice: Slice) -> Select[*tuple[Any, ...]]:
    columns = (getattr(HotNicheToday, name) for name in FILLED)
    return (
        select(HotNicheToday.niche_id.label("key"), *columns)
        .join(Feature, Feature.niche_id == HotNicheToday.niche_id)
        .where(slice.of(HotNicheToday.niche_id), Feature.last_analyzed_at <= slice.as_of)
    )


HOT_NICHES = Job(
    name="hot_niches",
    fills=(HotNicheToday,),
    source=HotNicheToday,
    cut=HotNicheToday.niche_id,
    key=HotNicheToday.niche_id,
    time=HotNicheToday.updated_at,
    width=1_000_000_000_000,
    write=write,
    expected=expected,
    actual=actual,
    needs="niche_trends",
    locks=True,
    seconds=0.05,
    grows=False,  # a trigger, or the refresh itself, fills what comes later
    instead=refresh,
)
