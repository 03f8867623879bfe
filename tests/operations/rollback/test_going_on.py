"""Gone on with or given up: what was begun is finished from where it stopped, and what comes between is said."""

import io
from functools import partial

import psycopg
import pytest
from alembic_online import Options, UsageError
from alembic_online.errors import OnlineError
from click.testing import CliRunner
from rich.console import Console
from sqlalchemy import URL, Engine

from operations.cli import main
from operations.rollback import abort as giving_up
from operations.rollback import archives, rollback
from tests.engine.conftest import catalog, current
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.fixtures.ended import counted, once, stop, stopped
from tests.fixtures.lived_in import administrator
from tests.fixtures.revisions import HEAD
from tests.operations.rollback.conftest import (
    MOVES,
    abort,
    begun,
    bring_back,
    execute,
    finding,
    pressed,
    roll_back,
    rows,
)

REPORT = "CREATE VIEW public.report{} AS SELECT niche_id FROM analytics.trend_cache"


def test_a_step_is_undone_whole_after_two_attempts_at_it(engine: Engine) -> None:
    """The second one began with a part of it undone."""
    url = engine.url
    complete, before = catalog(url), rows(engine)
    engine.dispose()
    dropped = "DROP INDEX CONCURRENTLY"
    stopped(partial(roll_back, url, "2.0.1"), dropped, 4)
    stopped(partial(roll_back, url, None), dropped)
    assert current(url) == "2.0.5"
    assert (abort(url).exit_code, current(url)) == (0, "2.0.4")
    Alembic(url).upgrade()
    assert catalog(url) == complete
    assert rows(engine) == before


def test_a_part_of_a_step_that_cannot_be_undone_now(engine: Engine) -> None:
    """The tables are opened all the same, and what is to be done is said."""
    url = engine.url
    stopped(partial(roll_back, url, "2.0.1"), "DROP INDEX CONCURRENTLY", 4)
    with psycopg.connect(conninfo(url)) as blocker:
        blocker.execute("SELECT FROM analytics.analytics_events, public.features LIMIT 1")
        found = giving_up.abort(url, Console(file=io.StringIO()), Options(deadline=0.5))
    moved = [each for each in found.findings if each.check == "moved aside"]
    assert moved[0].detail.startswith("a part of 2.0.5 is undone. 2.0.5 downgrade: could not acquire its locks")
    assert (found.exit_code, finding(found, "access opened").verdict) == (1, "ok")
    assert execute(url, "SELECT has_table_privilege('analytics_reader', 'analytics.trend_cache', 'SELECT')") == [
        (True,)
    ]


def test_given_up_while_somebody_reads_the_table_that_is_copied(engine: Engine) -> None:
    """The tables are opened first; the copy's triggers, whose removal waits for readers, are left to another try."""
    url = engine.url
    stopped(partial(roll_back, url, "1.0.0"), "ADD PRIMARY KEY")
    left = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'sidb_follow%' AND tgparentid = 0"
    with psycopg.connect(conninfo(url)) as reader:
        reader.execute("SELECT FROM public.features LIMIT 1")
        found = giving_up.abort(url, Console(file=io.StringIO()), Options(deadline=0.5))
    assert (found.exit_code, finding(found, "access opened").verdict) == (0, "ok")
    assert finding(found, "moved aside").detail.startswith("triggers of an interrupted copy are left. ")
    assert found.next_step.startswith("`sidb rollback --abort` again when these transactions have ended")
    assert execute(url, "SELECT phase FROM sidb.rollback") == [("aborted",)]
    assert execute(url, left) == [(2,)]
    with pytest.raises(OnlineError, match="has left triggers of its copies on a table"):
        rollback.prepare(url, "1.0.0")
    assert abort(url).exit_code == 0
    assert execute(url, left) == [(0,)]
    with pytest.raises(UsageError, match="No rollback was interrupted"):
        abort(url)


def test_given_up_once(engine: Engine) -> None:
    url = engine.url
    stopped(partial(roll_back, url, "2.0.1"), "LOCK TABLE public.features")
    abort(url)
    with pytest.raises(UsageError, match="No rollback was interrupted"):
        abort(url)
    Alembic(url).upgrade()
    assert roll_back(url, "2.0.3").exit_code == 0
    assert execute(url, "SELECT phase, target FROM sidb.rollback ORDER BY rollback_id") == [
        ("aborted", "2.0.1"),
        ("done", "2.0.3"),
    ]


