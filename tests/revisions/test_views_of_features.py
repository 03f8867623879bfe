"""Revision 2.2.1 and its way back: a table of others that inherits from `features` and holds a niche, too.

A copy of a hot niche stopped the application's REFRESH of hot_niches_today, and one with a vector that of
trending_niches, by its unique index.
"""

import threading
from collections.abc import Callable
from functools import partial

import pytest
from alembic.util import CommandError
from psycopg import Connection
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from operations.embedded import Server
from operations.phase1 import Shape
from tests.fixtures.databases import Clone
from tests.revisions.catalog import catalog, contents
from tests.revisions.conftest import APPLICATION, OWNER, Deployment, deploy, make_role
from tests.revisions.test_materialized_view import SCORED, SHOWN, about_the_view, dressed, oids, paused_after, score
from tests.revisions.test_round_trip import Dump, dump

__all__ = ["dressed", "dump"]

BEFORE, AFTER = "2.2.0", "2.2.1"
CHILD = f"""
    CREATE TABLE public.features_archive () INHERITS (public.features);
    ALTER TABLE public.features_archive OWNER TO {OWNER};
    GRANT SELECT, UPDATE ON public.features_archive TO {APPLICATION};
"""
COPIED = """
    INSERT INTO public.features_archive
    SELECT * FROM ONLY public.features WHERE niche_id = (SELECT min(niche_id) FROM public.hot_niches_today)
"""
VECTORS = """
    UPDATE ONLY public.features
    SET trend_vector = '[["2025-05-01", 1], ["2025-05-02", 3], ["2025-05-03", 9]]', last_analyzed_at = now()
"""
REFRESH = "REFRESH MATERIALIZED VIEW public.hot_niches_today"
MAINTAIN = "SELECT * FROM analytics.refresh_stale_views()"
HOT = """
    SELECT h.niche_id, h.trend_direction, h.trend_confidence, h.days_trending FROM public.hot_niches_today AS h
    ORDER BY h.niche_id
"""
HOT_EXPECTED = """
    SELECT h.niche_id, t.direction, t.confidence::numeric(5, 4), t.days
    FROM (
        SELECT niche_id FROM public.features WHERE updated_at > now() - interval '24 hours'
        ORDER BY opportunity DESC LIMIT 50
    ) AS h
    INNER JOIN ONLY public.features AS f ON f.niche_id = h.niche_id
    CROSS JOIN LATERAL analytics.trend_of(f.trend_vector) AS t
    ORDER BY h.niche_id
"""
TRENDING = "SELECT niche_id, phrase, days_trending FROM analytics.trending_niches ORDER BY niche_id"
TRENDING_EXPECTED = """
    SELECT f.niche_id, f.phrase, t.days
    FROM ONLY public.features AS f
    CROSS JOIN LATERAL analytics.trend_of(f.trend_vector) AS t
    WHERE f.trend_vector IS NOT NULL
    ORDER BY f.niche_id
"""
VIEWS = {"materialized view public.hot_niches_today", "materialized view analytics.trending_niches"}


@pytest.fixture
def deployment(server: Server, clone: Clone, connect: Callable[..., Engine]) -> Deployment:
    return deploy(server, clone("empty"), Shape.MATVIEW, connect)


@pytest.fixture
def either(server: Server, shape: Shape, clone: Clone, connect: Callable[..., Engine]) -> Deployment:
    return deploy(server, clone("empty"), shape, connect)


