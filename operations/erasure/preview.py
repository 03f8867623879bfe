"""What an erasure would find; changes nothing."""

from dataclasses import dataclass

from alembic_online.sessions import driver
from rich.console import Console
from sqlalchemy import URL

from operations import output
from operations.erasure import places, rows, texts, users
from operations.erasure.erase import working
from operations.erasure.look import refuse_lacking_rights


@dataclass(frozen=True)
class Found:
    """A table, and its rows that would go, or lose a text."""

    table: str
    rows: int


@dataclass(frozen=True)
class Preview:
    """Tables with rows of the users."""

    users: int
    tables: list[Found]


def preview(url: URL, user_ids: list[str]) -> Preview:
    """Count. Raises OnlineError, where an erasure would not be begun, too."""
    with working(url) as connection:
        session = driver(connection)
        with connection.begin() as transaction:
            refuse_lacking_rights(session)
            users.remember(session, user_ids)
            found = [Found(table.name, rows.count(session, table)) for table in places.tables(session)]
            found += [Found(name, count) for name, count in texts.count(session, user_ids)]
            transaction.rollback()
    return Preview(len(user_ids), [each for each in found if each.rows])


def show(found: Preview, console: Console) -> None:
    """For people."""
    if found.tables:
        console.print(output.table(found.tables))
    else:
        console.print("No row of theirs was found.")
