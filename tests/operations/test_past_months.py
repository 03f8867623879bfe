"""Months of events that have begun without a partition, made after those to come."""
# ruff: noqa: S608 (statements of our own making)

import psycopg
import pytest
from sqlalchemy import Engine

from operations import partitions
from operations.maintenance import Outcome
from tests.fixtures.databases import conninfo
from tests.fixtures.lived_in import administrator
from tests.operations.preflight.conftest import execute
from tests.operations.test_maintenance import IN_DEFAULT, count
from tests.operations.test_months import EVENTS, months
from tests.revisions.test_events_by_month import scalar

MONTHS_AGO = "date_trunc('month', now(), 'UTC') - interval '{}'"
PAST = f"""
    ALTER TABLE {EVENTS} DETACH PARTITION analytics_partitions.analytics_events_first;
    DO $$ BEGIN EXECUTE format(
        'ALTER TABLE {EVENTS} ATTACH PARTITION analytics_partitions.analytics_events_first'
        ' FOR VALUES FROM (MINVALUE) TO (%L)', {MONTHS_AGO.format("4 months")}
    ); END $$;
    INSERT INTO {EVENTS} (event_type, event_source, event_timestamp, event_data)
    SELECT 'view', 'web', at, '{{}}' FROM unnest(ARRAY[
        {MONTHS_AGO.format("3 months")}, {MONTHS_AGO.format("3 months")}, {MONTHS_AGO.format("1 microsecond")}, now()
    ]) AS at
"""


AT = f"""
    INSERT INTO {EVENTS} (event_type, event_source, event_timestamp, event_data)
    VALUES ('view', 'web', {{}}, '{{{{}}}}')
"""


@pytest.fixture
def long_overdue(migrated: Engine) -> Engine:
    """No month was made for four: of the first of them, DEFAULT holds two events, of the last one and of this, one."""
    execute(migrated.url, f"TRUNCATE {EVENTS}", PAST)
    return migrated


def names(engine: Engine, *ago: int) -> list[str]:
    name = "SELECT to_char(date_trunc('month', now() AT TIME ZONE 'UTC') - interval '{} months', 'YYYY-MM')"
    return [str(scalar(engine, name.format(months))) for months in ago]


def test_past_months_that_default_has_events_of_are_made_last(long_overdue: Engine) -> None:
    made = months(long_overdue)
    assert made.detail.split("; ")[1] == "4 rows moved there"
    assert made.detail.split("; ")[0].split(", ")[-2:] == names(long_overdue, 3, 1)
    assert names(long_overdue, 0)[0] == made.detail[:7]
    assert names(long_overdue, 2)[0] not in made.detail, "of which there is no event"
    assert (count(long_overdue, IN_DEFAULT), count(long_overdue, EVENTS)) == (0, 4)
    assert months(long_overdue).amount == 0


def test_past_months_of_which_default_has_the_first_instants_alone(long_overdue: Engine) -> None:
    """Each is found behind the one before."""
    execute(long_overdue.url, f"DELETE FROM {EVENTS}")
    for ago in ("3 months", "2 months", "1 month"):
        execute(long_overdue.url, AT.format(MONTHS_AGO.format(ago)))
    assert months(long_overdue).detail.split("; ")[0].split(", ")[-3:] == names(long_overdue, 3, 2, 1)
    assert count(long_overdue, IN_DEFAULT) == 0


def test_this_month_is_no_past_one(long_overdue: Engine) -> None:
    execute(long_overdue.url, f"DELETE FROM {EVENTS} WHERE event_timestamp < date_trunc('month', now(), 'UTC')")
    made = months(long_overdue)
    assert (made.outcome, made.detail.split("; ")[1]) == (Outcome.DONE, "1 rows moved there")


def test_before_all_time_there_is_no_month(long_overdue: Engine) -> None:
    execute(long_overdue.url, f"ALTER TABLE {EVENTS} DETACH PARTITION analytics_partitions.analytics_events_first")
    execute(long_overdue.url, AT.format("'-infinity'"))
    assert months(long_overdue).outcome is Outcome.DONE
    assert count(long_overdue, IN_DEFAULT) == 1


def test_without_its_default_partition_a_month_is_left(long_overdue: Engine) -> None:
    """And all else is done."""
    execute(long_overdue.url, f"DROP TABLE {IN_DEFAULT}")
    left = months(long_overdue)
    assert left.outcome is Outcome.FAILED
    assert f'relation "{IN_DEFAULT}" does not exist' in left.detail


def test_a_month_that_cannot_be_made_is_in_no_other_ones_way(
    long_overdue: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "MOST_ROWS", 1)
    made = months(long_overdue)
    [past] = names(long_overdue, 3)
    assert (made.outcome, made.amount > 1) == (Outcome.FAILED, True)
    assert made.detail.startswith(f"{past}: more than")
    assert count(long_overdue, IN_DEFAULT) == 2
    monkeypatch.setattr(partitions, "MOST_ROWS", 2)
    assert months(long_overdue).outcome is Outcome.DONE
    assert count(long_overdue, IN_DEFAULT) == 0


@pytest.mark.parametrize("held", [IN_DEFAULT, "public.features"])
def test_whoever_holds_default_makes_nobody_wait_for_past_months(long_overdue: Engine, held: str) -> None:
    with psycopg.connect(conninfo(administrator(long_overdue.url))) as other:
        other.execute(f"LOCK TABLE {held}")
        made, pid = months(long_overdue), other.info.backend_pid
    assert made.outcome is Outcome.POSTPONED
    assert f"locked by pid {pid} on " in made.detail
    assert made.detail.count("locked by") == 1, "whoever holds one holds them all"
