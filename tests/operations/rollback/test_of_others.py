"""What others have put onto our tables: a rollback takes it along with its table, a restore loses nothing silently."""
# ruff: noqa: S608 (statements of our own making)

import io

import pytest
from alembic_online.errors import OnlineError
from rich.console import Console
from sqlalchemy import Engine

from operations.findings import Findings
from operations.phase1 import Shape
from operations.rollback import archives, restore
from tests.fixtures.databases import Alembic
from tests.fixtures.lived_in import administrator
from tests.operations.rollback.conftest import Fill, Role, bring_back, execute, finding, roll_back
from tests.revisions.catalog import contents

EVENTS, CHARTS = "analytics.analytics_events", "analytics.trend_cache"
FUNCTION = "CREATE FUNCTION public.noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
TRIGGER = f"{FUNCTION} CREATE TRIGGER theirs AFTER INSERT ON {{}} FOR EACH ROW EXECUTE FUNCTION public.noted()"
THEIRS = {
    "column": "ALTER TABLE {0} ADD note text; UPDATE {0} SET note = 'mine'",
    "computed column": "ALTER TABLE {0} ADD size integer GENERATED ALWAYS AS (8) STORED",
    "serial column": "ALTER TABLE {0} ADD note bigserial",
    "constraint": "ALTER TABLE {} ADD CONSTRAINT theirs CHECK (niche_id > 0)",
    "index": "CREATE INDEX theirs ON {} (niche_id, created_at)",
    "policy": "ALTER TABLE {0} ENABLE ROW LEVEL SECURITY; CREATE POLICY theirs ON {0} USING (true)",
    "setting": "ALTER TABLE {} SET (autovacuum_vacuum_scale_factor = 0.01)",
    "trigger": TRIGGER,
    "disabled trigger": f"{TRIGGER}; ALTER TABLE {{}} DISABLE TRIGGER theirs".replace("{}", "{0}"),
    "comment": "COMMENT ON CONSTRAINT trend_cache_pkey ON {} IS 'mine'",
}
KIND = """
    ALTER TABLE public.their_kinds ADD PRIMARY KEY (kind);
    ALTER TABLE {} ADD CONSTRAINT kind FOREIGN KEY (trend_type) REFERENCES public.their_kinds
"""
ALL = f"SELECT * FROM {EVENTS}"
ELSEWHERE = """
    CREATE MATERIALIZED VIEW analytics.theirs AS SELECT 1 / 0 AS x WITH NO DATA;
    ALTER MATERIALIZED VIEW analytics.theirs OWNER TO {};
    CREATE TABLE analytics.their_table (niche_id integer);
    INSERT INTO analytics.their_table VALUES (999999);
    ALTER TABLE analytics.their_table
    ADD CONSTRAINT legacy FOREIGN KEY (niche_id) REFERENCES public.features (niche_id) NOT VALID;
    CREATE TABLE public.their_pairs (niche_id integer, trend_type text, PRIMARY KEY (niche_id, trend_type));
    GRANT REFERENCES, SELECT ON public.their_pairs TO PUBLIC;
    ALTER TABLE analytics.trend_cache
    ADD CONSTRAINT pairs FOREIGN KEY (niche_id, trend_type) REFERENCES public.their_pairs;
"""


@pytest.mark.parametrize("theirs", THEIRS)
def test_it_goes_with_its_table_and_comes_back_with_it(fill: Fill, theirs: str) -> None:
    engine = fill(Shape.TABLE)
    url = engine.url
    execute(url, THEIRS[theirs].format(CHARTS))
    before = contents(engine, f"SELECT * FROM {CHARTS}")
    engine.dispose()
    assert roll_back(url, "1.0.0").exit_code == 0
    Alembic(url).upgrade()
    found = bring_back(url)
    assert "analytics.trend_cache moved back whole" in finding(found, "restored").detail
    assert contents(engine, f"SELECT * FROM {CHARTS}") == before


def test_a_disabled_trigger_of_ours_does_not_stop_the_way_back(fill: Fill) -> None:
    url = fill(Shape.TABLE).url
    execute(url, f"ALTER TABLE {EVENTS} DISABLE TRIGGER analytics_events_deleted")
    assert roll_back(url, "1.0.0").exit_code == 0
    Alembic(url).upgrade()
    bring_back(url)


def at_2_0_7(fill: Fill, theirs: str) -> Engine:
    """A database that was rolled back from 2.0.7 and upgraded again; events hold what others had put there."""
    engine = fill(Shape.TABLE)
    Alembic(engine.url).downgrade("2.0.7")
    execute(engine.url, theirs.format(EVENTS))
    return engine


