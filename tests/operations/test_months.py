"""Months of events made where others have something on the table: what they have counts for the month, too, and is not
told that events come and go, which only change their partition."""
# ruff: noqa: S608 (statements of our own making)

from pathlib import Path

import psycopg
import pytest
from alembic_online.errors import OnlineError
from alembic_online.held import holders
from sqlalchemy import Engine, NullPool, create_engine

from operations import partitions
from operations.maintenance import MONTHS, Outcome, Task, run
from operations.partitions import LOCKS
from tests.fixtures.databases import Alembic, Templates, cloning, conninfo
from tests.fixtures.lived_in import administrator
from tests.fixtures.roles import Login
from tests.fixtures.server import throwaway_server
from tests.operations.preflight.conftest import execute
from tests.operations.test_maintenance import IN_DEFAULT, MISSING, count
from tests.revisions.catalog import contents
from tests.revisions.test_events_by_month import scalar

EVENTS = "analytics.analytics_events"
NOTED = f"""
    CREATE TABLE public.noted (what text);
    CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO public.noted VALUES (tg_op); RETURN NULL; END';
    CREATE TRIGGER noting AFTER INSERT OR DELETE ON {EVENTS} FOR EACH ROW EXECUTE FUNCTION public.note()
"""
REFERRING = f"""
    CREATE TABLE public.notes (event_id bigint, at timestamptz);
    ALTER TABLE public.notes REPLICA IDENTITY FULL;
    GRANT SELECT ON public.notes TO PUBLIC;
    INSERT INTO public.notes SELECT event_id, event_timestamp FROM {EVENTS};
    ALTER TABLE public.notes ADD FOREIGN KEY (event_id, at) REFERENCES {EVENTS} ON DELETE CASCADE
"""
NEXT = """
    DO $$ BEGIN EXECUTE format(
        'CREATE TABLE {} ', to_char(date_trunc('month', now()) + interval '{} months', '"analytics_events_"YYYY"_"MM')
    ); END $$
"""
SWITCHED = f"""
    SELECT string_agg(DISTINCT tgenabled::text, '') FROM pg_trigger
    WHERE tgname = 'noting' AND tgrelid <> '{EVENTS}'::regclass
"""


@pytest.fixture
def overdue(migrated: Engine) -> Engine:
    """A month is missing ahead, of which DEFAULT holds two rows, and two that belong to none."""
    execute(migrated.url, MISSING)
    return migrated


def months(engine: Engine) -> Task:
    [made] = [task for task in run(engine.url).tasks if task.task == MONTHS]
    return made


def test_an_event_at_the_end_of_a_month_is_the_next_ones(overdue: Engine) -> None:
    execute(
        overdue.url,
        f"INSERT INTO {EVENTS} (event_type, event_source, event_timestamp, event_data)"
        " VALUES ('view', 'web', date_trunc('month', now(), 'UTC') + interval '4 months', '{}')",
    )
    assert count(overdue, IN_DEFAULT) == 5
    assert months(overdue).detail.endswith("; 2 rows moved there")
    assert count(overdue, IN_DEFAULT) == 3


@pytest.mark.parametrize(
    "theirs",
    [
        "ADD size integer GENERATED ALWAYS AS (length(event_type)) STORED",
        "ADD CONSTRAINT short CHECK (length(event_type) < 90)",
        "ADD note text NOT NULL DEFAULT 'none'",
    ],
)
def test_what_others_have_on_the_table_a_month_has_too(overdue: Engine, theirs: str) -> None:
    execute(overdue.url, f"ALTER TABLE {EVENTS} {theirs}")
    before = contents(overdue, f"SELECT * FROM {EVENTS}")
    made = months(overdue)
    assert (made.outcome, made.amount) == (Outcome.DONE, 1), made.detail
    assert contents(overdue, f"SELECT * FROM {EVENTS}") == before


@pytest.mark.parametrize(
    ("state", "kept"), [("ENABLE", "O"), ("ENABLE ALWAYS", "A"), ("ENABLE REPLICA", "R"), ("DISABLE", "D")]
)
def test_others_triggers_see_no_event_come_or_go(overdue: Engine, state: str, kept: str) -> None:
    execute(overdue.url, NOTED, f"ALTER TABLE {EVENTS} {state} TRIGGER noting")
    assert months(overdue).detail.endswith("; 2 rows moved there")
    assert count(overdue, "public.noted") == 0
    assert scalar(overdue, SWITCHED) == kept


@pytest.mark.parametrize("referred", [EVENTS, IN_DEFAULT])
def test_what_refers_to_events_keeps_its_rows(overdue: Engine, referred: str) -> None:
    execute(overdue.url, REFERRING.replace(EVENTS, referred))
    left = months(overdue)
    assert left.outcome is Outcome.FAILED
    assert "a foreign key to analytics_events would take them for deleted" in left.detail
    assert (count(overdue, "public.notes"), count(overdue, IN_DEFAULT)) == (4, 4)
    execute(overdue.url, f"DELETE FROM {EVENTS} WHERE event_timestamp < now() + interval '1 year'")
    assert months(overdue).outcome is Outcome.DONE


