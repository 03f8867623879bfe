"""A whole rollout, as a DBA types it, on a primary with a streaming replica and a WAL archive.

The migrating role is a plain owner with the rights that preflight asks an administrator for; the application is another
role, and runs Phase 1's programs before, in between and after.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL, Engine

from operations.phase1 import Shape
from operations.preflight.retention import RAISED
from tests.backfill.conftest import history, write_csv
from tests.fixtures.cluster import Cluster
from tests.fixtures.databases import Clone, conninfo
from tests.fixtures.revisions import HEAD
from tests.operations import test_upgrade
from tests.operations.preflight.conftest import execute
from tests.revisions.conftest import APPLICATION, OWNER, Deployment, deploy

SETTINGS = "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)"
PRIVILEGES = """
    SELECT c.oid::regclass::text, c.relacl::text, (
        SELECT json_agg(json_build_array(a.attname, a.attacl::text) ORDER BY a.attnum)::text
        FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL
    )
    FROM pg_class AS c
    WHERE c.oid IN ('public.features'::regclass, 'public.hot_niches_today'::regclass)
    ORDER BY 1
"""
TABLES = ("analytics_events", "trend_cache", "cross_platform_metrics", "ml_features", "niche_daily_activity")
COLLECTED = {
    **{table: f"SELECT * FROM analytics.{table}" for table in TABLES},  # noqa: S608
    "features": "SELECT niche_id, trend_vector, last_analyzed_at, analytics_version FROM public.features "
    "WHERE analytics_version > 0",
}


def rows(url: URL, question: str, *parameters: object) -> list[Any]:
    with psycopg.connect(conninfo(url), options="-c timezone=UTC") as connection:
        return connection.execute(question.encode(), parameters or None).fetchall()


def collected(url: URL) -> dict[str, Any]:
    """The number of rows of all that Phase 2 collected, and their hash."""
    return {
        name: rows(url, f"SELECT count(*), sum(hashtextextended(t::text, 0)) FROM ({question}) AS t")  # noqa: S608
        for name, question in COLLECTED.items()
    }


@pytest.fixture
def deployment(cluster: Cluster, cluster_clone: Clone, connect: Callable[..., Engine]) -> Iterator[Deployment]:
    """Phase 1 on the cluster, with a materialized view; its owner may do what a DBA would let it do."""
    made = deploy(cluster.primary, cluster_clone("empty"), Shape.MATVIEW, connect)
    rights = ", ".join(RAISED)
    execute(
        cluster.url(),
        *(
            f"DO $$ BEGIN CREATE ROLE {name} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
            for name in ("analytics_reader", "analytics_writer")  # other tests of the cluster may have made them
        ),
        f"GRANT pg_monitor TO {OWNER}",
        f"GRANT ALTER SYSTEM ON PARAMETER {rights} TO {OWNER}",
    )
    execute(made.superuser.url, f"GRANT EXECUTE ON FUNCTION pg_reload_conf() TO {OWNER}")
    yield made
    execute(
        cluster.url(),
        "ALTER SYSTEM RESET ALL",
        "SELECT pg_reload_conf()",
        f"REVOKE pg_monitor FROM {OWNER}",
        f"REVOKE ALTER SYSTEM ON PARAMETER {rights} FROM {OWNER}",
    )


def test_a_whole_rollout(cluster: Cluster, deployment: Deployment, tmp_path: Path) -> None:
    url, administrator = deployment.owner.url, deployment.superuser.url

    def sidb(*arguments: str, code: int = 0) -> str:
        done = test_upgrade.sidb(url, *arguments)
        assert "Traceback" not in done.stdout + done.stderr
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    deployment.run_phase1()
    before, privileges = rows(administrator, SETTINGS, list(RAISED)), rows(administrator, PRIVILEGES)
    looking = ("preflight", "--backup", str(cluster.base_backup()), "--application", APPLICATION, "--rows", "1000")

    # Preparation
    with cluster.replica_stopped():
        found = json.loads(sidb(*looking, "--prepare", "--json", code=1))["findings"]
        failed = [finding["check"] for finding in found if finding["verdict"] == "failed"]
        assert failed == ["replication slots", "replication lag"]
        assert rows(administrator, SETTINGS, list(RAISED)) == before
    assert "Next: `sidb upgrade --plan`, then `sidb upgrade`" in sidb(*looking, "--prepare")
    assert dict(rows(administrator, SETTINGS, list(RAISED))) == RAISED | {"max_slot_wal_keep_size": "-1"}

    # Execution
    assert f"{HEAD}  " in sidb("upgrade", "--plan")
    assert f"\n{HEAD} upgrade: done in " in sidb("upgrade")
    deployment.run_phase1()
    known = [event for event in history(3_000) if event[5]]  # of niches that Phase 1 has
    sidb("backfill", "load", str(write_csv(tmp_path / "history.csv.gz", known)))
    sidb("backfill", "run", "--all", "--now", "--as-of", "2025-05-31")
    sidb("backfill", "verify")
    sidb("maintain")
    beside_its_like = sidb("verify", code=3)  # of two indexes on the same keys no plan reads the other one
    assert "features_phrase_key" in beside_its_like
    grant = f"GRANT EXECUTE ON FUNCTION bt_index_check(regclass, boolean) TO {OWNER}"
    execute(administrator, "CREATE EXTENSION amcheck", grant)
    assert "unknown" not in sidb("verify")

    # The replica has it all
    have = collected(administrator)
    assert have["analytics_events"][0][0] > len(known)
    cluster.caught_up()
    assert collected(cluster.replica_url(str(url.database))) == have

    # And back
    assert "Next: " in sidb("rollback", "1.0.0", "--yes")
    assert rows(administrator, "SELECT to_regnamespace('analytics')") == [(None,)]
    assert rows(administrator, PRIVILEGES) == privileges
    deployment.run_phase1()

    # Once more
    sidb("upgrade")
    [archive] = {line["archive"] for line in json.loads(sidb("restore", "--json"))["tables"]}
    sidb("restore", str(archive))
    sidb("backfill", "resume")
    assert collected(administrator) == have
    sidb("verify")
    deployment.run_phase1()

    # The end
    assert "Next: `sidb monitor`." in sidb("preflight", "--finish")
    assert rows(administrator, SETTINGS, list(RAISED)) == before
    sidb("monitor", code=3)  # query times are not kept here
    assert f"{HEAD} upgrade" in sidb("history")
