"""Where a check of the rows just does not fire: what looks like a fault, and is none."""

from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy import Engine

from operations import phase1
from operations.phase1 import Shape
from tests.fixtures import lived_in
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.operations.verify.conftest import look, plant, verdicts
from tests.operations.verify.faults.rows import BESIDE_INDEX, NICHE

QUIET_FOR_DAYS = """
    SET session_replication_role = replica; UPDATE public.features SET updated_at = updated_at - interval '2 days';
    DELETE FROM public.hot_niches_today
"""
EXPIRED = "UPDATE sidb.backfill_ranges SET done_at = now() - interval '1 day'; DELETE FROM analytics.trend_cache"


@pytest.mark.parametrize(
    ("check", "statement"),
    [
        (
            "keys",
            "ALTER TABLE public.features ALTER phrase DROP NOT NULL;"
            " INSERT INTO public.features (phrase) VALUES (NULL), (NULL)",
        ),
        ("sequences", "SELECT setval('public.features_niche_id_seq', 200)"),
        ("sequences", "SELECT setval('public.features_niche_id_seq', 201, false)"),
        ("not null", "UPDATE public.features SET demand_score = NULL, updated_at = now() WHERE niche_id = 150"),
        ("indexes", "CREATE INDEX theirs ON public.features USING hash (phrase)"),
        ("charts", EXPIRED),
        (
            "charts",
            "UPDATE sidb.backfill_ranges SET done_at = now() - interval '6 hours' WHERE job = 'niche_trends';"
            " DELETE FROM analytics.trend_cache WHERE niche_id < 50",
        ),
        (
            "charts",
            "UPDATE public.features SET last_analyzed_at = now() WHERE niche_id = 150;"
            " DELETE FROM analytics.trend_cache WHERE niche_id = 150",
        ),
        ("hot niches", QUIET_FOR_DAYS),
    ],
)
def test_what_is_no_fault(check: str, statement: str, clone: Clone) -> None:
    url = clone("backfilled_table")
    plant(url, statement)
    assert check not in verdicts(look(url), "failed")


def test_a_chart_in_the_middle_of_a_range_has_not_expired(clone: Clone) -> None:
    url = clone("backfilled_table")
    plant(url, "UPDATE sidb.backfill_ranges SET done_at = now() - interval '6 hours' WHERE job = 'niche_trends'")
    plant(url, "DELETE FROM analytics.trend_cache WHERE niche_id = 50")
    assert "niche_id 50" in verdicts(look(url), "failed")["charts"]


def test_of_two_indexes_on_the_same_keys_amcheck_reads_the_one_that_no_plan_does(clone: Clone) -> None:
    """A superuser has it for as long as it looks; another role is told what lets it."""
    url = clone("migrated_table")
    there = "SELECT count(*) FROM pg_extension WHERE extname = 'amcheck'"
    with psycopg.connect(conninfo(url)) as connection:
        before = connection.execute(there).fetchone()
    assert "not looked at" not in verdicts(look(url), "ok")["indexes"]
    damaged = BESIDE_INDEX.format("public.features_phrase_key", NICHE)
    plant(url, f"{damaged}; REFRESH MATERIALIZED VIEW analytics.trending_niches")
    assert "index public.features_phrase_key of public.features: amcheck: " in verdicts(look(url), "failed")["indexes"]
    with psycopg.connect(conninfo(url)) as connection:
        assert connection.execute(there).fetchone() == before


def test_what_no_plan_reads_is_unknown_to_who_may_not_call_amcheck(clone: Clone) -> None:
    url = clone("lived_in_table")
    administrator = lived_in.administrator(url)
    Alembic(url).upgrade()
    plant(administrator, "DROP EXTENSION amcheck")
    for extension in (None, "CREATE EXTENSION amcheck"):
        if extension:
            plant(administrator, extension)
        found = look(url)
        assert found.exit_code == 3
        assert "only amcheck could look at\n  public.features_phrase_key: " in verdicts(found, "unknown")["indexes"]
        [remedy] = [each.remedy for each in found.findings if each.check == "indexes"]
        assert remedy.startswith("as an administrator: ")
    plant(administrator, remedy.removeprefix("as an administrator: "))
    assert "indexes" in verdicts(look(url), "ok")


@pytest.mark.parametrize("revision", ["2.0.3", "2.0.4"])
def test_phase_1s_view_is_looked_for_where_it_waits(revision: str, clone: Clone, shape: Shape) -> None:
    url = clone(f"phase1_{shape}")
    Alembic(url).upgrade(revision)
    well = verdicts(look(url), "ok")
    assert ("Phase 1 view" in well) == (shape is Shape.MATVIEW and revision == "2.0.4")


def test_a_lived_in_database_passes(clone: Clone, shape: Shape, connect: Callable[..., Engine]) -> None:
    url = clone(f"lived_in_{shape}")
    Alembic(url).upgrade()
    lived_in.in_analytics(url)
    lived_in.dependants(url)
    if shape is Shape.MATVIEW:
        with connect(url).begin() as connection:
            phase1.refresh(connection, shape)
    found = look(url)
    assert verdicts(found, "failed") == {}
    assert verdicts(found, "unknown") == {}
    assert set(verdicts(found, "warning")) == {"history", "scores", "trends", "hot trends"}
    assert "keys" in verdicts(found, "ok")
