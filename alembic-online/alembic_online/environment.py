"""Alembic's environment: what a project's ``env.py`` calls, once."""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from alembic import context
from alembic.util import CommandError
from psycopg import Error as PostgresError
from psycopg.pq import TransactionStatus
from sqlalchemy import URL, Connection, Engine, NullPool
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateTable

from alembic_online import version_table
from alembic_online.catalog import autogenerate, rendering
from alembic_online.catalog.declarations import undeclared
from alembic_online.catalog.filters import models, only
from alembic_online.database import engine
from alembic_online.errors import OnlineError
from alembic_online.held import AGAIN, is_missed, reason
from alembic_online.keepers import Keeper
from alembic_online.ledger import Ledger
from alembic_online.messages import errors_for_people, notices_to_log
from alembic_online.options import Options, read_options
from alembic_online.parts import VERSION_TABLE
from alembic_online.run import open_run
from alembic_online.scope import Scope
from alembic_online.sessions import driver

log = logging.getLogger("alembic.online")


def run(scope: Scope, url: Callable[[], URL], options: Callable[[], Options] = Options) -> None:
    """Run the command that Alembic was called with: offline, read-only, or online as the engine runs it.

    `url` says where the database is and `options` what the environment sets; neither is asked where none is needed.
    On Alembic's command line, ``-x name=value`` comes on top. A program that calls Alembic's commands sets
    `config.attributes`: "options" (`Options`, instead of both), "connection" (what reaches the database: `reach`) and
    "keeper" (`Keeper`). Raises OnlineError, which Alembic's command line prints.
    """
    with errors_for_people():
        if context.is_offline_mode():
            _offline(scope)
            return
        attributes = context.config.attributes
        place, given = reach(attributes.get("connection")) or (_of_postgresql(url()), None)
        if not _changes_something():
            _looking(scope, given or engine(place, path=scope.path, poolclass=NullPool))
            return
        chosen: Options | None = attributes.get("options")
        if chosen is None:
            base = replace(options(), prefix="-x ")
            chosen = read_options(context.get_x_argument(as_dictionary=True), lambda name: f"-x {name}", base)
        _changing(scope, place, chosen, given, attributes.get("keeper"))


def reach(given: Any) -> tuple[URL, Engine | None] | None:
    """The address of what a program gave to reach the database by, and an engine that does, where it is one of psycopg.

    That is an engine or a connection, of SQLAlchemy's asynchronous ones too. What is changed is changed on sessions of
    our own; in front of a connection with a transaction that has begun they would wait for it: it is refused.
    """
    given = getattr(given, "sync_connection", None) or getattr(given, "sync_engine", None) or given
    if given is None:
        return None
    if isinstance(given, Connection):
        if given.in_transaction() and _has_begun(given):
            raise OnlineError(
                "The connection in config.attributes is in a transaction, which the migration would wait for.",
                "commit it first, or give the engine.",
            )
        given = given.engine
    if not isinstance(given, Engine):
        raise OnlineError(
            f"config.attributes['connection'] is a {type(given).__name__}, not an engine or a connection.",
            "give SQLAlchemy's Engine or Connection, synchronous or not.",
        )
    ours = given.dialect.driver == "psycopg" and not given.dialect.is_async
    return _of_postgresql(given.url).set(drivername="postgresql+psycopg"), given if ours else None


def _of_postgresql(url: URL) -> URL:
    if (kind := url.get_backend_name()) != "postgresql":
        raise OnlineError(
            f"The address given is of {kind}, not of PostgreSQL; nothing was changed.",
            "give that of a PostgreSQL 15 or newer, as postgresql://user:password@host:5432/database.",
        )
    return url


def _has_begun(connection: Connection) -> bool:
    """Whether the server knows of the transaction: SQLAlchemy's begins with the first statement."""
    info = getattr(connection.connection.driver_connection, "info", None)
    return info is None or info.transaction_status != TransactionStatus.IDLE


def _offline(scope: Scope) -> None:
    context.configure(
        dialect_name="postgresql",
        target_metadata=scope.metadata,
        version_table_schema=scope.default_schema,
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},  # or percent signs come out doubled
        transaction_per_migration=True,
        process_revision_directives=autogenerate.revise,
        template_args=undeclared(),
    )
    with context.begin_transaction():
        context.run_migrations()


