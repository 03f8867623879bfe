"""Engines and addresses: every failure to connect is an OnlineError that says what to do next."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, create_engine, event

from alembic_online.errors import OnlineError

OLDEST_SERVER = 15


def engine(url: URL, **arguments: Any) -> Engine:
    """A SQLAlchemy engine whose failures to connect are OnlineError; `arguments` are those of `create_engine`.

    Sessions are named like the program, unless `connect_args` names them.
    """
    connect_args = {"application_name": Path(sys.argv[0]).name, **arguments.pop("connect_args", {})}
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
        raise OnlineError(f"No connection to {shown(url)}\n{reason}", _next_step(url, str(error))) from None
    major = connection.info.server_version // 10000
    if major < OLDEST_SERVER:
        connection.close()
        raise OnlineError(
            f"{shown(url)} is PostgreSQL {major}; {OLDEST_SERVER} or newer is needed.",
            "upgrade that server, or point the database URL at a newer one.",
        )
    return connection


def _next_step(url: URL, reason: str) -> str:
    if "password" in reason or "authentication" in reason:
        return "correct the user and password in the database URL (special characters are written %40, %2F, …)."
    if "database" in reason and "does not exist" in reason:
        return f"create it (createdb {url.database}), or correct the name in the database URL."
    if "unsupported startup parameter" in reason:
        return "point the database URL at PostgreSQL itself: this pooler does not pass on start-up parameters."
    if "invalid connection option" in reason or "URI query" in reason:
        return "correct the parameters after ? in the database URL."
    return "see that the server runs and can be reached from here, and that the database URL names its host and port."
