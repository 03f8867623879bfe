"""What stands between Alembic and the database: messages that a person can read."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from alembic.util import CommandError
from psycopg import Error as PostgresError
from psycopg.errors import Diagnostic
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from alembic_online.errors import OnlineError
from alembic_online.sessions import driver

SESSION_ENDED = ("57P01", "57P02", "57P03", "57P05")
"""SQLSTATEs with which a server ends a session, not a statement."""

log = logging.getLogger("alembic.online")


@contextmanager
def errors_for_people() -> Iterator[None]:
    """Turn a database's or our own error into Alembic's CommandError, which prints as a message, not as a traceback."""
    try:
        yield
    except OnlineError as error:
        raise CommandError(str(error)) from error
    except (DBAPIError, PostgresError) as error:
        original = error.orig if isinstance(error, DBAPIError) else error
        if not isinstance(original, PostgresError):
            raise
        raise CommandError(message(original)) from error


def message(error: PostgresError) -> str:
    """What the server said: the message, its detail, and its hint as the next step; or that it said nothing more."""
    said = [error.diag.message_primary or "", error.diag.message_detail or ""]
    if error.diag.message_hint:
        said.append(f"Next: {error.diag.message_hint}")
    elif not said[0] or error.sqlstate in SESSION_ENDED:
        lines = said[0] or (str(error).strip().splitlines() or ["no reason given"])[0]
        said = [
            f"The connection to the server was lost: {lines}",
            "Next: see that the server runs, and run it again: it goes on at the step that was not finished.",
        ]
    return "\n".join(part for part in said if part)


@contextmanager
def notices_to_log(connection: Connection) -> Iterator[None]:
    """Log what a revision says with RAISE NOTICE; the server's own chatter about IF EXISTS is left out."""

    def handle(diagnostic: Diagnostic) -> None:
        if diagnostic.source_function == "exec_stmt_raise":
            log.info(diagnostic.message_primary)

    ours = driver(connection)
    ours.add_notice_handler(handle)
    try:
        yield
    finally:
        ours.remove_notice_handler(handle)
