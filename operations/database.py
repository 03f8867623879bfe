"""The one way to reach the database: the address that is set, or the embedded server; never a fallback."""

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import click
import psycopg
from psycopg import sql
from sqlalchemy import URL, Engine, create_engine, event

from operations.embedded import Server, project_server
from operations.errors import SidbError
from operations.settings import Settings

EMBEDDED_DATABASE = "sidb"
OLDEST_SERVER = 15


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
    with psycopg.connect(_conninfo(server), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
            # Another command may do it in the same moment.
            with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    return server.url(database)


def engine(url: URL, **arguments: Any) -> Engine:
    """A SQLAlchemy engine whose failures to connect are SidbError; `arguments` are those of `create_engine`."""
    connect_args = {"application_name": "sidb", **arguments.pop("connect_args", {})}
    made = create_engine(url, connect_args=connect_args, **arguments)

    @event.listens_for(made, "do_connect")
    def connect(_dialect: Any, _record: Any, args: list[Any], parameters: dict[str, Any]) -> psycopg.Connection[Any]:
        return _connect(url, lambda: psycopg.connect(*args, **parameters))

    return made


def shown(url: URL) -> str:
    """The address for people: no password, and of its parameters only where the server is."""
    place = {key: value for key, value in url.query.items() if key in ("host", "port")}
    return url.set(drivername="postgresql", query=place).render_as_string(hide_password=True)


def _connect(url: URL, connect: Callable[[], psycopg.Connection[Any]]) -> psycopg.Connection[Any]:
    try:
        connection = connect()
    except psycopg.Error as error:
        # libpq repeats itself for every address of a host; the first lines say it all.
        reason = "\n".join(f"  {line.strip()}" for line in str(error).strip().splitlines()[:3])
        raise SidbError(f"No connection to {shown(url)}\n{reason}", _next_step(url, str(error))) from None
    major = connection.info.server_version // 10000
    if major < OLDEST_SERVER:
        connection.close()
        raise SidbError(
            f"{shown(url)} is PostgreSQL {major}; the schema needs {OLDEST_SERVER} or newer.",
            "upgrade that server, or point DATABASE_URL at a newer one.",
        )
    return connection


def _next_step(url: URL, reason: str) -> str:
    if "password" in reason or "authentication" in reason:
        return "correct the user and password in DATABASE_URL (special characters are written %40, %2F, …)."
    if "database" in reason and "does not exist" in reason:
        return f"create it (createdb {url.database}), or correct the name in DATABASE_URL."
    if "unsupported startup parameter" in reason:
        return "point DATABASE_URL at PostgreSQL itself: this pooler does not pass on what a session is started with."
    if "invalid connection option" in reason or "URI query" in reason:
        return "correct the parameters after ? in DATABASE_URL."
    return "see that the server runs and can be reached from here, and that DATABASE_URL names the right host and port."


def _conninfo(server: Server) -> str:
    return server.url("postgres").set(drivername="postgresql").render_as_string(hide_password=False)


@cache  # once a process, however many commands run in it
def _announce(psql: str) -> None:
    click.echo(f"DATABASE_URL is not set: using the embedded PostgreSQL, reached with: {psql}", err=True)