def test_another_target_than_that_of_the_interrupted_one(engine: Engine) -> None:
    url = engine.url
    stopped(partial(roll_back, url, "2.0.1"), MOVES)
    at = current(url)
    with pytest.raises(UsageError, match=r"The rollback to 2\.0\.1 that began .* is not finished") as refused:
        roll_back(url, "2.0.0")
    assert "`sidb rollback --abort`" in refused.value.next_step
    assert current(url) == at
    assert roll_back(url, "2.0.1").exit_code == 0


def test_what_others_go_on_building_is_taken_along_too(engine: Engine) -> None:
    """Asked for once, it holds for the whole rollback; not asked for, it is refused."""
    url = engine.url
    execute(url, REPORT.format(""))
    stopped(partial(roll_back, url, "2.0.0", take_along=True), MOVES)
    execute(url, REPORT.format("_later"))
    assert roll_back(url, None).exit_code == 0
    assert execute(url, "SELECT name FROM sidb.rollback_dependant ORDER BY place") == [
        ("view public.report",),
        ("view public.report_later",),
    ]
    archives.drop(url, 1)
    assert execute(url, "SELECT DISTINCT state FROM sidb.rollback_dependant") == [("dropped",)]
    Alembic(url).upgrade()
    with pytest.raises(OnlineError, match="restored already, or was dropped"):
        bring_back(url)


def test_what_others_built_since_without_being_asked_for(engine: Engine) -> None:
    url = engine.url
    stopped(partial(roll_back, url, "2.0.0"), MOVES)
    execute(url, REPORT.format(""))
    with pytest.raises(OnlineError, match=r"view public\.report uses analytics\.trend_cache"):
        roll_back(url, None)
    assert execute(url, "SELECT count(*) FROM public.report") == [(60,)]


def test_a_restore_whose_session_is_ended(engine: Engine) -> None:
    """What ended it is said, and that it goes on; not each object of others that waits for it."""
    url = engine.url
    execute(url, REPORT.format(""))
    roll_back(url, "2.0.0", take_along=True)
    Alembic(url).upgrade()
    end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()"
    end += " AND pid <> pg_backend_pid() AND application_name LIKE 'sidb%'"
    with pytest.raises(OnlineError, match="The database refused it: terminating connection") as caught:
        counted(partial(bring_back, url), once("CREATE VIEW public.report", partial(execute, administrator(url), end)))
    assert caught.value.next_step.startswith("correct that and run it again: it continues")
    assert bring_back(url).exit_code == 0
    assert execute(url, "SELECT count(*) FROM public.report") == [(60,)]


def test_what_takes_time_of_an_object_of_others_is_done_by_the_next_restore(engine: Engine) -> None:
    """It is there by then, and not filled."""
    url = engine.url
    execute(url, REPORT.format("").replace("VIEW", "MATERIALIZED VIEW"))
    roll_back(url, "2.0.0", take_along=True)
    Alembic(url).upgrade()
    stopped(partial(bring_back, url), "REFRESH MATERIALIZED VIEW public.report")
    assert execute(url, "SELECT state FROM sidb.rollback_dependant") == [("created",)]
    assert bring_back(url).exit_code == 0
    assert execute(url, "SELECT count(*) FROM public.report") == [(60,)]


OTHERS = {
    "a trigger that refuses": (
        "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''not here''; END';"
        "CREATE TRIGGER refuse BEFORE INSERT ON analytics.trend_cache FOR EACH ROW EXECUTE FUNCTION public.refuse()",
        "not here",
    ),
    "a partial unique index": (
        "CREATE UNIQUE INDEX theirs ON analytics.trend_cache (trend_type) WHERE trend_source = 'newer'",
        None,
    ),
    "a reference of two columns": (
        "CREATE TABLE public.pairs (one bigint, other bigint, PRIMARY KEY (one, other));"
        "ALTER TABLE analytics.trend_cache ADD FOREIGN KEY (niche_id, related_niche_id) REFERENCES public.pairs",
        None,
    ),
}
CHART = """
    INSERT INTO analytics.trend_cache
        (trend_id, niche_id, trend_type, trend_source, parameters, trend_data, valid_until)
    OVERRIDING SYSTEM VALUE VALUES (-1, 61, 'chart', 'newer', '{}', '{}', now() + interval '1 day');
"""


