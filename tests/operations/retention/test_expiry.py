"""What goes by `sidb maintain` where retention is switched on, and what stays."""

from datetime import date

import psycopg
import pytest

from operations.maintenance import Outcome, plan
from operations.retention import deleting
from tests.operations.retention.conftest import A_MONTH, ACTIVITY, NAMES, PARTITIONS, Aged, expiries
from tests.operations.verify.conftest import look, verdicts

EVENTS = "analytics.analytics_events"
OLD = "event_timestamp < (date_trunc('month', now() AT TIME ZONE 'UTC') - interval '24 months') AT TIME ZONE 'UTC'"
NEXT_TO_IT = (
    "event_timestamp = (date_trunc('month', now() AT TIME ZONE 'UTC') - interval '24 months') AT TIME ZONE 'UTC'"
)


def test_nothing_goes_unasked(aged: Aged) -> None:
    before = {name: aged.count(f"analytics.{name}") for name in NAMES}
    assert aged.maintain() == {}
    assert {name: aged.count(f"analytics.{name}") for name in NAMES} == before
    assert aged.count("analytics.retention") == 0


def test_events_go_by_month_and_activity_stays(aged: Aged) -> None:
    activity, past = aged.rows(ACTIVITY), aged.past
    assert len(activity) == 31 * 28 * 3
    aged.keep(analytics_events=24)
    task = aged.maintain()["analytics_events"]
    assert (task.outcome, task.amount) == (Outcome.DONE, 6 * A_MONTH)
    assert ", ".join(past) in task.detail
    assert aged.count(EVENTS, OLD) == 0
    assert aged.count(EVENTS) == 25 * A_MONTH
    assert aged.count(EVENTS, NEXT_TO_IT) == 3, "the first instant that is kept"
    assert not set(past) & {name for (name,) in aged.rows(PARTITIONS)}
    assert ("analytics_events_first",) in aged.rows(PARTITIONS), "takes what comes late"
    assert aged.rows("SELECT FROM pg_class WHERE relname = ANY(%s)", [past]) == []
    assert aged.rows(ACTIVITY) == activity
    aged.rows("SELECT analytics.rebuild_niche_daily_activity()")
    assert aged.rows(ACTIVITY) == activity
    assert aged.rows("SELECT relation, kept_from::text FROM analytics.retention") == [
        ("analytics_events", aged.kept_from)
    ]


def test_verify_passes_right_after(aged: Aged) -> None:
    before = verdicts(look(aged.url), "failed")
    aged.keep(**dict.fromkeys(NAMES, 12))
    assert {task.outcome for task in aged.maintain().values()} == {Outcome.DONE}
    found = look(aged.url)
    assert verdicts(found, "failed").keys() == before.keys()
    assert "from when on they are kept" in verdicts(found, "ok")["activity"]


def test_a_second_run_finds_nothing(aged: Aged) -> None:
    aged.keep(**dict.fromkeys(NAMES, 12))
    aged.maintain()
    again = aged.maintain()
    assert {name: (task.outcome, task.amount) for name, task in again.items()} == dict.fromkeys(
        NAMES, (Outcome.DONE, 0)
    )


def test_a_table_that_is_looked_through_once_a_month_says_so(aged: Aged) -> None:
    """It has no index on the age of its rows: what comes with an old date meanwhile goes next month."""
    aged.keep(insight_registry=12)
    aged.maintain()
    aged.rows(
        "INSERT INTO analytics.insight_registry (insight_type, title, insight_data, model_version, created_at)"
        " VALUES ('gap', 'late', '{}', '1', '2001-01-01')"
    )
    task = aged.maintain()["insight_registry"]
    assert (task.outcome, task.detail) == (Outcome.DONE, "it was looked through this month")
    aged.rows("UPDATE sidb.expiry SET kept_from = kept_from - interval '1 month'")
    assert aged.maintain()["insight_registry"].amount == 1


@pytest.mark.parametrize(
    ("table", "time"),
    [
        ("content_recommendations", "created_at"),
        ("insight_registry", "created_at"),
        ("cross_platform_metrics", "updated_at"),
    ],
)
def test_the_other_tables(aged: Aged, table: str, time: str) -> None:
    aged.keep(**{table: 12})
    task = aged.maintain()[table]
    assert (task.outcome, task.amount) == (Outcome.DONE, 7)
    name = f"analytics.{table}"
    assert aged.count(name, f"{time} IS NOT NULL") == 13
    assert aged.count("analytics.cross_platform_metrics", "updated_at IS NULL") == 1
    assert aged.count(EVENTS) == 31 * A_MONTH
    assert aged.rows("SELECT relation FROM analytics.retention") == [(table,)]


def test_off_again(aged: Aged) -> None:
    aged.keep(analytics_events=36)
    assert aged.maintain()["analytics_events"].amount == 0
    aged.keep(analytics_events=None)
    assert aged.maintain() == {}


def test_what_is_off_again_says_no_more_when_rows_went(aged: Aged) -> None:
    aged.keep(insight_registry=12)
    aged.maintain()
    assert "; rows went last on " in expiries(plan(aged.url))["insight_registry"].detail
    aged.keep(insight_registry=None)
    said = expiries(plan(aged.url))["insight_registry"].detail
    assert said == "off; about 0 rows are older than the contract's 12 months"


