"""Who holds what, who may not, who writes meanwhile: what cannot be done now is left and said, and done later."""

import json
import threading
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from operations.cli import main
from operations.maintenance import Outcome
from operations.monitor.look import look as monitor
from operations.retention import due, one_at_a_time
from operations.retention.deleting import HELD
from operations.status import screen
from operations.status.look import look as status
from tests.fixtures.databases import conninfo
from tests.fixtures.roles import Login
from tests.operations.retention.conftest import A_MONTH, ACTIVITY, NAMES, Aged, exported

EVENTS = "analytics.analytics_events"
LOCK = f"SELECT pg_advisory_lock({one_at_a_time.KEY})"


def sidb(aged: Aged, *arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, env={"DATABASE_URL": conninfo(aged.url)})


@pytest.mark.parametrize(
    ("holding", "left"),
    [
        ("SELECT FROM analytics.analytics_events LIMIT 1", "could not acquire its locks"),
        ("SELECT FROM ONLY analytics_partitions.analytics_events_first FOR UPDATE", "could not acquire its locks"),
        (
            "SELECT pg_advisory_xact_lock(hashtextextended('analytics.niche_daily_activity', 0))",
            "locked by ",
        ),
        (LOCK, "another sidb maintain or rollback is at it"),
    ],
    ids=["reader", "rows", "drain", "another"],
)
def test_what_is_held_is_left_for_the_next_run(aged: Aged, holding: str, left: str) -> None:
    aged.keep(analytics_events=24)
    with psycopg.connect(conninfo(aged.url)) as other:
        other.execute(holding.encode())
        task = aged.maintain()["analytics_events"]
    assert task.outcome is Outcome.POSTPONED
    assert left in task.detail
    assert aged.maintain()["analytics_events"].outcome is Outcome.DONE
    assert aged.count(EVENTS) == 25 * A_MONTH


