"""Commands that are told of replicas, as a DBA types them: a primary with two standbys, one of which is for reports."""

import io
import json
import logging
import subprocess
from functools import partial
from pathlib import Path

import psycopg
import pytest
from alembic_online import Options
from alembic_online import replicas as engine
from rich.console import Console
from sqlalchemy import URL

from operations import maintenance
from operations.embedded import Server
from operations.findings import Findings
from operations.rollback import restore as restoring
from operations.rollback import rollback
from tests.engine.conftest import current, until
from tests.engine.test_replicas import lag, once, reading_on
from tests.fixtures.cluster import Cluster
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.fixtures.replicas import FELT, another_standby, report, short_readers
from tests.fixtures.revisions import HEAD
from tests.operations.preflight.conftest import execute
from tests.operations.rollback.conftest import ROWS
from tests.operations.test_maintenance import MISSING
from tests.operations.test_upgrade import sidb

COUNT_EVENTS = "SELECT count(*) FROM analytics.analytics_events"
OLD_REPORT = """
    SELECT EXISTS (
        SELECT FROM pg_stat_activity
        WHERE application_name = 'report' AND clock_timestamp() - xact_start > interval '0.2 s'
    )
"""


@pytest.fixture
def named(cluster: Cluster, second_standby: Server) -> tuple[Server, Server]:
    """The one that reads reports, with a delay of -1, and the API's."""
    return second_standby, cluster.replica


def is_old(there: URL) -> bool:
    """Whether a report on the replica is no short reader any more."""
    with psycopg.connect(conninfo(there)) as connection:
        return connection.execute(OLD_REPORT).fetchone() == (True,)


def options(url: URL, *servers: Server) -> list[str]:
    return [word for each in servers for word in ("--replica", conninfo(each.url(str(url.database))))]


def done(run: "subprocess.CompletedProcess[str]", code: int = 0) -> str:
    assert "Traceback" not in run.stderr
    assert run.returncode == code, run.stdout + run.stderr
    return run.stdout


def test_rollback_and_restore_hold_up_no_reader(
    cluster: Cluster, cluster_clone: Clone, named: tuple[Server, Server]
) -> None:
    url = cluster_clone("migrated_table")
    execute(url, ROWS)
    cluster.caught_up()
    there = tuple(each.url(str(url.database)) for each in named)
    minding = Options(deadline=60, replicas=there)
    said = io.StringIO()
    console = Console(file=said, width=500)

    def back() -> Findings:
        return rollback.run(url, rollback.prepare(url, "1.0.0", options=minding), minding, console)

    def forth() -> Findings:
        return restoring.restore(url, 1, restoring.Choice(skip=False, renumber=False), console, minding)

    for act in (back, forth):
        said.truncate(0)
        with (
            short_readers(*there) as readers,
            report(there[0], 60) as end,
            once(lambda: ": waits for the end of pid " in said.getvalue(), end),
        ):
            assert act().exit_code == 0
            assert max(lag(cluster, each, url) for each in named) < FELT
        assert readers.longest < FELT, act
        assert "application report" in said.getvalue()
        Alembic(url).upgrade()
    assert current(url) == HEAD