def execute(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def works(deployment: Deployment) -> None:
    """The application's programs, its refresh and ours; both views hold what they should."""
    deployment.run_phase1()
    execute(deployment.owner, MAINTAIN)
    execute(deployment.superuser, "DELETE FROM public.features_archive", COPIED)
    if deployment.shape is Shape.MATVIEW:
        execute(deployment.application, REFRESH)
        assert contents(deployment.superuser, HOT) == contents(deployment.superuser, HOT_EXPECTED)
    execute(deployment.owner, VECTORS, MAINTAIN)
    assert contents(deployment.superuser, TRENDING) == contents(deployment.superuser, TRENDING_EXPECTED)


def queries(engine: Engine) -> dict[str, str]:
    return {name: definition["query"] for name, definition in catalog(engine).items() if name in VIEWS}


def test_a_copy_is_no_obstacle_on_the_way_from_phase_1(either: Deployment) -> None:
    execute(either.superuser, CHILD, COPIED)
    either.alembic.upgrade("2.0.4")
    if either.shape is Shape.MATVIEW:
        execute(either.application, REFRESH)
    execute(either.superuser, "TRUNCATE ONLY public.features_archive")
    execute(either.owner, VECTORS)
    execute(either.superuser, COPIED)
    either.alembic.upgrade()
    works(either)
    either.alembic.check()
    either.alembic.downgrade("2.0.5")
    either.alembic.upgrade()
    works(either)
    either.alembic.downgrade()


def test_a_copy_is_an_obstacle_no_more(either: Deployment) -> None:
    """Others have it inherit where 2.2.0 is in place; on the way back what was corrected stays."""
    either.alembic.upgrade(BEFORE)
    execute(either.superuser, CHILD, VECTORS, MAINTAIN, COPIED)
    if either.shape is Shape.MATVIEW:
        with pytest.raises(DBAPIError, match="more than one row returned by a subquery"):
            execute(either.application, REFRESH)
    with pytest.raises(DBAPIError, match="duplicate key value violates unique constraint"):
        execute(either.owner, VECTORS, MAINTAIN)
    either.alembic.upgrade(AFTER)
    works(either)
    either.alembic.check()
    corrected = queries(either.superuser)
    assert all("ONLY" in query for query in corrected.values())
    either.alembic.downgrade(BEFORE)
    assert queries(either.superuser) == corrected
    works(either)
    either.alembic.upgrade()
    works(either)


def test_the_view_keeps_what_it_has(dressed: Deployment, dump: Dump) -> None:
    dressed.alembic.upgrade(BEFORE)
    engine = dressed.superuser
    before, dumped, identities = about_the_view(catalog(engine)), dump(engine), oids(engine)
    shown = contents(engine, SHOWN)
    dressed.alembic.upgrade(AFTER)
    assert about_the_view(catalog(engine)) == before
    assert set(oids(engine)).isdisjoint(identities)
    assert contents(engine, SHOWN) == shown
    dressed.alembic.downgrade(BEFORE)
    assert about_the_view(catalog(engine)) == before
    assert dump(engine) == dumped


def test_what_others_have_on_trending_niches_stays(deployment: Deployment) -> None:
    deployment.alembic.upgrade(BEFORE)
    execute(
        deployment.superuser,
        VECTORS,
        MAINTAIN,
        "CREATE INDEX theirs ON analytics.trending_niches (phrase)",
        f"GRANT SELECT (niche_id) ON analytics.trending_niches TO {APPLICATION}",
        "COMMENT ON INDEX analytics.theirs IS 'by name'",
        "ALTER MATERIALIZED VIEW analytics.trending_niches SET (fillfactor = 80)",
    )
    before, rows = catalog(deployment.superuser), contents(deployment.superuser, TRENDING)
    deployment.alembic.upgrade(AFTER)
    after = catalog(deployment.superuser)
    assert {name for name in {*before, *after} if before.get(name) != after.get(name)} == VIEWS
    assert contents(deployment.superuser, TRENDING) == rows
    deployment.alembic.downgrade(BEFORE)
    assert catalog(deployment.superuser) == before


@pytest.mark.parametrize("relation", ["public.hot_niches_today", "analytics.trending_niches"])
def test_what_others_have_built_on_them_is_named(deployment: Deployment, relation: str) -> None:
    deployment.alembic.upgrade(BEFORE)
    execute(deployment.superuser, f"CREATE VIEW public.theirs AS SELECT days_trending FROM {relation}")  # noqa: S608
    before = catalog(deployment.superuser)
    with pytest.raises(CommandError) as refused:
        deployment.alembic.upgrade()
    assert f"view public.theirs uses {relation}, which {AFTER} replaces" in str(refused.value)
    assert "CREATE VIEW public.theirs" in str(refused.value)
    assert catalog(deployment.superuser) == before


def test_a_grantor_that_the_owner_cannot_act_for(server: Server, deployment: Deployment) -> None:
    make_role(server, "phase1_passer")
    deployment.alembic.upgrade(BEFORE)
    execute(
        deployment.superuser,
        "GRANT USAGE ON SCHEMA analytics TO phase1_passer",
        "GRANT SELECT ON analytics.trending_niches TO phase1_passer WITH GRANT OPTION",
        "SET ROLE phase1_passer",
        f"GRANT SELECT ON analytics.trending_niches TO {APPLICATION}",
        "RESET ROLE",
    )
    before = catalog(deployment.superuser)
    with pytest.raises(CommandError) as refused:
        deployment.alembic.upgrade()
    named = f"phase1_passer passed privileges on trending_niches, and {OWNER} cannot act as it"
    assert named in str(refused.value)
    assert catalog(deployment.superuser) == before
    execute(deployment.superuser, f"GRANT phase1_passer TO {OWNER}")
    deployment.alembic.upgrade()
    after = catalog(deployment.superuser)
    assert {name for name in {*before, *after} if before.get(name) != after.get(name)} == VIEWS
    execute(deployment.superuser, f"REVOKE phase1_passer FROM {OWNER}")


def test_a_view_that_is_not_filled_stays_so(deployment: Deployment) -> None:
    deployment.alembic.upgrade(BEFORE)
    execute(deployment.application, f"{REFRESH} WITH NO DATA")
    for way, revision in (("upgrade", AFTER), ("downgrade", BEFORE)):
        getattr(deployment.alembic, way)(revision)
        with pytest.raises(DBAPIError, match="has not been populated"):
            contents(deployment.application, SHOWN)
    execute(deployment.application, REFRESH)


def score_concurrently(session: Connection) -> None:
    session.execute("UPDATE features SET opportunity = niche_id / 100.0, updated_at = now()")
    session.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY hot_niches_today")


@pytest.mark.parametrize("refresh", [score, score_concurrently])
@pytest.mark.parametrize("way", ["upgrade", "downgrade"])
def test_a_refresh_in_the_meantime_is_not_lost(
    deployment: Deployment, refresh: Callable[[Connection], None], way: str
) -> None:
    key = "CREATE UNIQUE INDEX hot_key ON public.hot_niches_today (niche_id)"
    execute(deployment.superuser, key)
    deployment.alembic.upgrade(BEFORE if way == "upgrade" else AFTER)
    migrate = partial(getattr(deployment.alembic, way), AFTER if way == "upgrade" else BEFORE)
    with paused_after("CREATE MATERIALIZED VIEW", deployment, migrate) as session:
        assert session.execute("SELECT FROM hot_niches_today").fetchall()  # readers go on
        refresh(session)
    assert contents(deployment.superuser, SHOWN) == contents(deployment.superuser, SCORED)


def test_marks_of_the_meantime_stay(deployment: Deployment) -> None:
    """While its successor is built, nobody takes what marks trending_niches as stale."""
    deployment.alembic.upgrade(BEFORE)
    execute(deployment.superuser, VECTORS, MAINTAIN)
    upgrade = deployment.alembic.upgrade
    with paused_after("CREATE MATERIALIZED VIEW", deployment, upgrade, "trending_niches") as session:
        session.execute("UPDATE features SET phrase = 'another' WHERE niche_id = 1")
        with deployment.owner.begin() as connection:
            assert connection.exec_driver_sql(MAINTAIN).all() == []
            assert connection.exec_driver_sql(TRENDING).all()
    execute(deployment.owner, MAINTAIN)
    assert contents(deployment.superuser, TRENDING) == contents(deployment.superuser, TRENDING_EXPECTED)


def test_a_report_is_waited_for(deployment: Deployment) -> None:
    """What was built is exchanged when it ends."""
    deployment.alembic.upgrade(BEFORE)
    migration = threading.Thread(target=deployment.alembic.upgrade)
    with deployment.owner.begin() as report:
        report.exec_driver_sql(TRENDING)
        migration.start()
        migration.join(2)
        assert migration.is_alive()
    migration.join(30)
    assert not migration.is_alive()
    assert all("ONLY" in query for query in queries(deployment.superuser).values())