def test_nothing_due_is_not_estimated_as_something(aged: Aged, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many rows the planner is asked, which expects one in each partition: the monitor would warn for ever."""
    monkeypatch.setattr(due, "COUNTED", 0)
    aged.keep(analytics_events=24)
    aged.rows(f"ANALYZE {EVENTS}")
    assert {each.table: each.rows for each in due.due_of(aged.url)}["analytics_events"]
    aged.maintain()
    for cheap in (due.CHEAP, 0):
        monkeypatch.setattr(due, "CHEAP", cheap)
        aged.rows(f"ANALYZE {EVENTS}")
        assert {each.table: each.rows for each in due.due_of(aged.url)}["analytics_events"] == 0


def test_a_row_of_a_partition_that_is_held_is_left_and_said(aged: Aged) -> None:
    """Where no month goes whole, nothing else would tell of it."""
    aged.keep(analytics_events=28)
    with psycopg.connect(conninfo(aged.url)) as other:
        other.execute(
            "SELECT FROM analytics_partitions.analytics_events_first ORDER BY event_timestamp LIMIT 1 FOR UPDATE"
        )
        task = aged.maintain()["analytics_events"]
    assert task.outcome is Outcome.POSTPONED
    assert HELD in task.detail
    assert aged.count(EVENTS) == 29 * A_MONTH + 1
    assert aged.maintain()["analytics_events"].outcome is Outcome.DONE
    assert aged.count(EVENTS) == 29 * A_MONTH


@pytest.mark.parametrize("archive", [True, False], ids=["exported", "deleted"])
def test_rows_of_another_table_that_are_held(aged: Aged, tmp_path: Path, archive: bool) -> None:
    directory = tmp_path if archive else None
    aged.keep(insight_registry=12)
    with psycopg.connect(conninfo(aged.url)) as other:
        other.execute("SELECT FROM analytics.insight_registry WHERE title = 'title 15' FOR UPDATE")
        task = aged.maintain(directory)["insight_registry"]
    assert (task.outcome, aged.count("analytics.insight_registry")) == (Outcome.POSTPONED, 14)
    assert aged.maintain(directory)["insight_registry"].outcome is Outcome.DONE
    assert aged.count("analytics.insight_registry") == 13
    assert len(exported(tmp_path, "insight_registry")) == (7 if archive else 0)


def test_who_does_not_own_the_tables_is_told(aged: Aged, login: Login) -> None:
    aged.keep(analytics_events=24)
    other = Aged(login("analytics_writer"))
    assert other.maintain() == {}, "it does not see that anything is switched on"
    name = str(other.url.username)
    aged.rows(f'GRANT USAGE ON SCHEMA sidb TO "{name}"; GRANT SELECT ON ALL TABLES IN SCHEMA sidb TO "{name}"')
    task = other.maintain()["analytics_events"]
    assert (task.outcome, task.amount) == (Outcome.POSTPONED, 0)
    assert "sidb maintain, as the owner of analytics_events" in task.detail
    assert aged.count(EVENTS) == 31 * A_MONTH


def test_what_is_built_on_a_month_is_named(aged: Aged) -> None:
    aged.keep(analytics_events=24)
    aged.rows(f"CREATE VIEW public.theirs AS SELECT event_id FROM analytics_partitions.{aged.past[0]}")  # noqa: S608
    task = aged.maintain()["analytics_events"]
    assert task.outcome is Outcome.POSTPONED
    assert "view theirs depends on table" in task.detail
    aged.rows("DROP VIEW public.theirs")
    assert aged.maintain()["analytics_events"].outcome is Outcome.DONE


def test_writers_go_on_meanwhile(aged: Aged) -> None:
    """Now, in a month that goes, and before the first month: each is counted, and none fails."""
    aged.keep(analytics_events=24)
    over, written = threading.Event(), []
    insert = (
        "INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)"
        " VALUES ('search', 'live', now() - %s * interval '1 month', '{}', 1)"
    )

    def write() -> None:
        with psycopg.connect(conninfo(aged.url), autocommit=True) as connection:
            while not over.is_set():
                connection.execute(insert, [(0, 26, 29)[len(written) % 3]])
                written.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        task = aged.maintain()["analytics_events"]
    finally:
        over.set()
        writer.join()
    assert task.outcome in (Outcome.DONE, Outcome.POSTPONED), "rows have come since"
    assert ", ".join(aged.past) in task.detail
    assert aged.maintain()["analytics_events"].outcome is Outcome.DONE
    searches = sum(row.events for row in aged.rows(ACTIVITY) if row.event_type == "search")
    assert searches == len(written) > 3
    assert aged.count(EVENTS, "event_type = 'view'") == 25 * A_MONTH
    assert aged.count(EVENTS, "event_timestamp < now() - interval '25 months'") == 0


def test_exported_counted_and_hashed_without_users(aged: Aged, tmp_path: Path) -> None:
    aged.keep(**dict.fromkeys(NAMES, 12))
    wanted = aged.rows(
        "SELECT event_id::text, event_data::text FROM analytics.analytics_events WHERE event_timestamp <"
        " (date_trunc('month', now() AT TIME ZONE 'UTC') - interval '12 months') AT TIME ZONE 'UTC' "
    )
    assert {task.outcome for task in aged.maintain(tmp_path).values()} == {Outcome.DONE}
    found = exported(tmp_path, "analytics_events")
    assert sorted((int(row["event_id"]), row["event_data"]) for row in found) == sorted(
        (int(n), data) for n, data in wanted
    )
    assert "user_id" not in found[0]
    assert "user_id" not in exported(tmp_path, "content_recommendations")[0]
    assert len(exported(tmp_path, "cross_platform_metrics")) == 7
    records = aged.rows("SELECT file, sha256, rows FROM sidb.expiry WHERE file IS NOT NULL")
    assert len(records) == len(list(tmp_path.glob("*.csv.gz"))) == 1 + 15 + 3
    assert sum(each.rows for each in records) == len(found) + 21
    assert not list(tmp_path.glob(".*"))


def test_a_directory_that_is_gone_keeps_the_rows(aged: Aged, tmp_path: Path) -> None:
    aged.keep(insight_registry=12)
    task = aged.maintain(tmp_path / "gone")["insight_registry"]
    assert task.outcome is Outcome.POSTPONED
    assert "was not exported" in task.detail
    [(aside,)] = aged.rows("SELECT aside FROM sidb.expiry WHERE aside IS NOT NULL AND finished_at IS NULL")
    assert aged.count(aside) == 7
    assert aged.maintain(tmp_path)["insight_registry"].outcome is Outcome.DONE
    assert len(exported(tmp_path, "insight_registry")) == 7


def test_what_was_to_be_exported_is_exported_by_a_run_without_a_directory(aged: Aged, tmp_path: Path) -> None:
    """Cron's run knows nothing of the directory that was given by hand: the rows go there once there is room."""
    aged.keep(insight_registry=12)
    later = tmp_path / "later"
    assert aged.maintain(later)["insight_registry"].outcome is Outcome.POSTPONED
    assert aged.maintain()["insight_registry"].outcome is Outcome.POSTPONED
    later.mkdir()
    assert aged.maintain()["insight_registry"].outcome is Outcome.DONE
    assert len(exported(later, "insight_registry")) == 7


def test_status_and_monitor_say_how_it_stands(aged: Aged) -> None:
    seen = status(aged.url)
    assert all(not each.is_on for each in seen.retention)
    rows = 6 * A_MONTH + 3 * 7
    off = f"off; about {rows} rows are older than the retention periods"
    assert [line for word, line, _ in screen._lines(seen) if word == "expiry"] == [off]
    [found] = [each for each in monitor(aged.url, keep=False).findings if each.check == "retention"]
    assert (found.verdict, found.detail) == ("ok", off)
    aged.keep(analytics_events=24)
    [found] = [each for each in monitor(aged.url, keep=False).findings if each.check == "retention"]
    assert found.verdict == "warning"
    aged.maintain()
    aged.rows("ANALYZE analytics.analytics_events")
    [found] = [each for each in monitor(aged.url, keep=False).findings if each.check == "retention"]
    assert found.verdict == "ok"
    assert "analytics_events: kept for 24 months; about 0 rows" in found.detail
    assert "rows went last on" in found.detail


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--keep", "analytics_events"), "is no table with a period"),
        (("--keep", "analytics_events=0 months"), "is no table with a period"),
        (("--keep", "analytics_events=1201 months"), "is no table with a period"),
        (("--keep", "analytics_events=30 days"), "is no table with a period"),
        (("--keep", "trend_cache=1 month"), "is not a table whose rows expire"),
        (("--off", "features"), "is not a table whose rows expire"),
        (("--off", "analytics_events", "--keep", "analytics_events=1 month"), "is named twice"),
        (("--keep", "analytics_events=1 month", "--keep", "analytics.analytics_events=1 year"), "is named twice"),
    ],
)
def test_what_cannot_be_meant_is_refused(aged: Aged, arguments: tuple[str, ...], complaint: str) -> None:
    done = sidb(aged, "retention", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert "Next: " in done.stderr
    assert aged.rows("SELECT to_regclass('sidb.retention')::text") == [(None,)]


def test_at_the_console(aged: Aged, tmp_path: Path) -> None:
    said = sidb(
        aged, "retention", "--keep", "analytics.analytics_events=2 years", "--keep", "insight_registry=1200 months"
    )
    assert said.exit_code == 0, said.output
    assert (
        f"analytics_events: kept for 24 months; about {6 * A_MONTH} rows are from before {aged.kept_from}"
        in said.stdout
    )
    assert "content_recommendations: off; about 7 rows are older than the contract's 12 months" in said.stdout
    dry = sidb(aged, "maintain", "--dry-run", "--json")
    tasks = {task["task"]: task for task in json.loads(dry.stdout)["tasks"]}
    assert tasks["expire analytics_events"]["amount"] == 6 * A_MONTH
    assert tasks["expire content_recommendations"]["amount"] == 0
    done = sidb(aged, "maintain", "--archive", str(tmp_path), "--json")
    assert done.exit_code == 0, done.output
    assert len(exported(tmp_path, "analytics_events")) == 6 * A_MONTH
    assert sidb(aged, "retention", "--off", "analytics_events").exit_code == 0
    found = json.loads(sidb(aged, "retention", "--json").stdout)["tables"]
    assert [each["table"] for each in found if each["is_on"]] == ["insight_registry"]
