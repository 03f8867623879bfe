"""Back from events by month: what is done while everybody waits, what the owner has set, without a first partition."""

from collections.abc import Callable
from typing import Any

import pytest
from alembic_online.errors import OnlineError
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from operations.upgrade import script_directory
from tests.fixtures.databases import Alembic, Clone
from tests.revisions.catalog import catalog, contents
from tests.revisions.test_events_by_month import AFTER, BEFORE, scalar, write
from tests.revisions.test_step_by_step import ACTIVITY, COUNTED, EVENTS

Connect = Callable[..., Engine]

STATES = """
    SELECT string_agg(format('%s %s', tgname, tgenabled), ', ' ORDER BY tgname)
    FROM pg_trigger WHERE tgrelid = 'analytics.analytics_events'::regclass AND NOT tgisinternal
"""
SWITCHED = (
    "analytics_events_deleted D, analytics_events_inserted O, analytics_events_truncated R, analytics_events_updated A"
)
FIRST = "analytics_partitions.analytics_events_first"


@pytest.fixture
def after(clone: Clone, connect: Connect) -> Engine:
    """A database with events by month."""
    engine = connect(clone("phase1_table"))
    Alembic(engine.url).upgrade(BEFORE)
    write(engine, "now() - n * interval '1 day'", 40)
    Alembic(engine.url).upgrade(AFTER)
    return engine


def careful(engine: Engine) -> Alembic:
    """Without leave to lose anything."""
    return Alembic(engine.url, x=("deadline=30s",))


def change(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_little_is_done_while_everybody_waits(after: Engine) -> None:
    write(after, "now() + n * interval '1 day'", 500)
    statements: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(after, "before_cursor_execute", note)
    careful(after).through(after, "downgrade", BEFORE)
    event.remove(after, "before_cursor_execute", note)
    begins = next(number for number, each in enumerate(statements) if each.startswith("-- The whole tree goes"))
    ends = next(number for number, each in enumerate(statements) if each.startswith("UPDATE public.alembic_version"))
    assert ends - begins == 4
    assert not any("CREATE TABLE" in each or "CREATE UNIQUE" in each for each in statements[begins:ends])


def test_what_the_owner_has_switched_stays_so_both_ways(clone: Clone, connect: Connect) -> None:
    before = connect(clone("phase1_table"))
    Alembic(before.url).upgrade(BEFORE)
    change(
        before,
        "ALTER TABLE analytics.analytics_events DISABLE TRIGGER analytics_events_deleted",
        "ALTER TABLE analytics.analytics_events ENABLE ALWAYS TRIGGER analytics_events_updated",
        "ALTER TABLE analytics.analytics_events ENABLE REPLICA TRIGGER analytics_events_truncated",
    )
    assert scalar(before, STATES) == SWITCHED
    with pytest.raises(
        OnlineError, match=r"^Before the first step.*\n.*trigger analytics_events_deleted on .* is disabled"
    ):
        careful(before).upgrade(AFTER)
    for trigger in ("deleted", "truncated"):
        change(before, f"ALTER TABLE analytics.analytics_events ENABLE TRIGGER analytics_events_{trigger}")
    mended = SWITCHED.replace("deleted D", "deleted O").replace("truncated R", "truncated O")
    for direction, goal in (("upgrade", AFTER), ("downgrade", BEFORE)):
        getattr(careful(before), direction)(goal)
        assert scalar(before, "SELECT version_num FROM alembic_version") == goal
        assert scalar(before, STATES) == mended


def test_without_its_first_partition_it_refuses_and_leaves_all_as_it_is(after: Engine) -> None:
    change(after, f"ALTER TABLE analytics.analytics_events DETACH PARTITION {FIRST}", f"DROP TABLE {FIRST}")
    write(after, "now() + n * interval '1 day'", 500)
    found, events = catalog(after), contents(after, EVENTS)
    with pytest.raises(OnlineError, match=r"the first partition of .*events is gone") as refused:
        careful(after).downgrade(BEFORE)
    assert "sidb rollback" in str(refused.value)
    assert (catalog(after), contents(after, EVENTS)) == (found, events)


def test_without_its_first_partition_an_empty_table_is_left_where_data_may_go(after: Engine) -> None:
    newest = scalar(after, "SELECT max(event_id) FROM analytics.analytics_events")
    change(after, f"ALTER TABLE analytics.analytics_events DETACH PARTITION {FIRST}", f"DROP TABLE {FIRST}")
    Alembic(after.url).downgrade(BEFORE)
    assert scalar(after, "SELECT count(*) FROM analytics.analytics_events") == 0
    write(after, "now()")
    assert scalar(after, "SELECT min(event_id) FROM analytics.analytics_events") == int(str(newest)) + 1
    assert contents(after, ACTIVITY) == contents(after, COUNTED)
    assert scalar(after, "SELECT to_regnamespace('analytics_partitions') IS NULL") is True


def test_a_partition_that_was_taken_out_is_named_by_the_step_itself(after: Engine) -> None:
    """Where the statements are run by other means."""
    change(after, f"ALTER TABLE analytics.analytics_events DETACH PARTITION {FIRST}")
    module = script_directory().get_revision(AFTER).module
    statement = module.frozen("refuse_many", others=module.frozen("others"))
    with pytest.raises(DBAPIError, match=f"still in schema analytics_partitions: {FIRST}"):
        change(after, statement.replace("%", "%%"))
