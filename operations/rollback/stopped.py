"""How a rollback or a restore ends that was stopped: where the database stands is looked up, and not guessed."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from alembic_online.errors import OnlineError, Stopped, UsageError
from alembic_online.interrupts import is_interrupt
from alembic_online.sessions import application_name, driver
from sqlalchemy import URL

from operations.scope import SCOPE
from operations.status.amiss import session
from operations.status.half_way import Amiss, HalfWayError, blocking, readable

OPEN = "No rollback or restore is half done: the tables are open to applications"
AGAIN = "`{command}` again when you like, which is safe; `sidb status` shows how the database stands."
UNKNOWN = "Where the rollback or restore stands could not be looked up, and tables of schema analytics may be closed"


@contextmanager
def told(url: URL, command: str) -> Iterator[None]:
    """Whatever ends the work within says where the database stands. Raises OnlineError.

    `command`: what was typed.
    """
    try:
        yield
    except (UsageError, HalfWayError):
        raise
    except Exception as error:
        if is_interrupt(error):
            raise _stopped(url, command, error) from None
        if isinstance(error, click.Abort):
            raise
        begun, stands, next_step = _stands(url, command)
        if begun and isinstance(error, OnlineError):
            raise OnlineError(f"{error.what}\n{stands}", f"{error.next_step}\nThen {next_step}") from None
        if begun:
            click.echo(f"{stands}\nThen {next_step}", err=True)
        raise
    except KeyboardInterrupt as error:
        raise _stopped(url, command, error) from None


def _stopped(url: URL, command: str, error: BaseException) -> Stopped:
    """Ctrl-C: what was done, as far as the engine said it, and where the database stands."""
    _, stands, next_step = _stands(url, command)
    done = error.what if isinstance(error, Stopped) else "Interrupted."
    return Stopped(f"{done}\n{stands}", next_step)


def _stands(url: URL, command: str) -> tuple[bool, str, str]:
    """Whether something stands half-way, or nobody knows; where the database stands, and what to type."""
    try:
        begun, at = _seen(url)
    except OnlineError as error:
        then = f"{error.next_step} Then `sidb status` says where it stands, and `{command}` goes on, which is safe."
        return True, f"{UNKNOWN}: {error.what}", then
    place = f"the database is at {at or 'no revision'}"
    if begun is None:
        return False, f"{OPEN}, and {place}.", AGAIN.format(command=command)
    return True, f"{begun.what}; {place}.", f"{begun.next_step}."


def _seen(url: URL) -> tuple[Amiss | None, str]:
    with session(url) as connection:
        ours = driver(connection)
        begun = blocking(ours, ended=application_name(SCOPE))
        if "public.alembic_version" not in readable(ours):
            return begun, ""
        return begun, ", ".join(row[0] for row in ours.execute("SELECT version_num FROM public.alembic_version"))
