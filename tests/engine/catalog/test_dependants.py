"""What others built on what goes: found in order, taken away, and brought back as it was."""

import pytest
from alembic_online.catalog.dependants import Dependant, advice, dependants
from sqlalchemy import URL, Connection, NullPool, create_engine

from operations.scope import SCOPE
from tests.fixtures import lived_in
from tests.fixtures.databases import Alembic, Clone
from tests.fixtures.everything import difference, everything

PHASE2 = (
    "column public.features.trend_vector",
    "column public.features.last_analyzed_at",
    "column public.features.analytics_version",
    "table analytics.trend_cache",
    "table analytics.analytics_events",
    "table analytics.cross_platform_metrics",
    "function analytics.trend_of(jsonb)",
    "schema analytics",
)


def others(connection: Connection, *gone: str) -> list[Dependant]:
    return dependants(connection, SCOPE, gone or PHASE2)


def run(connection: Connection, statement: str) -> None:
    if statement:
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


@pytest.fixture
def url(clone: Clone) -> URL:
    url = clone("lived_in_table")
    Alembic(url).upgrade()
    lived_in.dependants(url)
    lived_in.execute(url, "lived_in_take_along")
    return lived_in.administrator(url)


def test_all_of_it_is_as_it_was(url: URL) -> None:
    before = everything(url)
    with create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        found = others(connection)
        assert [each.name for each in found if each.obstacle or each.barred] == []
        names = {each.name for each in found}
        for each in reversed(found):
            run(connection, each.removal)
        assert others(connection) == []
        gone = before.keys() - everything(url).keys()
        for each in found:
            for statement in (*each.creation, each.later):
                run(connection, statement)
        assert {each.name for each in others(connection)} == names
    assert difference(before, everything(url)) == {}
    for kind in (
        "view reporting",
        "materialized view ",
        "function ",
        "column days of table public",
        "index ",
        "constraint ",
    ):
        assert any(name.startswith(kind) for name in gone), kind
    for kind in ("trigger ", "rule ", "policy ", "statistics ", "published "):
        assert any(name.startswith(kind) for name in gone), kind


def test_what_could_not_be_brought_back_is_said(clone: Clone) -> None:
    url = lived_in.administrator(clone("lived_in_matview"))
    Alembic(url).upgrade()
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection, engine.connect() as other:
        run(other, "CREATE TEMPORARY VIEW passing AS SELECT trend_vector FROM public.features")
        run(connection, UNUSUAL)
        found = {each.name: each.obstacle for each in others(connection)}
    for name, obstacle in (
        ("column reporting.held.chart", "it holds values, which would be lost"),
        ("table reporting.child", "it holds data, or objects of its kind cannot"),
        ("index public.features.broken", "it is not as a statement makes it: INVALID"),
        ("constraint public.features.features_filled", "it is not as a statement makes it: index WITH (fillfactor=50)"),
        ("type reporting.pair", "it holds data, or objects of its kind cannot"),
        ("function reporting.part(analytics.trend_cache)", "it depends on extension btree_gist"),
        ("cast from analytics.trend_cache to text", "objects of its kind cannot be made anew exactly"),
    ):
        assert found.pop(name).startswith(obstacle), name
    [passing] = [name for name in found if name.startswith("view pg_temp")]
    assert found.pop(passing) == "objects of its kind cannot be made anew exactly"
    assert not any(found.values()), found


UNUSUAL = """
    CREATE EXTENSION btree_gist;
    CREATE TABLE reporting.held (chart analytics.trend_cache);
    CREATE TABLE reporting.child () INHERITS (analytics.trend_cache);
    CREATE INDEX broken ON public.features (last_analyzed_at);
    UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass;
    ALTER TABLE public.features ADD CONSTRAINT features_filled
        UNIQUE (niche_id, analytics_version) WITH (fillfactor = 50);
    CREATE TYPE reporting.pair AS (one analytics.trend_cache, other text);
    CREATE FUNCTION reporting.part(analytics.trend_cache) RETURNS text LANGUAGE sql AS 'SELECT $1.trend_type';
    ALTER FUNCTION reporting.part(analytics.trend_cache) DEPENDS ON EXTENSION btree_gist;
    CREATE CAST (analytics.trend_cache AS text) WITH FUNCTION reporting.part(analytics.trend_cache);
    CREATE VIEW reporting.fine AS SELECT trend_vector FROM public.features
"""


