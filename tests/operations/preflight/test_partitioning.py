"""What partitioning the events meets is named before it is done: what stops it, and what goes on and fails."""
# ruff: noqa: S608 (statements of our own making)

from pathlib import Path

import pytest
from sqlalchemy import URL

from tests.fixtures.databases import Alembic, Clone, Templates, cloning
from tests.fixtures.server import throwaway_server
from tests.operations.preflight.conftest import ask, execute

EVENTS = "analytics.analytics_events"
EVENT = f"INSERT INTO {EVENTS} VALUES (DEFAULT, 'view', 'web', {{}}, '{{{{}}}}')"


VIA_ROOT = """
    DO $$ DECLARE each name; BEGIN
        FOR each IN SELECT pubname FROM pg_publication LOOP
            EXECUTE format('ALTER PUBLICATION %I SET (publish_via_partition_root = true)', each);
        END LOOP;
    END $$
"""


@pytest.fixture
def before(clone: Clone) -> URL:
    """A database at the revision before; publications that others have there go on under the table's name."""
    url = clone("phase1_table")
    Alembic(url).upgrade("2.0.7")
    execute(url, VIA_ROOT)
    return url


def test_nothing_in_the_way(before: URL, clone: Clone) -> None:
    found = ask(before, "partitioning")
    assert found.verdict == "ok"
    assert found.detail.startswith("rows dated from ")
    assert found.detail.endswith(" on would be refused for about 1.0 s while it runs")
    assert ask(clone("phase1_table"), "partitioning").detail == "no events yet, or partitioned already"
    assert ask(clone("migrated_table"), "partitioning").detail == "no events yet, or partitioned already"


@pytest.mark.parametrize(
    ("theirs", "verdict", "named"),
    [
        (f"CREATE TABLE notes (event_id bigint REFERENCES {EVENTS})", "failed", "refers to events by event_id alone"),
        (f"CREATE VIEW seen AS SELECT event_id FROM {EVENTS}", "failed", "seen stands on the table of events"),
        (
            f"CREATE TRIGGER theirs BEFORE TRUNCATE ON {EVENTS} EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "failed",
            "trigger theirs on events is not ours",
        ),
        (EVENT.format("'infinity'"), "failed", "events are dated more than a year ahead: 1 (infinity); all until then"),
        (EVENT.format("'9999-12-31'"), "failed", "events are dated more than a year ahead: 1 (9999-12-31 "),
        (EVENT.format("now() + interval '1 year'"), "warning", "events are dated far ahead: all up to "),
        (
            f"CREATE PUBLICATION theirs FOR TABLE {EVENTS}",
            "failed",
            "publication theirs publishes the table of events",
        ),
        (
            "CREATE PUBLICATION theirs FOR ALL TABLES",
            "warning",
            "publication theirs publishes events with a schema or all",
        ),
        (
            "CREATE PUBLICATION theirs FOR TABLES IN SCHEMA analytics",
            "warning",
            "theirs publishes events with a schema or",
        ),
        (
            f"ALTER TABLE {EVENTS} SET (autovacuum_vacuum_scale_factor = 0.01)",
            "warning",
            "storage parameters of events",
        ),
        (
            f"ALTER TABLE {EVENTS} REPLICA IDENTITY FULL",
            "warning",
            "the replica identity of events: months to come get none",
        ),
        (
            "CREATE FUNCTION put() RETURNS void LANGUAGE sql AS 'INSERT INTO analytics.analytics_events VALUES"
            " (1, ''view'', ''web'', now(), ''{}'') ON CONFLICT (event_id) DO NOTHING'",
            "warning",
            "put() says ON CONFLICT (event_id)",
        ),
        (
            f"CREATE VIEW door AS SELECT 1 AS id; CREATE RULE put AS ON INSERT TO door DO INSTEAD INSERT INTO {EVENTS}"
            " VALUES (new.id, 'view', 'web', now(), '{}') ON CONFLICT (event_id) DO NOTHING",
            "failed",
            "door says ON CONFLICT (event_id)",
        ),
    ],
)
def test_what_it_meets(before: URL, theirs: str, verdict: str, named: str) -> None:
    execute(before, theirs)
    found = ask(before, "partitioning")
    assert (found.verdict, named in found.detail) == (verdict, True), found.detail


@pytest.mark.parametrize("state", ["DISABLE", "ENABLE REPLICA", "ENABLE ALWAYS", "ENABLE"])
def test_a_trigger_is_to_be_made_again_as_it_was(before: URL, state: str) -> None:
    execute(
        before,
        f"CREATE TRIGGER theirs BEFORE TRUNCATE ON {EVENTS} EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        f"ALTER TABLE {EVENTS} {state} TRIGGER theirs",
    )
    said = str(ask(before, "partitioning"))
    assert "CREATE TRIGGER theirs" in said
    assert (f"ALTER TABLE {EVENTS} {state} TRIGGER theirs" in said) == (state != "ENABLE")


def test_a_statement_of_an_application(pg_bin: Path) -> None:
    options = {"shared_preload_libraries": "pg_stat_statements", "max_connections": "20"}
    with throwaway_server(pg_bin, options) as server, cloning(Templates(server)) as clone:
        url = clone("phase1_table")
        Alembic(url).upgrade("2.0.7")
        statement = f"INSERT INTO {EVENTS} VALUES (7, 'view', 'web', now(), '{{}}') ON CONFLICT (event_id) DO NOTHING"
        execute(url, "CREATE SCHEMA tools; CREATE EXTENSION pg_stat_statements SCHEMA tools", statement, statement)
        found = ask(url, "partitioning")
        assert found.verdict == "warning"
        assert "(called 2 times): INSERT INTO analytics.analytics_events VALUES" in found.detail


def test_statements_that_nobody_keeps(before: URL) -> None:
    """The extension is there, and not loaded by the server."""
    execute(before, "CREATE EXTENSION pg_stat_statements")
    assert ask(before, "partitioning").verdict == "ok"
