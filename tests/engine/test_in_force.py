"""What is not in force: all in our schemas, and of a relation that others share with us what we added to it."""

import psycopg
import pytest
from alembic_online.in_force import look
from sqlalchemy import URL

from operations.scope import SCOPE
from tests.fixtures.databases import Clone, conninfo

INVALID = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{}'::regclass"
INDEX = f"CREATE INDEX theirs ON public.features (phrase); {INVALID.format('theirs')}"
NOT_VALID = "ADD CONSTRAINT theirs CHECK (niche_id > 0) NOT VALID"
NOT_ENFORCED = "ALTER TABLE analytics.trend_cache ADD CONSTRAINT meant CHECK (trend_type <> '') NOT ENFORCED"
TRIGGER = (
    "CREATE TRIGGER theirs BEFORE UPDATE ON {0} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"
)
DISABLED = f"{TRIGGER}; ALTER TABLE {{0}} DISABLE TRIGGER theirs"
OF_A_PARTITION = """
    CREATE TABLE analytics.log (id int) PARTITION BY RANGE (id);
    CREATE TABLE analytics.log_1 PARTITION OF analytics.log DEFAULT;
    ALTER TABLE analytics.log_1 ADD CONSTRAINT few CHECK (id < 9) NOT VALID
"""


def found(url: URL, sql: str) -> list[str]:
    with psycopg.connect(conninfo(url)) as connection:
        connection.execute(sql.encode())
        return [str(each) for each in look(connection, SCOPE)]


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("ALTER TABLE analytics.ml_features " + NOT_VALID, "constraint theirs on analytics.ml_features is not valid"),
        (DISABLED.format("analytics.ml_features"), "trigger theirs on analytics.ml_features is disabled"),
        (
            "ALTER TABLE features DISABLE TRIGGER features_mark_trending_niches",
            "trigger features_mark_trending_niches on features is disabled",
        ),
        (INVALID.format("analytics.idx_trend_cache_valid_until"), "index analytics.idx_trend_cache_valid_until on "),
        (
            "REFRESH MATERIALIZED VIEW analytics.trending_niches WITH NO DATA",
            "materialized view analytics.trending_niches is not populated",
        ),
    ],
)
def test_it_is_found(clone: Clone, sql: str, what: str) -> None:
    [one] = found(clone("migrated_table"), sql)
    assert one.startswith(what)


@pytest.mark.parametrize(
    ("template", "sql"),
    [
        ("migrated_table", INDEX),
        ("migrated_table", f"ALTER TABLE features {NOT_VALID}"),
        ("migrated_table", DISABLED.format("features")),
        ("migrated_matview", "REFRESH MATERIALIZED VIEW hot_niches_today WITH NO DATA"),
        ("migrated_table", OF_A_PARTITION),
    ],
)
def test_others_and_what_is_each_partitions_own_are_not_looked_at(clone: Clone, template: str, sql: str) -> None:
    assert found(clone(template), sql) == []


def test_a_constraint_that_is_meant_to_bind_nobody_is_in_force(clone: Clone) -> None:
    url = clone("migrated_table")
    with psycopg.connect(conninfo(url)) as connection:
        if connection.info.server_version < 180_000:
            pytest.skip("of PostgreSQL 18")
    assert found(url, NOT_ENFORCED) == []


OFF = "ALTER TABLE {} DISABLE TRIGGER ALL"
KEYS = {
    "constraint analytics_events_niche_id_fkey on analytics.analytics_events is disabled",
    "constraint trend_cache_niche_id_fkey on analytics.trend_cache is disabled",
}
OTHERS_TRIGGER = """
    CREATE FUNCTION public.theirs() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER theirs AFTER UPDATE ON features EXECUTE FUNCTION public.theirs();
    ALTER TABLE features DISABLE TRIGGER theirs
"""
ORPHANS = """
    INSERT INTO analytics.trend_cache (niche_id, trend_type, trend_source, parameters, trend_data, valid_until)
    SELECT 1, 'chart', 'niche_trends', '{}', '{"points": []}', now() + interval '1 day'
"""


