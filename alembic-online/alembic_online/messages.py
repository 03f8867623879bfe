"""What stands between Alembic and the database: messages that a person can read."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import Error as PostgresError
from psycopg.errors import Diagnostic, InsufficientPrivilege
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, PendingRollbackError, SQLAlchemyError

from alembic_online.errors import ConnectionLostError, OnlineError
from alembic_online.interrupts import is_interrupt
from alembic_online.sessions import driver

SESSION_ENDED = ("57P01", "57P02", "57P03", "57P05")
"""SQLSTATEs with which a server ends a session, not a statement."""

REMEDIES = {
    "42501": "have its owner or an administrator GRANT that to this role, or run it as a role that may",
    "53100": "make room where the server keeps its data",
}
"""What to do about an SQLSTATE, where the server gives no hint."""
AS_WHO_MIGRATES = "run it as the role that migrates, or as a member of it"
"""What to do where a role lacks a privilege for what others' roles do."""
AGAIN = "run it again, which is safe: it continues at the step that was not finished."
FROM_THE_START = "run it again, which is safe."

log = logging.getLogger("alembic.online")


@contextmanager
def errors_for_people() -> Iterator[None]:
    """Turn a database's error into an OnlineError, which Alembic prints as a message, not as a traceback."""
    try:
        yield
    except (DBAPIError, PostgresError, PendingRollbackError) as error:
        original = _original(error)
        if original is None:
            raise
        raise server_error(original) from error


def _original(error: BaseException | None) -> PostgresError | None:
    """The server's error behind one of SQLAlchemy's, such as that a lost session cannot commit."""
    while error is not None:
        found = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(found, PostgresError):
            return found
        error = error.__context__
    return None


def reason(error: BaseException) -> str:
    """Why something ended, for the record: what the server said of it, whatever SQLAlchemy made of that."""
    if is_interrupt(error):
        return "Ctrl-C"
    found = _original(error) if isinstance(error, SQLAlchemyError) else None
    return str(found or error) or type(error).__name__


def server_error(error: PostgresError) -> OnlineError:
    """What the server said: the message with its detail, and its hint as the next step; or that it said nothing."""
    said = [error.diag.message_primary or "", error.diag.message_detail or ""]
    if not said[0] or error.sqlstate in SESSION_ENDED:
        reason = said[0] or (str(error).strip().splitlines() or ["no reason given"])[0]
        return ConnectionLostError(
            f"The connection to the server was lost: {reason}",
            f"when the server is up, {AGAIN}",
        )
    hint = error.diag.message_hint or ""
    if "CASCADE" in hint:  # it would drop what nobody asked for, and what others have built
        hint = "drop first what it says, or leave that as it is"
    remedy = (hint or REMEDIES.get(error.sqlstate or "", "correct that")).rstrip(".")
    return OnlineError(
        "\n".join(part for part in said if part), remedy if "again" in remedy else f"{remedy}; then {AGAIN}"
    )


def is_denied(error: BaseException) -> bool:
    """Whether the role lacks a privilege."""
    return isinstance(error.orig if isinstance(error, DBAPIError) else error, InsufficientPrivilege)


def first_line(error: BaseException) -> str:
    """The first line of what an error says; of one of SQLAlchemy's, of what is behind it."""
    said = error.orig if isinstance(error, DBAPIError) else error
    return str(said).strip().partition("\n")[0]


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
