"""One single difference between the models and a database, and names that many cases use."""

from dataclasses import dataclass, field

from operations.phase1 import Shape

Edit = tuple[str, str, str]  # file under models/sql, what stands in it, what is to stand in it


@dataclass(frozen=True)
class Mutation:
    """`detected` are the differences in the catalog; `by_hand` is part of the message where nothing can be generated.

    `stays` is what a downgrade does not bring back. `warns` is Alembic's warning.
    """

    name: str
    sql: str = ""
    detected: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    by_hand: str = ""
    stays: tuple[str, ...] = ()
    warns: str = ""
    shape: Shape = Shape.TABLE
    contains: tuple[str, ...] = field(default=())


CACHE = "analytics.trend_cache"
EVENTS = "analytics.analytics_events"
RECS = "analytics.content_recommendations"
CURRENT = """CREATE VIEW analytics.current_trends AS SELECT t.trend_id, t.niche_id, t.related_niche_id, t.trend_type,
    t.trend_source, t.parameters, t.trend_data, t.valid_until, t.created_at FROM analytics.trend_cache AS t WHERE"""
