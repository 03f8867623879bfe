"""What somebody reads who does not know this program: what happened, whether it is safe to go on, and what to type.

Interrupted rollbacks and restores are in rollback/test_stopped.py, the first line of every command in status.
"""

import os
import signal
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import URL

from operations.cli import main
from operations.embedded import Server
from tests.engine.conftest import current, until
from tests.fixtures.cluster import Cluster
from tests.fixtures.databases import Clone, conninfo
from tests.fixtures.ended import counted, once
from tests.fixtures.pooler import Pooler
from tests.fixtures.revisions import HEAD
from tests.fixtures.server import throwaway_server
from tests.operations.rollback.conftest import execute, pressed

SET_IT_ANEW = (
    "\nThe database URL is the environment variable DATABASE_URL, written postgresql://user:password@host:5432/database."
    " Set it for this program, not for your service, and run the same command again, which is safe.\n"
)


def said(url: URL, *arguments: str) -> str:
    """What a command that fails prints on standard error."""
    done = CliRunner().invoke(main, arguments, env={"DATABASE_URL": conninfo(url)})
    assert done.exit_code == 1, done.output
    return done.stderr


def told(url: URL, *arguments: str) -> Result:
    """What a command prints that works."""
    done = CliRunner().invoke(main, arguments, env={"DATABASE_URL": conninfo(url)})
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture
def guarded(pg_bin: Any) -> Iterator[Server]:
    """A server that asks the role app for a password."""
    with throwaway_server(pg_bin) as server:
        execute(server.url("postgres"), "CREATE ROLE app LOGIN PASSWORD 'right'")
        hba = server.data / "pg_hba.conf"
        hba.write_text(f"local all app scram-sha-256\n{hba.read_text()}")
        server.stop()
        server.start()
        yield server


def test_a_wrong_password(guarded: Server) -> None:
    for password in ("wrong", None):
        read = said(guarded.url("postgres").set(username="app", password=password), "upgrade")
        assert read.startswith("No connection to postgresql://app")
        assert "nothing was changed" in read
        assert "\nNext: give the right user and password in the database URL" in read
        assert read.endswith(SET_IT_ANEW)


@pytest.mark.parametrize("command", [["upgrade"], ["backfill", "run", "--now"]])
def test_a_standby(cluster: Cluster, cluster_clone: Clone, command: list[str]) -> None:
    url = cluster_clone("migrated_table")
    cluster.caught_up()
    assert url.database is not None
    read = said(cluster.replica_url(url.database), *command)
    assert " is a standby: it follows another server and cannot be changed; nothing was changed.\nNext: point" in read
    assert (
        "A superuser finds it by SELECT sender_host, sender_port FROM pg_stat_wal_receiver here; if"
        " that is a standby, too, ask it in the same way.\n" in read
    )
    assert read.endswith(SET_IT_ANEW)


def test_a_pooler_in_transaction_mode(clone: Clone, pooler: Pooler) -> None:
    read = said(pooler(clone("phase1_table"), "transaction"), "upgrade")
    assert " goes through a pooler in transaction mode, which may give each transaction another session" in read
    assert "nothing was changed.\nNext: for this program alone, point the database URL at PostgreSQL itself" in read
    assert read.endswith(SET_IT_ANEW)


@pytest.mark.clean
def test_a_view_on_what_is_replaced(clone: Clone) -> None:
    url = clone("phase1_matview")
    execute(url, "CREATE VIEW public.report AS SELECT phrase FROM public.hot_niches_today")
    assert said(url, "upgrade") == (
        "Not every step can be applied, so none was begun; nothing was changed.\n"
        "  view public.report uses public.hot_niches_today, which 2.0.4 replaces\n"
        "Keep these statements, which make them again with owners, comments and grants:\n\n"
        "CREATE VIEW public.report AS\n SELECT phrase\n   FROM public.hot_niches_today;\n"
        "ALTER VIEW public.report OWNER TO postgres;\n\n"
        "Next: have their owners drop these (DROP VIEW public.report;), run it again, which is safe, and have them made"
        " again afterwards; until then whoever reads them gets an error, and nobody else.\n"
    )
    assert current(url) is None


@pytest.mark.clean
def test_a_deadline(clone: Clone) -> None:
    url = clone("phase1_table")
    with psycopg.connect(conninfo(url)) as blocker:
        blocker.execute("SELECT FROM public.hot_niches_today")
        read, pid = said(url, "upgrade", "--deadline", "0s"), blocker.info.backend_pid
    assert "2.0.4 upgrade: could not acquire its locks within 0 s" in read
    assert f"\n  pid {pid} on hot_niches_today (user " in read
    assert read.endswith(
        "\nApplied: 1.0.0 upgrade, 2.0.0 upgrade, 2.0.1 upgrade, 2.0.2 upgrade, 2.0.3 upgrade; 2.0.4 upgrade was not"
        " finished: nothing of it stays. The database is whole at 2.0.3, and applications can use it as it"
        " is.\n"
        "Next: run it again when these transactions have ended, which is safe: what is done stays, or let it wait"
        " longer (--deadline 1h), or let it disconnect those that are idle in a transaction for longer than 1s"
        " (--end-idle-after 1s), which loses their open work.\n"
    )
    assert current(url) == "2.0.3"


