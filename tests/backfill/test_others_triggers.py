"""Writing our columns of features changes no other: where somebody's trigger does so, the job stops and says how."""

import re
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine

from backfill import planning
from backfill.errors import BackfillError
from backfill.jobs import JOBS
from tests.backfill.conftest import Sql, load_file, run, verify
from tests.fixtures.databases import conninfo
from tests.fixtures.ended import counted

TOUCH = """
    CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN new.updated_at := now(); RETURN new; END $$;
    CREATE TRIGGER features_stamp BEFORE UPDATE ON public.features
    FOR EACH ROW EXECUTE FUNCTION public.touch()
"""
NOTES = """
    ALTER TABLE public.features ADD mark point DEFAULT '(1, 1)', ADD days integer
    GENERATED ALWAYS AS (jsonb_array_length(trend_vector)) STORED;
    CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN new.mark := '(2, 2)'; RETURN new; END $$;
    CREATE TRIGGER features_mark BEFORE UPDATE OF last_analyzed_at ON public.features
    FOR EACH ROW EXECUTE FUNCTION public.note()
"""
AFTERWARDS = """
    CREATE FUNCTION public.again() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE public.features SET updated_at = now()
        WHERE niche_id = new.niche_id AND updated_at <> now();
        RETURN NULL;
    END $$;
    CREATE {kind} TRIGGER features_again AFTER UPDATE ON public.features {when}
    FOR EACH ROW EXECUTE FUNCTION public.again()
"""
CASES = {
    "features_stamp": TOUCH,
    "features_mark": NOTES,
    "features_again": AFTERWARDS.format(kind="", when=""),
    "features_again, at the commit": AFTERWARDS.format(kind="CONSTRAINT", when="DEFERRABLE INITIALLY DEFERRED"),
}
PHASE1 = "SELECT niche_id, phrase, demand_score, opportunity, updated_at FROM public.features ORDER BY 1"


@pytest.mark.parametrize("case", CASES)
def test_a_trigger_that_changes_others_columns_stops_the_job(
    case: str, migrated: Engine, sql: Sql, history_file: Path
) -> None:
    load_file(migrated, history_file)
    sql(CASES[case])
    before = sql(PHASE1)
    with pytest.raises(BackfillError) as stopped:
        run(migrated)
    said = str(stopped.value)
    trigger = case.partition(",")[0]
    assert said.startswith("niche_trends was stopped after a batch of ")
    assert f"({trigger})" in said
    assert sql(PHASE1) == before
    assert sql("SELECT count(*) FROM public.features WHERE last_analyzed_at IS NOT NULL") == [(0,)]
    assert sql("SELECT count(*) FROM analytics.trend_cache") == [(0,)]
    assert sql("SELECT count(*) FROM sidb.backfill_set_aside") == [(0,)]

    narrowed = re.search(r"\n  (\S+ .* TRIGGER .+);\n", said)
    assert narrowed is not None
    if trigger == "features_mark":  # told to fire for ours
        sql(f"DROP TRIGGER {trigger} ON public.features")
    else:
        assert "UPDATE OF niche_id, phrase" in narrowed[1]
        with migrated.begin() as connection:  # of names as they are
            connection.execution_options(no_parameters=True).exec_driver_sql(narrowed[1])
    with migrated.begin() as connection:
        planning.retry(connection, JOBS)
    run(migrated)
    assert sql(PHASE1) == before
    assert all(proof.holds for proof in verify(migrated))


def test_of_hot_niches_too(migrated: Engine, sql: Sql, history_file: Path) -> None:
    load_file(migrated, history_file)
    sql(TOUCH.replace("public.features", "public.hot_niches_today").replace("features_stamp", "hot_stamp"))
    sql("UPDATE public.hot_niches_today SET trend_direction = NULL")
    hot = "SELECT niche_id, phrase, opportunity, updated_at FROM public.hot_niches_today ORDER BY 1, 4"
    before = sql(hot)
    with pytest.raises(BackfillError) as stopped:
        run(migrated)
    said = str(stopped.value)
    assert said.startswith(f"hot_niches was stopped after a batch of {len(before)} rows")
    assert "others' triggers on public.hot_niches_today (hot_stamp) changed columns" in said
    assert sql(hot) == before
    narrowed = re.search(r"\n  (\S+ .* TRIGGER .+);\n", said)
    assert narrowed is not None
    sql(narrowed[1])
    with migrated.begin() as connection:
        planning.retry(connection, JOBS)
    run(migrated)
    assert sql(hot) == before
    assert all(proof.holds for proof in verify(migrated))


def test_triggers_that_change_nothing_of_others_are_no_hindrance(
    migrated: Engine, sql: Sql, history_file: Path
) -> None:
    load_file(migrated, history_file)
    sql("""
        CREATE TABLE public.audit (niche_id bigint PRIMARY KEY, at timestamptz);
        CREATE FUNCTION public.audit() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO public.audit VALUES (new.niche_id, now()); RETURN NULL; END $$;
        CREATE TRIGGER features_seen AFTER UPDATE ON public.features FOR EACH ROW EXECUTE FUNCTION public.audit();
        CREATE FUNCTION public.same() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
        CREATE TRIGGER features_same BEFORE UPDATE ON public.features FOR EACH ROW EXECUTE FUNCTION public.same();
    """)
    before = sql(PHASE1)
    run(migrated)
    assert sql(PHASE1) == before
    assert sql("SELECT count(*) > 0 FROM public.audit") == [(True,)]
    assert all(proof.holds for proof in verify(migrated))


def test_an_error_that_names_a_user_is_written_down_before_an_erasure_goes_on(
    migrated: Engine, sql: Sql, history_file: Path
) -> None:
    """Or it would name the user after the erasure has looked for such errors."""
    load_file(migrated, history_file)
    sql(
        "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE 'not %', new.user_id; END $$;"
        " CREATE TRIGGER refuse BEFORE INSERT ON analytics.analytics_events"
        " FOR EACH ROW WHEN (new.event_source = 'web') EXECUTE FUNCTION public.refuse()"
    )
    seen: list[bool] = []

    def look(_number: int, statement: str) -> None:
        if "UPDATE sidb.backfill_ranges SET" in statement and "error" in statement:
            with psycopg.connect(conninfo(migrated.url)) as other:
                held = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock')"
                seen.extend(row[0] for row in other.execute(held))

    with pytest.raises(BackfillError):
        counted(lambda: run(migrated), look)
    assert seen
    assert all(seen)
