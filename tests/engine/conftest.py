"""What the tests of the guard share."""

import time
from collections.abc import Callable

import psycopg
import pytest
from alembic.util import CommandError
from alembic_online.catalog import Identity, definitions
from alembic_online.ledger import Entry, Ledger
from sqlalchemy import URL, Engine, NullPool, create_engine

from operations.scope import SCOPE
from tests.fixtures.databases import Alembic, conninfo


def catalog(url: URL) -> dict[Identity, str]:
    """What there is of ours."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return definitions(connection, SCOPE)


def ledger(url: URL) -> list[Entry]:
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        return Ledger(connection, SCOPE).history()


def applied(url: URL) -> list[str]:
    """The steps that the ledger says are applied, in order: "2.0.4 upgrade"."""
    return [f"{entry.revision} {entry.direction}" for entry in ledger(url) if entry.outcome == "applied"]


def current(url: URL) -> str | None:
    with psycopg.connect(conninfo(url)) as connection:
        row = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
        if row == (None,):
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return row[0] if row else None


def refusal(run: Callable[[], None]) -> str:
    """What a run that must fail says."""
    with pytest.raises(CommandError) as caught:
        run()
    return str(caught.value)


def until(happened: Callable[[], bool], what: str) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.01)


def strict(url: URL, *x: str) -> Alembic:
    """Alembic as on the command line: what would be lost is kept."""
    return Alembic(url, x=("deadline=30s", *x))


def connected(url: URL, engine: Engine, name: str) -> bool:
    """Whether a session of that application is in the database."""
    with engine.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND application_name LIKE %s",
            (url.database, f"{name}%"),
        )
        return bool(found.scalar_one())


def run(url: URL, *statements: str) -> None:
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())