def _looking(scope: Scope, origin: Engine) -> None:
    with _held(origin.url), origin.connect() as connection, warnings.catch_warnings():
        # SQLAlchemy says so of each CHECK that is NOT VALID and each type that it does not know, ours or others': the
        # catalog is compared besides.
        warnings.filterwarnings("ignore", "Can't validate argument 'dialect_options'|Did not recognize type")
        _tell_amiss(scope, connection)
        context.configure(connection=connection, **_configuration(scope), **only(scope, connection))
        with notices_to_log(connection), context.begin_transaction(), _behind(scope, connection):
            context.run_migrations()


def _tell_amiss(scope: Scope, connection: Connection) -> None:
    """Say why no step may be made now: until that has ended, what is compared differs."""
    with connection.begin():
        try:
            scope.before_steps(driver(connection))
        except OnlineError as error:
            log.warning("%s\nNext: %s Until then, what is compared differs.", error.what, error.next_step)


@contextmanager
def _held(url: URL) -> Iterator[None]:
    """Say who holds the lock that a command could not acquire."""
    try:
        yield
    except (DBAPIError, PostgresError) as error:
        if not is_missed(error):
            raise
        raise OnlineError(f"It could not be looked at: {reason(error, url)}.", f"{AGAIN}.") from error


@contextmanager
def _behind(scope: Scope, connection: Connection) -> Iterator[None]:
    """Say how a database comes up to date where a command failed on one that is not, and where its table is wrong."""
    try:
        yield
    except OnlineError:
        raise
    except CommandError as error:
        migrations = context.get_context()
        assert migrations.script is not None
        at = migrations.get_current_heads()
        version_table.refuse_unclear(at, migrations.script, Ledger(driver(connection), scope))
        here, heads = set(at), set(migrations.script.get_heads())
        if error.__cause__ is not None or here == heads:  # about a revision's name, or something else
            raise
        way = "alembic upgrade head" if len(heads) == 1 else "alembic upgrade heads"
        said = (
            f"the database is at {', '.join(sorted(here)) or 'no revision'}, the newest is {', '.join(sorted(heads))}"
        )
        raise OnlineError(f"{error}\n{said[0].upper()}{said[1:]}.", f"{way}, and the same command again.") from error
    else:
        _tell_unclear(scope, connection)


def _tell_unclear(scope: Scope, connection: Connection) -> None:
    """Say that Alembic's table names several revisions, of which a command that worked shows one."""
    migrations = context.get_context()
    assert migrations.script is not None
    try:
        at = migrations.get_current_heads()
        version_table.refuse_unclear(at, migrations.script, Ledger(driver(connection), scope))
    except OnlineError as error:
        log.warning("%s\nNext: %s", error.what, error.next_step)


def _changing(scope: Scope, url: URL, options: Options, given: Engine | None, keeper: Keeper | None) -> None:
    with open_run(url, scope, options, given, keeper) as run:
        connection = run.session.sqlalchemy
        context.configure(connection=connection, **_configuration(scope))
        run.take_over(context.get_context())
        with notices_to_log(connection):
            run.through(context.run_migrations)


def _configuration(scope: Scope) -> dict[str, Any]:
    return {
        "target_metadata": models(scope),
        "version_table_schema": scope.default_schema,
        "include_schemas": True,
        "autogenerate_plugins": autogenerate.PLUGINS,
        "process_revision_directives": autogenerate.revise,
        "render_item": rendering.item,
        "template_args": undeclared(),
        "transaction_per_migration": True,
        "on_version_apply": context.config.attributes.get("on_version_apply", ()),
        autogenerate.SCOPE: scope,
    }


def _changes_something() -> bool:
    """Whether the command has a destination: upgrade, downgrade, stamp; not current, check, revision."""
    try:
        context.get_revision_argument()
    except KeyError:
        return False
    return True


@compiles(CreateTable, "postgresql")
def _create_table(create: CreateTable, compiler: Any, **options: Any) -> str:
    """A script has to run also where a way back left Alembic's table, empty; the first revision sees to that it is."""
    create.if_not_exists |= create.element.name == VERSION_TABLE
    return str(compiler.visit_create_table(create, **options))
