"""Daily activity: exact after every kind of statement, whatever was drained in between."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine

from tests.fixtures.databases import conninfo
from tests.fixtures.roles import Login

# What the view shows and the events say otherwise: nothing, ever. One statement, hence one snapshot; events first, as a
# TRUNCATE of them takes its locks.
DIFFERENCE = """
WITH counted AS (
    SELECT niche_id, (event_timestamp AT TIME ZONE 'UTC')::date AS day, event_type, count(*) AS events
    FROM analytics.analytics_events
    WHERE niche_id IS NOT NULL
    GROUP BY 1, 2, 3
),

shown AS (TABLE analytics.niche_daily_activity)

(TABLE shown EXCEPT ALL TABLE counted) UNION ALL (TABLE counted EXCEPT ALL TABLE shown)
"""

# All that an application that writes events needs.
EVENT_WRITER = (
    "USAGE ON SCHEMA analytics",
    "SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON analytics.analytics_events",
    "USAGE ON SEQUENCE analytics.analytics_events_event_id_seq",
)

INSERT = """
INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
VALUES ('view', 'web', '2017-09-13 12:00+00', '{}', 1),
    ('view', 'web', '2017-09-13 23:59:59.999999+00', '{}', 1),
    ('view', 'web', '2017-09-14 00:00+00', '{}', 1),
    ('search', 'web', '2017-09-13 12:00+00', '{}', 1),
    ('view', 'web', '2017-09-13 12:00+00', '{}', 2),
    ('view', 'web', '2017-09-13 12:00+00', '{}', NULL)
