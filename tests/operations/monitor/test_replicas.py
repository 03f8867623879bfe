"""Replicas as a look finds them: well, behind, gone, and from the replica's own side."""

import re

from alembic_online.replica_lag_limits import LAG_WARNING
from sqlalchemy import URL

from operations.findings import Finding
from operations.monitor import look
from tests.engine.conftest import until
from tests.fixtures.cluster import SLOT, Cluster
from tests.fixtures.databases import Clone

CHECK = "replica lag"


def replicas(url: URL) -> Finding:
    return next(finding for finding in look(url).findings if finding.check == CHECK)


def test_a_replica_that_is_behind_and_one_that_is_gone(cluster: Cluster, cluster_clone: Clone) -> None:
    url = cluster_clone("migrated_table")
    cluster.caught_up()
    assert replicas(url).verdict == "ok"
    assert replicas(url).detail.startswith("1, ")
    with cluster.writing(url), cluster.replay_paused():
        until(lambda: replicas(url).verdict == "warning", "1.5 s behind")
        behind = re.match(r"walreceiver (\d+\.\d)", replicas(url).detail)
        assert behind is not None
        assert float(behind[1]) >= LAG_WARNING
    with cluster.replica_stopped():
        gone = replicas(url)
    assert (gone.verdict, gone.detail) == ("failed", SLOT)
    assert f"SELECT pg_drop_replication_slot('{SLOT}');" in gone.remedy


def test_a_look_at_the_replica_itself(cluster: Cluster, cluster_clone: Clone) -> None:
    url = cluster_clone("migrated_table")
    look(url)  # makes the samples, which the replica then reads
    cluster.caught_up()
    seen = look(cluster.replica_url(str(url.database)))
    assert seen.standby
    assert seen.exit_code == 3  # not everything could be looked at
    verdicts = {finding.check: finding for finding in seen.findings}
    assert verdicts[CHECK].verdict == "ok"
    assert verdicts[CHECK].detail.startswith("1, 0.")
    assert {name for name, finding in verdicts.items() if finding.verdict == "unknown"} == {"query times"}
