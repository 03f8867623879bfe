"""Where the rehearsal runs: a database of its own in the embedded server, or a staging database that was given."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psycopg
from alembic_online.database import engine, plain, shown
from alembic_online.errors import OnlineError, UsageError
from alembic_online.sessions import driver
from psycopg.sql import SQL, Identifier, Literal
from sqlalchemy import URL, NullPool

from operations.database import embedded_address, libpq
from operations.embedded import Server, project_server
from operations.phase1 import Shape
from operations.queries import query
from operations.settings import Settings
from operations.standby import standby

APPLICATION = "rehearsal_application"
PRODUCTION = re.compile(r"(^|[^a-z])(prod|production|prd|live)([^a-z]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """`application` is how clients reach the database: as a role of their own, or as the owner for want of one.

    `replicas` are standbys of it, on which readers read.
    """

    owner: URL
    application: URL
    replicas: tuple[URL, ...] = ()

    @property
    def shared(self) -> bool:
        """Whether clients share the migrator's role: a rollback cannot shut them out then."""
        return self.owner == self.application


@contextmanager
def chosen(
    settings: Settings, shape: Shape, replicas: tuple[str, ...], *, keep: bool
) -> Iterator[tuple[URL, tuple[URL, ...]]]:
    """The database of DATABASE_URL with the replicas that are named, else an embedded one with a replica of its own."""
    if settings.database_url is not None:
        yield settings.database_url, settings.given({"replicas": replicas}).replicas
        return
    server = project_server(settings.data_home)
    with embedded(server, shape, keep=keep) as own, standby(server) as reading:
        yield own, (reading.url(str(own.database)),)


@contextmanager
def embedded(server: Server, shape: Shape, *, keep: bool) -> Iterator[URL]:
    """A new database of the embedded server; dropped at the end unless it is kept."""
    name = f"rehearsal_{shape}"
    with plain(libpq(embedded_address(server, "postgres")), autocommit=True) as connection:
        if not _true(connection, "SELECT pg_try_advisory_lock(hashtextextended('sidb rehearsal', 0))"):
            raise OnlineError("Another rehearsal is at work in the embedded server.", "wait until it is done.")
        drop = SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name))
        connection.execute(drop)
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        try:
            yield server.url(name)
        finally:
            if not keep:
                connection.execute(drop)


def refuse_production(url: URL) -> None:
    """Raise UsageError where the database looks like one that people depend on."""
    for part in (url.host, url.database, url.username):
        if part and PRODUCTION.search(part):
            raise UsageError(
                f"{shown(url)} has {part!r} in its address: it looks like production, and a rehearsal changes it.",
                "rehearse on a restored snapshot whose address says what it is.",
            )
    with engine(url, poolclass=NullPool).connect() as connection:
        others = [row[0] for row in driver(connection).execute(query("rehearsal/other_sessions"))]
    if others:
        raise UsageError(
            f"{shown(url)} is in use ({', '.join(others[:5])}); a rehearsal needs it for itself.",
            "rehearse on a restored snapshot, or end these programs first.",
        )


@contextmanager
def application(owner: URL, replicas: tuple[URL, ...] = ()) -> Iterator[Place]:
    """A login role with an application's rights for the clients, dropped at the end; else the owner's."""
    password = secrets.token_urlsafe(24)
    clients = owner.set(username=APPLICATION, password=password)
    with engine(owner, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as opened:
        connection = driver(opened)
        try:
            # One that a killed rehearsal left may still have rights elsewhere, and is taken over.
            verb = SQL("ALTER" if _role_exists(connection) else "CREATE")
            make = SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, Identifier(APPLICATION), Literal(password))
            connection.execute(make)
            grant_phase1(connection)
            plain(libpq(clients)).close()
        except psycopg.Error:  # not allowed, or not let in by pg_hba.conf
            clients = owner
        try:
            yield Place(owner, clients, replicas)
        finally:
            with suppress(psycopg.Error):
                _drop_role(connection)


def grant_phase1(connection: psycopg.Connection[object]) -> None:
    """What Phase 1's application may do."""
    role = Identifier(APPLICATION)
    for statement in (
        SQL("GRANT SELECT, INSERT, UPDATE ON public.features TO {}"),
        SQL("GRANT USAGE ON SEQUENCE public.features_niche_id_seq TO {}"),
        SQL("GRANT SELECT ON public.hot_niches_today TO {}"),
    ):
        connection.execute(statement.format(role))


def grant_phase2(place: Place) -> None:
    """What Phase 2's application may do: a member of the group that writes."""
    if place.shared:
        return
    with plain(libpq(place.owner), autocommit=True) as connection:
        connection.execute(SQL("GRANT analytics_writer, analytics_reader TO {}").format(Identifier(APPLICATION)))


def _role_exists(connection: psycopg.Connection[object]) -> bool:
    return _true(
        connection, SQL("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = {})").format(Literal(APPLICATION))
    )


def _drop_role(connection: psycopg.Connection[object]) -> None:
    if _role_exists(connection):
        connection.execute(SQL("DROP OWNED BY {}").format(Identifier(APPLICATION)))
        connection.execute(SQL("DROP ROLE {}").format(Identifier(APPLICATION)))


def _true(connection: psycopg.Connection[object], statement: object) -> bool:
    row = connection.execute(statement).fetchone()  # type: ignore[call-overload]
    return bool(row and row[0])
