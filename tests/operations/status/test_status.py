"""Where the rollout stands, said before every command; and what is half-way is gone on with, or given up."""

import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL, Engine

from operations.phase1 import Shape
from operations.status.half_way import half_way
from operations.status.look import look
from tests.fixtures import lived_in
from tests.fixtures.cluster import Cluster
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.fixtures.revisions import HEAD, REVISIONS
from tests.fixtures.roles import Login
from tests.operations.rollback.conftest import ROWS, abort, bring_back, counted, roll_back
from tests.operations.test_upgrade import sidb
from tests.operations.verify.conftest import plant

STEP = f"Step {HEAD} upgrade"
INTERRUPTED = "An interrupted rollback to 2.0.1 stands at phase closed (tables of Phase 2 are closed to applications)"
GO_ON = "go on with `sidb rollback`, which is safe; `sidb rollback --abort` gives it up instead, and opens the tables"
PHASES = "UPDATE sidb.rollback SET phase = '{}', finished = now()"


@pytest.fixture
def url(clone: Clone) -> URL:
    return clone("migrated_table")


def half_back(url: URL) -> URL:
    """A rollback that kills itself before it moves the first table: the tables are closed."""
    plant(url, ROWS)
    sys.stdout.flush()
    child = os.fork()
    if not child:
        try:
            counted(partial(roll_back, url, "2.0.1"), die_before_a_table_moves)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    return url


def die_before_a_table_moves(_number: int, statement: str) -> None:
    if "SET SCHEMA" in statement:
        os.kill(os.getpid(), signal.SIGKILL)


def said(url: URL) -> list[str]:
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        return [str(each) for each in half_way(connection)]


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
        ("UPDATE sidb.backfill_jobs SET verified_at = NULL", "sidb backfill verify"),
        ("UPDATE sidb.backfill_jobs SET stopped = 'why'", "sidb backfill status names what was set aside; correct it,"),
        ("UPDATE alembic_version SET version_num = '2.0.5'", "sidb upgrade"),
        ("REVOKE SELECT ON analytics.trend_cache FROM analytics_reader", "run the statements above; then sidb verify"),
        ("REVOKE USAGE ON SCHEMA public FROM PUBLIC", "run the statements above; then sidb verify"),
        ("INSERT INTO alembic_version VALUES ('2.0.1')", "see by `sidb history` where it is; then `alembic stamp"),
        ("UPDATE alembic_version SET version_num = '9.9.9'", "use the version that has it"),
    ],
)
def test_what_is_to_be_done_next(statement: str, next_step: str, clone: Clone) -> None:
    url = clone("backfilled_table")
    plant(url, statement)
    assert look(url).next.startswith(next_step)


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
    for statement in seen.rights_missing:
        plant(url, statement)
    assert look(url).rights_missing == []


def test_an_interrupted_rollback_is_the_first_line_of_every_command(url: URL) -> None:
    half_back(url)
    for command in (["verify"], ["monitor"], ["history"], ["preflight"], ["backfill", "status"], ["restore"]):
        done = sidb(url, *command)
        assert done.stderr.startswith(f"{INTERRUPTED}: {GO_ON}.\n"), command
        _, _, next_step = " ".join(done.stdout.split()).partition("Next: ")
        assert next_step in (["", GO_ON] if command[0] in ("history", "backfill") else [GO_ON]), command
    for command in (
        ["upgrade"],
        ["upgrade", "2.0.3"],
        ["maintain"],
        ["backfill", "run", "--now"],
        ["backfill", "finish"],
        ["backfill", "resume"],
        ["verify", "--accept-rights"],
        ["preflight", "--prepare"],
    ):
        done = sidb(url, *command)
        assert (done.returncode, done.stdout) == (1, ""), command
        assert done.stderr == f"{INTERRUPTED}; nothing was changed.\nNext: {GO_ON}.\n", command
    status = sidb(url, "status")
    assert status.returncode == 1
    assert status.stdout.splitlines()[1].startswith(f"amiss     {INTERRUPTED[:60]}")
    assert " ".join(status.stdout.split()).endswith(f"Next: {GO_ON}")
    assert json.loads(sidb(url, "status", "--json").stdout)["amiss"] == [
        {"what": INTERRUPTED, "next_step": GO_ON, "blocks": True, "closes": True}
    ]
    verified = {each["check"]: each for each in json.loads(sidb(url, "verify", "--json").stdout)["findings"]}
    for check in ("half-way", "application's rights"):
        assert (verified[check]["verdict"], verified[check]["remedy"]) == ("failed", GO_ON)
        assert INTERRUPTED in verified[check]["detail"]