def again(engine: Engine) -> None:
    engine.dispose()
    assert roll_back(engine.url, "1.0.0").exit_code == 0
    Alembic(engine.url).upgrade()


def test_values_of_a_column_that_is_not_there_any_more_are_a_question(fill: Fill) -> None:
    engine = at_2_0_7(fill, THEIRS["column"])
    before = contents(engine, ALL)
    again(engine)
    with pytest.raises(OnlineError, match=r"3,000 rows hold a value in note \(text\)") as refused:
        bring_back(engine.url)
    assert "ADD COLUMN" in refused.value.next_step
    execute(engine.url, f"ALTER TABLE {EVENTS} ADD COLUMN note text")
    assert "analytics.analytics_events moved back whole" in finding(bring_back(engine.url), "restored").detail
    assert contents(engine, ALL) == before


def test_rows_with_such_values_stay_in_the_archive_where_that_is_asked(fill: Fill) -> None:
    engine = at_2_0_7(fill, THEIRS["column"])
    again(engine)
    assert bring_back(engine.url, skip=True).exit_code == 0
    assert execute(engine.url, f"SELECT count(*) FROM {EVENTS}") == [(0,)]
    execute(engine.url, f"ALTER TABLE {EVENTS} ADD COLUMN note text")
    assert bring_back(engine.url).exit_code == 0
    assert execute(engine.url, f"SELECT count(*) FROM {EVENTS} WHERE note = 'mine'") == [(3000,)]


@pytest.mark.parametrize(
    "change",
    [
        "ALTER event_type TYPE varchar(99)",
        "DROP created_at",
        "ADD size integer GENERATED ALWAYS AS (8) STORED",
        "ADD without_a_value text",
    ],
)
def test_a_table_with_other_columns_is_merged(fill: Fill, change: str) -> None:
    engine = at_2_0_7(fill, f"ALTER TABLE {{}} {change}")
    again(engine)
    assert "analytics.analytics_events 3,000 rows" in finding(bring_back(engine.url), "restored").detail


def test_a_key_that_a_killed_step_left_unfinished_is_built_anew(fill: Fill) -> None:
    engine = at_2_0_7(fill, "CREATE UNIQUE INDEX analytics_events_key ON {} (event_id, event_timestamp)")
    before = contents(engine, ALL)
    again(engine)
    execute(engine.url, "DROP INDEX sidb_archive_1.analytics_events_key")
    execute(engine.url, "CREATE UNIQUE INDEX analytics_events_key ON sidb_archive_1.analytics_events (event_id)")
    assert "analytics.analytics_events moved back whole" in finding(bring_back(engine.url), "restored").detail
    assert contents(engine, ALL) == before


def test_rows_that_were_protected_do_not_come_back_unprotected(fill: Fill) -> None:
    engine = at_2_0_7(fill, THEIRS["policy"])
    before = contents(engine, ALL)
    again(engine)
    with pytest.raises(
        OnlineError, match=r"Row security protects the rows of sidb_archive_1\.analytics_events"
    ) as refused:
        bring_back(engine.url)
    assert f"ALTER TABLE {EVENTS} ENABLE ROW LEVEL SECURITY" in refused.value.next_step
    execute(engine.url, THEIRS["policy"].format(EVENTS))
    assert finding(bring_back(engine.url), "restored").verdict == "ok"
    assert contents(engine, ALL) == before


@pytest.mark.parametrize("rows", [0, 1], ids=["empty", "rows"])
@pytest.mark.parametrize("theirs", ["trigger", "index", "constraint"])
def test_what_does_not_come_back_with_the_rows_is_told_with_its_sql(fill: Fill, theirs: str, rows: int) -> None:
    engine = at_2_0_7(fill, THEIRS[theirs])
    url = engine.url
    again(engine)
    execute(url, f"INSERT INTO {EVENTS} SELECT 9999, 'view', 'web', now(), '{{}}' FROM generate_series(1, {rows})")
    said = io.StringIO()
    found: Findings = restore.restore(url, 1, restore.Choice(False, False), Console(file=said, width=500))
    told = finding(found, "others' objects")
    assert (told.verdict, told.detail) == ("warning", "1 did not come back with the rows of their tables")
    statement = said.getvalue().partition("with the rows:")[2].strip().partition("\n")[0]
    execute(url, statement)
    there = "SELECT (SELECT count(*) FROM pg_trigger WHERE tgname = 'theirs' AND tgparentid = 0)"
    there += " + (SELECT count(*) FROM pg_class WHERE relname = 'theirs' AND relkind = 'I')"
    there += f" + (SELECT count(*) FROM pg_constraint WHERE conname = 'theirs' AND conrelid = '{EVENTS}'::regclass)"
    assert execute(url, there) == [(1,)]