@pytest.mark.parametrize("what", OTHERS)
@pytest.mark.clean
def test_rows_that_join_others_where_others_have_built(engine: Engine, what: str) -> None:
    url = engine.url
    statements, refused = OTHERS[what]
    roll_back(url, "2.0.0")
    Alembic(url).upgrade()
    execute(url, CHART + statements)
    if refused:
        with pytest.raises(OnlineError, match=f"The database refused it: {refused}"):
            bring_back(url)
        execute(url, "DROP TRIGGER refuse ON analytics.trend_cache")
    assert bring_back(url).exit_code == 0
    assert execute(url, "SELECT count(*) FROM analytics.trend_cache") == [(61,)]


def test_views_that_are_filled_are_not_filled_anew(clone: Clone) -> None:
    """That would shut out their readers for as long as it takes."""
    url = clone("migrated_table")
    execute(url, "UPDATE public.features SET analytics_version = 2 WHERE niche_id = 190")
    roll_back(url, "2.0.3")
    Alembic(url).upgrade()
    files = "SELECT relname, relfilenode FROM pg_class WHERE relkind = 'm' AND relnamespace = 'analytics'::regnamespace"
    before = sorted(execute(url, files))
    assert bring_back(url).exit_code == 0
    assert sorted(execute(url, files)) == before


def listed(url: URL, *arguments: str) -> str:
    return CliRunner().invoke(main, ["restore", *arguments], env={"DATABASE_URL": conninfo(url)}).stdout


def test_the_list_of_archives_says_first_what_stands_half_way(engine: Engine) -> None:
    url = engine.url
    roll_back(url, "2.0.3")
    assert "\nNext: `sidb restore ARCHIVE` brings one back" in listed(url)
    Alembic(url).upgrade()
    pressed(url, MOVES, "rollback", "2.0.1", "--yes")
    assert "`sidb restore ARCHIVE`" not in listed(url)
    assert "\nNext: `sidb rollback` finishes it, down to" in listed(url)


def test_an_error_that_nobody_expected_says_where_the_database_stands(engine: Engine) -> None:
    url = engine.url
    found = []

    def run_it() -> None:
        found.append(CliRunner().invoke(main, ["rollback", "2.0.1", "--yes"], env={"DATABASE_URL": conninfo(url)}))

    counted(run_it, once("LOCK TABLE .*content_recommendations", stop))
    assert found[0].exit_code == 1
    assert f"{begun(url)} was interrupted (tables of schema analytics are closed" in found[0].stderr
    assert "\nThen `sidb rollback` finishes it, down to" in found[0].stderr


def test_interrupted_before_any_migration(clone: Clone) -> None:
    stopped_at = pressed(clone("phase1_table"), "AS standby", "rollback", "1.0.0", "--yes")
    assert "the tables are open to applications, and the database is at no revision." in stopped_at.stderr


@pytest.mark.parametrize(
    "theirs",
    [
        "CREATE EXTENSION citext SCHEMA analytics",
        "CREATE TABLE public.readings (day date) PARTITION BY RANGE (day);"
        "CREATE TABLE analytics.readings_2025 PARTITION OF public.readings FOR VALUES FROM ('2025-01-01') TO"
        " ('2026-01-01')",
    ],
    ids=["an extension", "a partition"],
)
@pytest.mark.clean
def test_a_schema_in_which_others_have_something_stays(engine: Engine, theirs: str) -> None:
    url = engine.url
    execute(url, theirs)
    found = roll_back(url, "1.0.0")
    assert (found.exit_code, finding(found, "catalog").verdict) == (0, "ok"), found.findings
    assert execute(url, "SELECT to_regnamespace('analytics') IS NOT NULL") == [(True,)]
    Alembic(url).upgrade()
    assert bring_back(url).exit_code == 0
    assert current(url) == HEAD
