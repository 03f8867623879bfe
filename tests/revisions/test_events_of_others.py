"""Events by month, there and back, where others have something on the table: it goes over, or is named beforehand."""
# ruff: noqa: S608 (statements of our own making)

from collections.abc import Callable

import pytest
from alembic_online.errors import OnlineError
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from operations.upgrade import script_directory
from tests.fixtures.databases import Alembic, Clone
from tests.revisions.catalog import catalog, contents
from tests.revisions.test_events_back import careful, change
from tests.revisions.test_events_by_month import AFTER, BEFORE, scalar, write
from tests.revisions.test_step_by_step import EVENTS

Connect = Callable[..., Engine]

TABLE = "analytics.analytics_events"
TRIGGER = f"""
    CREATE FUNCTION public.noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER theirs AFTER INSERT ON {TABLE} EXECUTE FUNCTION public.noted()
"""
INDEX, POLICY = f"CREATE INDEX theirs ON {TABLE} (created_at)", f"CREATE POLICY theirs ON {TABLE} USING (true)"
RULE = f"CREATE RULE theirs AS ON DELETE TO {TABLE} DO ALSO NOTHING"
REFERRING = f"""
    CREATE TABLE public.tenants (tenant bigint PRIMARY KEY);
    ALTER TABLE {TABLE} ADD tenant bigint CONSTRAINT theirs REFERENCES public.tenants
"""
NEEDED = "CREATE SCHEMA analytics_partitions; CREATE TABLE analytics_partitions.analytics_events{} (theirs integer)"
EITHER_WAY = {
    INDEX: "index analytics.theirs on events is not ours",
    TRIGGER: "trigger theirs on events is not ours",
    POLICY: "policy theirs on events is not ours",
    RULE: "rule theirs on events is not ours",
    REFERRING: "constraint theirs on events is not ours",
    f"CREATE STATISTICS analytics.theirs ON niche_id, user_id FROM {TABLE}": "statistics analytics.theirs of events",
    f"ALTER TABLE {TABLE} ADD theirs bigserial": "sequence analytics.analytics_events_theirs_seq belongs to a column",
    "COMMENT ON INDEX analytics.idx_analytics_events_user_id IS 'theirs'": "the comment on index analytics.idx_",
    f"COMMENT ON CONSTRAINT analytics_events_pkey ON {TABLE} IS 'theirs'": "the comment on constraint analytics_",
}
THERE = {
    f"ALTER TABLE {TABLE} ADD CONSTRAINT theirs UNIQUE (event_id, created_at)": "constraint theirs on events",
    f"ALTER TABLE {TABLE} ADD CONSTRAINT theirs CHECK (event_id > 0) NO INHERIT": "constraint theirs on events",
    f"ALTER TABLE {TABLE} ADD CONSTRAINT theirs CHECK (event_id > 0) NOT VALID": "constraint theirs on events",
    f"ALTER TABLE {TABLE} ADD theirs bigint GENERATED ALWAYS AS IDENTITY": "column theirs of events is an identity",
    f"ALTER TABLE {TABLE} REPLICA IDENTITY USING INDEX analytics_events_pkey": "the replica identity of events is",
    f"ALTER TABLE {TABLE} SET UNLOGGED": "events are UNLOGGED",
    "DROP INDEX analytics.idx_analytics_events_timestamp": "idx_analytics_events_timestamp on events is not there",
    "ALTER INDEX analytics.idx_analytics_events_user_id RENAME TO theirs": "index analytics.theirs on events is not",
    f"CREATE INDEX analytics_events_key ON {TABLE} (created_at)": "index analytics.analytics_events_key on events is",
    NEEDED.format(""): "the name of analytics_partitions.analytics_events is needed for a partition",
    NEEDED.format("_default"): "the name of analytics_partitions.analytics_events_default is needed",
}
BACK = {
    f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY": "row security of events is not as that of the first partition",
    f"CREATE TABLE public.theirs PARTITION OF {TABLE} FOR VALUES FROM ('2050-01-01') TO ('2050-02-01')": (
        "partition theirs of events lies in another schema"
    ),
    f"""
    INSERT INTO {TABLE} (event_id, event_type, event_source, event_timestamp, event_data)
    SELECT 1, 'view', 'test', now() + n * interval '1 month', '{{}}' FROM generate_series(1, 3) AS n
    """: "several events have the same event_id, which is the key again: 1",
}
KEPT = (
    ("SET (autovacuum_vacuum_scale_factor = 0.01, toast.autovacuum_enabled = off)",),
    ("REPLICA IDENTITY FULL",),
    ("CLUSTER ON idx_analytics_events_timestamp",),
    ("ALTER user_id SET (n_distinct = -0.1)", "ALTER user_id SET STATISTICS 500"),
    ("ALTER event_data SET COMPRESSION pglz", "ALTER event_data SET STORAGE EXTERNAL"),
)


@pytest.fixture
def before(clone: Clone, connect: Connect) -> Engine:
    engine = connect(clone("phase1_table"))
    Alembic(engine.url).upgrade(BEFORE)
    write(engine, "now() - n * interval '1 day'", 40)
    return engine


@pytest.fixture
def after(before: Engine) -> Engine:
    Alembic(before.url).upgrade(AFTER)
    return before


