"""The archives that rollbacks left: what is in them, and dropping one where that is asked."""

from dataclasses import dataclass

import psycopg
from alembic_online import Options, acquire
from alembic_online.errors import OnlineError, UsageError
from psycopg.sql import SQL, Identifier
from rich.console import Console
from sqlalchemy import URL

from operations import output
from operations.queries import query
from operations.rollback import dependants
from operations.rollback.records import Archived, Records, Rollback, alone, reading
from operations.status.amiss import refuse_unclear


@dataclass(frozen=True)
class Line:
    """A table of an archive, or all that is put aside of others.

    Rows that are back already, rows left because they conflict, bytes that are there.
    """

    archive: int
    taken: str
    table: str
    state: str
    back: int
    left: int
    bytes: int | None


@dataclass(frozen=True)
class Archives:
    """Everything that rollbacks put aside."""

    tables: list[Line]


def archives(url: URL) -> Archives:
    """What there is. Changes nothing."""
    with reading(url) as records:
        return Archives(
            [
                Line(
                    rollback.rollback_id,
                    f"{rollback.started:%Y-%m-%d}",
                    _name(kept),
                    kept.state,
                    kept.rows_restored,
                    kept.rows_left,
                    kept.bytes,
                )
                for rollback in records.all()
                for kept in records.archived(rollback)
            ]
            + [
                Line(rollback.rollback_id, f"{rollback.started:%Y-%m-%d}", _counted(others), "archived", 0, 0, None)
                for rollback in records.all()
                if (others := dependants.aside(records, rollback))
            ]
        )


def show_archives(found: Archives, console: Console, first: str | None) -> None:
    """`first`: what to type before anything else, while a rollback or a restore is half-way."""
    if not found.tables:
        console.print("No rollback put anything aside here.")
    else:
        console.print(output.table(found.tables))
        first = first or "`sidb restore ARCHIVE` brings one back, `sidb restore --drop ARCHIVE` deletes it."
    if first:
        console.print(f"\nNext: {first}")


def drop(url: URL, number: int, options: Options | None = None) -> None:
    """Delete an archive for good. Raises OnlineError where others have built on it; nothing is deleted then."""
    with alone(url, options) as records:
        refuse_unclear(records.connection)
        rollback = find(records, number)
        with records.connection.transaction():
            names, referred = (
                [name for (name,) in records.connection.execute(query(which), {"archive": rollback.archive})]
                for which in ("rollback/archive_tables", "rollback/archive_refers_to")
            )
            locks = dict.fromkeys([*names, *referred], "AccessExclusiveLock")
            acquire(records.session, locks, f"end of archive {number}")
            _drop(records, rollback, names)
            records.connection.execute(query("rollback/dropped"), {"rollback_id": number})


def _drop(records: Records, rollback: Rollback, tables: list[str]) -> None:
    try:
        if tables:
            records.connection.execute(SQL("DROP TABLE {}").format(SQL(", ").join(map(SQL, tables))))
    except psycopg.errors.DependentObjectsStillExist as error:
        raise OnlineError(
            f"Others have built on archive {rollback.rollback_id}; nothing was deleted:\n{error.diag.message_detail}",
            "have them drop it; then do it again.",
        ) from None
    records.connection.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(rollback.archive)))


def find(records: Records, number: int) -> Rollback:
    """The rollback that made an archive. Raises OnlineError where it is not finished."""
    found = next((rollback for rollback in records.all() if rollback.rollback_id == number), None)
    if found is None:
        raise UsageError(f"There is no archive {number}.", "sidb restore lists those that there are.")
    if found.phase not in ("done", "aborted"):
        raise OnlineError(
            f"The rollback to {found.target} is not finished.", "finish it with `sidb rollback`, or `--abort` it."
        )
    return found


def _counted(others: list[dependants.Aside]) -> str:
    return f"{len(others)} objects of others"


def _name(kept: Archived) -> str:
    name = kept.relation.partition(".")[2]
    if kept.kept_columns is None:
        return name
    return f"{name}, {len(kept.kept_columns)} columns" if len(kept.kept_columns) > 1 else f"{name}, 1 column"
