"""Who may do what, tried by logging in; and PUBLIC may do nothing."""

# ruff: noqa: S608 - statements are composed of names that stand here

from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy import Engine, text

from operations.phase1 import Shape
from tests.fixtures.databases import Clone, conninfo
from tests.fixtures.roles import Login
from tests.models.test_activity import EVENT_WRITER

TABLES = {
    "analytics_events": "(event_type, event_source, event_timestamp, event_data, niche_id)"
    " VALUES ('view', 'web', now(), '{}', 1)",
    "trend_cache": "(trend_type, trend_source, trend_data, parameters, valid_until)"
    " VALUES ('chart', 'test', '{}', '{}', now() + interval '1 hour')",
    "cross_platform_metrics": "(niche_id, platform) VALUES (1, 'youtube')",
    "content_recommendations": "(niche_id, content_type, title, description,"
    " opportunity_score, model_version, valid_until)"
    " VALUES (1, 'video', 'title', 'why', 0.5, '1', now() + interval '1 hour')",
    "ml_features": "(niche_id, feature_set, model_version, dimension, vector) VALUES (1, 'set', '1', 1, '{1}')",
    "insight_registry": "(insight_type, title, insight_data, model_version) VALUES ('gap', 'title', '{}', '1')",
}
HORIZON = "retention"
VIEWS = (
    "niche_daily_activity",
    "current_trends",
    "active_recommendations",
    "published_insights",
    "trending_niches",
    "platform_comparison",
)
BOOKS = ("niche_daily_activity_summary", "niche_daily_activity_delta", "niche_daily_activity_kept", "stale_views")

READS = [f"SELECT * FROM analytics.{name}" for name in (*TABLES, HORIZON, *VIEWS)]
WRITES = [
    *(f"INSERT INTO analytics.{table} {values}" for table, values in TABLES.items()),
    *(f"UPDATE analytics.{table} SET niche_id = 2" for table in TABLES),
    *(f"DELETE FROM analytics.{table}" for table in TABLES),
]
TREND = ["SELECT * FROM analytics.trend_of('[]')"]
UPKEEP = ["SELECT analytics.drain_niche_daily_activity()", "SELECT analytics.refresh_stale_views()"]
NOBODY = [
    *(f"TRUNCATE analytics.{table}" for table in TABLES),
    *(f"ALTER TABLE analytics.{table} ADD COLUMN mine integer" for table in TABLES),
    *(f"SELECT * FROM analytics.{table}" for table in BOOKS),
    *(f"DELETE FROM analytics.{table}" for table in BOOKS),
    "INSERT INTO analytics.stale_views (view_name) VALUES ('trending_niches')",
    "INSERT INTO analytics.niche_daily_activity_delta (niche_id, day, event_type, events) VALUES (1, now(), 'x', 1)",
    "SELECT analytics.rebuild_niche_daily_activity()",
    f"UPDATE analytics.{HORIZON} SET kept_from = now()",
    "SELECT analytics.move_retention_horizon('analytics_events', '2017-01-01')",
    "SELECT setval('analytics.analytics_events_event_id_seq', 1)",
    "REFRESH MATERIALIZED VIEW analytics.trending_niches",
    "CREATE TABLE analytics.mine (id integer)",
    "CREATE FUNCTION analytics.mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "DROP TABLE analytics.trend_cache",
]
PHASE1 = [
    "SELECT * FROM features",
    "INSERT INTO features (phrase, demand_score, monetise_score, supply_score, opportunity)"
    " VALUES ('new', 0.5, 0.5, 0.5, 0.5)",
    "UPDATE features SET demand_score = 0.5, monetise_score = 0.5, supply_score = 0.5 WHERE niche_id = 1",
    "UPDATE features SET opportunity = (demand_score * monetise_score) / GREATEST(supply_score, 0.01),"
    " updated_at = now()",
    "DELETE FROM features WHERE niche_id = 200",
]
HOT = [
    "SELECT * FROM hot_niches_today",
    "INSERT INTO hot_niches_today (niche_id, phrase) VALUES (1, 'hot')",
    "UPDATE hot_niches_today SET opportunity = 0.5",
    "DELETE FROM hot_niches_today",
]
EVENTS = [statement for statement in READS + WRITES + NOBODY[:1] if "analytics.analytics_events" in statement]

NICHE_WRITER = ("SELECT, INSERT, UPDATE, DELETE ON features", "USAGE ON SEQUENCE features_niche_id_seq")
HOT_WRITER = ("SELECT, INSERT, UPDATE, DELETE ON hot_niches_today",)

EVERYTHING = [*READS, *WRITES, *TREND, *UPKEEP, *NOBODY, *PHASE1, *HOT]