@pytest.mark.parametrize("theirs", [*EITHER_WAY, *THERE])
def test_what_would_not_go_over_is_named_and_nothing_changed(before: Engine, theirs: str) -> None:
    change(before, theirs.replace("%", "%%"))
    found = catalog(before)
    with pytest.raises(OnlineError) as refused:
        careful(before).upgrade(AFTER)
    assert "so none was begun; nothing was changed." in refused.value.what
    assert {**EITHER_WAY, **THERE}[theirs] in refused.value.what
    assert "DROP TABLE" not in refused.value.next_step.upper()
    assert catalog(before) == found


@pytest.mark.parametrize("theirs", [*EITHER_WAY, *BACK])
def test_what_would_not_come_back_is_named_and_nothing_changed(after: Engine, theirs: str) -> None:
    change(after, theirs)
    found, events = catalog(after), contents(after, EVENTS)
    with pytest.raises(OnlineError) as refused:
        careful(after).downgrade(BEFORE)
    assert {**EITHER_WAY, **BACK}[theirs] in refused.value.what
    assert (catalog(after), contents(after, EVENTS)) == (found, events)


def test_what_is_named_can_be_made_again_as_it_says(before: Engine) -> None:
    change(before, INDEX, TRIGGER, POLICY)
    with pytest.raises(OnlineError) as refused:
        careful(before).upgrade(AFTER)
    again = refused.value.what.partition("Keep these statements")[2].partition("\n\n")[2]
    change(before, *refused.value.next_step.replace("CONCURRENTLY ", "").split("\n"))
    careful(before).upgrade(AFTER)
    change(before, *(each for each in again.split(";\n") if each))
    there = "SELECT count(*) FROM pg_index AS i WHERE pg_get_indexdef(indexrelid) LIKE '%(created_at)'"
    assert scalar(before, there) == 6  # the table and its partitions


@pytest.mark.parametrize("theirs", KEPT)
def test_how_rows_are_stored_stays_with_them(before: Engine, theirs: tuple[str, ...]) -> None:
    change(before, *(f"ALTER TABLE {TABLE} {each}" for each in theirs))
    found, events = catalog(before), contents(before, EVENTS)
    careful(before).upgrade(AFTER)
    careful(before).downgrade(BEFORE)
    assert (catalog(before), contents(before, EVENTS)) == (found, events)


@pytest.mark.parametrize(
    "theirs", [INDEX, RULE, NEEDED.format("_default"), "DROP INDEX analytics.idx_analytics_events_timestamp"]
)
def test_the_step_itself_refuses_it_where_it_is_run_by_other_means(before: Engine, theirs: str) -> None:
    change(before, theirs)
    with pytest.raises(DBAPIError, match=r"analytics\.analytics_events cannot be partitioned"):
        change(before, frozen("refuse"))


def test_what_is_made_meanwhile_is_seen_by_the_swap(before: Engine) -> None:
    change(before, f"ALTER TABLE {TABLE} ADD CONSTRAINT analytics_events_bound CHECK (event_timestamp < '2050-01-01')")
    change(before, f"CREATE VIEW public.theirs AS SELECT event_id FROM {TABLE}")
    with pytest.raises(DBAPIError, match="this was made on it just now: view theirs"):
        change(before, frozen("swap"))


def test_a_table_that_holds_events_is_not_dropped_where_more_come_meanwhile(after: Engine) -> None:
    """Those past the bound were few enough when they were counted, and are too many to be moved now."""
    write(after, "now() + interval '90 days'", 50_001)
    with pytest.raises(DBAPIError, match="cannot be moved into its first partition any more"):
        change(after, frozen("plain"))


def test_nobody_gets_rights_on_a_partition_by_default(before: Engine) -> None:
    change(before, "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC, pg_monitor")
    careful(before).upgrade(AFTER)
    granted = """
        SELECT count(*) FROM pg_class AS c CROSS JOIN aclexplode(c.relacl) AS a
        WHERE c.relispartition AND c.relnamespace = 'analytics_partitions'::regnamespace
            AND a.grantee IN (0, 'pg_monitor'::regrole)
    """
    assert scalar(before, granted) == 0


def frozen(name: str) -> str:
    """A statement of the revision, as it runs it."""
    module = script_directory().get_revision(AFTER).module
    parts = {part: module.frozen(part) for part in ("others", "far")}
    return str(module.frozen(name, **parts, **module.on(TABLE))).replace("%", "%%")


def test_rows_that_row_security_hides_are_not_left_behind(clone: Clone, connect: Connect) -> None:
    """Not even where the statements are run by other means, by an owner who is no superuser."""
    owner = connect(clone("lived_in_table"))
    Alembic(owner.url).upgrade(AFTER)
    write(owner, "now() + interval '90 days'", 3)
    change(owner, f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    index = "CREATE UNIQUE INDEX analytics_events_plain_key ON analytics_partitions.analytics_events_first (event_id)"
    with pytest.raises(DBAPIError, match="would be affected by row-level security"):
        change(owner, index, frozen("swap_back"), frozen("drop_parent"))
    change(owner, f"ALTER TABLE {TABLE} NO FORCE ROW LEVEL SECURITY")
    assert scalar(owner, f"SELECT count(*) FROM {TABLE}") == 3
