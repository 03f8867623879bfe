"""What the tests of rollback and restore share: rows in every table of Phase 2, and what there is of them."""

import io
import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Any

import psycopg
import pytest
from alembic_online import Options
from click.testing import CliRunner, Result
from rich.console import Console
from sqlalchemy import URL, Engine

from operations import phase1
from operations.cli import main
from operations.embedded import Server
from operations.findings import Finding, Findings
from operations.phase1 import Shape
from operations.rollback import abort as giving_up
from operations.rollback import restore, rollback
from tests.fixtures.databases import Clone, Templates, conninfo
from tests.fixtures.ended import counted, once
from tests.fixtures.lived_in import administrator
from tests.revisions.catalog import contents

EVENTS = 3_000
MOVES = r"SQL\(' SET SCHEMA '\)"
"""The statement by which a table moves, for `once` and `pressed`."""

ROWS = """
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, user_id, niche_id)
    SELECT 'view', 'web', now() - n * interval '1 minute', jsonb_build_object('n', n), 'user ' || n % 7, 1 + n % 200
    FROM generate_series(1, 3000) AS numbers (n);
    INSERT INTO analytics.trend_cache (niche_id, trend_type, trend_source, parameters, trend_data, valid_until)
    SELECT n, 'chart', 'niche_trends', '{}', '{"points": []}', now() + interval '1 day'
    FROM generate_series(1, 60) AS s (n);
    INSERT INTO analytics.cross_platform_metrics (niche_id, platform, demand_score)
    SELECT n, 'tiktok', 0.5 FROM generate_series(1, 50) AS s (n);
    INSERT INTO analytics.content_recommendations (
        niche_id, content_type, title, description, opportunity_score, model_version, valid_until
    )
    SELECT n, 'video', 'title ' || n, 'why', 0.5, '1', now() + interval '1 day' FROM generate_series(1, 40) AS s (n);
    INSERT INTO analytics.ml_features (niche_id, feature_set, model_version, dimension, vector)
    SELECT n, 'scores', '1', 2, ARRAY[n, 0.5] FROM generate_series(1, 30) AS s (n);
    INSERT INTO analytics.insight_registry (niche_id, insight_type, title, insight_data, score, model_version)
    SELECT n, 'gap_analysis', 'title ' || n, '{}', 0.5, '1' FROM generate_series(1, 20) AS s (n);
    UPDATE ONLY public.features SET
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
SEQUENCES = """
    SELECT sequencename, last_value FROM pg_sequences
    WHERE schemaname = 'analytics' AND sequencename <> 'stale_views_mark_id_seq' ORDER BY 1
"""
PRIVILEGES = """
    SELECT c.relname, (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(c.relacl) AS a)::text, (
        SELECT array_agg(a.attname || '=' || a.attacl::text ORDER BY a.attname)
        FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped
    )
    FROM pg_class AS c
    WHERE
        c.relkind IN ('r', 'p', 'v', 'm', 'S')
        AND (c.relnamespace = to_regnamespace('analytics') OR c.oid = 'public.features'::regclass)
    UNION ALL
    SELECT proname, (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(proacl) AS a)::text, NULL
    FROM pg_proc WHERE pronamespace = to_regnamespace('analytics')
    UNION ALL
    SELECT nspname, (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(nspacl) AS a)::text, NULL
    FROM pg_namespace WHERE nspname = 'analytics'
"""
GRANTS = """
    GRANT USAGE ON SCHEMA analytics TO PUBLIC;
    GRANT CREATE ON SCHEMA analytics TO {app};
    GRANT SELECT ON public.features TO {app};
    GRANT UPDATE (trend_vector), SELECT (phrase) ON public.features TO {chief};
    GRANT EXECUTE ON FUNCTION analytics.trend_of(jsonb) TO {app};
    GRANT SELECT ON analytics.current_trends, analytics.platform_comparison TO {chief} WITH GRANT OPTION;
    GRANT ALL ON analytics.analytics_events, analytics.trend_cache TO {app};
    GRANT SELECT, INSERT ON analytics.trend_cache TO {chief} WITH GRANT OPTION;
    GRANT SELECT (niche_id, trend_type), UPDATE (trend_data) ON analytics.trend_cache TO {chief} WITH GRANT OPTION;
    GRANT USAGE ON SEQUENCE analytics.trend_cache_trend_id_seq TO PUBLIC;
    SET ROLE {chief};
    GRANT SELECT ON analytics.trend_cache, analytics.current_trends TO {other} WITH GRANT OPTION;
    GRANT SELECT (trend_type) ON analytics.trend_cache TO PUBLIC;
    SET ROLE {other};
    GRANT SELECT ON analytics.trend_cache TO {app};
