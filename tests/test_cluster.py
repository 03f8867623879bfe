"""The cluster of the fixtures does what its tests rely on."""

from pathlib import Path

import psycopg
from psycopg import sql

from operations.binaries import run
from tests.fixtures.cluster import Cluster
from tests.fixtures.databases import Clone, conninfo


def one(url: str, question: sql.SQL) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()
        return row and row[0]


def test_the_replica_follows_and_can_be_stopped(cluster: Cluster, cluster_clone: Clone) -> None:
    url = cluster_clone("phase1_table")
    cluster.caught_up()
    niches = sql.SQL("SELECT count(*) FROM features")
    replica = conninfo(cluster.replica_url(str(url.database)))
    assert one(replica, niches) == one(conninfo(url), niches) == 200

    streaming = sql.SQL("SELECT count(*) FROM pg_stat_replication")
    lag = sql.SQL("SELECT pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()")
    with cluster.replica_stopped():
        assert one(conninfo(url), streaming) == 0
    assert one(conninfo(url), streaming) == 1
    with cluster.replay_paused():
        cluster.switch_wal()
        cluster.until(lag.as_string(None), cluster.replica)
    assert one(replica, lag) is False


def test_the_archive_can_fail(cluster: Cluster) -> None:
    archived = len(list(cluster.archive.iterdir()))
    with cluster.archive_failing():
        assert {file.name for file in cluster.archive.iterdir() if len(file.name) < 24} == {"broken"}
    assert len(list(cluster.archive.iterdir())) > archived


def test_a_base_backup_is_whole(cluster: Cluster, pg_bin: Path) -> None:
    backup = cluster.base_backup()
    verify = [pg_bin / "pg_verifybackup", backup]
    assert run(verify, cluster.primary.user).returncode == 0
    file = backup / "global" / "pg_control"
    file.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + file.read_bytes()[1:])
    assert run(verify, cluster.primary.user).returncode == 1
