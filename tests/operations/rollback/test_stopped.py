"""Ctrl-C and failures in a rollback and a restore: what is printed says where the database stands, and what to type."""

from contextlib import closing

import psycopg
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import URL

from operations.cli import main
from operations.phase1 import Shape
from tests.engine.conftest import catalog, current
from tests.fixtures.databases import Alembic, conninfo
from tests.fixtures.revisions import HEAD
from tests.operations.rollback.conftest import Fill, begun, bring_back, execute, pressed, privileges, roll_back

GO_ON = (
    "`sidb rollback` finishes it, down to 2.0.1; or `sidb rollback --abort` gives it up and opens the tables, with the"
    " database at {}: `sidb upgrade`, then `sidb restore 1` lead back; neither loses anything."
)
IN_PART = "2.0.3, or one revision lower if that is partly undone"
CLOSED = (
    "{} was interrupted (tables of schema analytics are closed to applications, which get an error; features and"
    " hot_niches_today are in use as before)"
)
RESTORING = (
    "The restore of archive 1 was interrupted; 3 of its 10 tables are back whole; the others still lack"
    " some of their rows, or all, which archive 1 keeps; all are open to applications"
)
RESTORE_ON = (
    "`sidb restore 1` continues it, which is safe: what applications write meanwhile is kept. Where it stops again,"
    " correct what it names; with --skip it leaves rows in the archive that conflict."
)


@pytest.fixture
def url(fill: Fill) -> URL:
    return fill(Shape.TABLE).url


def sidb(url: URL, *arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, env={"DATABASE_URL": conninfo(url)})


def is_open(url: URL) -> bool:
    return execute(url, "SELECT has_table_privilege('analytics_reader', 'analytics.trend_cache', 'SELECT')") == [
        (True,)
    ]


@pytest.mark.parametrize(
    "at", ["AS standby", "FROM sidb.rollback", "INSERT INTO sidb.rollback "], ids=["early", "looking", "beginning"]
)
def test_before_it_is_begun(url: URL, at: str) -> None:
    before = catalog(url), privileges(url)
    assert pressed(url, at, "rollback", "2.0.1", "--yes").stderr == (
        "Interrupted.\nNo rollback or restore is half done: the tables are open to applications, and the database is"
        f" at {HEAD}.\nNext: `sidb rollback 2.0.1` again when you like, which is safe; `sidb status` shows how the"
        " database stands.\n"
    )
    assert is_open(url)
    assert (catalog(url), privileges(url)) == before


def test_between_closing_and_the_end(url: URL) -> None:
    """Stopped by Ctrl-C, then by a lock that it does not get; restore is refused; then it is given up."""
    done = pressed(
        url, "SET SCHEMA.*content_recommendations|content_recommendations.*SET SCHEMA", "rollback", "2.0.1", "--yes"
    )
    undone = (
        "2.2.1 downgrade, 2.2.0 downgrade, 2.1.1 downgrade, 2.1.0 downgrade, 2.0.7 downgrade, 2.0.6 downgrade,"
        " 2.0.5 downgrade, 2.0.4 downgrade"
    )
    closed = CLOSED.format(begun(url))
    assert done.stderr == (
        f"Interrupted. Applied: {undone}; 2.0.3 downgrade was not finished: nothing of it stays.\n"
        f"{closed}; the database is at 2.0.3.\nNext: {GO_ON.format(IN_PART)}\n"
    )
    assert not is_open(url)
    with psycopg.connect(conninfo(url)) as other:
        other.execute("SELECT FROM public.features")
        missed = sidb(url, "rollback", "--deadline", "0s")
    assert missed.exit_code == 1
    assert "2.0.3 downgrade: could not acquire its locks within 0 s" in missed.stderr
    assert (
        f"\nNo step was applied; 2.0.3 downgrade was not finished: nothing of it stays.\n{closed}; the" in missed.stderr
    )
    assert missed.stderr.endswith(f"\nThen {GO_ON.format(IN_PART)}\n")
    before = catalog(url)
    refused = sidb(url, "restore", "1")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == f"{closed}; this command changed nothing.\nNext: {GO_ON.format(IN_PART)}\n"
    assert catalog(url) == before
    given_up = sidb(url, "rollback", "--abort")
    assert given_up.exit_code == 0, given_up.output
    told = " ".join(given_up.stdout.split())
    assert "ok given up the tables are open again; still put aside: analytics.niche_daily_activity_kept" in told
    back = "analytics.niche_daily_activity_kept, analytics.retention,"
    assert f"Next: `sidb upgrade`, then `sidb restore 1`, which brings back {back}" in told
    assert (
        f"; until then the database is whole at 2.0.3, not at {HEAD} as before: applications that use what is" in told
    )
    assert "analytics_version, last_analyzed_at, trend_vector of public.features" in told
    assert is_open(url)


def test_behind_the_last_step(url: URL) -> None:
    done = pressed(url, "ORDER BY opportunity DESC", "rollback", "2.0.1", "--yes")
    assert done.stderr == (
        f"Interrupted.\n{begun(url)} was interrupted (the tables are open again; the last queries, which only read, are"
        f" missing); the database is at 2.0.1.\nNext: {GO_ON.format('2.0.1')}\n"
    )
    assert is_open(url)
    assert sidb(url, "rollback").exit_code == 0
    assert sidb(url, "status", "--json").stdout.count("interrupted") == 0


def test_a_restore(url: URL) -> None:
    """Ctrl-C between two of its tables; neither a rollback nor another restore is begun before it has ended."""
    roll_back(url, "1.0.0")
    Alembic(url).upgrade()
    assert pressed(url, "AS standby", "restore", "1").stderr.startswith(
        "Interrupted.\nNo rollback or restore is half done"
    )
    done = pressed(url, "DROP TABLE analytics.content_recommendations", "restore", "1")
    assert done.stderr == f"Interrupted.\n{RESTORING}; the database is at {HEAD}.\nNext: {RESTORE_ON}\n"
    execute(url, "INSERT INTO sidb.rollback (origin, target, phase, client) VALUES ('2.2.0', '2.0.7', 'done', 'me')")
    before = catalog(url)
    for command in (["rollback", "2.0.1", "--yes"], ["rollback"], ["restore", "2"], ["upgrade"], ["maintain"]):
        refused = sidb(url, *command)
        assert (refused.exit_code, refused.stdout) == (1, ""), command
        assert refused.stderr == f"{RESTORING}; this command changed nothing.\nNext: {RESTORE_ON}\n", command
    assert catalog(url) == before
    assert bring_back(url).exit_code == 0
    assert current(url) == HEAD
    assert sidb(url, "rollback", "2.0.1", "--yes").exit_code == 0


@pytest.mark.parametrize("command", [["restore", "1"], ["restore", "--drop", "1", "--yes"]])
def test_locks_that_a_restore_does_not_get(url: URL, command: list[str]) -> None:
    """It takes the options that it offers."""
    roll_back(url, "1.0.0")
    Alembic(url).upgrade()
    with closing(psycopg.connect(conninfo(url))) as other:
        other.execute("SELECT FROM analytics.trend_cache, sidb_archive_1.trend_cache AS archived")
        missed = sidb(url, *command, "--deadline", "0s")
        assert missed.exit_code == 1
        assert "could not acquire its locks within 0 s (1 attempt of a few milliseconds each)." in missed.stderr
        assert "or let it wait longer (--deadline 1h), or let it disconnect" in missed.stderr
        assert "(--end-idle-after 1s)" in missed.stderr
        done = sidb(url, *command, "--deadline", "1h", "--end-idle-after", "1s")
    assert done.exit_code == 0, done.output
