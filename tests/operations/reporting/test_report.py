"""The report of a rollout: complete, half-way, after a failed step and rolled back, each produced for real."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL, NullPool, create_engine

from operations.demo import history as demo_history
from operations.rehearsal.tasks import QUIET
from operations.reporting import checks, collecting, page
from operations.reporting.contents import Report
from tests.engine.conftest import refusal
from tests.fixtures.cluster import Cluster
from tests.fixtures.databases import Alembic, Clone, Templates, cloning, conninfo
from tests.fixtures.lived_in import OWNER
from tests.fixtures.revisions import HEAD, REVISIONS
from tests.operations.rehearsal.test_rehearsal import assert_agrees
from tests.operations.test_upgrade import sidb
from tests.operations.verify.conftest import plant

RECORDS = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'sidb'"


@pytest.fixture
def lived_in(templates: Templates) -> Iterator[URL]:
    """Phase 1 as others have lived in it, reached as its owner."""
    with cloning(templates, inhabited=True) as make:
        yield make("phase1_table")


def records(url: URL) -> dict[str, Any]:
    """The tables of the records, and a hash of their rows."""
    with psycopg.connect(conninfo(url)) as connection:
        names = [row[0] for row in connection.execute(RECORDS.encode())]
        hashed = "SELECT count(*), sum(hashtextextended(t::text, 0)) FROM {} AS t"
        return {name: connection.execute(hashed.format(name).encode()).fetchone() for name in names}


def reported(url: URL, directory: Path) -> tuple[int, dict[str, Any], str]:
    """What `sidb report` ends with, its JSON and its page; it writes nothing."""
    before = records(url)
    done = sidb(url, "report", "--directory", str(directory), "--json")
    assert "Traceback" not in done.stderr
    assert records(url) == before
    text = (directory / "rollout.html").read_text(encoding="utf-8")
    data = json.loads(done.stdout)
    assert data == json.loads((directory / "rollout.json").read_text(encoding="utf-8"))
    assert f">{data['verdict']}</span>" in text
    return done.returncode, data, text


def report(url: URL) -> Report:
    """The report as an object."""
    return checks.report(collecting.collect(url, collecting.check(url, 100.0, QUIET)))


def verdicts(findings: Any, *wanted: str) -> dict[str, str]:
    """The checks with one of these verdicts, and what was found."""
    return {each["check"]: each["detail"] for each in findings if each["verdict"] in wanted}


def backfill(url: URL) -> None:
    engine = create_engine(url, poolclass=NullPool)
    demo_history.backfill(engine, lambda _: None, events=2_000)


def test_half_way_whole_and_rolled_back(lived_in: URL, tmp_path: Path) -> None:
    run = partial(sidb, lived_in)
    run("preflight", "--prepare", "--backup-command", "true", "--rows", "1000")
    run("upgrade", "2.0.4")
    code, half, text = reported(lived_in, tmp_path / "half")
    assert (code, half["verdict"]) == (3, "Not complete")
    missing = verdicts(half["findings"], "unknown")
    assert missing["revision"] == f"at 2.0.4; the newest is {HEAD}"
    assert missing["backfill"] == "not begun"
    assert missing["retention"] == "the rollout is not finished"
    assert verdicts(half["findings"], "failed") == {}
    assert half["next_step"] == "revision: `sidb upgrade`."
    assert "They come with revision" not in text

    run("upgrade")
    backfill(lived_in)
    run("maintain")
    run("preflight", "--finish")
    code, whole, text = reported(lived_in, tmp_path / "whole")
    assert (code, whole["verdict"], verdicts(whole["findings"], "unknown", "failed")) == (0, "Complete", {})
    rollout = whole["rollout"]
    assert [step["revision"] for step in rollout["steps"]] == list(REVISIONS)
    assert {step["who"] for step in rollout["steps"]} == {OWNER}
    assert rollout["rows"]["before"] == rollout["rows"]["now"] > 0
    assert [job["state"] for job in rollout["backfill"]["jobs"]] == ["done"] * 4
    assert "column public.features.language" in rollout["found"]
    runs = ["preflight --prepare", "upgrade, 1.0.0 to 2.0.4", f"upgrade, 2.0.5 to {HEAD}", "preflight --finish"]
    assert [run["what"] for run in rollout["runs"]] == runs
    assert "backup command: exits 0" in verdicts(whole["findings"], "ok")["backup"]
    assert rollout["growth"]["planned_bytes"] == 20e9
    assert_agrees(text, whole)

    assert run("rollback", "1.0.0", "--yes").returncode == 0
    code, back, text = reported(lived_in, tmp_path / "back")
    assert (code, back["verdict"]) == (3, "Rolled back")
    assert verdicts(back["findings"], "unknown")["revision"].startswith(f"rolled back from {HEAD} to 1.0.0 on ")
    assert verdicts(back["findings"], "failed") == {}
    assert [each["phase"] for each in back["rollout"]["rollbacks"]] == ["done"]
    assert "archive 1" in text


def test_after_a_failed_step(clone: Clone, tmp_path: Path) -> None:
    url = clone("phase1_table")
    with psycopg.connect(conninfo(url)) as blocker:
        blocker.execute("UPDATE public.features SET updated_at = now() WHERE niche_id = 1")
        refusal(Alembic(url, x=("deadline=600ms", "step-alert=300ms")).upgrade)
    made = report(url)
    assert made.verdict == "Action required"
    assert "<svg" in page.write(made, tmp_path, "rollout").read_text(encoding="utf-8")
    found = {each.check: each for each in made.findings}
    assert found["state"].verdict == "failed"
    assert found["state"].detail.startswith("Step 2.0.0 upgrade failed on ")
    assert "alert: 2.0.0 upgrade: it has been running for" in found["blocked sessions"].detail
    missed = made.rollout.steps[-1]
    assert (missed.outcome, missed.attempts > 1, len(missed.samples["at"]) > 2) == ("failed", True, True)
    assert max(missed.samples["connections"]) == missed.connections
    assert missed.message
    assert found["backup"].verdict == "unknown"


def test_a_lost_row_and_a_row_set_aside_are_failures(clone: Clone) -> None:
    url = clone("backfilled_table")
    plant(url, "UPDATE public.features SET demand_score = 0.1 WHERE niche_id = 7")
    plant(url, "INSERT INTO sidb.backfill_set_aside (job, key, range_id, error) VALUES ('event_history', 1, 1, 'no')")
    found = {each.check: each for each in report(url).findings}
    assert found["Phase 1 rows"].verdict == "failed"
    assert "niches 7 have other values" in found["Phase 1 rows"].detail
    assert found["backfill"].detail == "event_history: 1 rows set aside"
    assert found["verify"].verdict == "failed"


def test_what_was_raised_and_what_may_not_be_read(clone: Clone) -> None:
    url = clone("migrated_table")
    plant(url, "CREATE TABLE sidb.raised_setting AS SELECT 'wal_keep_size' AS name, '4GB' AS raised, '0' AS before")
    found = {each.check: each for each in checks.report(collecting.collect(url, [])).findings}
    assert found["verify"].detail == "not looked at"
    if url.username == OWNER:  # the table is another role's
        assert found["records"].detail == "records in schema sidb that this role may not read"
    else:
        assert found["retention"].detail == "raised, and not put back: wal_keep_size = 4GB (was 0)"


def test_nothing_yet(clone: Clone) -> None:
    made = report(clone("empty"))
    assert made.verdict == "Not complete"
    assert "has no table public.features" in {each.check: each.detail for each in made.findings}["verify"]


def test_on_a_standby(cluster: Cluster, cluster_clone: Clone) -> None:
    url = cluster_clone("backfilled_table")
    cluster.caught_up()
    assert url.database is not None
    made = report(cluster.replica_url(url.database))
    assert made.rollout.standby
    assert [step.revision for step in made.rollout.steps] == list(REVISIONS)
    found = {each.check: each for each in made.findings}
    assert (found["backfill"].verdict, found["Phase 1 rows"].verdict, found["state"].verdict) == ("ok", "ok", "ok")
    assert "cannot execute" in found["verify"].detail or "standby" in found["verify"].detail


def test_the_upgrade_began_when_phase_1_was_left_for_the_last_time(clone: Clone) -> None:
    """A way back of one step is no new beginning; one to Phase 1 is."""
    url = clone("phase1_table")
    alembic = Alembic(url)

    def began() -> object:
        return collecting.upgraded(collecting.collect(url, ()).steps)

    assert began() is None
    alembic.upgrade("2.0.1")
    first = began()
    assert first is not None
    alembic.downgrade("2.0.0")
    alembic.upgrade("2.0.2")
    assert began() == first
    alembic.downgrade("1.0.0")
    assert began() is None
    alembic.upgrade("2.0.0")
    assert began() not in (None, first)
