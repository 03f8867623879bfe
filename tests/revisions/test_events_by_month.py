"""Revision 2.1.0 and its way back: which rows lie where, what is refused, what goes over to the partitioned table."""

from collections.abc import Callable
from typing import Any

import pytest
from alembic_online.errors import OnlineError
from sqlalchemy import Engine, event, text

from tests.fixtures.databases import Alembic, Clone
from tests.revisions.catalog import catalog, contents
from tests.revisions.test_interrupted import ConnectionLostError
from tests.revisions.test_step_by_step import ACTIVITY, COUNTED, EVENTS

Connect = Callable[..., Engine]

BEFORE, AFTER = "2.0.7", "2.1.0"
MANY = 50_000
"""Rows past the bound that are moved back; one more is refused."""

INSERT = """
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
    SELECT 'view', 'test', {at}, '{{}}', 1 + n % 3 FROM generate_series(1, {rows}) AS n
"""


def write(engine: Engine, at: str, rows: int = 1) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(INSERT.format(at=at, rows=rows), execution_options={"no_parameters": True})


def scalar(engine: Engine, query: str) -> object:
    with engine.connect() as connection:
        return connection.exec_driver_sql(query, execution_options={"no_parameters": True}).scalar()


@pytest.fixture
def before(clone: Clone, connect: Connect) -> Engine:
    """A database at the revision before, with events."""
    engine = connect(clone("phase1_table"))
    Alembic(engine.url).upgrade(BEFORE)
    write(engine, "now() - n * interval '1 day'", 40)
    return engine


def test_rows_go_where_their_month_is(before: Engine) -> None:
    Alembic(before.url).upgrade(AFTER)
    for at in ("'-infinity'", "now()", "now() + interval '3 months'", "'infinity'", "'9999-01-01'"):
        write(before, at)
    where = "SELECT string_agg(DISTINCT p, ' ' ORDER BY p) FROM (SELECT tableoid::regclass::text FROM {}) AS e (p)"
    found = str(scalar(before, where.format("analytics.analytics_events")))
    assert [name.rpartition("events_")[2][:7] for name in found.split()][1:] == ["default", "first"]
    assert contents(before, ACTIVITY) == contents(before, COUNTED)


def test_there_and_back_is_exact(before: Engine) -> None:
    alembic = Alembic(before.url, x=("deadline=30s",))  # nothing is lost: nothing need be said
    first = catalog(before)
    alembic.upgrade(AFTER)
    write(before, "now() + n * interval '1 day'", 500)
    events = contents(before, EVENTS)
    alembic.downgrade(BEFORE)
    assert catalog(before) == first
    assert contents(before, EVENTS) == events
    assert contents(before, ACTIVITY) == contents(before, COUNTED)
    write(before, "now()")  # ids go on
    assert scalar(before, "SELECT count(*) = count(DISTINCT event_id) FROM analytics.analytics_events") is True


def test_as_many_rows_as_can_be_moved_are_and_one_more_is_refused(before: Engine) -> None:
    alembic = Alembic(before.url, x=("deadline=30s",))
    alembic.upgrade(AFTER)
    write(before, "now() + interval '90 days'", MANY + 1)
    with pytest.raises(OnlineError, match="more than 50,000 events lie past the first partition") as refused:
        alembic.downgrade(BEFORE)
    assert "sidb rollback" in str(refused.value)
    with before.begin() as connection:
        newest = "SELECT max(event_id) FROM analytics.analytics_events"
        connection.execute(text(f"DELETE FROM analytics.analytics_events WHERE event_id = ({newest})"))  # noqa: S608
    alembic.downgrade(BEFORE)
    assert scalar(before, "SELECT count(*) FROM analytics.analytics_events") == 40 + MANY


def test_where_data_may_go_an_empty_table_is_left(before: Engine) -> None:
    first = catalog(before)
    Alembic(before.url).upgrade(AFTER)
    write(before, "now() + interval '90 days'", MANY + 1)
    Alembic(before.url).downgrade(BEFORE)
    assert catalog(before) == first
    assert scalar(before, "SELECT count(*) FROM analytics.analytics_events") == 0
    write(before, "now()")
    assert scalar(before, "SELECT min(event_id) FROM analytics.analytics_events") == 40 + MANY + 2


