"""Where the rollout stands, and the one next command."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL, Engine

from operations.phase1 import Shape
from operations.status import screen
from operations.status.look import look
from operations.status.state import Status
from tests.fixtures import lived_in
from tests.fixtures.cluster import Cluster
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.fixtures.revisions import HEAD
from tests.fixtures.roles import Login
from tests.operations.rollback.conftest import begun
from tests.operations.status.test_half_way import CLOSED, half_back
from tests.operations.test_upgrade import sidb
from tests.operations.verify.conftest import plant


@pytest.mark.parametrize(
    ("template", "next_step"),
    [
        ("empty", "point DATABASE_URL at the database of Phase 1, or sidb demo"),
        ("phase1_table", "sidb preflight"),
        ("migrated_table", "sidb backfill load FILE…, or sidb backfill run where there is no history"),
        ("backfilled_table", "sidb monitor"),
    ],
)
def test_the_next_command(template: str, next_step: str, clone: Clone, inhabited: bool) -> None:
    seen = look(clone(template))
    assert (seen.next, seen.amiss, seen.unknown, seen.exit_code) == (next_step, [], [], 0)
    assert bool(seen.found) == (inhabited and seen.revision == [HEAD])


@pytest.mark.parametrize(
    ("statement", "next_step"),
    [
        ("INSERT INTO sidb.backfill_pause_orders DEFAULT VALUES", "sidb backfill resume"),
        ("UPDATE sidb.backfill_ranges SET done_at = NULL, passed = 0", "sidb backfill run, then daily"),
        (
            "DELETE FROM sidb.backfill_control",
            "sidb backfill load FILE…, or sidb backfill run where there is no history",
        ),
        (
            "DELETE FROM sidb.backfill_control; UPDATE sidb.backfill_ranges SET done_at = NULL, passed = 0",
            "sidb backfill run, then daily",
        ),
        (
            "INSERT INTO sidb.backfill_pause_orders DEFAULT VALUES; UPDATE sidb.backfill_jobs SET stopped = 'why'",
            "sidb backfill resume",
        ),
        ("UPDATE sidb.backfill_jobs SET verified_at = NULL", "sidb backfill verify"),
        ("UPDATE sidb.backfill_jobs SET stopped = 'why'", "sidb backfill status names what was set aside; correct it,"),
        ("UPDATE alembic_version SET version_num = '2.0.5'", "sidb upgrade"),
        ("REVOKE SELECT ON analytics.trend_cache FROM analytics_reader", "run the statements above; then sidb verify"),
        ("REVOKE USAGE ON SCHEMA public FROM PUBLIC", "run the statements above; then sidb verify"),
        ("INSERT INTO alembic_version VALUES ('2.0.1')", f"`alembic stamp --purge {HEAD}` writes "),
        (
            "UPDATE alembic_version SET version_num = '9.9.9'",
            "use the version of this project that has it; or `alembic stamp",
        ),
    ],
)
def test_what_is_to_be_done_next(statement: str, next_step: str, clone: Clone) -> None:
    url = clone("backfilled_table")
    plant(url, statement)
    assert look(url).next.startswith(next_step)


@pytest.mark.parametrize(
    ("lost", "state", "done"),
    [
        ("DELETE FROM sidb.backfill_ranges", "done", 1.0),
        ("DELETE FROM sidb.backfill_ranges; DELETE FROM sidb.backfill_jobs", "not begun", 0.0),
    ],
)
def test_a_job_without_rows(lost: str, state: str, done: float, clone: Clone) -> None:
    """It is at its end where there is nothing to do, else at its beginning."""
    url = clone("backfilled_table")
    plant(url, lost)
    backfill = look(url).backfill
    assert backfill is not None
    assert {(each.state, each.done) for each in backfill.jobs if not each.left} == {(state, done)}


@pytest.mark.parametrize(("number", "more"), [(3, ""), (4, ", and 1 more")])
def test_what_is_found_is_named_up_to_three(number: int, more: str) -> None:
    found = [f"view v{n}" for n in range(number)]
    seen = Status("database", datetime.now(UTC), False, True, [HEAD], HEAD, [], found=found)
    [said] = [line for word, line, _ in screen._lines(seen) if word == "found"]
    assert said == f"{number} not ours, left alone: view v0, view v1, view v2{more}"


def test_rights_that_are_missing(url: URL) -> None:
    plant(url, "GRANT SELECT ON analytics.trend_cache TO PUBLIC")  # which is no grant to the group
    plant(url, "REVOKE SELECT, INSERT ON analytics.trend_cache FROM analytics_writer")
    plant(url, "REVOKE EXECUTE ON FUNCTION analytics.trend_of(jsonb) FROM PUBLIC, analytics_reader")
    plant(url, "REVOKE USAGE ON SCHEMA analytics FROM analytics_reader")
    seen = look(url)
    assert seen.rights_missing == [
        "GRANT EXECUTE ON FUNCTION analytics.trend_of(jsonb) TO analytics_reader",
        "GRANT USAGE ON SCHEMA analytics TO analytics_reader",
        "GRANT INSERT ON TABLE analytics.trend_cache TO analytics_writer",
        "GRANT SELECT ON TABLE analytics.trend_cache TO analytics_writer",
    ]
    assert seen.exit_code == 1
    lines = [line for _, line, _ in screen._lines(seen)]
    assert "and 1 more: sidb status --json" in lines
    plant(url, seen.rights_missing[0])
    lines = [line for _, line, _ in screen._lines(look(url))]
    assert seen.rights_missing[3] in lines
    assert not any("more: sidb status --json" in line for line in lines)
    for statement in seen.rights_missing:
        plant(url, statement)
    assert look(url).rights_missing == []


def test_a_version_table_of_others_is_no_matter_where_there_is_ours(url: URL) -> None:
    plant(url, f'CREATE SCHEMA "{url.username}"; CREATE TABLE "{url.username}".alembic_version (version_num text)')
    assert look(url).amiss == []


def test_it_writes_nothing_and_waits_for_nobody(url: URL, connect: Callable[..., Engine]) -> None:
    with psycopg.connect(conninfo(url)) as other:
        other.execute("LOCK TABLE public.features, analytics.trend_cache, analytics.current_trends")
        began = time.monotonic()
        seen = look(url)
        assert time.monotonic() - began < 30
    assert seen.revision == [HEAD]
    assert [each.partition(":")[0] for each in seen.unknown] == ["rights", "what is not ours"]
    assert seen.exit_code == 3
    before = snapshot(url)
    look(url)
    assert snapshot(url) == before


def snapshot(url: URL) -> Any:
    """The number of the next transaction that writes."""
    with psycopg.connect(conninfo(url)) as connection:
        return connection.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())").fetchone()


def test_what_a_role_may_not_read_is_unknown(login: Login, inhabited: bool) -> None:
    seen = look(login("analytics_reader"))
    assert any("sidb" in line for line in seen.unknown)
    assert inhabited != any("alembic_version" in line for line in seen.unknown)  # where everybody may read new tables
    assert seen.exit_code == 3


def test_a_standby(cluster: Cluster, cluster_clone: Clone) -> None:
    url = half_back(cluster_clone("migrated_table"))
    cluster.caught_up()
    assert url.database is not None
    seen = look(cluster.replica_url(url.database))
    assert seen.standby
    assert [each.what for each in seen.amiss] == [
        f"{begun(url)} is not finished ({CLOSED}); this standby does not see who is at work"
    ]
    assert seen.next == "ask the primary"


def test_what_is_to_be_done_is_done_on_the_primary(cluster: Cluster, cluster_clone: Clone) -> None:
    """And a step that failed is known there as well as here."""
    url = cluster_clone("phase1_table")
    cluster.caught_up()
    assert url.database is not None
    replica = cluster.replica_url(url.database)
    assert look(replica).next == "sidb preflight (on the primary)"
    Alembic(url).upgrade("2.0.3")
    plant(url, "UPDATE sidb.step SET outcome = 'failed', revision = '2.0.4' WHERE revision = '2.0.3'")
    cluster.caught_up()
    [failed] = look(replica).amiss
    assert failed.what.startswith("Step 2.0.4 upgrade failed on ")
    plant(url, "UPDATE sidb.step SET outcome = 'running' WHERE revision = '2.0.4'")
    cluster.caught_up()
    assert look(replica).amiss == [], "who is at it is not seen there"


def test_what_is_found_is_counted(clone: Clone, shape: Shape) -> None:
    url = clone(f"lived_in_{shape}")
    Alembic(url).upgrade()
    lived_in.in_analytics(url)
    seen = look(url)
    assert {"column public.features.language", "publication changes"} <= set(seen.found)
    assert not [name for name in seen.found if "niche_id" in name and "hot_niches_today_niche_idx" not in name]
    assert seen.exit_code == 0


def test_a_screen_of_80_columns(clone: Clone) -> None:
    url = half_back(clone("backfilled_table"))
    plant(url, "CREATE TABLE sidb.raised_setting AS SELECT 'wal_keep_size' AS name, '4GB' AS raised, '0' AS before")
    plant(url, "GRANT SELECT ON sidb.raised_setting TO PUBLIC")
    lines = sidb(url, "status").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 24
    assert "raised    wal_keep_size = 4GB (was 0)" in [line.rstrip() for line in lines]


def test_who_may_not_look_into_analytics_sees_the_rest(login: Login) -> None:
    seen = look(login())
    assert "records in schema sidb that this role may not read" in seen.unknown
    assert (seen.revision, seen.next, seen.exit_code) == ([], "sidb status, as the role that migrates", 3)
