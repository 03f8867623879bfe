"""Revision 2.2.0 and its way back: a horizon is data, and what is still there of the days before it counts again."""

from collections.abc import Callable

import pytest
from alembic_online.errors import OnlineError
from sqlalchemy import Engine

from tests.fixtures.databases import Alembic, Clone
from tests.revisions.catalog import catalog, contents
from tests.revisions.test_events_by_month import write
from tests.revisions.test_step_by_step import ACTIVITY, COUNTED

Connect = Callable[..., Engine]

BEFORE, AFTER = "2.1.1", "2.2.0"
MOVE = "SELECT analytics.move_retention_horizon('analytics_events', '2020-01-01')"


@pytest.fixture
def after(clone: Clone, connect: Connect) -> Engine:
    """A database at the revision, with events in three years."""
    engine = connect(clone("phase1_table"))
    Alembic(engine.url).upgrade(AFTER)
    for year in (2018, 2019, 2020):
        write(engine, f"timestamptz '{year}-06-01 12:00+00' + n * interval '1 day'", 20)
    return engine


def run(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)


def test_there_and_back_is_exact(after: Engine) -> None:
    there = catalog(after)
    alembic = Alembic(after.url, x=("deadline=30s",))  # nothing is lost: nothing need be said
    alembic.downgrade(BEFORE)
    assert contents(after, ACTIVITY) == contents(after, COUNTED)
    alembic.upgrade(AFTER)
    assert catalog(after) == there
    assert contents(after, ACTIVITY) == contents(after, COUNTED)


def test_a_horizon_is_not_dropped_unasked(after: Engine) -> None:
    run(after, MOVE)
    with pytest.raises(OnlineError, match=r"analytics\.retention") as refused:
        Alembic(after.url, x=("deadline=30s",)).downgrade(BEFORE)
    assert "sidb rollback" in str(refused.value)
    assert contents(after, ACTIVITY) == contents(after, COUNTED)


@pytest.mark.parametrize("drained", [True, False], ids=["drained", "pending"])
def test_what_is_still_there_counts_again(after: Engine, drained: bool) -> None:
    """A year has gone, another is before the horizon and has not gone yet."""
    if drained:
        run(after, "SELECT analytics.drain_niche_daily_activity()")
    run(after, MOVE)
    run(after, "DELETE FROM analytics_partitions.analytics_events_first WHERE event_timestamp < '2019-01-01'")
    assert contents(after, ACTIVITY) != contents(after, COUNTED)
    Alembic(after.url).downgrade(BEFORE)
    assert contents(after, ACTIVITY) == contents(after, COUNTED)
    run(after, "SELECT analytics.drain_niche_daily_activity()")
    assert contents(after, ACTIVITY) == contents(after, COUNTED)
