"""What is half-way is said before every command, and is gone on with, or given up."""

import json
import os
import re
import signal
import sys
from functools import partial

import psycopg
import pytest
from alembic_online.migrator_lock import KEY
from sqlalchemy import URL

from operations.status.amiss import tell
from operations.status.half_way import half_way
from operations.status.look import look
from tests.fixtures import programs
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.fixtures.ended import counted
from tests.fixtures.revisions import HEAD, REVISIONS
from tests.operations.rollback.conftest import MOVES, ROWS, abort, begun, bring_back, roll_back
from tests.operations.test_upgrade import sidb
from tests.operations.verify.conftest import plant

STEP = f"Step {HEAD} upgrade"
INTERRUPTED = f"An earlier run was interrupted in {HEAD} upgrade"
CLOSED = (
    "tables of schema analytics are closed to applications, which get an error; features and hot_niches_today are"
    " in use as before"
)
AT = "2.2.0"
"""Where a rollback is before it moves the first table."""
GO_ON = (
    "`sidb rollback` finishes it, down to 2.0.1; or `sidb rollback --abort` gives it up and opens the tables, with the"
    f" database at {AT}, or one revision lower if that is partly undone: `sidb upgrade`, then `sidb restore 1` lead"
    " back; neither loses anything"
)
PHASES = "UPDATE sidb.rollback SET phase = '{}', finished = now()"


def interrupted(url: URL) -> str:
    return f"{begun(url)} was interrupted ({CLOSED})"


def said(url: URL) -> list[str]:
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        return [str(each) for each in half_way(connection)]


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
    if re.search(MOVES, statement):
        os.kill(os.getpid(), signal.SIGKILL)


def test_an_interrupted_rollback_is_the_first_line_of_every_command(url: URL) -> None:
    half_back(url)
    looking = ("verify", "monitor", "history", "preflight", "backfill status", "restore", "retention")
    for command in map(str.split, looking):
        done = sidb(url, *command)
        assert done.stderr.startswith(f"{interrupted(url)}: {GO_ON}.\n"), command
        _, _, next_step = " ".join(done.stdout.split()).partition("Next: ")
        assert next_step in (["", GO_ON] if command[0] in ("history", "backfill", "retention") else [GO_ON]), command
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
        assert done.stderr == f"{interrupted(url)}; this command changed nothing.\nNext: {GO_ON}.\n", command
    status = sidb(url, "status")
    assert status.returncode == 1
    assert status.stdout.splitlines()[1].startswith(f"amiss     {interrupted(url)[:60]}")
    assert " ".join(status.stdout.split()).endswith(f"Next: {GO_ON}")
    assert json.loads(sidb(url, "status", "--json").stdout)["amiss"] == [
        {"what": interrupted(url), "next_step": GO_ON, "blocks": True, "closes": True, "command": ""}
    ]
    plant(url, "ALTER TABLE public.features DISABLE TRIGGER features_mark_trending_niches")
    verified = {each["check"]: each for each in json.loads(sidb(url, "verify", "--json").stdout)["findings"]}
    for check in ("half-way", "application's rights"):
        assert (verified[check]["verdict"], verified[check]["remedy"]) == ("failed", GO_ON)
        assert interrupted(url) in verified[check]["detail"]
    assert {each["remedy"] for each in verified.values()} == {GO_ON, ""}, "all else has to wait"
    assert any(each["verdict"] == "failed" for each in verified.values() if not each["remedy"])


def test_no_other_way_works_on_a_database_half_way(url: URL) -> None:
    """Alembic's own command line neither: the engine asks."""
    half_back(url)
    for run in (Alembic(url).upgrade, partial(Alembic(url).downgrade, "1.0.0"), partial(Alembic(url).stamp, "2.0.4")):
        with pytest.raises(Exception, match=re.escape(interrupted(url))):
            run()
    checked = programs.run("alembic", "check", env={"DATABASE_URL": conninfo(url)})
    refused = f"{interrupted(url)}; this command changed nothing.\nNext: {GO_ON}."
    assert f"{refused} Until then, what is compared" in checked.stderr


