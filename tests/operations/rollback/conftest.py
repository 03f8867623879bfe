"""What the tests of rollback and restore share: rows in every table of Phase 2, and what there is of them."""

import io
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from rich.console import Console
from sqlalchemy import URL, Engine

from operations.findings import Finding, Findings
from operations.phase1 import Shape
from operations.rollback import run
from tests.fixtures.databases import Clone, conninfo
from tests.revisions.catalog import contents

EVENTS = 3_000

ROWS = """
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, user_id, niche_id)
    SELECT 'view', 'web', now() - n * interval '1 minute', jsonb_build_object('n', n), 'user ' || n % 7, 1 + n % 200
    FROM generate_series(1, 3000) AS numbers (n);
    INSERT INTO analytics.trend_cache (niche_id, trend_type, trend_source, parameters, trend_data, valid_until)
    SELECT n, 'chart', 'niche_trends', '{}', '{"points": []}', now() + interval '1 day'
    FROM generate_series(1, 60) AS s (n);
    INSERT INTO analytics.cross_platform_metrics (niche_id, platform, demand_score)
    SELECT n, 'youtube', 0.5 FROM generate_series(1, 50) AS s (n);
    INSERT INTO analytics.content_recommendations (
        niche_id, content_type, title, description, opportunity_score, model_version, valid_until
    )
    SELECT n, 'video', 'title ' || n, 'why', 0.5, '1', now() + interval '1 day' FROM generate_series(1, 40) AS s (n);
    INSERT INTO analytics.ml_features (niche_id, feature_set, model_version, dimension, vector)
    SELECT n, 'scores', '1', 2, ARRAY[n, 0.5] FROM generate_series(1, 30) AS s (n);
    INSERT INTO analytics.insight_registry (niche_id, insight_type, title, insight_data, score, model_version)
    SELECT n, 'gap_analysis', 'title ' || n, '{}', 0.5, '1' FROM generate_series(1, 20) AS s (n);
    UPDATE public.features SET
        trend_vector = (
            SELECT jsonb_agg(jsonb_build_array(current_date - 14 + d, niche_id * d % 17))
            FROM generate_series(1, 14) AS s (d)
        ),
        last_analyzed_at = now(),
        analytics_version = 2
    WHERE niche_id <= 150;
    SELECT analytics.drain_niche_daily_activity();
    SELECT analytics.refresh_stale_views();
"""

TABLES = (
    "analytics_events",
    "trend_cache",
    "cross_platform_metrics",
    "content_recommendations",
    "ml_features",
    "insight_registry",
)
HASHED = (
    *(f"SELECT * FROM analytics.{table}" for table in TABLES),  # noqa: S608
    "SELECT niche_id, trend_vector, last_analyzed_at, analytics_version FROM public.features",
    "SELECT * FROM public.hot_niches_today",
    "SELECT * FROM analytics.niche_daily_activity",
    "SELECT * FROM analytics.platform_comparison",
)
PHASE1 = (
    "SELECT niche_id, phrase, demand_score, monetise_score, supply_score, opportunity, updated_at FROM public.features",
    "SELECT niche_id, phrase, opportunity FROM public.hot_niches_today",
)
SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'analytics' ORDER BY 1"
PRIVILEGES = """
    SELECT c.relname, c.relacl::text, (
        SELECT array_agg(a.attname || '=' || a.attacl::text ORDER BY a.attname)
        FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL
    )
    FROM pg_class AS c
    WHERE c.relnamespace = to_regnamespace('analytics') AND c.relkind IN ('r', 'v', 'm', 'S')
    ORDER BY 1
"""

Fill = Callable[[Shape], Engine]


@pytest.fixture
def fill(clone: Clone, connect: Callable[..., Engine]) -> Fill:
    """``fill(shape)`` is a migrated database with rows in every table of Phase 2."""

    def make(shape: Shape) -> Engine:
        engine = connect(clone(f"migrated_{shape}"))
        execute(engine.url, ROWS)
        engine.dispose()
        return engine

    return make


@pytest.fixture
def filled(fill: Fill, shape: Shape) -> Engine:
    """Both shapes: a test that asks for it runs twice."""
    return fill(shape)


def rows(engine: Engine) -> list[str]:
    """A hash of everything that Phase 2 holds."""
    return contents(engine, *HASHED)


def execute(url: URL, statement: str) -> list[tuple[Any, ...]]:
    """The rows of a statement, which commits."""
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        cursor = connection.execute(statement)  # type: ignore[call-overload]
        return list(cursor.fetchall()) if cursor.description else []


def roll_back(url: URL, target: str | None, **options: str) -> Findings:
    return run.run(url, run.prepare(url, target), {"deadline": "30s", **options}, Console(file=io.StringIO()))


def abort(url: URL) -> Findings:
    return run.abort(url, Console(file=io.StringIO()))


def finding(found: Findings, check: str) -> Finding:
    [only] = [each for each in found.findings if each.check == check]
    return only


def verdicts(found: Findings) -> dict[str, str]:
    return {each.check: each.verdict for each in found.findings}


def privileges(url: URL) -> dict[str, tuple[Any, ...]]:
    """What everybody may do to each relation of analytics, as PostgreSQL stores it: order, grantors, columns."""
    return {name: tuple(rights) for name, *rights in execute(url, PRIVILEGES)}
