"""The one way to reach the database: the address that is set, or the embedded server; never a fallback."""

from contextlib import suppress
from functools import cache

import click
import psycopg
from alembic_online.database import plain
from psycopg import sql
from sqlalchemy import URL

from operations.embedded import Server, project_server
from operations.settings import Settings

EMBEDDED_DATABASE = "sidb"


def address(settings: Settings) -> URL:
    """Where the database is. Without DATABASE_URL, starts the embedded server and says so once on standard error."""
    if settings.database_url is not None:
        return settings.database_url
    server = project_server(settings.data_home)
    url = embedded_address(server)
    _announce(server.psql_command(EMBEDDED_DATABASE))
    return url


def embedded_address(server: Server, database: str = EMBEDDED_DATABASE) -> URL:
    """The address of a database in the embedded server; both are made to exist."""
    server.start()
    with plain(libpq(server.url("postgres")), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
            # Another command may do it in the same moment.
            with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    return server.url(database)


def libpq(url: URL) -> str:
    """The address as libpq reads it, password and all."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


@cache  # once a process, however many commands run in it
def _announce(psql: str) -> None:
    click.echo(f"DATABASE_URL is not set: using the embedded PostgreSQL, reached with: {psql}", err=True)
