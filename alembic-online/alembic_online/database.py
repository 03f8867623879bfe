"""Sessions: every session of ours to a database is opened here, and nowhere else.

The server is looked at first, on a session without start-up options, and what cannot work is refused in one sentence;
then the settings that change what our statements mean are pinned. Every failure to connect is an OnlineError.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import URL, Engine, create_engine, event

from alembic_online.composed import Cursor
from alembic_online.errors import AddressError, OnlineError
from alembic_online.queries import query
from alembic_online.settings import MEANS, PINNED, WISHED
from alembic_online.unreachable import next_step

OLDEST_SERVER = 15
SHOWN, ENCODING = 5, "UTF8"
READ_ONLY = "default_transaction_read_only"
ALONE = "(for this role alone; applications keep what they have)"
"""What run/reset.sql says where others have a setting from the same place."""
OWN_PATH = "pg_catalog, pg_temp"
"""The search path of our own statements: with it they find no relation, and no function or operator of others."""
PROBES = 3
"""After so many transactions, a client of a pooler that gives out its sessions in turn has seen more than one."""

Connection = psycopg.Connection[Any]
PROCESS = "process of the server"
"""Under this name, what SQLAlchemy knows of a connection says which one it is: a pooler gives a number of its own."""
_reached: set[str] = set()
"""The databases that this process has had a session on, and may have changed."""


@dataclass(frozen=True)
class Server:
    """What was seen of a server before anything was set: of its pinned settings, those that a start-up may give."""

    pooled: bool
    settable: frozenset[str]
    path: str
    """The search path that the application has here."""


class _PooledConnection(psycopg.Connection[Any]):
    """A session that a pooler gives to others after us: nothing of ours stays on it."""

    def close(self) -> None:
        if not self.closed:
            discard(self)
        super().close()


def engine(
    url: URL,
    *,
    settings: Mapping[str, str] | None = None,
    path: str | None = OWN_PATH,
    changing: bool = False,
    **arguments: Any,
) -> Engine:
    """A SQLAlchemy engine whose sessions are checked and set up like this; `arguments` are those of `create_engine`.

    `settings` go before the pinned ones. `changing`: a standby and a read-only database are refused. `path` is where
    names without a schema are looked for; None: where the application looks, for statements that fire others' triggers.
    Beyond OWN_PATH, a stranger's function or operator that could be called instead of PostgreSQL's own is refused.
    """
    wanted = {**PINNED, **(settings or {})}
    connect_args = {"application_name": Path(sys.argv[0]).name, **arguments.pop("connect_args", {})}
    made = create_engine(url, connect_args=connect_args, **arguments)
    looked: list[Server] = []

    @event.listens_for(made, "do_connect")
    def connect(_dialect: Any, record: Any, args: list[Any], parameters: dict[str, Any]) -> Connection:
        if not looked:
            looked.append(look(url, changing=changing, path=path))
            wanted["search_path"] = looked[0].path if path is None else path
        with _told(url):
            if looked[0].pooled:
                connection: Connection = _PooledConnection.connect(*args, **parameters)
                connection.prepare_threshold = None  # others may have left statements of these names
            else:
                # Given at start-up, so that not even RESET loses them.
                given = [f"-c {name}={_escaped(wanted[name])}" for name in wanted if name in looked[0].settable]
                parameters["options"] = " ".join([str(parameters.get("options", "")), *given]).strip()
                connection = psycopg.connect(*args, **parameters)
        try:
            record.info[PROCESS] = settle(connection, wanted, url)
        except BaseException:
            connection.close()
            raise
        return connection

    return made


def plain(address: str, **arguments: Any) -> Connection:
    """A session as anybody's, on which nothing of ours is set: for who plays an application."""
    return psycopg.connect(address, **arguments)