# A role by what it was granted, and all that it may do; whatever else stands in EVERYTHING is refused.
ROLES: dict[str, tuple[tuple[str, ...], list[str]]] = {
    "nobody": ((), []),
    "reader": (("analytics_reader",), READS + TREND),
    "writer": (("analytics_writer",), READS + WRITES + TREND + UPKEEP),
    "application of features": (NICHE_WRITER, PHASE1),
    "application of events": (EVENT_WRITER, EVENTS),
    "application of hot niches": (HOT_WRITER, HOT),
}


@pytest.mark.parametrize("role", ROLES)
def test_what_it_may_and_must_not_do(login: Login, role: str) -> None:
    granted, allowed = ROLES[role]
    assert set(allowed) <= set(EVERYTHING)
    outcome = {}
    with psycopg.connect(conninfo(login(*granted)), autocommit=True) as connection:
        for statement in EVERYTHING:
            try:
                with connection.transaction(force_rollback=True):
                    connection.execute(statement)
            except psycopg.errors.InsufficientPrivilege:
                outcome[statement] = "refused"
            else:
                outcome[statement] = "done"
    assert outcome == {statement: "done" if statement in allowed else "refused" for statement in EVERYTHING}


def test_what_an_application_writes_is_counted_marked_and_filled(migrated: Engine, login: Login) -> None:
    """The triggers do their work with their owner's rights: the writer needs none of them."""
    written = {
        "INSERT INTO analytics.analytics_events " + TABLES["analytics_events"]: EVENT_WRITER,
        PHASE1[1]: NICHE_WRITER,
        HOT[1]: HOT_WRITER,
    }
    for statement, granted in written.items():
        with psycopg.connect(conninfo(login(*granted)), autocommit=True) as connection:
            connection.execute(statement)
    with migrated.connect() as connection:
        assert connection.scalar(text("SELECT sum(events) FROM analytics.niche_daily_activity")) == 1
        assert connection.scalar(text("SELECT view_name FROM analytics.stale_views")) == "trending_niches"
        assert connection.scalar(text("SELECT trend_direction FROM hot_niches_today WHERE phrase = 'hot'")) == "stable"


def test_a_security_definer_looks_nowhere_else(migrated: Engine) -> None:
    """A function that runs with its owner's rights must not be led to other objects by its caller's search_path."""
    query = text("""
        SELECT proname, proconfig FROM pg_proc WHERE pronamespace = 'analytics'::regnamespace AND prosecdef
    """)
    with migrated.connect() as connection:
        found = dict(connection.execute(query).all())
    assert len(found) == 7
    assert set(map(tuple, found.values())) == {("search_path=pg_catalog, pg_temp",)}


# What PUBLIC may do with anything in the schema; what was never granted or revoked has its kind's defaults.
PUBLIC = text("""
    SELECT 'schema' AS kind, n.nspname::text AS name, acl.privilege_type
    FROM pg_namespace AS n CROSS JOIN LATERAL aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) AS acl
    WHERE n.nspname = :schema AND acl.grantee = 0
    UNION ALL
    SELECT CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'relation' END, c.relname, acl.privilege_type
    FROM pg_class AS c CROSS JOIN LATERAL aclexplode(
        coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))
    ) AS acl
    WHERE c.relnamespace::regnamespace::text = :schema AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        AND acl.grantee = 0
    UNION ALL
    SELECT 'column', c.relname || '.' || a.attname, acl.privilege_type
    FROM pg_attribute AS a
    INNER JOIN pg_class AS c ON c.oid = a.attrelid
    CROSS JOIN LATERAL aclexplode(a.attacl) AS acl
    WHERE c.relnamespace::regnamespace::text = :schema AND acl.grantee = 0
    UNION ALL
    SELECT 'function', p.proname, acl.privilege_type
    FROM pg_proc AS p CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS acl
    WHERE p.pronamespace::regnamespace::text = :schema AND acl.grantee = 0
""")


def test_public_has_nothing(shape: Shape, clone: Clone, connect: Callable[..., Engine]) -> None:
    engine = connect(clone(f"migrated_{shape}"))
    with engine.connect() as connection:
        assert connection.execute(PUBLIC, {"schema": "analytics"}).all() == []
        assert connection.execute(PUBLIC, {"schema": "analytics_phase1"}).all() == []


@pytest.mark.parametrize(
    "grant",
    [
        "GRANT USAGE ON SCHEMA analytics",
        "GRANT SELECT ON analytics.trend_cache",
        "GRANT SELECT ON analytics.trending_niches",
        "GRANT SELECT (title) ON analytics.insight_registry",
        "GRANT USAGE ON SEQUENCE analytics.stale_views_mark_id_seq",
        "GRANT EXECUTE ON FUNCTION analytics.trend_of(jsonb)",
    ],
)
def test_the_question_finds_what_public_has(migrated: Engine, grant: str) -> None:
    with migrated.connect() as connection:
        connection.execute(text(f"{grant} TO PUBLIC"))
        assert len(connection.execute(PUBLIC, {"schema": "analytics"}).all()) == 1
