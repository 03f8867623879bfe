"""Letting rows go is done by one session at a time, and not beside a rollback or a restore.

Either takes months out of the events, or moves the tables in which they are: what one has looked at, the other changes.
"""

from typing import Any

import psycopg
from alembic_online import OnlineError

from operations.queries import query

KEY = "hashtextextended('sidb retention', 0)"


def hold(connection: psycopg.Connection[Any]) -> bool:
    """Whether this session lets rows go now, or keeps others from it, until it gives that up or ends."""
    return connection.execute(f"SELECT pg_try_advisory_lock({KEY})".encode()).fetchone() == (True,)


def give_up(connection: psycopg.Connection[Any]) -> None:
    connection.execute(f"SELECT pg_advisory_unlock({KEY})".encode())


def refuse(connection: psycopg.Connection[Any]) -> None:
    """Raise OnlineError, naming the session, while one lets rows go."""
    found = connection.execute(query("retention/at_work")).fetchone()
    if found is not None:
        pid, who, application = found
        raise OnlineError(
            f"Expired rows are going: `sidb maintain` is at work (pid {pid}, {who}, {application or 'unnamed'});"
            " nothing was changed.",
            f"wait for it. Or end it: SELECT pg_terminate_backend({pid}); a month that it has set aside by then goes"
            " with the next `sidb maintain`.",
        )


def keep_out(connection: psycopg.Connection[Any]) -> None:
    """Until this session ends, no other lets rows go. Raises OnlineError, naming it, where one does."""
    while not hold(connection):
        refuse(connection)