def test_what_others_have_and_is_not_valid_does_not_stop_a_restore(fill: Fill, role: Role) -> None:
    """Not that of another table; on one that comes back it is tried, and told where it fails."""
    engine, team = fill(Shape.TABLE), role("team")
    engine.dispose()
    url = engine.url
    activity = contents(engine, "SELECT * FROM analytics.niche_daily_activity")
    roll_back(url, "1.0.0")
    Alembic(url).upgrade()
    execute(administrator(url), ELSEWHERE.format(team))
    execute(url, f"CREATE MATERIALIZED VIEW analytics.empty AS SELECT 1 / 0 AS x FROM {CHARTS} WITH NO DATA")
    found = bring_back(url)
    told = [each for each in found.findings if each.check == "others' objects"]
    assert [each.verdict for each in told] == ["warning", "warning"]
    assert told[0].detail == "materialized view analytics.empty is without rows: division by zero"
    assert told[1].detail.startswith("constraint analytics.trend_cache.pairs is not validated: insert or update")
    assert "ALTER TABLE analytics.trend_cache VALIDATE CONSTRAINT pairs;" in told[1].remedy
    assert (found.exit_code, "moved back whole" in finding(found, "restored").detail) == (0, True)
    assert contents(engine, "SELECT * FROM analytics.niche_daily_activity") == activity
    engine.dispose()
    waiting = "SELECT conname FROM pg_constraint WHERE NOT convalidated AND conname IN ('legacy', 'pairs') ORDER BY 1"
    assert execute(url, waiting) == [("legacy",), ("pairs",)]


def test_a_table_with_a_view_of_another_team_is_merged(fill: Fill, role: Role) -> None:
    """This role may not drop the view, and so not exchange the table."""
    url, team = fill(Shape.TABLE).url, role("team")
    roll_back(url, "1.0.0")
    Alembic(url).upgrade()
    view = f"CREATE VIEW analytics.team_view AS SELECT niche_id FROM {CHARTS}; GRANT SELECT ON {CHARTS} TO {team}"
    execute(administrator(url), f"{view}; ALTER VIEW analytics.team_view OWNER TO {team}")
    found = bring_back(url)
    assert (found.exit_code, execute(administrator(url), "SELECT count(*) FROM analytics.team_view")) == (0, [(60,)])


def test_what_others_had_and_cannot_be_made_again_does_not_stop_a_restore(fill: Fill) -> None:
    """The table comes back whole; what was wrong with each is said before its statement."""
    url = fill(Shape.TABLE).url
    execute(url, TRIGGER.format(CHARTS))
    execute(url, f"CREATE TABLE public.their_kinds AS SELECT 'chart' AS kind; {KIND.format(CHARTS)}")
    roll_back(url, "1.0.0")
    Alembic(url).upgrade()
    execute(url, "DROP FUNCTION public.noted(); DROP TABLE public.their_kinds")
    said = io.StringIO()
    found = bring_back(url, told=said)
    assert (found.exit_code, finding(found, "others' objects").verdict) == (0, "warning")
    assert "analytics.trend_cache moved back whole" in finding(found, "restored").detail
    assert "-- function public.noted() does not exist\nCREATE TRIGGER theirs " in said.getvalue()
    assert '-- relation "public.their_kinds" does not exist\nALTER TABLE analytics.trend_cache ADD' in said.getvalue()


def test_an_archive_on_which_others_have_built_is_not_deleted(fill: Fill) -> None:
    engine = fill(Shape.TABLE)
    url = engine.url
    engine.dispose()
    roll_back(url, "1.0.0")
    execute(url, "CREATE VIEW public.seen AS SELECT niche_id FROM sidb_archive_1.trend_cache")
    with pytest.raises(OnlineError, match=r"Others have built on archive 1; nothing was deleted:\n.*view seen"):
        archives.drop(url, 1)
    assert execute(url, "SELECT count(*) FROM public.seen") == [(60,)]
    execute(url, "DROP VIEW public.seen")
    archives.drop(url, 1)
    assert execute(url, "SELECT to_regnamespace('sidb_archive_1') IS NULL") == [(True,)]
