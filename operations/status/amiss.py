"""What is amiss, as the first line of every command."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
import psycopg
from alembic_online.database import engine, shown
from alembic_online.errors import OnlineError
from alembic_online.sessions import driver
from sqlalchemy import URL, Connection, NullPool
from sqlalchemy.exc import DBAPIError

from operations.scope import QUALIFIED
from operations.status.half_way import Amiss, half_way, readable, refuse_half_way
from operations.upgrade import script_directory

NAMED = {"application_name": "sidb status"}
SETTINGS = "SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = '5s'; SET LOCAL lock_timeout = '500ms'"


def amiss(connection: psycopg.Connection[Any]) -> list[Amiss]:
    """What is not as it should be, the most urgent first. Reads only."""
    return [*half_way(connection), *_versions(connection)]


def tell(url: URL) -> str | None:
    """Say on standard error what is amiss, before a command does its work. Raises OnlineError.

    What to type first, where nothing else may change the database; None: anything may.
    """
    with session(url) as connection:
        found = amiss(driver(connection))
    for each in found:
        click.secho(f"{each.what}: {each.next_step}.", fg="yellow", err=True)
    return next((each.next_step for each in found if each.blocks), None)


def refuse(url: URL) -> None:
    """Raise OnlineError while a rollback or a restore is half-way; say what else is amiss."""
    with session(url) as connection:
        refuse_half_way(driver(connection))
    tell(url)


@contextmanager
def session(url: URL) -> Iterator[Connection]:
    """A session of its own, in a transaction that only reads and waits for nobody. Raises OnlineError."""
    opened = engine(url, poolclass=NullPool, execution_options=QUALIFIED, connect_args=NAMED)
    try:
        with opened.connect() as connection:
            connection.exec_driver_sql(SETTINGS)
            yield connection
    except (psycopg.Error, DBAPIError) as error:
        reason = str(error.orig if isinstance(error, DBAPIError) else error).strip().partition("\n")[0]
        raise OnlineError(
            f"The state of {shown(url)} could not be read: {reason}", "see that the server runs, and run it again."
        ) from None


def _versions(connection: psycopg.Connection[Any]) -> Iterator[Amiss]:
    if "public.alembic_version" not in readable(connection):
        return
    found = [str(row[0]) for row in connection.execute("SELECT version_num FROM public.alembic_version ORDER BY 1")]
    if len(found) > 1:
        what = f"public.alembic_version has {len(found)} rows ({', '.join(found)}), and should have one"
        yield Amiss(what, f"see by `sidb history` where it is; then `alembic stamp --purge {found[-1]}`, or the other")
    known = {script.revision for script in script_directory().walk_revisions()}
    for each in found:
        if each not in known:
            yield Amiss(f"The database is at {each}, which this code does not have", "use the version that has it")