def look(url: URL, *, changing: bool, path: str | None = OWN_PATH) -> Server:
    """What kind of server this is, found out on sessions on which nothing is set.

    Raises OnlineError: too old, not UTF8, a transaction pooler; where something is to be changed, a standby, read-only;
    on a path with others' schemas, twins of PostgreSQL's functions and operators.
    """
    with _looking(url) as connection:
        _refuse_unreadable(connection, url)
        strange: list[str] = []
        try:
            seen = _asked(connection)
            if path != OWN_PATH:
                strange = _twins(connection, path)
            reset = _reset(connection, READ_ONLY, "off") if seen.read_only else ""
            pooled = seen.pid != connection.info.backend_pid
            shared = pooled and _is_shared(connection, url)
        except psycopg.errors.ProtocolViolation:  # a pooler that hands sessions on after each statement
            shared = True
    if shared:
        raise AddressError(
            f"{shown(url)} goes through a pooler in transaction mode, which may give each transaction another"
            " session of the server; nothing was changed.",
            "for this program alone, point the database URL at PostgreSQL itself (PgBouncer names its host and port:"
            " SHOW DATABASES in its database pgbouncer), or at a pool in session mode; applications keep theirs.",
        )
    if changing and seen.standby:
        raise AddressError(
            f"{shown(url)} is a standby: it follows another server and cannot be changed; nothing was changed.",
            "point the database URL at the primary, and run it again. A superuser finds it by SELECT sender_host,"
            " sender_port FROM pg_stat_wal_receiver here; if that is a standby, too, ask it in the same way.",
        )
    if changing and seen.read_only:
        raise OnlineError(
            f"{shown(url)} is read-only ({READ_ONLY} is on); nothing was changed.",
            f"see who set it; then, in one session, SET {READ_ONLY} = off; {reset}; run it again.",
        )
    if strange:
        more = f", and {len(strange) - SHOWN} more" if len(strange) > SHOWN else ""
        raise OnlineError(
            f"{shown(url)} has functions or operators that our statements could call instead of PostgreSQL's own: "
            f"{', '.join(strange[:SHOWN])}{more}; nothing was changed.",
            "see who made them and why; drop them, move them to a schema of their own, or give them to a role that you "
            "trust (ALTER … OWNER TO), and REVOKE CREATE ON SCHEMA public FROM PUBLIC.",
        )
    return Server(pooled, frozenset(seen.settable), seen.path)


def settle(connection: Connection, wanted: Mapping[str, str], url: URL) -> int:
    """Set what is wanted, as far as this server knows it, and our cursors; the server's process at the other end.

    Raises OnlineError at what the role may not set.
    """
    before, connection.autocommit = connection.autocommit, True
    every = {**WISHED, **wanted}
    with _undisturbed(connection):
        connection.execute(f"SET LOCAL search_path = {OWN_PATH}")
        rows = connection.execute(query("run/settle_session"), {"names": list(every), "values": list(every.values())})
        refused = [(*row, _reset(connection, *row[:2])) for row in rows.fetchall() if row[0] not in WISHED]
        [process] = connection.execute("SELECT pg_catalog.pg_backend_pid()").fetchone() or (0,)
    connection.autocommit = before
    connection.cursor_factory = Cursor
    for name, value, is_now, reset in refused:
        whose = "every role, and so for what applications write" if ALONE in reset else "this role's sessions alone"
        raise OnlineError(
            f"{shown(url)} has {name} = {is_now}{MEANS.get(name, '')}; it is set for {whose}, and must be {value} here,"
            " which this role is not allowed to set; nothing was changed.",
            f"as a superuser: {reset}; then run it again, which is safe.",
        )
    return int(process)


def twins(connection: Connection, schemas: Sequence[str]) -> list[str]:
    """Strangers' functions and operators in these schemas that could be called instead of PostgreSQL's own."""
    return [row[0] for row in connection.execute(query("run/twins"), {"schemas": list(schemas)})]


def discard(connection: Connection) -> None:
    """Leave nothing of ours on a session: settings, temporary tables, advisory locks."""
    with suppress(psycopg.Error):
        connection.rollback()
        connection.autocommit = True
        connection.execute("DISCARD ALL")


