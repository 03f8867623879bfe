"""One migrator at a time, whoever else starts: the others wait, say for whom, and find nothing to do."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from alembic_online.migrator_lock import KEY
from sqlalchemy import URL, Engine, event

from operations.embedded import Server, service_user
from tests.engine.conftest import applied, connected, current, refusal, until
from tests.fixtures.databases import ROOT, Alembic, Clone, conninfo
from tests.fixtures.revisions import HEAD, REVISIONS

Pooled = Callable[[str, str], URL]


def alembic(url: URL, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "alembic", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": conninfo(url)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_five_at_once(clone: Clone) -> None:
    url = clone("phase1_table")
    migrators = [alembic(url, "upgrade", "head") for _ in range(5)]
    said = [migrator.communicate(timeout=60)[0] for migrator in migrators]
    assert [migrator.returncode for migrator in migrators] == [0] * 5, said
    assert applied(url) == [f"{revision} upgrade" for revision in REVISIONS]


def test_the_second_says_for_whom_it_waits(clone: Clone, connect: Callable[..., Engine]) -> None:
    url = clone("phase1_table")
    with psycopg.connect(conninfo(url), autocommit=True, application_name="sidb migrate on elsewhere pid 7") as first:
        first.execute("SELECT pg_advisory_lock(%s)", [KEY])
        said = refusal(Alembic(url, x=("deadline=300ms",)).upgrade)
        assert (
            f"Another migration is running: sidb migrate on elsewhere pid 7 (session {first.info.backend_pid} " in said
        )
        second = alembic(url, "upgrade", "head")
        until(lambda: connected(url, connect(url), "sidb migrate on"), "the second one is connected")
        assert current(url) is None
    output, _ = second.communicate(timeout=60)
    assert second.returncode == 0
    assert current(url) == HEAD
    assert "Traceback" not in output


def test_a_relative_target_is_resolved_once(clone: Clone, connect: Callable[..., Engine]) -> None:
    """ "-2" stays what it meant when a step in between is tried again."""
    url = clone("migrated_table")
    mine = connect(url)
    failures = iter([True, True])

    @event.listens_for(mine, "before_cursor_execute")
    def miss(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "DROP INDEX CONCURRENTLY" in statement and next(failures, None):
            raise psycopg.errors.LockNotAvailable("planted")

    Alembic(url).through(mine, "downgrade", "-2")
    assert current(url) == REVISIONS[-3]
    assert applied(url)[-2:] == [f"{HEAD} downgrade", f"{REVISIONS[-2]} downgrade"]


@pytest.fixture
def pooled(server: Server, clone: Clone) -> Iterator[Pooled]:
    """``pooled(mode, ignored)`` is the address of a Phase 1 database behind a real PgBouncer in that pool mode."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("there is no pgbouncer on PATH (Debian: apt-get install pgbouncer)")
    running: list[subprocess.Popen[bytes]] = []

    def start(mode: str, ignored: str) -> URL:
        url = clone("phase1_table")
        home = Path("/tmp") / f"sidb-pool-{os.getpid()}-{len(running)}"  # noqa: S108 - a socket's path has 107 bytes
        home.mkdir(mode=0o777)
        home.chmod(0o777)
        (home / "users").write_text(f'"{url.username}" ""\n')
        (home / "ini").write_text(
            f"""
            [databases]
            * = host={server.sockets} port=5432
            [pgbouncer]
            listen_addr =
            unix_socket_dir = {home}
            listen_port = 6432
            auth_type = trust
            auth_file = {home}/users
            pool_mode = {mode}
            ignore_startup_parameters = {ignored}
        """.replace("            ", "")
        )
        user = service_user()
        running.append(
            subprocess.Popen([program, home / "ini"], user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if user
            else subprocess.Popen([program, home / "ini"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )
        until(lambda: (home / ".s.PGSQL.6432").exists(), "pgbouncer listens")
        return url.set(query={"host": str(home), "port": "6432"})

    yield start
    for number, process in enumerate(running):
        process.terminate()
        process.wait()
        shutil.rmtree(Path("/tmp") / f"sidb-pool-{os.getpid()}-{number}")  # noqa: S108


def migrate(url: URL) -> tuple[int, str]:
    migrator = alembic(url, "upgrade", "head")
    output, _ = migrator.communicate(timeout=60)
    return migrator.returncode, output


def test_a_transaction_pool_is_refused(pooled: Pooled) -> None:
    code, output = migrate(pooled("transaction", "options"))
    assert code > 0
    assert "may give each transaction another session of the server; nothing was changed." in output
    assert "Next: for this program alone, point the database URL at PostgreSQL itself (PgBouncer names" in output
    assert "Traceback" not in output


def test_a_pool_is_looked_at_without_start_up_options(pooled: Pooled) -> None:
    """A pooler that refuses them can be reached all the same, and the kind of pool is named."""
    code, output = migrate(pooled("transaction", ""))
    assert code > 0
    assert "may give each transaction another session of the server; nothing was changed." in output
    assert "Traceback" not in output
    code, output = migrate(pooled("session", ""))
    assert code == 0, output


def test_a_session_pool_is_fine(pooled: Pooled) -> None:
    code, output = migrate(pooled("session", "options"))
    assert code == 0, output
