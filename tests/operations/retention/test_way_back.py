"""A rollback and its restore: the horizon and what was counted before it come back, what has gone does not."""

import psycopg
import pytest
from sqlalchemy import Engine

from operations.retention.returning import come_back
from tests.fixtures.databases import Alembic, conninfo
from tests.operations.retention.conftest import A_MONTH, ACTIVITY, NAMES, Aged
from tests.operations.rollback.conftest import bring_back, finding, roll_back
from tests.operations.verify.conftest import look, verdicts

EVENTS = "analytics.analytics_events"
HORIZONS = "SELECT relation, kept_from::text FROM analytics.retention ORDER BY 1"
ASIDE = "SELECT aside, kept_from::text FROM sidb.expiry WHERE aside IS NOT NULL ORDER BY 1"


def gone(aged: Aged) -> Aged:
    """What was too old has gone; one event came late, and is before the horizon."""
    aged.keep(**dict.fromkeys(NAMES, 24))
    aged.maintain()
    aged.rows(
        "INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)"
        " VALUES ('view', 'late', '2001-01-01 12:00+00', '{}', 1)"
    )
    return aged


@pytest.mark.parametrize("target", ["2.1.1", "2.0.3", "1.0.0"])
def test_as_it_was(aged: Aged, target: str) -> None:
    gone(aged)
    activity, horizons, aside = aged.rows(ACTIVITY), aged.rows(HORIZONS), aged.rows(ASIDE)
    assert (len(horizons), len(aside)) == (4, 3)
    roll_back(aged.url, target)
    Alembic(aged.url).upgrade()
    assert aged.rows(HORIZONS) == []
    found = bring_back(aged.url)
    assert found.exit_code == 0, found
    assert f"events are kept from {aged.kept_from} on" in finding(found, "retention").detail
    assert aged.rows(HORIZONS) == horizons
    assert aged.rows(ASIDE) == aside, "a table set aside holds what it held"
    assert aged.rows(ACTIVITY) == activity
    assert "activity" not in verdicts(look(aged.url), "failed")
    assert aged.maintain()["analytics_events"].amount == 1, "the late one, which came back with its table"
    aged.rows("SELECT analytics.rebuild_niche_daily_activity()")
    assert aged.rows(ACTIVITY) == activity


def test_merged_with_what_came_meanwhile(aged: Aged) -> None:
    """The setting outlives the rollback: upkeep has moved the horizon again before the restore."""
    gone(aged)
    activity = aged.rows(ACTIVITY)
    roll_back(aged.url, "1.0.0")
    Alembic(aged.url).upgrade()
    new = (
        "INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)"
        " VALUES ('search', 'new', '{}', '{{}}', 1)"
    )
    aged.rows(new.format("2000-01-01 12:00+00"))
    aged.rows(new.format("2100-01-01 12:00+00"))
    assert aged.maintain()["analytics_events"].amount == 1
    aged.rows(new.format(f"{aged.kept_from} 00:00+00"))  # on the horizon, and not folded yet
    searched = [row for row in aged.rows(ACTIVITY) if row.event_type == "search"]
    assert [row.day for row in searched] == ["2000-01-01", aged.kept_from, "2100-01-01"]
    found = bring_back(aged.url)
    assert found.exit_code == 0, found
    assert aged.count(EVENTS) == 25 * A_MONTH + 2, "not the late one, which is before the horizon"
    seen = aged.rows(ACTIVITY)
    assert [row for row in seen if row.event_type == "view"] == activity
    assert [row for row in seen if row.event_type == "search" and row.day >= aged.kept_from] == searched[1:]
    assert "activity" not in verdicts(look(aged.url), "failed")


def test_a_horizon_that_has_moved_on(aged: Aged) -> None:
    """The archive's events of the months between: they are not written back, and stay counted."""
    gone(aged)
    activity = aged.rows(ACTIVITY)
    roll_back(aged.url, "1.0.0")
    Alembic(aged.url).upgrade()
    aged.rows(
        "INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data)"
        " VALUES ('search', 'new', '2100-01-01 12:00+00', '{}')"
    )
    aged.keep(analytics_events=20)
    aged.maintain()
    assert bring_back(aged.url).exit_code == 0
    assert aged.count(EVENTS) == 21 * A_MONTH + 1
    assert aged.rows(ACTIVITY) == activity
    assert "activity" not in verdicts(look(aged.url), "failed")


def test_nobody_folds_activity_while_it_comes_back(migrated: Engine) -> None:
    """What was read of it would be written over what was folded meanwhile."""
    with psycopg.connect(conninfo(migrated.url)) as restoring, psycopg.connect(conninfo(migrated.url)) as other:
        restoring.execute("CREATE TEMPORARY TABLE retention (LIKE analytics.retention)")
        restoring.execute("CREATE TEMPORARY TABLE niche_daily_activity_kept (LIKE analytics.niche_daily_activity_kept)")
        come_back(restoring, "pg_temp", with_events=False)
        folding = "SELECT analytics.drain_niche_daily_activity()"
        assert other.execute(folding).fetchone() == (None,)
        restoring.rollback()
        assert other.execute(folding).fetchone() == (0,)