@pytest.mark.parametrize(
    ("at", "read"),
    [
        (
            "AS standby",  # this program's own look
            "Interrupted.\nNext: no step was at work, so that nothing is half done (`sidb status` shows the revision);"
            " run `sidb upgrade` again, which is safe.\n",
        ),
        (
            r"pg_try_advisory_lock\(%s\)",  # the engine's
            "Interrupted before the first step; nothing was changed.\nNext: run it again when you like, which is"
            " safe.\n",
        ),
        (
            "CREATE SCHEMA.*analytics",
            "Interrupted. Applied: 1.0.0 upgrade; 2.0.0 upgrade was not finished: nothing of it stays. The"
            " database is whole at 1.0.0, and applications can use it as it is.\nNext: run it again, which is"
            " safe: it continues at the step that was not finished.\n",
        ),
    ],
)
@pytest.mark.clean
def test_ctrl_c_in_an_upgrade(clone: Clone, at: str, read: str) -> None:
    assert pressed(clone("phase1_table"), at, "upgrade").stderr == read


@pytest.mark.parametrize(
    ("at", "step"), [("CREATE SCHEMA.*analytics", "2.0.0"), ("CREATE INDEX CONCURRENTLY", "2.0.5")]
)
@pytest.mark.clean
def test_what_ctrl_c_leaves(clone: Clone, at: str, step: str) -> None:
    """It is called an interrupt, whatever error it broke the session with; who goes on is not told to go on."""
    url = clone("phase1_table")
    pressed(url, at, "upgrade")
    last = execute(url, "SELECT revision, outcome, message FROM sidb.step ORDER BY step_id DESC LIMIT 1")
    assert last == [(step, "interrupted", "Ctrl-C")]
    told = f"An earlier run was interrupted in {step} upgrade; applications can use the database as it is"
    again = CliRunner().invoke(main, ["history"], env={"DATABASE_URL": conninfo(url)})
    assert again.stderr == f"{told}: `sidb upgrade` does it again, which is safe.\n"
    again = CliRunner().invoke(main, ["upgrade"], env={"DATABASE_URL": conninfo(url)})
    assert (again.exit_code, again.stderr) == (0, f"{told}.\n")
    assert current(url) == HEAD


@pytest.mark.clean
def test_a_role_without_rights(clone: Clone) -> None:
    """All that it lacks is named, with the statements, before anything is created: Alembic's table neither."""
    url, role = clone("phase1_table"), "without_rights"
    for statement in (
        f"DROP ROLE IF EXISTS {role}",
        f"CREATE ROLE {role} LOGIN",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    ):
        execute(url, statement)
    for command in ("upgrade", "preflight", "status", "maintain"):
        read = said(url.set(username=role), command)
        assert read.startswith(f"{role} may not use schema public of postgresql://{role}@")
        assert f"nothing was changed.\nNext: as its owner: GRANT USAGE ON SCHEMA public TO {role}; then" in read
    execute(url, f"GRANT USAGE ON SCHEMA public TO {role}")
    read = said(url.set(username=role), "upgrade")
    assert "Not every step can be applied, so none was begun; nothing was changed.\n" in read
    assert "\n  not allowed: creating Alembic's table in schema public\n" in read
    assert f"\nas an administrator: GRANT CREATE ON DATABASE {url.database} TO {role};\n" in read
    assert execute(url, "SELECT to_regclass('public.alembic_version')") == [(None,)]


@pytest.mark.clean
def test_a_hostile_setting(clone: Clone) -> None:
    url = clone("lived_in_table")
    execute(url.set(username="postgres"), f"ALTER DATABASE {url.database} SET session_replication_role = replica")
    _, _, read = said(url, "upgrade").partition(" has session_replication_role = replica, with ")
    assert read == (
        "which triggers and foreign keys do not fire; it is set for every role, and so for what applications write, and"
        " must be origin here, which this role is not allowed to set; nothing was changed.\n"
        f"Next: as a superuser: ALTER ROLE {url.username} IN DATABASE {url.database} SET session_replication_role ="
        f" 'origin' (for this role alone; applications keep what they have), or, unless replication or another"
        f" tool needs it, for all: ALTER DATABASE"
        f" {url.database} RESET"
        " session_replication_role; then run it again, which is safe.\n"
    )


def test_the_server_is_killed_in_an_upgrade(pg_bin: Any) -> None:
    with throwaway_server(pg_bin) as server:
        url, read = server.url("postgres"), []

        def kill() -> None:
            os.kill(int((server.data / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
            until(lambda: not server.is_running(), "the server is down")

        counted(lambda: read.append(said(url, "upgrade")), once("CREATE TABLE analytics.cross_platform_metrics", kill))
    assert read[0].startswith("The connection to the server was lost: ")
    assert "The connection to the server was lost: " in read[0]
    assert read[0].endswith(
        "\nApplied: 1.0.0 upgrade, 2.0.0 upgrade, 2.0.1 upgrade; 2.0.2 upgrade was not finished: nothing of it stays."
        " The database is whole at 2.0.1, and applications can use it as it is whenever the server is up."
        "\nNext: when the server is up, run it again, which is safe: it continues at the step that was not"
        " finished.\n"
    )
