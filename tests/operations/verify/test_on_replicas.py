"""Readers are measured on replicas while the primary refreshes what it can."""

from functools import partial

import psycopg

from operations.verify.on_replicas import readers_there
from tests.fixtures.cluster import Cluster
from tests.fixtures.databases import Clone, conninfo
from tests.operations.verify.conftest import plant


def test_readers_on_a_replica_while_nothing_can_be_refreshed(cluster: Cluster, cluster_clone: Clone) -> None:
    """By the replica's address alone, it is asked for the same database."""
    url = cluster_clone("backfilled_table")
    cluster.caught_up()
    there = cluster.replica_url(str(url.database)).set(database=None)
    measure = partial(readers_there, addresses=[there], say=lambda _: None)
    *measured, refreshed = measure(url)
    assert {finding.verdict for finding in measured} == {"ok"}, measured
    assert all(str(url.database) in finding.detail.rpartition(" on ")[2] for finding in measured)
    assert refreshed.detail.endswith(" views refreshed on the primary meanwhile")
    plant(url, "REVOKE ALL ON SCHEMA analytics FROM PUBLIC; ALTER TABLE analytics.stale_views RENAME TO aside")
    *_, refreshed = measure(url)
    assert (refreshed.verdict, refreshed.detail) == (
        "unknown",
        'nothing was refreshed meanwhile: relation "analytics.stale_views" does not exist',
    )


def test_a_view_without_content_is_left_to_who_emptied_it(clone: Clone) -> None:
    url = clone("backfilled_table")
    plant(url, "REFRESH MATERIALIZED VIEW analytics.platform_comparison WITH NO DATA")
    list(readers_there(url, [], lambda _: None))
    with psycopg.connect(conninfo(url)) as connection:
        populated = "SELECT relname, relispopulated FROM pg_class WHERE relkind = 'm' ORDER BY 1"
        assert dict(connection.execute(populated).fetchall())["platform_comparison"] is False
