"""Each check at its limit: where it fires, for the right reason, and beside that where it just does not."""

import threading

import psycopg
import pytest
from sqlalchemy import URL, NullPool, create_engine

from operations.findings import Finding
from operations.phase1 import Shape
from operations.queries import query
from operations.verify.subject import WHOLE, Subject, listed
from tests.engine.conftest import until
from tests.fixtures.databases import Clone, conninfo
from tests.operations.rollback.conftest import begun, pressed
from tests.operations.verify.conftest import look, plant, verdicts

CHARTS_GONE = """
    UPDATE sidb.backfill_ranges SET done_at = now() - interval '{}' WHERE job = 'niche_trends';
    DELETE FROM analytics.trend_cache WHERE niche_id <= {}
"""
BEHIND_BACK = "SET session_replication_role = replica; "
FULL = """
    DELETE FROM public.hot_niches_today;
    INSERT INTO public.hot_niches_today
        (niche_id, phrase, demand_score, monetise_score, supply_score, opportunity, updated_at)
    SELECT niche_id, phrase, demand_score, monetise_score, supply_score, opportunity, updated_at
    FROM public.features ORDER BY opportunity DESC, niche_id LIMIT {}
"""
TIED = f"""
    {FULL.format(50)}; {BEHIND_BACK} UPDATE public.features
    SET opportunity = (SELECT min(opportunity) FROM public.hot_niches_today) {{}},
        updated_at = (SELECT max(updated_at) FROM public.hot_niches_today)
    WHERE niche_id = (
        SELECT min(niche_id) FROM public.features WHERE niche_id NOT IN (SELECT niche_id FROM public.hot_niches_today)
    )
"""  # noqa: S608
TOO_GOOD = """
    ALTER TABLE analytics.insight_registry DROP CONSTRAINT insight_registry_score_check;
    INSERT INTO analytics.insight_registry (niche_id, insight_type, title, insight_data, model_version, score)
    SELECT 150, 'baseline', place, '{{}}', place, score
    FROM unnest(ARRAY[{}]::numeric []) WITH ORDINALITY AS s (score, place) ORDER BY place;
    ALTER TABLE analytics.insight_registry ADD CONSTRAINT insight_registry_score_check
        CHECK (score >= 0 AND score <= 1)"""
NOT_NULL = "UPDATE pg_attribute SET attnotnull = {} WHERE attname = 'event_source' AND attrelid IN"
NOT_NULL += " (SELECT relid FROM pg_partition_tree('analytics.analytics_events'));"
NULL_IN_EVENTS = NOT_NULL.format("false") + BEHIND_BACK
NULL_IN_EVENTS += "UPDATE analytics.analytics_events SET event_source = NULL WHERE event_id = 7;"
NULL_IN_EVENTS += NOT_NULL.format("true")
COUNTED_WRONG = """
    UPDATE analytics.niche_daily_activity_summary SET events = events + 1
    WHERE niche_id <= {} AND event_type = 'niche_scored'
"""
BEHIND = "SELECT setval('analytics.ml_features_vector_id_seq', 100)"
THEIRS = "CREATE TABLE analytics.theirs (n serial PRIMARY KEY); INSERT INTO analytics.theirs VALUES (5)"
WITHOUT_KEY = "ALTER TABLE public.features DROP CONSTRAINT features_phrase_key; "
MARKED = """
    UPDATE analytics.cross_platform_metrics SET demand_score = 0.5 WHERE niche_id = 150;
    DELETE FROM analytics.stale_views; INSERT INTO analytics.stale_views (view_name) VALUES ('{}')
"""
SWAPPED = """
    DROP EXTENSION IF EXISTS amcheck;
    CREATE INDEX one_idx ON public.features ((niche_id + 0)) WHERE {};
    CREATE INDEX other_idx ON public.features ((niche_id + 0)) WHERE {};
    UPDATE pg_class AS c SET relfilenode = o.relfilenode, relpages = o.relpages
    FROM pg_class AS o
    WHERE c.relname IN ('one_idx', 'other_idx') AND o.relname IN ('one_idx', 'other_idx') AND c.oid <> o.oid
"""
ON_PARTITION = """
    CREATE FUNCTION public.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER theirs BEFORE INSERT ON analytics_partitions.analytics_events_default
    FOR EACH ROW EXECUTE FUNCTION public.swallow()
"""
ON_TABLE = ON_PARTITION.replace("analytics_partitions.analytics_events_default", "analytics.analytics_events")
ALTERED = f"{BEHIND_BACK}UPDATE public.features SET demand_score = 1 - demand_score / 2 WHERE niche_id <= {{}}"  # noqa: S608


