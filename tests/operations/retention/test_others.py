"""What others have made of the tables: names, triggers, rules, foreign keys, policies, roles, directories."""

from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import URL, Engine

from operations.cli import main
from operations.maintenance import Outcome
from operations.retention import due
from tests.backfill.conftest import load_file, write_csv
from tests.fixtures.databases import Clone, conninfo
from tests.fixtures.roles import Login
from tests.operations.retention.conftest import A_MONTH, NAMES, PARTITIONS, Aged, exported

EVENTS = "analytics.analytics_events"
OWNER = "SELECT quote_ident(pg_get_userbyid(relowner)) FROM pg_class WHERE oid = 'analytics.insight_registry'::regclass"
TRIGGER = """
    CREATE FUNCTION public.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} END $$;
    CREATE TRIGGER keep BEFORE DELETE ON analytics.content_recommendations
    FOR EACH ROW EXECUTE FUNCTION public.keep()
"""


def sidb(url: URL, *arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, env={"DATABASE_URL": conninfo(url)})


def test_a_month_whose_name_has_to_be_quoted(aged: Aged, tmp_path: Path) -> None:
    aged.rows(f'ALTER TABLE analytics_partitions.{aged.past[1]} RENAME TO "Events: of/a.Month"')
    aged.keep(analytics_events=24)
    task = aged.maintain(tmp_path)["analytics_events"]
    assert (task.outcome, task.amount) == (Outcome.DONE, 6 * A_MONTH)
    assert aged.count(EVENTS) == 25 * A_MONTH
    assert len(exported(tmp_path, "Events_of_a_Month")) == A_MONTH


def test_columns_whose_names_look_like_parameters(aged: Aged, tmp_path: Path) -> None:
    for table in (EVENTS, "analytics.content_recommendations"):
        aged.rows(f'ALTER TABLE {table} ADD COLUMN "Click % ""rate"" :x" text DEFAULT \'5 %s\'')
    aged.rows(f'ALTER TABLE analytics_partitions.{aged.past[1]} RENAME TO "100 % :x"')
    aged.keep(analytics_events=24, content_recommendations=12)
    tasks = aged.maintain(tmp_path)
    for name in ("analytics_events", "content_recommendations"):
        assert tasks[name].outcome is Outcome.DONE, tasks[name].detail
    assert aged.count(EVENTS) == 25 * A_MONTH


def test_months_of_which_there_are_no_statistics(aged: Aged) -> None:
    """As behind a crash, or where a dump was restored."""
    names = [name for (name,) in aged.rows(PARTITIONS)]
    aged.rows("UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE relname = ANY(%s)", [names])
    aged.rows("SELECT pg_stat_reset()")
    [found] = [each for each in due.due_of(aged.url) if each.table == "analytics_events"]
    assert found.rows == 6 * A_MONTH
    aged.rows("DELETE FROM ONLY analytics_partitions.analytics_events_first")
    aged.rows("SELECT pg_stat_reset()")
    aged.keep(analytics_events=24)
    said = aged.maintain()["analytics_events"].detail
    assert said == f"rows before {aged.kept_from} gone; {', '.join(aged.past)} dropped"


@pytest.mark.parametrize(
    ("others", "said"),
    [
        (TRIGGER.format("RAISE 'these stay';"), "these stay"),
        ("CREATE RULE keep AS ON DELETE TO analytics.content_recommendations DO INSTEAD NOTHING", "cannot perform"),
    ],
    ids=["trigger", "rule"],
)
def test_what_others_refuse_ends_nothing_else(aged: Aged, others: str, said: str) -> None:
    aged.rows(others)
    aged.keep(content_recommendations=12, insight_registry=12)
    tasks = aged.maintain()
    assert tasks["content_recommendations"].outcome is Outcome.FAILED
    assert tasks["content_recommendations"].detail.startswith(said)
    assert tasks["insight_registry"].outcome is Outcome.DONE
    assert aged.count("analytics.insight_registry") == 13
    assert sidb(aged.url, "maintain").exit_code == 1


def test_a_trigger_that_keeps_rows_is_no_session(aged: Aged) -> None:
    aged.rows(TRIGGER.format("RETURN NULL;"))
    aged.keep(content_recommendations=12)
    task = aged.maintain()["content_recommendations"]
    assert task.outcome is Outcome.POSTPONED
    assert "kept by a trigger of others" in task.detail


def test_a_foreign_key_to_the_events_is_named_before_anybody_waits(aged: Aged) -> None:
    aged.rows(
        "CREATE TABLE public.notes (id bigint, at timestamptz,"
        " CONSTRAINT theirs FOREIGN KEY (id, at) REFERENCES analytics.analytics_events)"
    )
    aged.keep(analytics_events=24)
    task = aged.maintain()["analytics_events"]
    assert task.outcome is Outcome.POSTPONED
    assert "foreign key refers to the events: theirs of notes" in task.detail
    aged.rows("DROP TABLE public.notes")
    assert aged.maintain()["analytics_events"].outcome is Outcome.DONE


