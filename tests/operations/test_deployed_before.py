"""A database that the code before alembic-online left (commit e6d4754) goes on under this one: what it had begun ends.

The dumps in tests/fixtures/before_engine were made with that commit's code and `pg_dump --no-owner`, from Phase 1 with
60 niches, migrated to 2.0.6. Taken out: \\restrict, transaction_timeout and the host's name.

half_done_backfill: a file of 400 events is staged, and `backfill run` was killed when it had moved 250 of them.
unfinished_rollback: rolled back to 2.0.1 and upgraded again, so that archive 1 is whole; then 120 more events, and
`rollback 1.0.0` was killed while it moved the events away: archive 2 is half there.
materialized_view: the other shape of Phase 1, with 120 events and nothing begun.
"""

import gzip
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import URL

from operations.embedded import Server
from tests.backfill.conftest import history, write_csv
from tests.engine.conftest import current, ledger
from tests.fixtures.databases import Alembic, Clone, Templates, conninfo
from tests.operations.rollback.conftest import execute
from tests.operations.test_upgrade import sidb

DUMPS = Path(__file__).parents[1] / "fixtures" / "before_engine"
FEATURES = """
SELECT count(*), md5(string_agg(
    concat_ws('|', niche_id, phrase, demand_score, monetise_score, supply_score, opportunity, updated_at), '#'
    ORDER BY niche_id
))
FROM public.features
"""
EVENTS = "SELECT event_type, count(*) FROM analytics.analytics_events GROUP BY event_type ORDER BY event_type"
VECTORS = "SELECT count(trend_vector), count(last_analyzed_at), count(*) FROM public.features"

Deployed = Callable[[str], URL]


@pytest.fixture
def deployed(server: Server, templates: Templates, clone: Clone) -> Deployed:
    """``deployed(name)`` is a new database of that dump."""
    templates.template("migrated_table")  # makes the group roles, which a dump only names

    def load(name: str) -> URL:
        url = clone("empty")
        load_dump(server, name, url)
        return url

    return load


def load_dump(server: Server, name: str, url: URL) -> None:
    """Into an empty database, of a server that has the group roles."""
    sql = gzip.decompress((DUMPS / f"{name}.sql.gz").read_bytes())
    psql = [server.binaries / "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", conninfo(url)]
    subprocess.run(psql, input=sql, check=True, stdout=subprocess.DEVNULL)


def succeed(url: URL, *arguments: str) -> str:
    done = sidb(url, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_backfill_that_is_half_done(deployed: Deployed, tmp_path: Path) -> None:
    url = deployed("half_done_backfill")
    before = [entry.step_id for entry in ledger(url)]
    assert execute(url, "SELECT count(*) FROM analytics.analytics_events") == [(250,)]
    succeed(url, "backfill", "run", "--all", "--now")
    succeed(url, "backfill", "verify")
    moved = dict(execute(url, EVENTS))
    assert moved.pop("niche_scored") == 91  # 31 niches came with the file
    assert sum(moved.values()) == 400
    same = write_csv(tmp_path / "again.csv", history(400, niches=60))
    assert "is in already" in succeed(url, "backfill", "load", str(same))
    succeed(url, "backfill", "finish")
    assert [entry.step_id for entry in ledger(url)] == before
    assert "2.0.6" in succeed(url, "history")


def test_a_rollback_that_was_killed_is_finished_and_undone(deployed: Deployed) -> None:
    url = deployed("unfinished_rollback")
    before, features = [entry.step_id for entry in ledger(url)], execute(url, FEATURES)
    assert current(url) == "2.0.0"
    succeed(url, "rollback", "--yes")
    assert current(url) == "1.0.0"
    assert execute(url, FEATURES) == features
    entries = ledger(url)
    assert [entry.step_id for entry in entries][: len(before)] == before
    assert [entry.outcome for entry in entries if entry.step_id >= before[-1]] == ["interrupted", "applied"]
    succeed(url, "upgrade")
    listed = json.loads(succeed(url, "restore", "--json"))["tables"]
    assert {line["state"] for line in listed} == {"archived"}
    succeed(url, "restore", "2")
    assert execute(url, EVENTS) == [("search", 120), ("view", 120)]
    succeed(url, "restore", "1")
    assert execute(url, VECTORS) == [(30, 30, 60)]
    counts = (
        "SELECT (SELECT count(*) FROM analytics.cross_platform_metrics), (SELECT count(*) FROM analytics.trend_cache)"
    )
    assert execute(url, counts) == [(20, 20)]
    assert execute(url, FEATURES) == features
    for archive in ("1", "2"):
        succeed(url, "restore", "--drop", archive, "--yes")


def test_a_rollback_that_was_killed_is_given_up(deployed: Deployed) -> None:
    url = deployed("unfinished_rollback")
    succeed(url, "rollback", "--abort")
    assert current(url) == "2.0.0"
    succeed(url, "upgrade")
    succeed(url, "restore", "2")
    assert execute(url, EVENTS) == [("search", 120), ("view", 120)]


def test_a_materialized_view_goes_back_to_phase_1(deployed: Deployed) -> None:
    """The old ledger kept all of the relations that are shared, with the view's whole query."""
    url = deployed("materialized_view")
    features = execute(url, FEATURES)
    succeed(url, "rollback", "1.0.0", "--yes")
    assert execute(url, FEATURES) == features
    succeed(url, "upgrade")
    succeed(url, "restore", "1")
    assert execute(url, EVENTS) == [("search", 120)]


@pytest.mark.parametrize("target", ["2.0.5", "2.0.4", "2.0.3"])
def test_a_materialized_view_goes_back_a_part_of_the_way(deployed: Deployed, target: str) -> None:
    url = deployed("materialized_view")
    said = succeed(url, "rollback", target, "--yes")
    assert "as before the upgrade to" in said.replace("\n", " "), said
    succeed(url, "upgrade")


@pytest.mark.parametrize("name", ["half_done_backfill", "materialized_view"])
def test_a_step_that_was_killed_before_its_validation(deployed: Deployed, name: str) -> None:
    url = deployed(name)
    execute(url, "UPDATE sidb.step SET validated = NULL WHERE revision = '2.0.6'")
    Alembic(url).upgrade()
    assert all(entry.validated for entry in ledger(url))
