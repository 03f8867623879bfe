"""Beside retention: expired rows stay counted, erased ones do not, in either order."""

import pytest

from tests.fixtures.databases import Alembic
from tests.fixtures.ended import counted, once
from tests.operations.erasure.conftest import erase, rows
from tests.operations.retention.conftest import ACTIVITY, Aged
from tests.operations.retention.conftest import aged as aged
from tests.operations.rollback.conftest import bring_back, roll_back
from tests.operations.verify.conftest import look, verdicts

EVENTS = "analytics.analytics_events"
USER = "user 1"
DETACHED = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'analytics_partitions'::regnamespace AND relkind = 'r' AND NOT relispartition ORDER BY relname
"""


def total(aged: Aged) -> int:
    return sum(row.events for row in aged.rows(ACTIVITY))


def failed(aged: Aged) -> set[str]:
    return set(verdicts(look(aged.url), "failed"))


@pytest.mark.parametrize("first", ["erased", "expired"])
def test_one_after_the_other(aged: Aged, first: str) -> None:
    """The counts of events that were gone by the time of the erasure stay: who they were of is not known any more."""
    before, known = total(aged), failed(aged)
    aged.keep(analytics_events=24)
    if first == "expired":
        aged.maintain()
    theirs = aged.count(EVENTS, f"user_id = '{USER}'")
    done = erase(aged.url, USER)
    assert rows(done)[EVENTS] == theirs
    assert total(aged) == before - theirs
    assert failed(aged) == known
    aged.maintain()
    assert total(aged) == before - theirs
    aged.rows("SELECT analytics.rebuild_niche_daily_activity()")
    assert total(aged) == before - theirs
    assert failed(aged) == known


def test_a_month_that_an_expiry_left_half_way(aged: Aged) -> None:
    """Detached, and not dropped yet: its rows of the user go, too, and its counts stay as those of all that expired."""

    def stop() -> None:
        raise InterruptedError

    before = total(aged)
    aged.keep(analytics_events=24)
    with pytest.raises(InterruptedError):
        counted(aged.maintain, once(r"DROP TABLE.*analytics_events_20\d\d_\d\d", stop))
    months = [name for (name,) in aged.rows(DETACHED)]
    assert months
    month = months[0]
    theirs = aged.count(f"analytics_partitions.{month}", f"user_id = '{USER}'")
    assert theirs
    done = rows(erase(aged.url, USER))
    assert done[f"analytics_partitions.{month}"] == theirs
    assert total(aged) == before - done[EVENTS]
    aged.maintain()
    assert total(aged) == before - done[EVENTS]


@pytest.mark.parametrize("target", ["2.1.1", "1.0.0"])
def test_counts_that_a_rollback_put_aside_go_down_too(aged: Aged, target: str) -> None:
    """Of events before the horizon that have not gone: in use when they are erased, or in the archive themselves."""
    aged.rows("SELECT analytics.move_retention_horizon('analytics_events', (now() - interval '24 months')::date)")
    before, theirs = total(aged), aged.count(EVENTS, f"user_id = '{USER}'")
    roll_back(aged.url, target)
    erase(aged.url, USER)
    Alembic(aged.url).upgrade()
    assert bring_back(aged.url).exit_code == 0
    assert total(aged) == before - theirs


def test_what_came_since_is_not_taken_from_the_counts_of_an_archive(aged: Aged) -> None:
    aged.rows("SELECT analytics.move_retention_horizon('analytics_events', (now() - interval '24 months')::date)")
    before = total(aged)
    roll_back(aged.url, "2.1.1")
    aged.rows(
        "INSERT INTO analytics.analytics_events"
        " (event_type, event_source, event_timestamp, event_data, user_id, niche_id)"
        " SELECT event_type, 'since', event_timestamp, event_data, 'somebody', niche_id"
        " FROM analytics.analytics_events"
    )
    erase(aged.url, "somebody")
    Alembic(aged.url).upgrade()
    assert bring_back(aged.url).exit_code == 0
    assert total(aged) == before


def test_rows_that_came_into_an_archive_are_counted_no_more(aged: Aged) -> None:
    """A restore sweeps them out before it brings the counts back."""
    aged.rows("SELECT analytics.move_retention_horizon('analytics_events', (now() - interval '24 months')::date)")
    before, theirs = total(aged), aged.count(EVENTS, f"user_id = '{USER}'")
    roll_back(aged.url, "1.0.0")
    archived = ("sidb_archive_1.analytics_events", "sidb_archive_1.niche_daily_activity_kept")
    for number, name in enumerate(archived):
        aged.rows(f"CREATE TABLE public.kept_{number} AS SELECT * FROM {name}")  # noqa: S608
    erase(aged.url, USER)
    for number, name in enumerate(archived):
        aged.rows(f"DELETE FROM {name}; INSERT INTO {name} SELECT * FROM public.kept_{number}")  # noqa: S608
    Alembic(aged.url).upgrade()
    assert bring_back(aged.url).exit_code == 0
    assert total(aged) == before - theirs


def test_a_month_that_is_dropped_before_the_erasure_reaches_it(aged: Aged) -> None:
    """By an expiry that goes on beside it: there is nothing left to do there."""
    month = aged.past[0]
    aged.rows(f"ALTER TABLE analytics.analytics_events DETACH PARTITION analytics_partitions.{month}")
    theirs = aged.count(EVENTS, f"user_id = '{USER}'")
    drop = once(f"DELETE FROM.*{month}", lambda: aged.rows(f"DROP TABLE analytics_partitions.{month}"))
    counted(lambda: erase(aged.url, USER), drop)
    assert aged.count("sidb.erasure", "finished IS NOT NULL") == 1
    assert aged.rows("SELECT rows FROM sidb.erasure_place WHERE place = %s", [EVENTS]) == [(theirs,)]
