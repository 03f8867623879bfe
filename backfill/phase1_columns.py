"""Columns of Phase 1's tables that are not ours to change: Phase 1's own and those that others have added.

The backfill and a restore write three columns of each that Phase 1 does not know. What each row holds in the others is
compared before and after. A trigger of others that fires for it
(the usual one sets `updated_at`) would make every niche one that was updated today.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from backfill.queries import query
from models import Feature, HotNicheToday

FEATURES = "public.features"
HOT_NICHES_TODAY = "public.hot_niches_today"
OURS = {
    FEATURES: (Feature.trend_vector.key, Feature.last_analyzed_at.key, Feature.analytics_version.key),
    HOT_NICHES_TODAY: (
        HotNicheToday.trend_direction.key,
        HotNicheToday.trend_confidence.key,
        HotNicheToday.days_trending.key,
    ),
}
"""The columns that are ours, by table."""
OUR_TRIGGERS = ("features_mark_trending_niches", "hot_niches_today_fill_trend")


class ChangedError(Exception):
    """Writing `rows` rows of ours changed others' columns in some of them: nothing of it may stay.

    `found`: the triggers of others that may have done it, as `triggers` gives them.
    """

    def __init__(self, relation: str, rows: int, changed: int, found: Sequence[Any] = ()) -> None:
        named = ", ".join(trigger.name for trigger in found) or f"one that writes to {relation.partition('.')[2]}"
        narrowed = "".join(f"\n  {trigger.narrowed};" for trigger in found)
        super().__init__(
            f"a batch of {rows} rows, for which others' triggers on {relation} ({named}) changed columns that are"
            f" not ours, such as updated_at, in {changed}. It was rolled back. Have them fire for other columns only,"
            f" by UPDATE OF or WHEN:{narrowed}"
        )
        self.rows, self.changed, self.named, self.narrowed = rows, changed, named, narrowed


def names(connection: Connection, relation: str, ours: Sequence[str] = ()) -> Sequence[str]:
    """A table's columns that are not `ours`, quoted, but for those that PostgreSQL computes."""
    return connection.scalars(query("phase1_columns"), {"relation": relation, "ours": _ours(relation, ours)}).all()


def held(row: str, columns: Sequence[str]) -> str:
    """What a row of a statement holds in the columns, as a hash: SQL. Names in full: the path is the application's."""
    listed = ", ".join(f"{row}.{name}" for name in columns)
    return f"pg_catalog.hashtextextended(ROW({listed})::pg_catalog.text, 0::bigint)"


def triggers(connection: Connection, relation: str, ours: Sequence[str] = ()) -> Sequence[Any]:
    """Triggers of others that fire when our columns are written: `name`, `is_before`, and how they are `narrowed`."""
    parameters = {"relation": relation, "ours": _ours(relation, ours), "our_triggers": list(OUR_TRIGGERS)}
    return connection.execute(query("triggers"), parameters).all()


def _ours(relation: str, further: Sequence[str]) -> list[str]:
    return sorted({*OURS.get(relation, ()), *further})


def updated(connection: Connection, relation: str) -> int:
    """Rows of a table updated by this session, those of earlier transactions included."""
    return connection.scalar(query("updated_rows"), {"relation": relation}) or 0


def changed(connection: Connection, relation: str, written: int, differing: int, before: int) -> int:
    """In how many rows others' columns changed: the `differing` ones of those written, or as many as were updated
    besides, since `before` were; whatever a trigger would do at the commit it does now.
    """
    connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    return differing or max(updated(connection, relation) - before - written, 0)
