"""Columns of Phase 1's tables that are not ours to change: Phase 1's own and those that others have added.

The backfill and a restore write three columns of them that Phase 1 does not know. A trigger of others that fires for it
(the usual one sets `updated_at`) would make every niche one that was updated today.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Text, cast, func, literal_column, select, text

from backfill.queries import query
from models import Feature, HotNicheToday

FEATURES = "public.features"
OURS = {
    FEATURES: (Feature.trend_vector.key, Feature.last_analyzed_at.key, Feature.analytics_version.key),
    "public.hot_niches_today": (
        HotNicheToday.trend_direction.key,
        HotNicheToday.trend_confidence.key,
        HotNicheToday.days_trending.key,
    ),
}
"""The columns that are ours, by table."""
OUR_TRIGGERS = ("features_mark_trending_niches", "hot_niches_today_fill_trend")

_UPDATED = select(func.pg_stat_get_xact_tuples_updated(literal_column("'public.features'::regclass")))


class ChangedError(Exception):
    """Writing our columns of features changed others: nothing of it may stay, and the job has to stop."""


def names(connection: Connection, relation: str = FEATURES, ours: Sequence[str] = ()) -> Sequence[str]:
    """A table's columns that are not `ours`, quoted, but for those that PostgreSQL computes."""
    return connection.scalars(query("phase1_columns"), {"relation": relation, "ours": _ours(relation, ours)}).all()


def values(columns: Sequence[str]) -> Any:
    """A hash of what a row of features holds in the columns."""
    row = func.row(*(literal_column(f"features.{name}") for name in columns))
    return func.hashtextextended(cast(row, Text), 0)


def triggers(connection: Connection, relation: str = FEATURES, ours: Sequence[str] = ()) -> Sequence[Any]:
    """Triggers of others that fire when our columns are written: `name`, `is_before`, and how they are `narrowed`."""
    parameters = {"relation": relation, "ours": _ours(relation, ours), "our_triggers": list(OUR_TRIGGERS)}
    return connection.execute(query("triggers"), parameters).all()


def _ours(relation: str, further: Sequence[str]) -> list[str]:
    return sorted({*OURS.get(relation, ()), *further})


def updated(connection: Connection) -> int:
    """Rows of features updated by this session, those of earlier transactions included."""
    return connection.scalar(_UPDATED) or 0


def refuse_change(connection: Connection, written: int, unchanged: int, before: int) -> None:
    """Raise ChangedError if rows that were written hold other values than before, or more were updated than that since
    `before` were; whatever a trigger would do at the commit it does now.
    """
    connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    again = max(updated(connection) - before - written, 0)
    changed = written - unchanged
    if not (changed or again):
        return
    found = triggers(connection)
    named = ", ".join(trigger.name for trigger in found) or "one that writes to features"
    narrowed = "".join(f"\n  {trigger.narrowed};" for trigger in found)
    raise ChangedError(
        f"a batch of {written} rows, for which others' triggers on public.features ({named}) changed columns that are"
        f" not ours, such as updated_at, in {changed or again}. It was rolled back. Have them fire for other columns"
        f" only, by UPDATE OF or WHEN:{narrowed}"
    )