@pytest.mark.parametrize(
    ("theirs", "named"),
    [
        ("CREATE VIEW public.seen AS SELECT event_id FROM analytics.analytics_events", "view seen"),
        (
            "CREATE TABLE public.notes (event_id bigint REFERENCES analytics.analytics_events)",
            "constraint notes_event_id_fkey on table notes",
        ),
        (
            "UPDATE analytics.analytics_events SET event_timestamp = 'infinity' WHERE event_id = 1",
            r"dated more than a year ahead: 1 \(infinity\)",
        ),
        (
            "UPDATE analytics.analytics_events SET event_timestamp = '9999-12-31' WHERE event_id < 8",
            r"dated more than a year ahead: 1 \(9999-12-31.* and 2 more",
        ),
    ],
)
def test_what_is_in_the_way_is_named_and_nothing_changed(before: Engine, theirs: str, named: str) -> None:
    with before.begin() as connection:
        connection.exec_driver_sql(theirs)
    found = catalog(before)
    with pytest.raises(OnlineError, match=named):
        Alembic(before.url).upgrade(AFTER)
    assert catalog(before) == found


def test_an_event_far_ahead_that_comes_meanwhile_sets_no_bound(before: Engine) -> None:
    come_already: list[str] = []

    def come(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("-- The rows there are, and all that come until the swap") and not come_already:
            come_already.append(statement)
            write(before, "'9999-12-31'")

    event.listen(before, "before_cursor_execute", come)
    with pytest.raises(OnlineError, match=r"dated more than a year ahead: \d+ \(9999-12-31"):
        Alembic(before.url).through(before, "upgrade", AFTER)
    assert scalar(before, "SELECT count(*) FROM pg_constraint WHERE conname = 'analytics_events_bound'") == 0


def test_what_others_have_on_the_table_goes_over(before: Engine) -> None:
    with before.begin() as connection:
        for change in (
            "ADD note text NOT NULL DEFAULT 'none'",
            "ADD size integer GENERATED ALWAYS AS (length(event_type)) STORED",
            "ADD CONSTRAINT short CHECK (length(note) < 9)",
            "ENABLE ROW LEVEL SECURITY",
        ):
            connection.exec_driver_sql(f"ALTER TABLE analytics.analytics_events {change}")
    first = catalog(before)
    Alembic(before.url).upgrade(AFTER)
    write(before, "now() + n * interval '30 days'", 5)
    assert scalar(before, "SELECT count(*) FROM analytics.analytics_events WHERE (note, size) = ('none', 4)") == 45
    secured = "SELECT relrowsecurity FROM pg_class WHERE oid = 'analytics.analytics_events'::regclass"
    assert scalar(before, secured) is True
    Alembic(before.url, x=("deadline=30s",)).downgrade(BEFORE)
    assert catalog(before) == first
    assert scalar(before, "SELECT count(*) FROM analytics.analytics_events WHERE size = 4") == 45


def test_privileges_go_over_and_come_back_as_they_are_by_then(before: Engine) -> None:
    with before.begin() as connection:
        connection.exec_driver_sql("GRANT SELECT (event_id) ON analytics.analytics_events TO PUBLIC")
        connection.exec_driver_sql("GRANT TRIGGER ON analytics.analytics_events TO analytics_reader WITH GRANT OPTION")
    rights = "SELECT relacl::text || (SELECT string_agg(attacl::text, ' ') FROM pg_attribute WHERE attrelid = c.oid)"
    rights += " FROM pg_class AS c WHERE oid = 'analytics.analytics_events'::regclass"
    first = scalar(before, rights)
    Alembic(before.url).upgrade(AFTER)
    assert scalar(before, rights) == first
    with before.begin() as connection:
        connection.exec_driver_sql("REVOKE ALL ON analytics.analytics_events FROM analytics_reader")
    now = scalar(before, rights)
    Alembic(before.url).downgrade(BEFORE)
    assert scalar(before, rights) == now


@pytest.mark.parametrize(("left", "kept"), [("2999-01-01", True), ("2001-01-01", False)])
def test_a_bound_that_a_run_left_stays_where_it_is_late_enough(before: Engine, left: str, kept: bool) -> None:
    def interrupt(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "VALIDATE CONSTRAINT analytics_events_bound" in statement:
            raise ConnectionLostError

    event.listen(before, "before_cursor_execute", interrupt)
    with pytest.raises(ConnectionLostError):
        Alembic(before.url).through(before, "upgrade", AFTER)
    event.remove(before, "before_cursor_execute", interrupt)
    with before.begin() as connection:
        connection.exec_driver_sql(
            "ALTER TABLE analytics.analytics_events DROP CONSTRAINT analytics_events_bound,"
            f" ADD CONSTRAINT analytics_events_bound CHECK (event_timestamp < '{left}') NOT VALID"
        )
    Alembic(before.url).upgrade(AFTER)
    bound = "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = 'analytics_events_first'"
    assert (left in str(scalar(before, bound))) == kept
    assert scalar(before, "SELECT count(*) FROM pg_constraint WHERE conname = 'analytics_events_bound'") == 0
