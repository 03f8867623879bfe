"""A step that is committed while the answer to its COMMIT is lost: it is applied, and said to be."""

import os
import signal
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL, NullPool, create_engine, event

from tests.engine.conftest import current, ledger, refusal, until
from tests.fixtures.databases import Alembic, conninfo
from tests.fixtures.server import throwaway_server

WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query ILIKE 'COMMIT%'"
SYNCHRONOUS = {"synchronous_commit": "on", "max_wal_senders": "5"}
HOW = {"Ctrl-C": "Interrupted", "ended": "The connection to the server was lost"}


def local(url: URL) -> psycopg.Connection[Any]:
    """A session that waits for no standby."""
    return psycopg.connect(conninfo(url), autocommit=True, options="-c synchronous_commit=local")


@pytest.mark.parametrize("how", HOW)
def test_a_step_whose_commit_waits_for_a_standby_is_applied(pg_bin: Path, how: str) -> None:
    with throwaway_server(pg_bin, SYNCHRONOUS) as server, local(server.url("postgres")) as admin:
        url = server.url("postgres")
        Alembic(url).upgrade("2.0.0")
        engine = create_engine(url, poolclass=NullPool)

        def wait_for(standby: str) -> None:
            admin.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{standby}'".encode())
            admin.execute("SELECT pg_reload_conf()")
            shown = "SELECT setting FROM pg_settings WHERE name = 'synchronous_standby_names'"
            until(lambda: admin.execute(shown).fetchone() == (standby,), "the setting is in force")

        def lose() -> None:
            until(lambda: admin.execute(WAITING).fetchone() is not None, "it waits for the standby")
            row = admin.execute(WAITING).fetchone()
            assert row is not None
            if how == "Ctrl-C":
                os.kill(os.getpid(), signal.SIGINT)
            else:
                admin.execute("SELECT pg_terminate_backend(%s)", row)
            until(lambda: admin.execute(WAITING).fetchone() is None, "it no longer waits")
            wait_for("")

        losing = threading.Thread(target=lose)

        @event.listens_for(engine, "before_cursor_execute")
        def leave(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if statement.startswith("UPDATE ") and "alembic_version" in statement and losing.ident is None:
                wait_for("gone")
                losing.start()

        said = refusal(lambda: Alembic(url).through(engine, "upgrade", "2.0.1"))
        losing.join()
        assert HOW[how] in said
        assert "Applied: 2.0.1 upgrade; of 2.0.1 upgrade, only the answer to its COMMIT was lost." in said
        assert current(url) == "2.0.1"
        assert [(entry.outcome, entry.validated) for entry in ledger(url)][-1] == ("applied", None)
        Alembic(url).upgrade("2.0.1")
        assert [(entry.outcome, entry.validated) for entry in ledger(url)][-1] == ("applied", True)