TRENDS = """
    INSERT INTO analytics.trend_cache (niche_id, trend_type, trend_source, parameters, trend_data, valid_until)
    SELECT n, 'chart', 'niche_trends', '{}', '{}', now() + interval '1 day' FROM generate_series(1, 9) AS s (n)
"""
HOLDING = """
    CREATE TYPE analytics.mood AS ENUM ('fine');
    CREATE TABLE reporting."Held %" ("a chart" analytics.trend_cache, mood analytics.mood DEFAULT 'fine');
    INSERT INTO reporting."Held %" SELECT t FROM analytics.trend_cache AS t;
    CREATE TABLE reporting.child () INHERITS (analytics.trend_cache);
    INSERT INTO reporting.child SELECT * FROM analytics.trend_cache
"""
HELD = """
    SELECT (SELECT count(*) FROM reporting.child), (SELECT count(*) FROM ONLY analytics.trend_cache),
        (SELECT count("a chart"::text) FROM reporting."Held %"), (SELECT min(mood::text) FROM reporting."Held %")
"""


def test_what_holds_data_is_told_to_detach_and_never_to_drop(url: URL) -> None:
    """With statements that run, after which nothing of it uses what goes."""
    gone = ("table analytics.trend_cache", "type analytics.mood")
    with create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        run(connection, TRENDS)
        run(connection, HOLDING)
        held = connection.exec_driver_sql(HELD.replace("%", "%%")).one()
        found = [each for each in others(connection, *gone) if each.obstacle]
        said = advice(found, "it")
        assert said.startswith("detach what holds data, which keeps it (")
        assert "DROP TABLE" not in said
        assert said.endswith("later, ALTER TABLE reporting.child INHERIT analytics.trend_cache; attaches it again")
        for each in reversed(found):
            assert each.removal == ""
            for statement in each.release:
                run(connection, statement)
        assert not [each.name for each in others(connection, *gone) if each.obstacle]
        assert connection.exec_driver_sql(HELD.replace("%", "%%")).one() == held


def test_columns_that_a_child_inherits_go_with_their_parent(url: URL) -> None:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        run(connection, "CREATE VIEW reporting.archived AS SELECT trend_vector, days FROM reporting.features_archive")
        found = {each.name: each for each in others(connection, "column public.features.trend_vector")}
    assert "reporting.features_archive.trend_vector" in found["view reporting.archived"].uses
    assert not any(name.startswith("column reporting.features_archive") for name in found)
    assert "column public.features.days" in found


def test_for_a_role_that_may_not(url: URL) -> None:
    """Whoever has not the rights of an owner could not make it anew."""
    with create_engine(url.set(username=lived_in.OWNER), poolclass=NullPool).connect() as connection:
        barred = {each.name: each.barred for each in others(connection)}
    assert barred["view reporting.trends"] == "it belongs to postgres, whose rights this role does not have"
    assert "lived_in_team" in barred["view reporting.order"]
    assert barred["index public.features.features_analyzed_idx"] == ""


def test_a_foreign_key_of_a_partitioned_table_is_added_plainly(clone: Clone) -> None:
    """Before PostgreSQL 18 it may not be NOT VALID."""
    theirs = "CREATE TABLE public.theirs (trend_id bigint REFERENCES analytics.trend_cache, at date)"
    with create_engine(clone("migrated_table"), poolclass=NullPool).connect() as connection:
        run(
            connection, f"{theirs} PARTITION BY RANGE (at); CREATE TABLE public.part PARTITION OF public.theirs DEFAULT"
        )
        [key] = [each for each in others(connection, "table analytics.trend_cache") if "theirs" in each.name]
        run(connection, key.removal)
        for statement in (*key.creation, key.later):
            run(connection, statement)
    assert key.later == ""