@pytest.mark.parametrize(
    ("check", "statement", "verdict", "named"),
    [
        ("charts", CHARTS_GONE.format("22 hours 50 minutes", 200), "failed", "200 of 200 are not in"),
        ("charts", CHARTS_GONE.format("23 hours 10 minutes", 200), None, ""),
        ("charts", CHARTS_GONE.format("4 hours 50 minutes", 50), "failed", "50 of 200 are not in"),
        ("charts", CHARTS_GONE.format("5 hours 10 minutes", 50), "ok", "200 are there"),
        ("hot niches", FULL.format(50), "ok", "50 of 50 rows are as in features, 0 changed there since"),
        ("hot niches", FULL.format(51), "failed", "there are 51"),
        ("hot niches", TIED.format("+ 0"), "ok", ""),
        ("hot niches", TIED.format("+ 0.00001"), "warning", "1 niches belong to the top 50, too: refresh pending"),
        (
            "hot niches",
            f"{BEHIND_BACK}DELETE FROM public.features WHERE niche_id = 26",  # noqa: S608
            "ok",
            "7 of 8 rows are as in features, 1 changed there since",
        ),
        (
            "hot niches",
            "UPDATE public.features SET trend_vector = NULL, last_analyzed_at = NULL WHERE niche_id = 26;"
            "UPDATE public.hot_niches_today SET trend_direction = NULL, trend_confidence = NULL, days_trending = NULL"
            " WHERE niche_id = 26",
            "ok",
            "",
        ),
        ("partitions", ON_PARTITION, "warning", "trigger theirs on analytics_partitions.analytics_events_default"),
        ("partitions", ON_TABLE, "ok", "are as their tables"),
        ("check constraints", f"{TOO_GOOD.format('1.5, NULL')} NOT VALID", "failed", "_score_check (insight_id 1)"),
        ("check constraints", f"{TOO_GOOD.format('NULL, 1.5')} NOT VALID", "failed", "_score_check (insight_id 2)"),
        ("check constraints", TOO_GOOD.format("NULL, 1"), "ok", " hold, on "),
        ("not null", NULL_IN_EVENTS, "failed", "1 of "),
        ("activity", COUNTED_WRONG.format(5), "failed", "5 counts are wrong"),
        ("activity", COUNTED_WRONG.format(6), "failed", "6 counts are wrong"),
        ("sequences", BEHIND, "failed", "analytics.ml_features_vector_id_seq gives 101 next"),
        ("sequences", f"{BEHIND}; ALTER SEQUENCE analytics.ml_features_vector_id_seq INCREMENT BY -1", "ok", ""),
        ("sequences", THEIRS, "failed", "analytics.theirs_n_seq gives 1 next"),
        (
            "sequences",
            f"{THEIRS}; CREATE EXTENSION citext; ALTER EXTENSION citext ADD TABLE analytics.theirs",
            "ok",
            "",
        ),
        (
            "group roles",
            "REVOKE ALL ON SCHEMA analytics FROM analytics_reader",
            "failed",
            "analytics_reader got no rights, as it was missing when they were granted: sidb upgrade, or sidb maintain",
        ),
        ("materialized views", MARKED.format("platform_comparison"), "warning", "platform_comparison differs in 1"),
        ("materialized views", MARKED.format("trending_niches"), "failed", "(150), and nothing marks it as stale"),
        ("catalog", WITHOUT_KEY, "failed", "public.features.phrase: has no unique constraint"),
        (
            "catalog",
            f"{WITHOUT_KEY}CREATE UNIQUE INDEX ON public.features (phrase) WHERE niche_id > 0",
            "failed",
            "public.features.phrase: has no unique constraint",
        ),
        ("catalog", f"{WITHOUT_KEY}CREATE UNIQUE INDEX ON public.features (phrase)", "ok", "; found, not ours: "),
        ("indexes", SWAPPED.format("niche_id <= 100", "true"), "failed", "one_idx of public.features: it leads to 100"),
        (
            "indexes",
            SWAPPED.format("niche_id <= 100", "niche_id > 100"),
            "failed",
            "its keys are not those of the rows",
        ),
        ("Phase 1 rows", "UPDATE sidb.fingerprint SET oldest_open = NULL", "ok", " were open then is not known, nor"),
        ("Phase 1 rows", ALTERED.format(11), "failed", "\n  niches 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 … have other values"),
        ("Phase 1 rows", ALTERED.format(10), "failed", "\n  niches 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 have other values"),
    ],
)
@pytest.mark.clean
def test_at_the_limit(check: str, statement: str, verdict: str | None, named: str, clone: Clone) -> None:
    url = clone("backfilled_table")
    plant(url, statement)
    found = of(url).get(check)
    assert (found and found.verdict) == verdict, found
    assert named in (found.detail if found else "")
    if check == "activity":
        assert found is not None
        assert found.detail.count(": the view says ") == 5


