"""The target: what PostgreSQL stores once the models are built, for comparing a database with it.

The models are built, read and rolled back, in the first of these places that there is: the database that the scope's
`scratch_url` names; a scratch database made for it on the same server; the compared database itself. Where there may be
something already, they are built under other schema names.
"""

import logging
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import URL, Connection, NullPool, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from alembic_online.catalog import found
from alembic_online.catalog.diff import Change, diff
from alembic_online.catalog.other_names import beside, locked, renaming
from alembic_online.catalog.snapshot import Identity, Snapshot, qualified_names, query, snapshot
from alembic_online.database import engine, shown
from alembic_online.errors import OnlineError
from alembic_online.parts import VERSION_TABLE
from alembic_online.scope import Scope

log = logging.getLogger("alembic.online")

NOT_ALLOWED = "42501"

_built: dict[tuple[object, ...], Snapshot] = {}


class NotComparedError(OnlineError):
    """The models could be built nowhere, so nothing was compared: neither a difference nor the lack of one is known."""

    def __init__(self, scope: Scope, why: str) -> None:
        super().__init__(
            f"The database was not compared with the models: {why}.",
            f"give the role CREATE on the database, or CREATEDB, or set {scope.scratch_setting} to a database of the"
            " same PostgreSQL version in which the models may be built; it stays as it is.",
        )


@dataclass(frozen=True)
class Comparison:
    """A database beside the target, as far as either is the project's."""

    here: Snapshot
    target: Snapshot
    unmet: Sequence[str]
    """The scope's `prerequisites` that are not met."""
    owners: Sequence[str]
    """What belongs to another role than the rest, a line each."""
    set_aside: Sequence[str]
    """The scope's tables `set_aside`, by schema and name: neither compared nor changed."""
    found: Sequence[str]
    """What is there, stands on what is ours or beside it, and is others': neither compared nor changed."""

    def changes(self) -> list[Change]:
        """What would make the database the target."""
        return diff(self.here, self.target)


def compare(connection: Connection, scope: Scope) -> Comparison:
    """What a database holds of the project, and what it would hold if the target were built in it.

    The target is built by the rules of this server, in the scope's variant that the database is of. Of privileges, both
    hold those that are the scope's matter: to its group roles that exist here and, in its own schemas, to PUBLIC.
    Raises NotComparedError.
    """
    here = snapshot(connection, scope)
    there = set(connection.scalars(text("SELECT rolname FROM pg_roles"))) & set(scope.group_roles)
    for role in sorted(set(scope.group_roles) - there):
        log.warning("Grants to %s are left out of the comparison: there is no such role on this server", role)
    server = connection.engine.url.set(database=None).render_as_string(hide_password=False)
    variant = scope.variant(connection)
    key = (server, connection.scalar(text("SHOW server_version_num")), frozenset(there), variant, scope.metadata)
    if key not in _built:
        _built[key] = _target(connection, scope, variant)

    aside = scope.set_aside(connection)

    def matters(identity: Identity) -> bool:
        if f"{identity.schema}.{identity.name}" in aside:
            return False
        if identity.kind != "privilege":
            return True
        return identity.part in there or (identity.part == "PUBLIC" and identity.schema in scope.schemas)

    here, target = here.only(matters), found.with_others_query(_built[key].only(matters), here, scope).beside(here)
    others = found.names(connection, scope, here, target)
    return Comparison(here, target, scope.prerequisites(connection), owners(connection, scope), aside, others)


def owners(connection: Connection, scope: Scope) -> list[str]:
    """What in the scope's schemas belongs to another role than most of it, a line each."""
    with qualified_names(connection):
        parameters = {"schemas": list(scope.schemas), "version_table": VERSION_TABLE}
        relations = connection.scalars(query("relations"), {**parameters, "shared": []}).all()
        return list(connection.scalars(query("owners"), {**parameters, "relations": list(relations)}))


def _target(connection: Connection, scope: Scope, variant: Hashable) -> Snapshot:
    """Build the target, read it, and undo it: other sessions never see any of it."""
    url = scope.scratch_url()
    if url is None and connection.scalar(text("SELECT pg_is_in_recovery()")):
        raise NotComparedError(scope, "it is a standby, which cannot be written to")
    if url is not None:
        with engine(url, path=scope.path, poolclass=NullPool).connect() as scratch:
            here, theirs = _version(connection), _version(scratch)
            if here != theirs:
                raise NotComparedError(scope, f"{shown(url)} is PostgreSQL {theirs}, the compared database {here}")
            return _build_beside(scratch, scope, variant)
    if connection.scalar(text("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")):
        with _scratch_database(connection.engine.url, f"{scope.plain_name}_scratch", scope.path) as scratch:
            return _build(scratch, scope, variant)
    return _build_beside(connection, scope, variant)


def _build(connection: Connection, scope: Scope, variant: Hashable) -> Snapshot:
    """In an empty database, under its own names."""
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {scope.default_schema}"))
    try:
        scope.build_target(connection, variant)
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) == NOT_ALLOWED:
            raise
        raise OnlineError(
            f"The models cannot be built: {_why(error)}", "correct the model, or the SQL file, that says so."
        ) from error
    built = snapshot(connection, scope)
    connection.rollback()
    return built


def _build_beside(connection: Connection, scope: Scope, variant: Hashable) -> Snapshot:
    """Beside what is in the database, under other names; nobody waits for it, and it waits for nobody."""
    try:
        with beside(connection, scope) as (place, names):
            with renaming(place, names):
                scope.build_target(place, variant)
            if others := locked(place, names):
                raise NotComparedError(scope, f"building them would have touched {', '.join(others)}")
            return names.snapshot(snapshot(place, names.of(scope)), scope.default_schema)
    except DBAPIError as error:
        where = shown(connection.engine.url)
        raise NotComparedError(scope, f"they cannot be built under other names in {where}: {_why(error)}") from error


def _why(error: DBAPIError) -> str:
    """What the server said, and of which statement."""
    return f"{str(error.orig).splitlines()[0]}, in: {_first_line(error.statement)}"


@contextmanager
def _scratch_database(url: URL, prefix: str, path: str) -> Iterator[Connection]:
    """A connection to a new, empty database. It goes when the block ends, or with a later call after a crash."""
    keeper = engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args={"application_name": prefix})
    with keeper.connect() as keeping:
        # The name tells which session it belongs to; without that session nobody needs it any more.
        for name in keeping.scalars(query("orphaned_scratch_databases"), {"prefix": f"{prefix}_"}).all():
            keeping.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        name = f"{prefix}_{keeping.scalar(text('SELECT pg_backend_pid()'))}"
        keeping.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))
        try:
            with engine(url.set(database=name), path=path, poolclass=NullPool).connect() as scratch:
                yield scratch
        finally:
            keeping.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def _first_line(statement: str | None) -> str:
    """The first line that is not a comment."""
    lines = [line for line in (statement or "").splitlines() if line.strip() and not line.lstrip().startswith("--")]
    return lines[0] if lines else ""


def _version(connection: Connection) -> int:
    return int(connection.scalar(text("SHOW server_version_num")) or 0) // 10000