"""

Fill = Callable[[Shape], Engine]
Role = Callable[[str], str]
Copies = Callable[[str, str, Callable[[URL], Any]], URL]


@pytest.fixture
def role(server: Server) -> Iterator[Role]:
    """``role("app")`` makes a role of the server that may log in; dropped after the databases are."""
    numbers = count(1)
    made: list[str] = []
    where = server.url("postgres")

    def make(name: str) -> str:
        made.append(f"rollback_{name}_{os.getpid()}_{next(numbers)}")
        execute(where, f"CREATE ROLE {made[-1]} LOGIN")
        return made[-1]

    yield make
    for name in made:
        execute(where, f"DROP ROLE {name}")


@pytest.fixture
def fill(role: Role, clone: Clone, connect: Callable[..., Engine]) -> Fill:  # roles are dropped last
    """``fill(shape)`` is a migrated database with rows in every table of Phase 2."""

    def make(shape: Shape) -> Engine:
        engine = connect(clone(f"migrated_{shape}"))
        execute(engine.url, ROWS)
        with engine.begin() as connection:
            phase1.refresh(connection, shape)  # as every night: hot niches have their trends then
        engine.dispose()
        return engine

    return make


@pytest.fixture
def filled(fill: Fill, shape: Shape) -> Engine:
    """Both shapes: a test that asks for it runs twice."""
    return fill(shape)


def grant(url: URL, role: Role) -> str:
    """Several people grant several things, of whom the migrating role is a member; the role that may read and write."""
    app, chief, other = role("app"), role("chief"), role("other")
    execute(administrator(url), GRANTS.format(app=app, chief=chief, other=other))
    execute(administrator(url), f"GRANT {chief}, {other} TO {url.username}")
    return app


def rows(engine: Engine) -> list[str]:
    """A hash of everything that Phase 2 holds."""
    return contents(engine, *HASHED)


def begun(url: URL) -> str:
    """How the newest rollback is called: where to, when it was begun, and by whom."""
    [(named,)] = execute(
        url,
        "SELECT format('The rollback to %s, begun %s UTC by %s,', target,"
        " to_char(started AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), who)"
        " FROM sidb.rollback ORDER BY rollback_id DESC LIMIT 1",
    )
    return str(named)


def execute(url: URL, statement: str) -> list[tuple[Any, ...]]:
    """The rows of a statement, which commits."""
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        cursor = connection.execute(statement)  # type: ignore[call-overload]
        return list(cursor.fetchall()) if cursor.rownumber is not None else []


def roll_back(url: URL, target: str | None, *, take_along: bool = False) -> Findings:
    prepared = rollback.prepare(url, target, take_along=take_along)
    return rollback.run(url, prepared, Options(deadline=30), Console(file=io.StringIO()))


def bring_back(
    url: URL, archive: int = 1, *, skip: bool = False, renumber: bool = False, told: io.StringIO | None = None
) -> Findings:
    return restore.restore(url, archive, restore.Choice(skip, renumber), Console(file=told or io.StringIO(), width=200))


def abort(url: URL) -> Findings:
    return giving_up.abort(url, Console(file=io.StringIO()))


def finding(found: Findings, check: str) -> Finding:
    [only] = [each for each in found.findings if each.check == check]
    return only


def verdicts(found: Findings) -> dict[str, str]:
    return {each.check: each.verdict for each in found.findings}


def privileges(url: URL) -> dict[str, tuple[Any, ...]]:
    """What everybody may do to each relation of analytics, with grantors and columns."""
    return {name: tuple(rights) for name, *rights in execute(url, PRIVILEGES)}


def pressed(url: URL, at: str, *arguments: str) -> Result:
    """A command in which Ctrl-C is pressed before the first statement that is like this."""
    found: list[Result] = []

    def run_it() -> None:
        found.append(CliRunner().invoke(main, arguments, env={"DATABASE_URL": conninfo(url)}))

    counted(run_it, once(at, partial(signal.raise_signal, signal.SIGINT)))
    assert found[0].exit_code == 130, found[0].output
    return found[0]


@pytest.fixture(scope="module")
def copies(templates: Templates) -> Iterator[Copies]:
    """``copies("name", template, prepare)`` is a copy of a database prepared once; the copy before it is dropped."""
    numbers = count(1)
    sources: dict[str, Any] = {}
    made: list[Any] = []

    def make(name: str, template: str, prepare: Callable[[URL], Any]) -> URL:
        if name not in sources:
            sources[name] = templates.janitor(name, templates.template(template))
            sources[name].init()
            prepare(templates.server.url(name))
        while made:
            made.pop().drop()
        made.append(templates.janitor(f"copy_{next(numbers)}", name))
        made[-1].init()
        return templates.server.url(made[-1].dbname)

    yield make
    for janitor in (*made, *sources.values()):
        janitor.drop()


@pytest.fixture
def engine(fill: Fill) -> Engine:
    """Of a filled database in which hot_niches_today is a table."""
    return fill(Shape.TABLE)
