"""What stands between Alembic and the database: messages that a person can read."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from alembic.util import CommandError
from psycopg import Error as PostgresError
from psycopg.errors import Diagnostic
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from operations.errors import SidbError

log = logging.getLogger("alembic.sidb")


@contextmanager
def errors_for_people() -> Iterator[None]:
    """Turn a database's or our own error into Alembic's CommandError, which prints as a message, not as a traceback."""
    try:
        yield
    except SidbError as error:
        raise CommandError(str(error)) from error
    except DBAPIError as error:
        if not isinstance(error.orig, PostgresError) or not error.orig.diag.message_primary:
            raise
        raise CommandError(message(error.orig.diag)) from error


def message(diagnostic: Diagnostic) -> str:
    """What the server said: the message, its detail, and its hint as the next step."""
    said = [diagnostic.message_primary or "", diagnostic.message_detail or ""]
    if diagnostic.message_hint:
        said.append(f"Next: {diagnostic.message_hint}")
    return "\n".join(part for part in said if part)


@contextmanager
def notices_to_log(connection: Connection) -> Iterator[None]:
    """Log what a revision says with RAISE NOTICE; the server's own chatter about IF EXISTS is left out."""

    def handle(diagnostic: Diagnostic) -> None:
        if diagnostic.source_function == "exec_stmt_raise":
            log.info(diagnostic.message_primary)

    driver_connection = connection.connection.driver_connection
    assert driver_connection is not None
    driver_connection.add_notice_handler(handle)
    try:
        yield
    finally:
        driver_connection.remove_notice_handler(handle)
