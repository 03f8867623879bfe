"""What reads a logical slot, as change data capture does, confirms when it likes: it is no replica that lags."""

import subprocess
from pathlib import Path

import psycopg
from sqlalchemy import NullPool, create_engine

from operations.embedded import PORT, SUPERUSER
from operations.health import Health
from operations.monitor import look
from tests.engine.conftest import until
from tests.fixtures.databases import Templates, cloning, conninfo
from tests.fixtures.server import throwaway_server
from tests.operations.preflight.conftest import ask

STREAMS = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND replay_lag IS NOT NULL"
PUBLICATION = ("proto_version=1", "publication_names=changes")


def test_it_is_no_replica(pg_bin: Path) -> None:
    with throwaway_server(pg_bin, {"wal_level": "logical"}) as server, cloning(Templates(server)) as clone:
        url = clone("migrated_table")
        with psycopg.connect(conninfo(url), autocommit=True) as application:
            application.execute("CREATE PUBLICATION changes FOR TABLE features")
            application.execute("SELECT pg_create_logical_replication_slot('captured', 'pgoutput')")
            where = ["-h", server.sockets, "-p", PORT, "-U", SUPERUSER, "-d", str(url.database), "--slot", "captured"]
            how = ["--start", "--file=-", "--no-loop", "--status-interval=1", "--fsync-interval=1"]
            options = [part for option in PUBLICATION for part in ("--option", option)]
            command = [server.binaries / "pg_recvlogical", *where, *how, *options]
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as captures:
                try:

                    def streams() -> bool:
                        application.execute("UPDATE features SET updated_at = now() WHERE niche_id = 1")
                        return application.execute(STREAMS).fetchone() == (1,)

                    until(streams, "changes are captured")
                    asked = ask(url, "replication lag")
                    engine = create_engine(url, poolclass=NullPool)
                    with engine.connect() as connection:
                        held_back = Health(lag_seconds=0).trouble(connection, [])
                    seen = {finding.check: finding.detail for finding in look(url).findings}
                finally:
                    captures.terminate()
    assert asked.detail == "no replica"
    assert held_back is None
    assert "no replica is connected" in seen.values()
