"""What a MetaData cannot hold: functions, views, materialized views, triggers, partitions, roles and grants.

Each is an SQL file under ``sql/``, complete with its comments (but for columns to which ``sql/comments.sql`` gives
the table's comment) and, for a materialized view, its indexes; this module declares which there are and in which order
they are built, and hooks them into ``create_all`` and ``drop_all``.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, MetaData, event

from models.base import ANALYTICS, PARTITIONS, Base

Kind = Literal["function", "view", "materialized_view", "trigger"]

SQL = Path(__file__).parent / "sql"

ROLES = ("analytics_reader", "analytics_writer")
"""The group roles that ``sql/roles.sql`` creates and ``sql/grants.sql`` grants to."""


@dataclass(frozen=True)
class SqlFile:
    """One declared object; a trigger file holds all triggers of the table that it is named for."""

    kind: Kind
    name: str

    @property
    def path(self) -> Path:
        return SQL / f"{self.kind}s" / f"{self.name}.sql"

    @property
    def sql(self) -> str:
        """The statements, for psycopg's cursor without parameters: colons and percent signs mean themselves."""
        return self.path.read_text(encoding="utf-8")


HOT_NICHES_TODAY = SqlFile("materialized_view", "hot_niches_today")
"""``hot_niches_today`` where Phase 1 made it a materialized view; ``create_all`` builds the table."""

SQL_FILES = (
    SqlFile("function", "trend_of"),
    SqlFile("function", "fill_hot_niche_trend"),
    SqlFile("function", "record_event_activity"),
    SqlFile("function", "drain_niche_daily_activity"),
    SqlFile("function", "rebuild_niche_daily_activity"),
    SqlFile("function", "move_retention_horizon"),
    SqlFile("function", "mark_view_stale"),
    SqlFile("function", "refresh_stale_views"),
    SqlFile("view", "niche_daily_activity"),
    SqlFile("view", "current_trends"),
    SqlFile("view", "active_recommendations"),
    SqlFile("view", "published_insights"),
    SqlFile("materialized_view", "trending_niches"),
    SqlFile("materialized_view", "platform_comparison"),
    SqlFile("trigger", "hot_niches_today"),
    SqlFile("trigger", "analytics_events"),
    SqlFile("trigger", "features"),
    SqlFile("trigger", "cross_platform_metrics"),
)
"""Every declared object of the table shape, in order of dependency: functions, views that call them, triggers."""


def _run(connection: Connection, sql: str) -> None:
    connection.exec_driver_sql(sql, execution_options={"no_parameters": True})


@event.listens_for(Base.metadata, "before_create")
def _create_schema(_target: MetaData, connection: Connection, **_kw: Any) -> None:
    _run(connection, (SQL / "roles.sql").read_text(encoding="utf-8"))
    _run(connection, (SQL / "schema.sql").read_text(encoding="utf-8"))


@event.listens_for(Base.metadata, "after_create")
def _create_declared(_target: MetaData, connection: Connection, **_kw: Any) -> None:
    _run(connection, (SQL / "partitions.sql").read_text(encoding="utf-8"))
    for declared in SQL_FILES:
        _run(connection, declared.sql)
    _run(connection, (SQL / "comments.sql").read_text(encoding="utf-8"))
    _run(connection, (SQL / "grants.sql").read_text(encoding="utf-8"))


@event.listens_for(Base.metadata, "before_drop")
def _drop_declared(_target: MetaData, connection: Connection, **_kw: Any) -> None:
    for kind, name in [(file.kind, file.name) for file in reversed(SQL_FILES)]:
        if kind in ("view", "materialized_view"):
            _run(connection, f"DROP {kind.replace('_', ' ')} IF EXISTS {ANALYTICS}.{name} CASCADE")
        elif kind == "function":
            _run(connection, f"DROP FUNCTION IF EXISTS {ANALYTICS}.{name} CASCADE")


@event.listens_for(Base.metadata, "after_drop")
def _drop_schema(_target: MetaData, connection: Connection, **_kw: Any) -> None:
    for schema in (PARTITIONS, ANALYTICS):
        _run(connection, f"DROP SCHEMA IF EXISTS {schema}")