def shown(url: URL) -> str:
    """The address for people: no password, and of its parameters only where the server is."""
    place = {key: value for key, value in url.query.items() if key in ("host", "port")}
    return url.set(drivername="postgresql", query=place).render_as_string(hide_password=True)


@contextmanager
def _looking(url: URL) -> Iterator[Connection]:
    """A session on which nothing is set: no start-up options but those that the address has, no settings."""
    args, parameters = url.get_dialect()().create_connect_args(url)
    with _told(url):
        connection = psycopg.connect(*args, **parameters, autocommit=True, prepare_threshold=None)
    _reached.add(shown(url))
    with closing(connection):
        yield connection


@contextmanager
def _undisturbed(connection: Connection) -> Iterator[None]:
    """A transaction that no timeout cuts short, whatever the role has set; nothing that is set LOCAL outlives it."""
    connection.execute(
        "BEGIN ISOLATION LEVEL READ COMMITTED NOT DEFERRABLE; SET LOCAL statement_timeout = 0; "
        "SET LOCAL idle_in_transaction_session_timeout = 0"
    )
    try:
        yield
    finally:
        connection.execute("COMMIT")


def _asked(connection: Connection) -> Any:
    with _undisturbed(connection):
        return _answer(connection)


def _answer(connection: Connection) -> Any:
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        now: Any = cursor.execute("SELECT pg_catalog.current_setting('search_path') AS path").fetchone()
        cursor.execute(f"SET LOCAL search_path = {OWN_PATH}")
        return cursor.execute(query("run/server"), {"names": [*PINNED, "search_path"], "path": now.path}).fetchone()


def _twins(connection: Connection, path: str | None) -> list[str]:
    with _undisturbed(connection):
        if path is not None:
            connection.execute("SELECT pg_catalog.set_config('search_path', %s, true)", [path])
        schemas = connection.execute("SELECT pg_catalog.current_schemas(false)").fetchone()
        connection.execute(f"SET LOCAL search_path = {OWN_PATH}")
        assert schemas is not None
        return twins(connection, schemas[0])


def _is_shared(ours: Connection, url: URL) -> bool:
    """Whether a session that is free between its transactions is given to others, or another one to us.

    Poolers give out the session that was used last, or each in turn.
    """
    before = {_asked(ours).pid for _ in range(PROBES)}
    with _looking(url) as other, _undisturbed(other):
        theirs = _answer(other).pid
        return theirs in before or _asked(ours).pid not in before


def _refuse_unreadable(connection: Connection, url: URL) -> None:
    major = connection.info.server_version // 10000
    if major < OLDEST_SERVER:
        raise AddressError(
            f"{shown(url)} is PostgreSQL {major}; {OLDEST_SERVER} or newer is needed.",
            "upgrade that server, or point the database URL at a newer one.",
        )
    if (encoding := connection.info.parameter_status("server_encoding")) != ENCODING:
        raise AddressError(
            f"The encoding of {shown(url)} is {encoding}, not {ENCODING}: it cannot hold every text.",
            f"copy it into a database made with ENCODING '{ENCODING}' TEMPLATE template0 (pg_dump, pg_restore).",
        )


def _reset(connection: Connection, name: str, value: str) -> str:
    return str(*connection.execute(query("run/reset"), {"name": name, "value": value}).fetchone() or ())


def _escaped(value: str) -> str:
    """A value as libpq's options take it."""
    return value.replace("\\", "\\\\").replace(" ", "\\ ")


@contextmanager
def _told(url: URL) -> Iterator[None]:
    """A failure to connect as people read it."""
    try:
        yield
    except psycopg.Error as error:
        # libpq repeats itself for every address of a host; the first lines say it all.
        reason = "\n".join(f"  {line.strip()}" for line in str(error).strip().splitlines()[:3])
        unchanged = "" if shown(url) in _reached else "; nothing was changed"
        raise AddressError(f"No connection to {shown(url)}{unchanged}\n{reason}", next_step(url, str(error))) from None
