"""What the watcher counts is what there is, whatever its role may see of others' sessions."""

from collections.abc import Callable

import psycopg
import pytest
from alembic_online.queries import query
from alembic_online.watcher import Sample
from psycopg.rows import class_row
from sqlalchemy import URL, Engine

from operations.embedded import Server
from operations.health import Health
from tests.fixtures.databases import Clone, conninfo
from tests.revisions.conftest import make_role


def sample(url: URL, before: str = "") -> Sample:
    with psycopg.connect(conninfo(url)) as connection, connection.cursor(row_factory=class_row(Sample)) as cursor:
        cursor.execute(before.encode())
        found = cursor.execute(query("run/sample"), {"migrator": 0}).fetchone()
    assert found is not None
    return found


def test_sessions_of_other_roles_are_counted(server: Server, clone: Clone, connect: Callable[..., Engine]) -> None:
    make_role(server, "plain")
    url = clone("phase1_table")
    plain = url.set(username="plain")
    with psycopg.connect(conninfo(url)), psycopg.connect(conninfo(url)):
        assert sample(plain).connections >= 3
        with connect(plain).connect() as connection:
            found = Health(connections_share=0.001).trouble(connection, [])
    assert found is not None
    assert int(found.detail.split()[0]) >= 3


@pytest.mark.parametrize(("kind", "lag"), [("physical", 9.0), ("logical", 0.0)])
def test_change_data_capture_is_no_replica(clone: Clone, kind: str, lag: float) -> None:
    """Played by views in front of the server's own."""
    played = f"""
        CREATE TEMPORARY VIEW pg_stat_replication AS SELECT 7 AS pid, interval '9 s' AS replay_lag;
        CREATE TEMPORARY VIEW pg_replication_slots AS SELECT 7 AS active_pid, '{kind}' AS slot_type;
        SET search_path = pg_temp, pg_catalog
    """
    assert sample(clone("phase1_table"), played).replication_lag == lag
