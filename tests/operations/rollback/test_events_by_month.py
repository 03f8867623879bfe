"""Back from events by month: where more rows lie past the bound than can be moved, the whole tree is put aside."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic_online.errors import OnlineError
from sqlalchemy import URL, NullPool, create_engine

from operations.phase1 import Shape
from operations.queries import query
from operations.rollback import archives, rollback
from operations.status import look as status
from tests.engine.conftest import catalog, until
from tests.fixtures.databases import Alembic, conninfo
from tests.fixtures.ended import counted, once, stopped
from tests.fixtures.lived_in import administrator
from tests.operations.rollback.conftest import MOVES, Fill, abort, bring_back, execute, roll_back, rows
from tests.revisions.catalog import contents

PAST_BOUND = """
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
    SELECT 'view', 'test', now() + interval '100 days', '{}', NULL FROM generate_series(1, 50001) AS n
"""
FIRST = "analytics_partitions.analytics_events_first"
AT_BOUND = f"""
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data)
    SELECT 'view', 'test', substring(pg_get_expr(relpartbound, oid) FROM 'TO \\(''([^'']+)')::timestamptz, '{{}}'
    FROM pg_class WHERE oid = '{FIRST}'::regclass
"""  # noqa: S608
EVENTS = "SELECT * FROM analytics.analytics_events"
COUNT = "SELECT count(*) FROM analytics.analytics_events"
FILES = "SELECT relfilenode FROM pg_class WHERE relname ~ '^analytics_events_(first|default)$' AND true ORDER BY 1"
NEXT_ID = "SELECT nextval('analytics.analytics_events_event_id_seq')"


@pytest.mark.parametrize("target", ["2.0.7", "1.0.0"])
def test_the_whole_tree_is_kept_and_comes_back(fill: Fill, target: str) -> None:
    engine = fill(Shape.TABLE)
    url = engine.url
    execute(url, PAST_BOUND)
    before, complete, [(events,)] = rows(engine), catalog(url), execute(url, COUNT)
    files = execute(
        url, "SELECT relfilenode FROM pg_class WHERE relname ~ '^analytics_events_(first|default)$' ORDER BY 1"
    )
    engine.dispose()
    assert roll_back(url, target).exit_code == 0
    assert execute(url, FILES.replace("true", "relnamespace = 'sidb_archive_1'::regnamespace")) == files
    if target == "2.0.7":
        assert execute(url, COUNT) == [(0,)]
        assert execute(url, NEXT_ID)[0][0] > events
    Alembic(url).upgrade()
    assert bring_back(url).exit_code == 0
    assert execute(url, FILES.replace("true", "relnamespace = 'analytics_partitions'::regnamespace")) == files
    assert execute(url, "SELECT count(*) FROM pg_class WHERE relname = 'analytics_events_plain_key'") == [(0,)]
    assert execute(url, COUNT) == [(events,)]
    assert rows(engine) == before
    assert catalog(url) == complete
    assert {line.state for line in archives.archives(url).tables} == {"restored"}


@pytest.mark.parametrize("target", ["2.0.7", "1.0.0"])
def test_the_plan_lists_the_tree(fill: Fill, target: str) -> None:
    url = fill(Shape.TABLE).url
    for more in ("SELECT", PAST_BOUND.replace("50001", "49999"), AT_BOUND):  # so many are moved back, one more is not
        execute(url, more)
        assert listed(url, target) == ([] if target == "2.0.7" else [("2.0.0", "kept", rows_now(url))])
    execute(url, AT_BOUND)
    assert listed(url, target) == [("2.1.0", "kept", rows_now(url))]


def listed(url: URL, target: str) -> list[tuple[str, str, str | None]]:
    found = rollback.planned(url, rollback.prepare(url, target, take_along=True)).objects
    assert all(line.size not in (None, "0 bytes") for line in found if line.object == "analytics_events")
    return [(line.revision, line.data, line.rows) for line in found if line.object == "analytics_events"]


def rows_now(url: URL) -> str:
    return f"{execute(url, COUNT)[0][0]:,}"


def test_a_downgrade_by_itself_names_the_rollback(fill: Fill) -> None:
    engine = fill(Shape.TABLE)
    execute(engine.url, PAST_BOUND)
    with pytest.raises(OnlineError, match="sidb rollback"):
        Alembic(engine.url, x=("deadline=30s",)).downgrade("2.0.7")
    assert execute(engine.url, "SELECT version_num FROM alembic_version") == [("2.1.0",)]


def test_without_its_first_partition_the_tree_is_put_aside_and_comes_back(fill: Fill) -> None:
    """What is taken out and still there is named first: it belongs to neither table."""
    engine = fill(Shape.TABLE)
    url = engine.url
    execute(url, PAST_BOUND.replace("50001", "10"))
    execute(url, f"ALTER TABLE analytics.analytics_events DETACH PARTITION {FIRST}")
    with pytest.raises(OnlineError, match=f"{FIRST} was taken out of analytics.analytics_events"):
        roll_back(url, "2.0.7")
    execute(url, f"DROP TABLE {FIRST}")
    before = contents(engine, EVENTS)
    engine.dispose()
    assert roll_back(url, "2.0.7").exit_code == 0
    assert execute(url, COUNT) == [(0,)]
    Alembic(url).upgrade()
    assert bring_back(url).exit_code == 0
    assert contents(engine, EVENTS) == before
    assert execute(url, f"SELECT to_regclass('{FIRST}') IS NULL") == [(True,)]  # as it was


@pytest.fixture
def put_aside(fill: Fill) -> tuple[URL, list[str]]:
    """A database whose tree was put aside and is empty again; what its events were."""
    engine = fill(Shape.TABLE)
    execute(engine.url, PAST_BOUND)
    before = contents(engine, EVENTS)
    engine.dispose()
    assert roll_back(engine.url, "2.0.7").exit_code == 0
    Alembic(engine.url).upgrade()
    return engine.url, before


def test_an_archived_tree_is_as_large_as_its_partitions(put_aside: tuple[URL, list[str]]) -> None:
    url, _ = put_aside
    [(of_events, of_all)] = execute(
        url,
        "SELECT sum(pg_total_relation_size(oid)) FILTER (WHERE relname LIKE 'analytics_events%'),"
        " sum(pg_total_relation_size(oid)) FROM pg_class"
        " WHERE relnamespace = 'sidb_archive_1'::regnamespace AND relkind = 'r'",
    )
    [events] = [line for line in archives.archives(url).tables if line.table == "analytics_events"]
    assert events.bytes == of_events > 0
    [archive] = status.look(url).archives
    assert archive.bytes == of_all


def test_a_tree_comes_back_beside_rows_that_are_there(put_aside: tuple[URL, list[str]]) -> None:
    url, before = put_aside
    execute(url, PAST_BOUND.replace("50001", "3").replace("'test'", "'newer'"))
    assert bring_back(url).exit_code == 0
    engine = create_engine(url, poolclass=NullPool)
    assert contents(engine, f"{EVENTS} WHERE event_source <> 'newer'") == before
    assert execute(url, f"{COUNT} WHERE event_source = 'newer'") == [(3,)]


def test_who_holds_an_archived_partition_is_waited_for(put_aside: tuple[URL, list[str]]) -> None:
    """As a VACUUM does: the foreign key is added when it is done."""
    url, before = put_aside
    first = "sidb_archive_1.analytics_events_first"
    waiting = f"SELECT waitstart FROM pg_locks WHERE NOT granted AND relation = '{first}'::regclass"  # noqa: S608
    attempts: set[object] = set()

    def is_tried_again() -> bool:
        attempts.update(execute(url, waiting))
        return len(attempts) > 1

    with ThreadPoolExecutor(1) as pool, psycopg.connect(conninfo(administrator(url))) as holder:
        holder.execute(f"LOCK TABLE {first} IN SHARE UPDATE EXCLUSIVE MODE".encode())
        restored = pool.submit(bring_back, url)
        until(lambda: restored.done() or is_tried_again(), "the lock is asked for twice")
        holder.rollback()
        assert restored.result().exit_code == 0
    assert contents(create_engine(url, poolclass=NullPool), EVENTS) == before


@pytest.mark.parametrize(
    "at",
    [
        "NOT VALID",
        "VALIDATE CONSTRAINT",
        r"SQL\('sidb_archive_1\.analytics_events'\), SQL\(' ADD",
        MOVES,
        "setval",
    ],
    ids=["added", "validated", "added to the whole", "moved", "ids"],
)
def test_an_exchange_that_is_interrupted_is_gone_on_with(put_aside: tuple[URL, list[str]], at: str) -> None:
    url, before = put_aside

    stopped(lambda: bring_back(url), at)
    assert bring_back(url).exit_code == 0
    assert contents(create_engine(url, poolclass=NullPool), EVENTS) == before
    assert {line.state for line in archives.archives(url).tables} == {"restored"}


def test_the_whole_takes_over_references_that_are_validated(put_aside: tuple[URL, list[str]]) -> None:
    """So that no row is read while it is locked."""
    url, _ = put_aside
    found: list[tuple[object, ...]] = []
    valid = "SELECT conrelid, convalidated FROM pg_constraint WHERE conname = 'analytics_events_niche_id_fkey'"
    look = once(r"SQL\('sidb_archive_1\.analytics_events'\), SQL\(' ADD", lambda: found.extend(execute(url, valid)))
    counted(lambda: bring_back(url), look)
    assert len(found) > 2
    assert {validated for _, validated in found} == {True}


def test_rows_past_the_bound_are_counted_without_those_before_it(fill: Fill) -> None:
    """Of a table of 100 GB nearly all lies in the first partition."""
    url = fill(Shape.TABLE).url
    plan = execute(url, f"EXPLAIN (ANALYZE, COSTS off) {query('rollback/goes_aside')}")
    scans = [line for (line,) in plan if " on analytics_events_first" in line]
    assert scans
    assert all(line.endswith("(never executed)") for line in scans)


def test_given_up_nothing_is_left_on_the_first_partition(fill: Fill) -> None:
    """The index that makes event_id the key again: it would refuse rows, and cost whoever writes them."""
    url = fill(Shape.TABLE).url

    stopped(lambda: roll_back(url, "2.0.7"), "Where there are too many rows to be moved")
    there = "SELECT count(*) FROM pg_class WHERE relname = 'analytics_events_plain_key'"
    assert execute(url, there) == [(1,)]
    abort(url)
    assert execute(url, there) == [(0,)]