def test_several_periods_are_set_together_or_not_at_all(aged: Aged) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        aged.keep(analytics_events=24, insight_registry=0)
    assert aged.rows("SELECT FROM sidb.retention") == []


def test_a_period_that_is_set_again_is_as_old_as_it_was(aged: Aged) -> None:
    set_at = "SELECT set_at, set_by FROM sidb.retention"
    aged.keep(analytics_events=24)
    before = aged.rows(set_at)
    aged.keep(analytics_events=24)
    assert aged.rows(set_at) == before
    aged.keep(analytics_events=12)
    assert aged.rows(set_at) != before


def test_rows_of_one_instant_may_be_more_than_a_batch(aged: Aged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deleting, "BATCH", 2)
    aged.keep(analytics_events=29)
    task = aged.maintain()["analytics_events"]
    assert (task.outcome, task.amount) == (Outcome.DONE, A_MONTH)


def test_late_events_go_with_the_next_run_and_stay_counted(aged: Aged) -> None:
    aged.keep(analytics_events=24)
    aged.maintain()
    aged.rows(
        "INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)"
        " VALUES ('view', 'late', '2001-01-01 12:00+00', '{}', 1), ('view', 'late', '-infinity', '{}', NULL)"
    )
    activity = aged.rows(ACTIVITY)
    assert (1, "2001-01-01", "view", 1) in activity
    assert aged.maintain()["analytics_events"].amount == 2
    assert aged.count(EVENTS, "event_source = 'late'") == 0
    assert aged.rows(ACTIVITY) == activity


def test_a_longer_period_brings_nothing_back_and_a_shorter_one_lets_more_go(aged: Aged) -> None:
    aged.keep(analytics_events=24)
    aged.maintain()
    aged.keep(analytics_events=36)
    assert aged.maintain()["analytics_events"].amount == 0
    assert aged.rows("SELECT kept_from::text FROM analytics.retention") == [(aged.kept_from,)]
    aged.keep(analytics_events=12)
    assert aged.maintain()["analytics_events"].amount == 12 * A_MONTH


def test_a_longer_period_keeps_what_comes_before_the_horizon(aged: Aged) -> None:
    """The horizon never moves back: it says what is not counted anew, the period what goes."""
    aged.keep(analytics_events=24)
    aged.maintain()
    aged.keep(analytics_events=36)
    aged.rows(
        "INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)"
        " SELECT 'view', 'late', now() - n * interval '1 month', '{}', 1 FROM (VALUES (30), (40)) AS ago (n)"
    )
    activity = aged.rows(ACTIVITY)
    assert expiries(plan(aged.url))["analytics_events"].amount == 1
    assert aged.maintain()["analytics_events"].amount == 1
    assert aged.count(EVENTS, "event_source = 'late' AND event_timestamp > now() - interval '31 months'") == 1
    aged.rows("SELECT analytics.rebuild_niche_daily_activity()")
    assert aged.rows(ACTIVITY) == activity


def test_a_dry_run_changes_nothing_and_counts(aged: Aged) -> None:
    aged.keep(analytics_events=24)
    found = expiries(plan(aged.url))
    assert found["analytics_events"].outcome is Outcome.DUE
    assert found["analytics_events"].amount == 6 * A_MONTH
    assert found["insight_registry"].detail == "off; about 7 rows are older than the contract's 12 months"
    assert aged.count(EVENTS) == 31 * A_MONTH
    assert aged.count("analytics.retention") == 0
    assert date.fromisoformat(aged.kept_from).day == 1


def test_a_partition_that_holds_days_on_both_sides_stays(aged: Aged) -> None:
    """As somebody has made it by hand: its old rows go, and the others are kept."""
    last = aged.past[-1]
    aged.rows(
        f"ALTER TABLE analytics.analytics_events DETACH PARTITION analytics_partitions.{last};"
        f" DROP TABLE analytics_partitions.{last}"
    )
    aged.rows(
        "DO $$ DECLARE month timestamp := date_trunc('month', now() AT TIME ZONE 'UTC') - interval '24 months'; BEGIN"
        " EXECUTE format('DROP TABLE analytics_partitions.%I', to_char(month, '\"analytics_events_\"YYYY\"_\"MM'));"
        " EXECUTE format('CREATE TABLE analytics_partitions.wide PARTITION OF analytics.analytics_events"
        " FOR VALUES FROM (%L) TO (%L)', (month - interval '1 month') AT TIME ZONE 'UTC',"
        " (month + interval '1 month') AT TIME ZONE 'UTC'); END $$"
    )
    aged.rows(f"ALTER TABLE analytics_partitions.wide OWNER TO {aged.url.username}")
    aged.rows(
        "INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data)"
        " SELECT 'view', 'both', (date_trunc('month', now() AT TIME ZONE 'UTC') - interval '24 months')"
        " AT TIME ZONE 'UTC' + n * interval '1 microsecond', '{}' FROM generate_series(-1, 0) AS n"
    )
    aged.keep(analytics_events=24)
    assert aged.maintain()["analytics_events"].outcome is Outcome.DONE
    assert ("wide",) in aged.rows(PARTITIONS)
    assert aged.count("analytics_partitions.wide") == 1
    assert aged.count(EVENTS, OLD) == 0