def test_after_it_was_gone_on_with_or_given_up(clone: Clone) -> None:
    url = half_back(clone("migrated_table"))
    roll_back(url, None)
    assert said(url) == []
    seen = look(url)
    assert [(each.archive, each.restored) for each in seen.archives] == [(1, 0)]
    assert seen.next == "when what led to the rollback is put right: sidb upgrade, then sidb restore 1"
    Alembic(url).upgrade()
    assert look(url).next == "sidb restore 1, or --drop 1 where nobody wants it back"
    bring_back(url)
    assert look(url).archives[0].restored == look(url).archives[0].tables
    roll_back(url, "2.0.1")
    assert look(url).next.endswith("sidb upgrade, then sidb restore 2"), "the first one is back already"
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
        f"The restore of archive 1 was interrupted; {back} of its {tables} tables are back whole; the"
        " others still lack some of their rows, or all, which archive 1 keeps; all are open to"
        " applications: `sidb restore 1` continues"
        " it, which is safe: what applications write meanwhile is kept. Where it stops again, correct what it names;"
        " with --skip it leaves rows in the archive that conflict"
    )
    assert sidb(url, "maintain").returncode == 1
    what, _, next_step = line.partition(": ")
    for target in ("1.0.0", "2.0.3"):
        refused = sidb(url, "rollback", target, "--yes")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr == f"{what}; this command changed nothing.\nNext: {next_step}.\n"
    assert sidb(url, "restore", "1").returncode == 0
    assert said(url) == []


def test_who_is_at_work_is_no_interruption(url: URL) -> None:
    half_back(url)
    with psycopg.connect(conninfo(url), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('sidb rollback', 0))")
        assert said(url) == [
            f"{begun(url)} is at work (pid {other.info.backend_pid}; {CLOSED}): wait for it; `sidb status --watch`"
            " follows it"
        ]
    assert said(url) == [f"{interrupted(url)}: {GO_ON}"]


def test_who_is_at_work_in_another_database_is_not_here(clone: Clone) -> None:
    url = half_back(clone("migrated_table"))
    with psycopg.connect(conninfo(clone("migrated_table"))) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('sidb rollback', 0))")
        assert said(url) == [f"{interrupted(url)}: {GO_ON}"]


def test_what_is_half_way_comes_before_a_revision_that_nobody_knows(url: URL) -> None:
    half_back(url)
    plant(url, "INSERT INTO public.alembic_version VALUES ('9.9.9')")
    found = look(url)
    assert found.amiss[0].what == interrupted(url)
    assert len(found.amiss) > 1
    assert found.next.startswith("`sidb rollback` finishes it, down to")


def test_two_revisions_are_put_right_before_anything_else(url: URL) -> None:
    plant(url, "INSERT INTO public.alembic_version VALUES ('2.0.1')")
    for command in ("verify", "monitor", "preflight", "preflight --finish"):
        done = sidb(url, *command.split())
        printed = " ".join((done.stdout + done.stderr).split())
        assert f"Next: `alembic stamp --purge {HEAD}` writes {HEAD}" in printed, command


@pytest.mark.parametrize(("number", "more"), [(3, ""), (4, ", and 1 more")])
def test_what_a_rollback_put_aside_of_others(number: int, more: str, url: URL) -> None:
    roll_back(url, "2.0.1")
    plant(
        url,
        "INSERT INTO sidb.rollback_dependant (rollback_id, place, name, removal, creation, later, relations)"  # noqa: S608
        f" SELECT 1, n, 'view v' || n, '', '{{}}', '', '{{}}' FROM generate_series(1, {number}) AS n",
    )
    assert said(url) == [
        f"The rollback to 2.0.1 put aside of others: view v1, view v2, view v3{more}: `sidb restore 1` gives it back,"
        " after `sidb upgrade`"
    ]
    plant(url, "INSERT INTO sidb.rollback (origin, target, client) VALUES ('2.0.1', '1.0.0', 'test')")
    assert [each.partition(" (")[0] for each in said(url)] == [f"{begun(url)} was interrupted"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("outcome = 'running'", f"{INTERRUPTED}; applications can use the database as it is: "),
        ("outcome = 'interrupted'", f"{INTERRUPTED}"),
        ("outcome = 'failed', message = 'no space'", f"{STEP} failed on "),
        ("validated = NULL", f"{STEP} is applied and not validated: `sidb upgrade` validates it"),
        ("validated = false, message = 'odd'", f"{STEP} is applied, and not valid: odd: correct what is named"),
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
    assert tell(url) is None, "nothing else has to wait for it"


def test_events_that_an_unfinished_step_has_refused(clone: Clone) -> None:
    url = clone("phase1_table")
    Alembic(url).upgrade("2.0.7")
    bound = "ADD CONSTRAINT analytics_events_bound CHECK (event_timestamp < '2050-01-01 00:00:00+00') NOT VALID"
    plant(url, f"ALTER TABLE analytics.analytics_events {bound}")
    with psycopg.connect(conninfo(url)) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [KEY])
        assert said(url) == [], "the step is at work"
    assert said(url) == [
        "Events dated from 2050-01-01 on are refused, by a CHECK that an unfinished step has left: `sidb upgrade`"
        " finishes it; or ALTER TABLE analytics.analytics_events DROP CONSTRAINT analytics_events_bound"
    ]
    plant(url, "ALTER TABLE analytics.analytics_events DROP CONSTRAINT analytics_events_bound")
    assert said(url) == []