def test_a_rollback_goes_on_without_a_replica_that_is_gone(
    cluster: Cluster, cluster_clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LOST", 0.3)
    url = cluster_clone("migrated_table")
    said = io.StringIO()
    with another_standby(cluster) as gone:
        there = gone.url(str(url.database))
        minding = Options(deadline=60, replicas=(there,))
        waits = once(lambda: ": waits for the end of pid " in said.getvalue(), gone.stop)
        with report(there, 60), waits:
            prepared = rollback.prepare(url, "1.0.0", options=minding)
            found = rollback.run(url, prepared, minding, Console(file=said, width=500))
    assert found.exit_code == 0
    assert current(url) == "1.0.0"
    assert "It is left out from now on." in said.getvalue()


def test_looks_at_replicas(cluster: Cluster, cluster_clone: Clone, named: tuple[Server, Server]) -> None:
    url = cluster_clone("migrated_table")
    cluster.caught_up()
    reports, api = named
    both = " ".join(conninfo(each.url(str(url.database))) for each in named)
    with report(reports.url(str(url.database)), 30):
        until(lambda: "application report" in sidb(url, "status", SIDB_REPLICAS=both).stdout, "the report is named")
        looked = json.loads(sidb(url, "preflight", *options(url, *named), "--json").stdout)["findings"]
    first, second = (each for each in looked if each["check"] == "replica")
    assert first["verdict"] == "warning", first
    assert "replay waits for as long as a query takes (advised: 2.0 s)" in first["detail"]
    assert "application report" in first["detail"]
    assert second["verdict"] == "ok"
    assert "replay waits 2.0 s at most" in second["detail"]
    seen = json.loads(sidb(url, "maintain", *options(url, api), "--json").stdout)
    assert [each["verdict"] for each in seen["replicas"]] == ["ok"]
    with cluster.replica_stopped():
        gone = sidb(url, "status", *options(url, api))
        assert "cannot be reached: " in done(gone, 3)
        refused = sidb(url, "maintain", *options(url, api))
        assert refused.stderr.startswith("Replica postgresql://")
        assert "DATABASE_URL" not in refused.stderr
    watched = json.loads(sidb(url, "monitor", *options(url, cluster.primary), "--json").stdout)
    [wrong] = [each for each in watched["findings"] if each["check"] == "replica"]
    assert (wrong["verdict"], "it follows no server" in wrong["detail"]) == ("failed", True)


def test_a_report_says_how_replicas_are(
    cluster: Cluster, cluster_clone: Clone, named: tuple[Server, Server], tmp_path: Path
) -> None:
    url = cluster_clone("migrated_table")
    cluster.caught_up()

    def found(*more: str) -> dict[str, tuple[str, str]]:
        made = sidb(url, "report", "--directory", str(tmp_path), "--json", *more).stdout
        return {each["check"]: (each["verdict"], each["detail"]) for each in json.loads(made)["findings"]}

    assert "replicas" not in found()
    verdict, detail = found(*options(url, *named))["replicas"]
    assert verdict == "warning"
    assert "replay waits for as long as a query takes" in detail
    assert "1 ok" in detail
    with cluster.replica_stopped():
        verdict, detail = found(*options(url, cluster.replica))["replicas"]
    assert (verdict, "cannot be reached" in detail) == ("unknown", True)


def test_readers_are_measured_on_a_replica(cluster: Cluster, cluster_clone: Clone) -> None:
    url = cluster_clone("migrated_table")
    execute(url, ROWS)
    cluster.caught_up()
    found = json.loads(sidb(url, "verify", "--readers", *options(url, cluster.replica), "--json").stdout)["findings"]
    measured = [each for each in found if each["check"] == "readers on replicas"]
    assert len(measured) >= 5
    assert {each["verdict"] for each in measured} <= {"ok"}
    assert all("on postgresql://" in each["detail"] for each in measured[:-1])
    assert "views refreshed on the primary meanwhile" in measured[-1]["detail"]


def test_a_month_is_made_when_no_report_reads_events_there(
    cluster: Cluster, cluster_clone: Clone, second_standby: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """Replay of the lock on the DEFAULT partition would wait for the report, and readers behind."""
    url = cluster_clone("migrated_table")
    execute(url, MISSING)
    cluster.caught_up()
    there = second_standby.url(str(url.database))
    lag(cluster, second_standby, url)
    minding = Options(deadline=60, replicas=(there,))
    caplog.set_level(logging.INFO, "alembic.online")
    with (
        short_readers(there, statement=COUNT_EVENTS) as readers,
        report(there, 60, COUNT_EVENTS) as end,
        once(reading_on(readers, caplog), end),
    ):
        until(partial(is_old, there), "the report is no short reader")
        made = maintenance.run(url, minding)
        assert lag(cluster, second_standby, url) < FELT
    assert [task.amount for task in made.tasks if task.task == maintenance.MONTHS] == [1]
    assert readers.longest < FELT


def test_where_no_readers_can_be_measured_is_a_finding(cluster: Cluster, cluster_clone: Clone, server: Server) -> None:
    """What was verified before is not lost for it."""
    url = cluster_clone("migrated_table")
    cluster.caught_up()
    nobody = "postgresql://u:hunter2@127.0.0.1:1/d"
    wrong = [*options(url, cluster.primary), "--replica", conninfo(server.url("postgres")), "--replica", nobody]
    run = sidb(url, "verify", "--readers", *wrong, *options(url, cluster.replica), "--json")
    assert "hunter2" not in run.stdout + run.stderr
    found = json.loads(run.stdout)["findings"]
    said = [(each["verdict"], each["detail"]) for each in found if each["check"] == "readers on replicas"]
    for verdict, why in (
        ("failed", "it follows no server: it is the primary itself"),
        ("failed", "it is another cluster"),
        ("unknown", "postgresql://u:***@127.0.0.1:1/d cannot be reached: "),
        ("ok", "views refreshed on the primary meanwhile"),
    ):
        assert any(verdict == each and why in detail for each, detail in said), (verdict, why, said)
    assert any(each["check"] == "catalog" for each in found)