def test_no_other_way_works_on_a_database_half_way(url: URL) -> None:
    """Alembic's own command line neither: the engine asks."""
    half_back(url)
    for run in (Alembic(url).upgrade, partial(Alembic(url).downgrade, "1.0.0")):
        with pytest.raises(Exception, match=re.escape(INTERRUPTED)):
            run()


def test_after_it_was_gone_on_with_or_given_up(clone: Clone) -> None:
    url = half_back(clone("migrated_table"))
    roll_back(url, None)
    assert said(url) == []
    seen = look(url)
    assert [(each.archive, each.restored) for each in seen.archives] == [(1, 0)]
    assert seen.next == "sidb upgrade"
    Alembic(url).upgrade()
    assert look(url).next == "sidb restore 1, or --drop 1 where nobody wants it back"
    bring_back(url)
    assert look(url).archives[0].restored == look(url).archives[0].tables
    other = half_back(clone("migrated_table"))
    abort(other)
    assert said(other) == []


@pytest.mark.parametrize("state", ["merging", "swapped"])
def test_an_interrupted_restore(state: str, url: URL) -> None:
    plant(url, ROWS)
    roll_back(url, "1.0.0")
    Alembic(url).upgrade()
    assert said(url) == []
    set_state = "UPDATE sidb.rollback_archived SET state = '{}' WHERE relation = 'analytics.{}'"
    plant(url, set_state.format(state, "trend_cache"))
    plant(url, set_state.format("restored", "ml_features"))
    tables = len(look(url).archives) and look(url).archives[0].tables
    back = 2 if state == "swapped" else 1
    [line] = said(url)
    assert line == (
        f"An interrupted restore of archive 1 stands half-way; {back} of its {tables} tables are back; the tables are"
        " open to applications: go on with `sidb restore 1`, which is safe"
    )
    assert sidb(url, "maintain").returncode == 1
    what, _, next_step = line.partition(": ")
    for target in ("1.0.0", "2.0.3"):
        refused = sidb(url, "rollback", target, "--yes")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr == f"{what}; nothing was changed.\nNext: {next_step}.\n"
    assert sidb(url, "restore", "1").returncode == 0
    assert said(url) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("outcome = 'running'", f"{STEP} was interrupted; what it had not committed was undone: "),
        ("outcome = 'interrupted'", f"{STEP} was interrupted"),
        ("outcome = 'failed', message = 'no space'", f"{STEP} failed on "),
        ("validated = NULL", f"{STEP} is applied and not validated: `sidb upgrade` validates it"),
        ("validated = false, message = 'odd'", f"{STEP} is applied, and not valid: odd: mend what is named"),
        ("message = 'well'", None),
    ],
)
def test_a_step_half_way(change: str, line: str | None, url: URL) -> None:
    plant(url, f"UPDATE sidb.step SET {change} WHERE step_id = (SELECT max(step_id) FROM sidb.step)")  # noqa: S608
    if "outcome" in change:  # else somebody else applied it
        plant(url, f"UPDATE alembic_version SET version_num = '{REVISIONS[-2]}'")  # noqa: S608
    found = said(url)
    assert len(found) == (0 if line is None else 1)
    assert line is None or found[0].startswith(line)


def test_who_is_at_work_is_no_interruption(url: URL) -> None:
    half_back(url)
    with psycopg.connect(conninfo(url), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('sidb rollback', 0))")
        assert said(url) == [
            f"A rollback to 2.0.1 is at work (pid {other.info.backend_pid}); it has passed phase closed (tables of"
            " Phase 2 are closed to applications): wait for it; `sidb status --watch` follows it"
        ]
    assert said(url) == [f"{INTERRUPTED}: {GO_ON}"]


def test_it_writes_nothing_and_waits_for_nobody(url: URL, connect: Callable[..., Engine]) -> None:
    with psycopg.connect(conninfo(url)) as other:
        other.execute("LOCK TABLE public.features, analytics.trend_cache, analytics.current_trends")
        began = time.monotonic()
        seen = look(url)
        assert time.monotonic() - began < 5
    assert seen.revision == [HEAD]
    assert [each.partition(":")[0] for each in seen.unknown] == ["what is not ours"]
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
        "A rollback to 2.0.1 has passed phase closed (tables of Phase 2 are closed to applications); this standby does"
        " not see who is at work"
    ]
    assert seen.next == "ask the primary"


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
