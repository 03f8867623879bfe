"""Alerts about what surrounds a migration, on real servers: a replica that falls behind, connections that run out."""

from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from alembic_online.alerts import CONNECTIONS

from tests.engine.conftest import current, ledger, refusal
from tests.fixtures.cluster import Cluster
from tests.fixtures.databases import Alembic, Clone, Templates, cloning, conninfo
from tests.fixtures.revisions import HEAD
from tests.fixtures.server import throwaway_server


def test_a_replica_that_falls_behind_stops_the_migration(cluster: Cluster, cluster_clone: Clone) -> None:
    """A session keeps the step from its lock, and so the migration under way, while the replica replays nothing."""
    url = cluster_clone("phase1_table")
    Alembic(url).upgrade("2.0.0")
    cluster.caught_up()
    with psycopg.connect(conninfo(url)) as blocker, cluster.writing(url), cluster.replay_paused():
        blocker.execute("UPDATE features SET updated_at = now() WHERE niche_id = 1")
        said = refusal(Alembic(url, x=("deadline=60s", "on-alert=stop")).upgrade)
    assert said.startswith("Stopped by an alert: 2.0.1 upgrade: a replica is 5.")
    assert current(url) == "2.0.0"
    alert, stands, next_step = said.splitlines()
    assert stands.startswith(
        "No step was applied; 2.0.1 upgrade was not finished: nothing of it stays. The database is whole at 2.0.0"
    )
    assert (ledger(url)[-1].outcome, ledger(url)[-1].message) == ("failed", f"{alert}\n{next_step}")
    Alembic(url).upgrade()
    assert current(url) == HEAD


def test_connections_that_run_out_are_told(pg_bin: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A crowd of sessions, and the migration's own: it is told once a step, and the migration goes on."""
    allowed = 20
    with (
        throwaway_server(pg_bin, {"max_connections": str(allowed)}) as server,
        cloning(Templates(server)) as clone,
        ExitStack() as crowd,
    ):
        url = clone("phase1_table")
        Alembic(url).upgrade("2.0.0")
        assert not [message for message in caplog.messages if message.startswith("Alert: ")]
        for _ in range(int(allowed * CONNECTIONS) - 2):
            crowd.enter_context(psycopg.connect(conninfo(url)))
        Alembic(url).upgrade("2.0.2")
    told = [message for message in caplog.messages if message.startswith("Alert: ")]
    assert [message.partition(": ")[2][:13] for message in told] == ["2.0.1 upgrade", "2.0.2 upgrade"]
    assert all(message.endswith("% of the connections are in use") for message in told)