"""
AFTER_INSERT = [
    (1, "2017-09-13", "search", 1),
    (1, "2017-09-13", "view", 2),
    (1, "2017-09-14", "view", 1),
    (2, "2017-09-13", "view", 1),
]
DELTAS = 5
"""One for each event of a niche."""

# Statement by statement on those six events, and what the view shows then.
STATEMENTS: dict[str, tuple[str, list[tuple[int, str, str, int]]]] = {
    "insert of nothing": (
        "INSERT INTO analytics.analytics_events SELECT * FROM analytics.analytics_events WHERE false",
        AFTER_INSERT,
    ),
    "insert without a niche": (
        "INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data)"
        " VALUES ('view', 'web', now(), '{}')",
        AFTER_INSERT,
    ),
    "update of the niche": (
        "UPDATE analytics.analytics_events SET niche_id = 2 WHERE niche_id = 1 AND event_type = 'search'",
        [AFTER_INSERT[1], AFTER_INSERT[2], (2, "2017-09-13", "search", 1), AFTER_INSERT[3]],
    ),
    "update to no niche": (
        "UPDATE analytics.analytics_events SET niche_id = NULL WHERE event_timestamp = '2017-09-13 12:00+00'",
        [(1, "2017-09-13", "view", 1), AFTER_INSERT[2]],
    ),
    "update from no niche": (
        "UPDATE analytics.analytics_events SET niche_id = 2 WHERE niche_id IS NULL",
        [*AFTER_INSERT[:3], (2, "2017-09-13", "view", 2)],
    ),
    "update of the type": (
        "UPDATE analytics.analytics_events SET event_type = 'view'",
        [(1, "2017-09-13", "view", 3), *AFTER_INSERT[2:]],
    ),
    "update over midnight": (
        "UPDATE analytics.analytics_events SET event_timestamp = event_timestamp + interval '1 microsecond'",
        [AFTER_INSERT[0], (1, "2017-09-13", "view", 1), (1, "2017-09-14", "view", 2), AFTER_INSERT[3]],
    ),
    "update of the key": (
        "UPDATE analytics.analytics_events SET event_id = event_id + 1000, created_at = NULL",
        AFTER_INSERT,
    ),
    "update of what is not counted": (
        "UPDATE analytics.analytics_events SET user_id = 'u', event_data = '{\"a\": 1}', event_source = 'app'",
        AFTER_INSERT,
    ),
    "update of nothing": ("UPDATE analytics.analytics_events SET niche_id = 3 WHERE false", AFTER_INSERT),
    "delete of some": (
        "DELETE FROM analytics.analytics_events WHERE niche_id = 1 AND event_type = 'view'",
        [AFTER_INSERT[0], AFTER_INSERT[3]],
    ),
    "delete of all": ("DELETE FROM analytics.analytics_events", []),
    "delete of nothing": ("DELETE FROM analytics.analytics_events WHERE false", AFTER_INSERT),
    "truncate": ("TRUNCATE analytics.analytics_events", []),
    "upsert": (
        "INSERT INTO analytics.analytics_events AS e"
        " (event_id, event_type, event_source, event_timestamp, event_data, niche_id)"
        " SELECT event_id, 'view', 'web', event_timestamp, '{}'::jsonb, 2"
        " FROM analytics.analytics_events"
        " UNION ALL SELECT 1000, 'view', 'web', '2017-09-14 12:00+00', '{}', 2"
        " ON CONFLICT (event_id, event_timestamp) DO UPDATE SET"
        " niche_id = excluded.niche_id, event_timestamp = '2017-09-14 12:00+00', event_type = excluded.event_type",
        [(2, "2017-09-14", "view", 7)],
    ),
    "merge": (
        "MERGE INTO analytics.analytics_events AS e"
        " USING (SELECT 1 AS niche UNION ALL SELECT 3) AS s ON e.niche_id = s.niche"
        " WHEN MATCHED AND e.event_type = 'search' THEN DELETE"
        " WHEN MATCHED THEN UPDATE SET event_type = 'watch'"
        " WHEN NOT MATCHED THEN INSERT (event_type, event_source, event_timestamp, event_data, niche_id)"
        " VALUES ('view', 'web', '2017-09-15 12:00+00', '{}', s.niche)",
        [(1, "2017-09-13", "watch", 2), (1, "2017-09-14", "watch", 1), AFTER_INSERT[3], (3, "2017-09-15", "view", 1)],
    ),
    "several in one": (
        "WITH gone AS (DELETE FROM analytics.analytics_events WHERE event_type = 'search' RETURNING *)"
        " INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)"
        " SELECT 'view', event_source, event_timestamp, event_data, niche_id FROM gone",
        [(1, "2017-09-13", "view", 3), *AFTER_INSERT[2:]],
    ),
}

Connection = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def owner(migrated: Engine) -> Iterator[Connection]:
    with psycopg.connect(conninfo(migrated.url), autocommit=True) as connection:
        yield connection


@pytest.fixture
def writer(owner: Connection, login: Login) -> Iterator[Connection]:
    """An application in another time zone, with privileges on the event table and nothing else."""
    with psycopg.connect(conninfo(login(*EVENT_WRITER)), autocommit=True) as connection:
        connection.execute("SET timezone = 'Pacific/Kiritimati'")  # UTC+14: its days are not the UTC days
        yield connection


def drain(owner: Connection) -> int | None:
    return owner.execute("SELECT analytics.drain_niche_daily_activity()").fetchone()[0]


def activity(owner: Connection) -> list[tuple[object, ...]]:
    """What the view shows, once seen to be what the events say."""
    assert owner.execute(DIFFERENCE).fetchall() == []
    return owner.execute(
        "SELECT niche_id, day::text, event_type, events FROM analytics.niche_daily_activity ORDER BY 1, 2, 3"
    ).fetchall()


@pytest.mark.parametrize("drained", [False, True], ids=["pending", "drained"])
def test_statements(owner: Connection, writer: Connection, drained: bool, subtests: pytest.Subtests) -> None:
    """Each kind of statement, upon events that are folded in or not, and folded in itself then."""
    for name, (statement, expected) in STATEMENTS.items():
        with subtests.test(name):
            writer.execute("TRUNCATE analytics.analytics_events")
            writer.execute(INSERT)
            assert activity(owner) == AFTER_INSERT
            if drained:
                assert drain(owner) == DELTAS
            writer.execute(statement)
            assert activity(owner) == expected
            drain(owner)
            assert activity(owner) == expected
            assert owner.execute("SELECT count(*) FROM analytics.niche_daily_activity_summary").fetchone() == (
                len(expected),
            )
            assert drain(owner) == 0


def test_copy(owner: Connection, writer: Connection) -> None:
    copy = (
        "COPY analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id) FROM STDIN"
    )
    with writer.cursor().copy(copy) as rows:
        for niche in (1, 1, 2, None):
            rows.write_row(("view", "web", "2017-09-13 00:00+14", "{}", niche))
    assert activity(owner) == [(1, "2017-09-12", "view", 2), (2, "2017-09-12", "view", 1)]


def test_a_statement_appends_no_more_than_it_changes(owner: Connection, writer: Connection) -> None:
    """A delta for each event, one for each niche, day and type that goes, none where nothing counted changed."""
    deltas = "SELECT count(*) FROM analytics.niche_daily_activity_delta"
    events = "SELECT count(*) FROM analytics.analytics_events WHERE niche_id IS NOT NULL"
    writer.execute(INSERT)
    inserted = owner.execute(deltas).fetchone()
    assert inserted == owner.execute(events).fetchone()
    writer.execute("UPDATE analytics.analytics_events SET user_id = 'u'")
    writer.execute("UPDATE analytics.analytics_events SET event_id = event_id + 1000")
    assert owner.execute(deltas).fetchone() == inserted
    writer.execute("DELETE FROM analytics.analytics_events")
    assert owner.execute(deltas).fetchone() == (inserted[0] + len(AFTER_INSERT),)


def test_rollback_takes_the_counts_back(owner: Connection, writer: Connection) -> None:
    writer.execute(INSERT)
    for statement in (INSERT, "DELETE FROM analytics.analytics_events", "TRUNCATE analytics.analytics_events"):
        with writer.transaction(force_rollback=True):
            writer.execute(statement)
        assert activity(owner) == AFTER_INSERT


def test_savepoints(owner: Connection, writer: Connection) -> None:
    with writer.transaction():
        writer.execute(INSERT)
        with writer.transaction(force_rollback=True):
            writer.execute("DELETE FROM analytics.analytics_events WHERE niche_id = 1")
            with writer.transaction():
                writer.execute(INSERT)
        with writer.transaction():
            writer.execute("DELETE FROM analytics.analytics_events WHERE niche_id = 2")
    assert activity(owner) == AFTER_INSERT[:3]


def test_what_is_not_committed_is_not_seen(owner: Connection, writer: Connection) -> None:
    with writer.transaction():
        writer.execute(INSERT)
        assert activity(owner) == []
        assert drain(owner) == 0
    assert activity(owner) == AFTER_INSERT


def test_a_drain_that_fails_leaves_everything(owner: Connection, writer: Connection) -> None:
    writer.execute(INSERT)
    with owner.transaction(force_rollback=True):
        assert drain(owner) == DELTAS
        assert activity(owner) == AFTER_INSERT
    assert activity(owner) == AFTER_INSERT
    assert drain(owner) == DELTAS


def test_one_drains_at_a_time(owner: Connection, writer: Connection, migrated: Engine) -> None:
    writer.execute(INSERT)
    with psycopg.connect(conninfo(migrated.url), autocommit=True, options="-c lock_timeout=1ms") as other:
        with owner.transaction():
            assert drain(owner) == DELTAS
            assert drain(other) is None  # and does not wait
            assert activity(other) == AFTER_INSERT
        assert activity(other) == AFTER_INSERT
        assert drain(other) == 0


def test_nobody_drains_while_all_is_counted_anew(owner: Connection, writer: Connection, migrated: Engine) -> None:
    writer.execute(INSERT)
    other = psycopg.connect(conninfo(migrated.url), autocommit=True, options="-c lock_timeout=1ms")
    with other, owner.transaction():
        owner.execute("SELECT analytics.rebuild_niche_daily_activity()")
        assert drain(other) is None  # and does not wait


def test_a_truncate_that_cannot_forget_the_counts_fails(owner: Connection, writer: Connection) -> None:
    writer.execute(INSERT)
    drain(owner)
    with owner.transaction(force_rollback=True):
        owner.execute("DECLARE shown CURSOR FOR TABLE analytics.niche_daily_activity_summary")
        with pytest.raises(psycopg.errors.ObjectInUse):
            owner.execute("TRUNCATE analytics.analytics_events")
    assert activity(owner) == AFTER_INSERT


def test_rebuild_counts_what_bypassed_the_triggers(owner: Connection, writer: Connection) -> None:
    writer.execute(INSERT)
    drain(owner)
    with owner.transaction():
        owner.execute("SET LOCAL session_replication_role = replica")
        owner.execute(INSERT)
        owner.execute("DELETE FROM analytics.analytics_events WHERE event_type = 'search'")
    assert owner.execute(DIFFERENCE).fetchall() != []
    writer.execute(
        "INSERT INTO analytics.analytics_events SELECT 1000, 'view', 'web', '2017-09-15 12:00+00', '{}', NULL, 2"
    )
    assert owner.execute("SELECT analytics.rebuild_niche_daily_activity()").fetchone() == (4,)
    assert activity(owner) == [
        (1, "2017-09-13", "view", 4),
        (1, "2017-09-14", "view", 2),
        (2, "2017-09-13", "view", 2),
        (2, "2017-09-15", "view", 1),
    ]
    assert drain(owner) == 0


def test_drains_where_everything_is_published(owner: Connection, writer: Connection) -> None:
    """A table without a key refuses deletes in a publication, unless its replica identity is the whole row."""
    owner.execute("CREATE PUBLICATION everything FOR TABLES IN SCHEMA analytics")
    writer.execute(INSERT)
    assert drain(owner) == DELTAS