def test_the_half_of_a_foreign_key_on_a_table_of_others(clone: Clone) -> None:
    """It keeps a niche from being deleted that something refers to. What others have disabled there stays so."""
    url = clone("migrated_table")
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute(OTHERS_TRIGGER.encode())
        connection.execute(ORPHANS.encode())
        connection.execute(OFF.format("features").encode())
        off = [each for each in look(connection, SCOPE) if each.object.startswith("constraint ")]
        assert {str(each) for each in off} >= KEYS
        assert not [each for each in off if " on features " in str(each) or " on public." in str(each)]
        for each in off:
            assert "ENABLE TRIGGER ALL" not in each.statement
            connection.execute(each.statement.encode())
        assert [str(each) for each in look(connection, SCOPE)] == [
            "trigger features_mark_trending_niches on features is disabled"
        ]
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            connection.execute("DELETE FROM features WHERE niche_id = 1")
        row = connection.execute("SELECT tgenabled FROM pg_trigger WHERE tgname = 'theirs'").fetchone()
        assert row == ("D",)


@pytest.mark.parametrize("table", ["analytics.trend_cache", "analytics.analytics_events"])
def test_the_other_half_of_a_foreign_key(clone: Clone, table: str) -> None:
    url = clone("migrated_table")
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute(OFF.format(table).encode())
        off = [each for each in look(connection, SCOPE) if each.object.startswith("constraint ")]
        assert KEYS & {str(each) for each in off}
        for each in off:
            connection.execute(each.statement.encode())
        assert [each for each in look(connection, SCOPE) if each.object.startswith("constraint ")] == []
        disabled = "SELECT count(*) FROM pg_trigger WHERE tgisinternal AND tgenabled = 'D'"
        assert connection.execute(disabled).fetchone() == (0,), "of partitions, too"


def test_the_half_of_a_foreign_key_of_others_on_a_table_of_ours(clone: Clone) -> None:
    url = clone("migrated_table")
    made = "CREATE TABLE public.noted (cache_id bigint CONSTRAINT theirs REFERENCES analytics.trend_cache)"
    said = found(url, f"{made}; {OFF.format('analytics.trend_cache')}")
    assert "constraint theirs on noted is disabled" in said


ROW_TRIGGER = """
    CREATE FUNCTION public.noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER noted AFTER UPDATE ON analytics.analytics_events FOR EACH ROW EXECUTE FUNCTION public.noted()
"""
REFERRED = """
    CREATE TABLE analytics.log (id int PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE analytics_partitions.log_1 PARTITION OF analytics.log DEFAULT;
    CREATE TABLE public.noted (id int CONSTRAINT theirs REFERENCES analytics.log)
"""
FIRST = "analytics_partitions.analytics_events_default"


@pytest.mark.parametrize(
    ("made", "table", "whole", "on_partition"),
    [
        (
            ROW_TRIGGER,
            FIRST,
            "analytics.analytics_events",
            [
                f"constraint analytics_events_niche_id_fkey on the partition {FIRST} is disabled",
                f"trigger noted on the partition {FIRST} is disabled",
            ],
        ),
        (
            REFERRED,
            "analytics_partitions.log_1",
            "analytics.log",
            ["constraint theirs on noted, where it refers to the partition analytics_partitions.log_1, is disabled"],
        ),
    ],
)
def test_what_is_disabled_on_one_partition(
    clone: Clone, made: str, table: str, whole: str, on_partition: list[str]
) -> None:
    """And once, with the table, where it is disabled on all of them."""
    url = clone("migrated_table")
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute(made.encode())
        connection.execute(OFF.format(table).encode())
        off = look(connection, SCOPE)
        assert [str(each) for each in off] == on_partition
        assert all(f"ALTER TABLE {table} ENABLE TRIGGER " in each.statement for each in off)
        for each in off:
            connection.execute(each.statement.encode())
        assert look(connection, SCOPE) == []
        connection.execute(OFF.format(whole).encode())
        off = look(connection, SCOPE)
        assert off
        assert not [each for each in off if "partition" in str(each)]
        for each in off:
            connection.execute(each.statement.encode())
        assert look(connection, SCOPE) == []
