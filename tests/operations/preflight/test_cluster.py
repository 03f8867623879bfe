"""A real primary, replica and archive: lag and backups are seen as they are."""

from pathlib import Path

import pytest
from alembic_online.errors import UsageError
from sqlalchemy import URL

from operations.embedded import Server
from operations.preflight.context import Limits, Request
from tests.fixtures.cluster import Cluster, base_backup
from tests.fixtures.databases import Clone
from tests.operations.preflight.conftest import ask, look


def test_all_is_well(cluster: Cluster, phase1: URL) -> None:
    found = look(phase1, Request(rows=1_000, backup=cluster.base_backup(), backup_command="true"))
    verdicts = {finding.check: finding.verdict for finding in found.findings}
    assert found.well, found
    assert [check for check, verdict in verdicts.items() if verdict == "unknown"] == ["application's role"]
    for check in ("replication slots", "replication lag", "base backup", "WAL archiving", "backup command"):
        assert verdicts[check] == "ok"
    assert found.next_step.startswith("the same with --prepare, then `sidb upgrade --plan`")


def test_a_stopped_replica(cluster: Cluster, phase1: URL) -> None:
    with cluster.replica_stopped():
        slots, lag = ask(phase1, "replication slots"), ask(phase1, "replication lag")
    assert (slots.verdict, lag.verdict) == ("failed", "failed")
    assert slots.detail.startswith("nobody reads slot replica keeps ")
    assert lag.detail == "no replica reads slot replica"
    assert ask(phase1, "replication slots").verdict == ask(phase1, "replication lag").verdict == "ok"


def test_a_replica_that_lags(cluster: Cluster, phase1: URL) -> None:
    request = Request(limits=Limits(lag_bytes=2**20))
    with cluster.replay_paused():
        cluster.switch_wal()
        found = ask(phase1, "replication lag", request)
    assert found.verdict == "failed"
    assert "MB and " in found.detail
    assert ask(phase1, "replication lag", request).verdict == "ok"


def test_a_replica_is_not_what_is_migrated(cluster: Cluster) -> None:
    found = look(cluster.replica_url())
    assert [(finding.check, finding.verdict) for finding in found.findings] == [("server", "failed")]
    assert found.exit_code == 1


def test_a_failing_archive(cluster: Cluster, phase1: URL) -> None:
    with cluster.archive_failing():
        found = ask(phase1, "WAL archiving")
    assert found.verdict == "failed"
    assert "cannot be archived" in found.detail
    assert ask(phase1, "WAL archiving").verdict == "ok"
    late = ask(phase1, "WAL archiving", Request(limits=Limits(archived_seconds=0)))
    assert late.verdict == "failed"


def test_no_proof_of_a_backup(clone: Clone) -> None:
    url = clone("phase1_table")
    assert ask(url, "WAL archiving").verdict == "failed"
    assert ask(url, "WAL archiving", Request(backup_command="true")).verdict == "ok"
    failed = ask(url, "backup command", Request(backup_command="exit 3"))
    assert (failed.verdict, failed.detail) == ("failed", "exits 3")


@pytest.mark.parametrize("file", ["PG_VERSION", "base/1/PG_VERSION", "global/pg_control"])
def test_a_damaged_backup(cluster: Cluster, phase1: URL, file: str) -> None:
    backup = cluster.base_backup()
    assert ask(phase1, "base backup", Request(backup=backup)).verdict == "ok"
    content = (backup / file).read_bytes()
    (backup / file).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    found = ask(phase1, "base backup", Request(backup=backup))
    assert found.verdict == "failed"
    assert file in found.detail
    (backup / "backup_manifest").unlink()
    with pytest.raises(UsageError, match="has no backup_manifest"):
        ask(phase1, "base backup", Request(backup=backup))


def test_a_backup_in_tar_files(cluster: Cluster, phase1: URL) -> None:
    backup = base_backup(cluster.primary, "in-tar-files", "--format=tar")
    found = ask(phase1, "base backup", Request(backup=backup))
    assert (found.verdict, "is whole" in found.detail) == ("ok", True)
    content = (backup / "base.tar").read_bytes()
    place = content.index(b"PG_VERSION") + 512
    (backup / "base.tar").write_bytes(content[:place] + b"9" + content[place + 1 :])
    found = ask(phase1, "base backup", Request(backup=backup))
    assert (found.verdict, "PG_VERSION" in found.detail) == ("failed", True)


def test_whose_backup_and_how_old(cluster: Cluster, server: Server, phase1: URL, tmp_path: Path) -> None:
    old = ask(phase1, "base backup", Request(backup=cluster.base_backup(), limits=Limits(backup_seconds=0)))
    assert old.verdict == "warning"
    found = ask(phase1, "base backup", Request(backup=base_backup(server, "another")))
    assert (found.verdict, found.detail.endswith("is a backup of another server")) == ("failed", True)
