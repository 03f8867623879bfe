"""A rollback and its restore: the horizon and what was counted before it come back, what has gone does not."""

import pytest

from tests.fixtures.databases import Alembic
from tests.operations.retention.conftest import A_MONTH, ACTIVITY, NAMES, Aged
from tests.operations.rollback.conftest import bring_back, finding, roll_back
from tests.operations.verify.conftest import look, verdicts

EVENTS = "analytics.analytics_events"
HORIZONS = "SELECT relation, kept_from::text FROM analytics.retention ORDER BY 1"


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
    activity, horizons = aged.rows(ACTIVITY), aged.rows(HORIZONS)
    assert len(horizons) == 4
    roll_back(aged.url, target)
    Alembic(aged.url).upgrade()
    assert aged.rows(HORIZONS) == []
    found = bring_back(aged.url)
    assert found.exit_code == 0, found
    assert f"events are kept from {aged.kept_from} on" in finding(found, "retention").detail
    assert aged.rows(HORIZONS) == horizons
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
    found = bring_back(aged.url)
    assert found.exit_code == 0, found
    assert aged.count(EVENTS) == 25 * A_MONTH + 1, "not the late one, which is before the horizon"
    seen = [row for row in aged.rows(ACTIVITY) if row.event_type == "view"]
    assert seen == activity
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