def of(url: URL) -> dict[str, Finding]:
    return {finding.check: finding for finding in look(url).findings}


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (
            "ALTER MATERIALIZED VIEW analytics_phase1.hot_niches_today OWNER TO pg_monitor",
            "its owner is pg_monitor, that of public.hot_niches_today {owner}: ALTER MATERIALIZED VIEW"
            " analytics_phase1.hot_niches_today OWNER TO {owner}",
        ),
        (
            "ALTER MATERIALIZED VIEW analytics_phase1.hot_niches_today RENAME TO aside; CREATE VIEW"
            " analytics_phase1.hot_niches_today AS SELECT * FROM analytics_phase1.aside",
            "analytics_phase1.hot_niches_today is no materialized view, and there is no way back",
        ),
        (
            "ALTER MATERIALIZED VIEW analytics_phase1.hot_niches_today RENAME TO aside; CREATE MATERIALIZED VIEW"
            " analytics_phase1.hot_niches_today AS SELECT *, niche_id::text AS n FROM analytics_phase1.aside;"
            " ALTER MATERIALIZED VIEW analytics_phase1.hot_niches_today RENAME niche_id TO number;"
            " ALTER MATERIALIZED VIEW analytics_phase1.hot_niches_today RENAME n TO niche_id",
            "it has no column niche_id as ours has",
        ),
    ],
    ids=["another owner", "a view", "another type"],
)
def test_phase_1s_view_is_kept_as_it_was(statement: str, named: str, clone: Clone) -> None:
    url = clone(f"migrated_{Shape.MATVIEW}")
    plant(url, statement)
    found = of(url)["Phase 1 view"]
    assert (found.verdict, named.format(owner=url.username) in found.detail) == ("failed", True), found


def test_a_rollback_half_way(clone: Clone) -> None:
    url = clone("migrated_table")
    pressed(url, "LOCK TABLE .*content_recommendations", "rollback", "2.0.1", "--yes")
    found = of(url)
    assert found["half-way"].verdict == "failed"
    assert found["half-way"].detail.startswith(f"{begun(url)} was interrupted (tables of schema analytics are")
    assert found["application's rights"].verdict == "failed"
    assert found["application's rights"].detail.startswith("applications are shut out of tables of schema analytics.")
    assert found["revision"].remedy.startswith("`sidb rollback` finishes it, down to")


def test_a_rollback_that_has_closed_nothing_shuts_nobody_out(clone: Clone) -> None:
    url = clone("migrated_table")
    pressed(url, "REVOKE ALL.*CASCADE", "rollback", "2.0.1", "--yes")
    found = of(url)
    assert found["half-way"].verdict == "failed"
    assert found["application's rights"].verdict == "ok"


def test_a_statement_that_is_cancelled_is_no_lost_connection(clone: Clone) -> None:
    url = clone("migrated_table")
    cancel = "SELECT pg_cancel_backend(pid) FROM pg_locks WHERE NOT granted"
    with (
        psycopg.connect(conninfo(url)) as holder,
        psycopg.connect(conninfo(url), autocommit=True) as other,
    ):
        holder.execute("LOCK TABLE analytics.niche_daily_activity_summary")
        cancelling = threading.Thread(
            target=until, args=(lambda: other.execute(cancel).fetchone() is not None, "it waits for the lock")
        )
        cancelling.start()
        unknown = [finding for finding in look(url).findings if finding.verdict == "unknown"]
        cancelling.join()
    assert "canceling statement due to user request" in str(unknown)


def test_a_check_changes_nothing(clone: Clone) -> None:
    url = clone("migrated_table")
    with create_engine(url, poolclass=NullPool).connect() as connection:
        subject = Subject(connection, WHOLE, lambda _: None)
        with subject.transaction(), pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            subject.driver.execute("DELETE FROM analytics.stale_views")
        with subject.transaction(writable=True):
            subject.driver.execute("INSERT INTO analytics.stale_views (view_name) VALUES ('undone')")
        with subject.transaction():
            assert subject.driver.execute("SELECT FROM analytics.stale_views").fetchall() == []


def test_what_share_of_the_niches_is_looked_at(clone: Clone) -> None:
    """Without a horizon all of their events are recounted."""
    url = clone("backfilled_table")
    counted = {percent: look(url, percent) for percent in (100, 50)}
    details = {percent: verdicts(found, "ok")["activity"] for percent, found in counted.items()}
    rows = {percent: int(detail.partition(" ")[0].replace(",", "")) for percent, detail in details.items()}
    assert 0 < rows[50] < rows[100]
    assert details[100].endswith(" events recounted")


@pytest.mark.parametrize(
    ("type_", "fits"),
    [
        ("numeric(5, 4)", True),
        ("numeric", True),
        ("numeric(7, 5)", True),
        ("numeric(4, 3)", False),
        ("numeric(4, 4)", False),
        ("real", False),
    ],
)
@pytest.mark.clean
def test_what_phase_1_needs_of_a_column(clone: Clone, type_: str, fits: bool) -> None:
    """So many digits before and behind the point as Phase 1 may have written."""
    with psycopg.connect(conninfo(clone("phase1_matview")), autocommit=True) as connection:
        connection.execute(b"DROP MATERIALIZED VIEW hot_niches_today; UPDATE features SET demand_score = 0")
        connection.execute(f"ALTER TABLE features ALTER demand_score TYPE {type_}".encode())
        lacks = [line for (line,) in connection.execute(query("verify/phase1_lacks"))]
    found = [line for line in lacks if "features" in line]
    actual = type_.replace(", ", ",")
    assert found == ([] if fits else [f"public.features.demand_score: is {actual}, needs numeric(5,4)"])


def test_of_many_lines_the_first_twenty_are_listed() -> None:
    assert listed(["line"] * 20) == "\n  line" * 20
    assert listed(["line"] * 21) == "\n  line" * 20 + "\n  and 1 more"
