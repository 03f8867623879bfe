"""The horizon: what was counted of the days before it stays, whatever counts anew, is drained, or comes late."""

from collections.abc import Iterator
from datetime import date

import psycopg
import pytest
from sqlalchemy import Engine

from tests.fixtures.databases import conninfo

Connection = psycopg.Connection[tuple[object, ...]]

FIRST = "analytics_partitions.analytics_events_first"
HORIZON = "2017-09-14"
INSERT = """
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
    VALUES ('view', 'web', '2017-09-13 12:00+00', '{}', 1),
        ('view', 'web', '2017-09-13 23:59:59.999999+00', '{}', 1),
        ('view', 'web', '2017-09-14 00:00+00', '{}', 1),
        ('view', 'web', '2017-09-15 12:00+00', '{}', 2)
"""
BEFORE, ON_IT, AFTER = (1, "2017-09-13", 2), (1, "2017-09-14", 1), (2, "2017-09-15", 1)


@pytest.fixture
def owner(migrated: Engine) -> Iterator[Connection]:
    with psycopg.connect(conninfo(migrated.url), autocommit=True) as connection:
        connection.execute("SET timezone = 'Pacific/Kiritimati'")  # UTC+14: its days are not the UTC days
        connection.execute(INSERT)
        yield connection


def activity(owner: Connection) -> list[tuple[object, ...]]:
    return owner.execute("SELECT niche_id, day::text, events FROM analytics.niche_daily_activity ORDER BY 2").fetchall()


def days_of(owner: Connection, table: str) -> list[str]:
    statement = f"SELECT day::text FROM analytics.niche_daily_activity_{table} ORDER BY 1"  # noqa: S608
    return [day for (day,) in owner.execute(statement.encode())]


def move(owner: Connection, day: str, relation: str = "analytics_events") -> date:
    row = owner.execute("SELECT analytics.move_retention_horizon(%s, %s)", [relation, day]).fetchone()
    assert row is not None
    return row[0]


def drain(owner: Connection) -> None:
    owner.execute("SELECT analytics.drain_niche_daily_activity()")


def rebuild(owner: Connection) -> None:
    owner.execute("SELECT analytics.rebuild_niche_daily_activity()")


@pytest.mark.parametrize("drained", [True, False], ids=["drained", "pending"])
def test_what_was_counted_before_the_horizon_stays_when_the_events_go(owner: Connection, drained: bool) -> None:
    if drained:
        drain(owner)
    assert move(owner, HORIZON) == date(2017, 9, 14)
    assert activity(owner) == [BEFORE, ON_IT, AFTER]
    owner.execute(f"DELETE FROM {FIRST} WHERE event_timestamp < '{HORIZON} 00:00+00'".encode())  # noqa: S608
    for work in (rebuild, drain, rebuild):
        work(owner)
        assert activity(owner) == [BEFORE, ON_IT, AFTER]
    assert days_of(owner, "kept") == ["2017-09-13"]
    assert days_of(owner, "summary") == ["2017-09-14", "2017-09-15"]


@pytest.mark.parametrize("drained", ["before", "behind it", "never"])
def test_without_a_horizon_all_is_counted_anew(owner: Connection, drained: str) -> None:
    if drained == "before":
        drain(owner)
    move(owner, HORIZON, "insight_registry")  # another table's
    if drained == "behind it":
        drain(owner)
    assert days_of(owner, "kept") == []
    owner.execute(f"DELETE FROM {FIRST} WHERE event_timestamp < '{HORIZON} 00:00+00'".encode())  # noqa: S608
    rebuild(owner)
    assert activity(owner) == [ON_IT, AFTER]


def test_a_horizon_that_only_stands_in_the_table_is_heeded(owner: Connection) -> None:
    drain(owner)
    owner.execute("INSERT INTO analytics.retention VALUES ('analytics_events', %s)", [HORIZON])
    owner.execute(f"DELETE FROM {FIRST} WHERE event_timestamp < '{HORIZON} 00:00+00'".encode())  # noqa: S608
    rebuild(owner)
    assert activity(owner) == [BEFORE, ON_IT, AFTER]


def test_what_is_kept_already_is_added_to(owner: Connection) -> None:
    drain(owner)
    owner.execute("INSERT INTO analytics.retention VALUES ('analytics_events', %s)", [HORIZON])
    owner.execute(INSERT)
    drain(owner)
    assert days_of(owner, "kept") == ["2017-09-13"]
    move(owner, HORIZON)
    assert activity(owner) == [(1, "2017-09-13", 4), (1, "2017-09-14", 2), (2, "2017-09-15", 2)]


def test_what_comes_late_or_is_erased_counts(owner: Connection) -> None:
    drain(owner)
    move(owner, HORIZON)
    owner.execute(INSERT)
    owner.execute(
        "DELETE FROM analytics.analytics_events WHERE event_timestamp = '2017-09-13 12:00+00'"  # through the parent
    )
    for work in (drain, rebuild):
        assert activity(owner) == [BEFORE, (1, "2017-09-14", 2), (2, "2017-09-15", 2)]
        work(owner)
    assert days_of(owner, "summary") == ["2017-09-14", "2017-09-15"]
    owner.execute("DELETE FROM analytics.analytics_events WHERE event_timestamp < '2017-09-14 00:00+00'")
    drain(owner)
    assert days_of(owner, "kept") == []  # nothing is left of it


def test_the_horizon_moves_on_and_never_back(owner: Connection) -> None:
    drain(owner)
    move(owner, HORIZON)
    owner.execute(INSERT)
    assert move(owner, "2017-09-15") == date(2017, 9, 15)
    assert days_of(owner, "kept") == ["2017-09-13", "2017-09-14"]
    [moved] = owner.execute("SELECT moved_at FROM analytics.retention").fetchall()
    assert move(owner, "2017-09-01") == date(2017, 9, 15)
    assert move(owner, "2017-09-15") == date(2017, 9, 15)
    assert owner.execute("SELECT moved_at FROM analytics.retention").fetchall() == [moved]
    assert activity(owner) == [(1, "2017-09-13", 4), (1, "2017-09-14", 2), (2, "2017-09-15", 2)]


def test_a_drain_and_a_move_wait_for_each_other(owner: Connection, migrated: Engine) -> None:
    with psycopg.connect(conninfo(migrated.url), autocommit=True, options="-c lock_timeout=1ms") as other:
        with owner.transaction():
            move(owner, HORIZON)
            assert other.execute("SELECT analytics.drain_niche_daily_activity()").fetchone() == (None,)
        with owner.transaction():
            drain(owner)
            with pytest.raises(psycopg.errors.LockNotAvailable):
                move(other, "2017-09-15")
    assert activity(owner) == [BEFORE, ON_IT, AFTER]
