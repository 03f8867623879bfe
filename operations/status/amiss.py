"""What is amiss, as the first line of every command."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from alembic_online.database import engine, shown
from alembic_online.errors import OnlineError
from alembic_online.held import AGAIN, is_missed, reason
from alembic_online.messages import AS_WHO_MIGRATES, is_denied
from alembic_online.sessions import driver
from alembic_online.version_table import correction, stamp, which
from sqlalchemy import URL, Connection, NullPool
from sqlalchemy.exc import DBAPIError

from operations import output
from operations.scope import QUALIFIED
from operations.status.half_way import Amiss, half_way, readable, refuse_half_way, rows
from operations.upgrade import recorded, script_directory

NAMED = {"application_name": "sidb status"}
SETTINGS = "SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = '5s'; SET LOCAL lock_timeout = '500ms'"

MAY_LOOK = (
    "SELECT quote_ident(current_user), coalesce(has_schema_privilege(to_regnamespace('public')::oid, 'USAGE'), true)"
)


def amiss(connection: psycopg.Connection[Any]) -> list[Amiss]:
    """What is not as it should be, the most urgent first. Reads only."""
    return [*half_way(connection), *_versions(connection)]


def tell(url: URL, command: str = "") -> str | None:
    """Say on standard error what is amiss, before a command does its work. Raises OnlineError.

    What to type first, where nothing else may change the database; None: anything may. `command`: what is typed now,
    which is not told to type itself.
    """
    with session(url) as connection:
        found = amiss(driver(connection))
    for each in found:
        next_step = "" if command and each.command == command else f": {each.next_step}"
        output.say(output.console(stderr=True), f"{each.what}{next_step.rstrip('.')}.", "yellow")
    return next((each.next_step for each in found if each.blocks), None)


def refuse(url: URL, command: str = "") -> None:
    """Raise OnlineError while a rollback or a restore is half-way, or nobody knows which revision this is; say what
    else is amiss."""
    with session(url) as connection:
        refuse_half_way(driver(connection))
        refuse_unclear(driver(connection))
    tell(url, command)


def refuse_unclear(connection: psycopg.Connection[Any]) -> None:
    """Raise OnlineError where nobody knows which revision this is."""
    for each in _versions(connection):
        raise OnlineError(f"{each.what}; this command changed nothing.", f"{each.next_step}.")


@contextmanager
def session(url: URL) -> Iterator[Connection]:
    """A session of its own, in a transaction that only reads and waits for nobody. Raises OnlineError."""
    opened = engine(url, poolclass=NullPool, execution_options=QUALIFIED, connect_args=NAMED)
    try:
        with opened.connect() as connection:
            connection.exec_driver_sql(SETTINGS)
            role, may_look = connection.exec_driver_sql(MAY_LOOK).one()
            if not may_look:
                raise OnlineError(
                    f"{role} may not use schema public of {shown(url)}; nothing was changed.",
                    f"as its owner: GRANT USAGE ON SCHEMA public TO {role}; then `sidb preflight` names what it lacks.",
                )
            yield connection
    except (psycopg.Error, DBAPIError) as error:
        step = AGAIN if is_missed(error) else "see that the server runs, and run it again."
        if is_denied(error):
            step = f"{AS_WHO_MIGRATES}."
        raise OnlineError(f"The state of {shown(url)} could not be read: {reason(error, url)}", step) from None


def _versions(connection: psycopg.Connection[Any]) -> Iterator[Amiss]:
    [there] = rows(connection, "phase2_there")
    if there.version_table and "public.alembic_version" not in readable(connection):
        return
    if not there.version_table and there.elsewhere:
        move = f"ALTER TABLE {there.elsewhere} SET SCHEMA public"
        yield Amiss(f"Alembic's table is {there.elsewhere}, not in schema public", move, blocks=True)
        return
    statement = "SELECT version_num FROM public.alembic_version ORDER BY 1"
    found = [str(row[0]) for row in connection.execute(statement)] if there.version_table else []
    if not found and there.phase2 and (last := recorded(connection)) is not None:
        what = "public.alembic_version has no row" if there.version_table else "Table public.alembic_version is missing"
        yield Amiss(f"{what}, though Phase 2 is there", f"{stamp(last)}", blocks=True)
    known = {script.revision for script in script_directory().walk_revisions()}
    if len(found) > 1:
        what = (
            f"public.alembic_version has {len(found)} rows ({', '.join(found)}), and should have one; applications do"
            " not read it"
        )
        yield Amiss(what, which(found, recorded(connection)).rstrip("."), blocks=True)
    for each in found:
        if each not in known:
            what = f"The database is at {each}, which this code does not have"
            yield Amiss(what, correction(recorded(connection)).rstrip("."), blocks=True)