def test_who_is_not_in_the_way_is_not_named(overdue: Engine) -> None:
    """However long its transaction has been open: somebody might end it."""
    address = conninfo(administrator(overdue.url))
    with psycopg.connect(address) as innocent, psycopg.connect(address) as other:
        innocent.execute("SELECT FROM public.features")
        other.execute("LOCK TABLE analytics_partitions.analytics_events_default IN ACCESS SHARE MODE")
        assert (
            months(overdue)
            .detail.partition("locked by ")[2]
            .startswith(f"pid {other.info.backend_pid} on analytics_partitions.analytics_events_default (")
        )
    with psycopg.connect(address) as innocent:
        innocent.execute("SELECT pg_sleep(1.1) FROM public.features LIMIT 1")  # else it is no old one
        assert holders(overdue.url, locks=LOCKS) == []
        assert [each.pid for each in holders(overdue.url)] == [innocent.info.backend_pid]


def test_who_holds_what_refers_to_events_is_not_waited_for(overdue: Engine) -> None:
    execute(overdue.url, REFERRING, f"DELETE FROM {EVENTS} WHERE event_timestamp < now() + interval '1 year'")
    with psycopg.connect(conninfo(administrator(overdue.url))) as other:
        other.execute("LOCK TABLE public.notes IN ROW EXCLUSIVE MODE")
        left = months(overdue)
    assert left.detail.endswith(": locked by another session"), "a superuser's, of which this role may know no more"


@pytest.mark.parametrize(
    ("theirs", "why"),
    [
        (NEXT.format("analytics_partitions.%I (theirs text)", 3), 'relation "analytics_events_20'),
        (
            NEXT.format(f"public.weeks PARTITION OF {EVENTS} FOR VALUES FROM (''%1$s09'') TO (''%1$s12'')", 3).replace(
                '"analytics_events_"YYYY"_"MM', "YYYYMM"
            ),
            'would overlap partition "weeks"',
        ),
    ],
    ids=["named", "overlapping"],
)
def test_what_is_in_the_way_is_named_and_the_rest_done(overdue: Engine, theirs: str, why: str) -> None:
    execute(overdue.url, theirs)
    left = months(overdue)
    assert left.outcome is Outcome.FAILED
    assert why in left.detail


def test_a_large_default_partition_is_not_read_while_writers_wait(
    overdue: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "MOST_BYTES", 1)
    left = months(overdue)
    assert (left.outcome, left.amount) == (Outcome.FAILED, 0)
    assert "the DEFAULT partition is larger than" in left.detail
    [made] = [task for task in run(overdue.url, move_all=True).tasks if task.task == MONTHS]
    assert (made.outcome, made.amount) == (Outcome.DONE, 1)


def test_nobody_gets_rights_on_a_month_by_default(overdue: Engine) -> None:
    execute(overdue.url, "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC, pg_monitor")
    assert months(overdue).outcome is Outcome.DONE
    others = """
        SELECT count(*) FROM pg_class AS c CROSS JOIN aclexplode(c.relacl) AS a
        WHERE c.relnamespace = 'analytics_partitions'::regnamespace AND a.grantee <> c.relowner
    """
    assert scalar(overdue, others) == 0
    Alembic(overdue.url).check()


def test_a_month_belongs_to_whom_the_events_do(overdue: Engine, login: Login) -> None:
    """Also where a member of that role has made it."""
    owners = f"""
        SELECT string_agg(DISTINCT pg_get_userbyid(c.relowner), ', ') FROM pg_partition_tree('{EVENTS}') AS t
        INNER JOIN pg_class AS c ON c.oid = t.relid
    """
    owner = scalar(overdue, owners)
    member = create_engine(login(str(owner), "analytics_writer"), poolclass=NullPool)
    assert months(member).outcome is Outcome.DONE
    assert scalar(overdue, owners) == owner


def test_who_follows_the_table_gets_moved_rows_again(pg_bin: Path) -> None:
    """As rows that left one partition and came to another one: both belong to the table that is published."""
    options = {"wal_level": "logical", "max_connections": "20", "synchronous_commit": "on"}
    with throwaway_server(pg_bin, options) as server, cloning(Templates(server)) as clone:
        url = clone("migrated_table")
        execute(url, MISSING)
        execute(url, f"CREATE PUBLICATION theirs FOR TABLE {EVENTS} WITH (publish_via_partition_root = true)")
        execute(url, "SELECT pg_create_logical_replication_slot('theirs', 'pgoutput')")
        engine = create_engine(url, poolclass=NullPool)
        assert months(engine).detail.endswith("; 2 rows moved there")
        named = "'proto_version', '1', 'publication_names', 'theirs'"
        changes = f"pg_logical_slot_get_binary_changes('theirs', NULL, NULL, {named})"
        kinds = (
            f"SELECT string_agg(chr(get_byte(data, 0)), '') FROM {changes} WHERE chr(get_byte(data, 0)) IN ('D', 'I')"
        )
        assert scalar(engine, kinds) == "DDII"
        execute(url, "SELECT pg_drop_replication_slot('theirs')")


def test_a_session_that_is_ended_while_it_makes_a_month_is_an_error(overdue: Engine) -> None:
    execute(
        overdue.url,
        "CREATE FUNCTION public.leave() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS"
        " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); END'",
        "CREATE EVENT TRIGGER leave ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION public.leave()",
    )
    with pytest.raises(OnlineError, match="the connection is lost"):
        months(overdue)