def test_staged_rows_that_others_hold_are_left(migrated: Engine, aged: Aged, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "old.csv", [("view", "web", "2001-01-01T00:00Z", "{}", "u", "1", "")]))
    aged.keep(analytics_events=24, insight_registry=12)
    with psycopg.connect(conninfo(aged.url)) as other:
        other.execute("SELECT FROM sidb.backfill_events FOR UPDATE")
        tasks = aged.maintain()
    assert tasks["analytics_events"].outcome is Outcome.POSTPONED
    assert "locked by another session" in tasks["analytics_events"].detail
    assert tasks["insight_registry"].outcome is Outcome.DONE
    assert aged.maintain()["analytics_events"].outcome is Outcome.DONE


def test_what_one_member_of_the_owner_sets_aside_another_goes_on_with(aged: Aged, login: Login, tmp_path: Path) -> None:
    aged.keep(insight_registry=12)
    [(owner,)] = aged.rows(OWNER)
    one, other = Aged(login(owner)), Aged(login(owner))
    assert one.maintain(tmp_path / "gone")["insight_registry"].outcome is Outcome.POSTPONED
    assert other.maintain(tmp_path)["insight_registry"].outcome is Outcome.DONE
    assert len(exported(tmp_path, "insight_registry")) == 7


def test_two_databases_export_to_one_directory(aged: Aged, clone: Clone, tmp_path: Path) -> None:
    """Their records have the same numbers: neither takes the other's file."""
    other = Aged(clone("migrated_table"))
    other.rows((Path(__file__).parent / "aged.sql").read_text(encoding="utf-8"))
    other.rows("UPDATE analytics.insight_registry SET title = 'other ' || title")
    for each in (aged, other):
        each.keep(insight_registry=12)
        each.maintain(tmp_path)
    found = exported(tmp_path, "insight_registry")
    assert len(found) == 14
    assert len([row for row in found if row["title"].startswith("other ")]) == 7


def test_who_may_not_see_the_settings_is_not_told_that_they_are_off(aged: Aged, login: Login) -> None:
    aged.keep(analytics_events=24)
    role = login("analytics_writer")
    for command in ("retention", "status"):
        said = " ".join(sidb(role, command).stdout.split())
        assert "not known whether it is on, since this role may not read sidb.retention" in said
        assert "off" not in said
    maintained = sidb(role, "maintain")
    assert maintained.exit_code == 0
    assert "as a role that may read sidb.retention" in " ".join(maintained.stdout.split())


def test_rows_that_a_policy_hides_are_not_counted(aged: Aged, login: Login) -> None:
    aged.rows(
        "ALTER TABLE analytics.analytics_events ENABLE ROW LEVEL SECURITY;"
        " CREATE POLICY theirs ON analytics.analytics_events USING (niche_id = 1)"
    )
    said = sidb(login("analytics_reader"), "retention")
    assert said.exit_code == 0, said.output
    assert "an unknown number of rows is older than the contract's 24 months" in said.stdout
    told = " ".join(sidb(login("analytics_reader"), "status").stdout.split())
    unread = "besides those of analytics_events, which this role may not read"
    assert f"; about 21 rows are older than the retention periods, {unread}" in told


def test_rows_in_a_schema_that_a_role_may_not_use_are_not_counted(aged: Aged, login: Login) -> None:
    """Though it may read the tables."""
    found = due.due_of(login("SELECT ON ALL TABLES IN SCHEMA analytics"))
    assert [each.rows for each in found] == [None] * len(NAMES)


def test_a_column_that_others_added_and_dropped_again(aged: Aged, tmp_path: Path) -> None:
    aged.rows(
        "ALTER TABLE analytics.insight_registry ADD theirs text; ALTER TABLE analytics.insight_registry DROP theirs"
    )
    aged.keep(insight_registry=12)
    task = aged.maintain(tmp_path)["insight_registry"]
    assert (task.outcome, task.amount) == (Outcome.DONE, 7)
    assert len(exported(tmp_path, "insight_registry")) == 7


def test_rows_of_a_table_that_inherits_are_others(aged: Aged, tmp_path: Path) -> None:
    """Whatever their age, and also where they have the key of a row that goes."""
    aged.rows(
        "CREATE TABLE public.theirs () INHERITS (analytics.insight_registry);"
        " INSERT INTO public.theirs (insight_id, insight_type, title, insight_data, model_version, created_at)"
        " SELECT insight_id, 'theirs', title, '{}', '1', now() FROM ONLY analytics.insight_registry;"
        " INSERT INTO public.theirs (insight_id, insight_type, title, insight_data, model_version, created_at)"
        " VALUES (900, 'theirs', 'old', '{}', '1', '2001-01-01')"
    )
    [found] = [each for each in due.due_of(aged.url) if each.table == "insight_registry"]
    assert found.rows == 7
    aged.keep(insight_registry=12)
    task = aged.maintain(tmp_path)["insight_registry"]
    assert (task.outcome, task.amount) == (Outcome.DONE, 7)
    assert aged.count("ONLY analytics.insight_registry") == 13
    assert aged.count("public.theirs") == 21
    assert len(exported(tmp_path, "insight_registry")) == 7
