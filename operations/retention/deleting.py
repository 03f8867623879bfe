"""Old rows that go in batches: those of a partition that holds others, too, and those of the other tables.

Where they are exported, a batch moves them into a table set aside instead, in the same statement.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from alembic_online.acquisition import MISSED
from alembic_online.composed import Printed
from psycopg.sql import SQL, Composed, Identifier

from operations.queries import query
from operations.retention.tables import Kept
from operations.retention.work import BATCH, LOOKED_AT, RowsHeldError, Work, aside_name, qualified

HELD = "rows are held by another session, have just come, or are kept by a trigger of others"


@dataclass(frozen=True)
class Source:
    """A relation whose old rows go, and whether it is a partition: their age is indexed there."""

    kept: Kept
    relation: str
    is_partition: bool


def delete(work: Work, source: Source, kept_from: date) -> int:
    """Delete what is older, or move it aside; how many rows. Raises RowsHeldError: the rest is for the next run."""
    kept = source.kept
    if source.is_partition and not _any(work, source, kept_from):
        for found in work.rows("resume", relation=kept.name, kept_from=kept_from):
            work.finish(found.expiry_id)  # killed behind the last batch
        return 0
    with work.connection.transaction():
        expiry_id = _resumed(work, kept, kept_from)
        aside = None if work.directory is None else _make_aside(work, source, kept_from)
    walk = _by_age if source.is_partition else _by_key
    return walk(work, source, kept_from, _statement(work, source, aside), _noted(work, expiry_id))


def _resumed(work: Work, kept: Kept, kept_from: date) -> int:
    """The record of a deletion that was not finished, or a new one."""
    found = work.rows("resume", relation=kept.name, kept_from=kept_from)
    return int(found[0].expiry_id) if found else work.begin(kept, None, kept_from)


def _by_age(work: Work, source: Source, kept_from: date, statement: Composed, note: Callable[[int, bool], int]) -> int:
    """Beginning at the last batch's age spares the index entries that it left behind."""
    total, since = 0, "-infinity"
    while True:
        with work.piece(source.kept), work.connection.transaction():
            row = _batch(work, statement, kept_from=kept_from, since=since, rows=BATCH)
            if row.gone:
                total = note(row.gone, False)
        if not row.gone:
            break
        since = row.since
    if _any(work, source, kept_from):
        raise RowsHeldError(HELD)
    return note(0, True) or total


def _by_key(work: Work, source: Source, kept_from: date, statement: Composed, note: Callable[[int, bool], int]) -> int:
    total, place, held = 0, -(2**63), 0
    while True:
        with work.piece(source.kept), work.connection.transaction():
            row = _batch(work, statement, kept_from=kept_from, place=place, rows=LOOKED_AT)
            if row.gone:
                total = note(row.gone, False)
        held += row.old - row.gone
        if row.place is None:
            break
        place = row.place
    if held:
        raise RowsHeldError(HELD)
    return note(0, True) or total


def _batch(work: Work, statement: Composed, **parameters: object) -> Any:
    try:
        return work.one(statement, **parameters)
    except MISSED:
        raise RowsHeldError(HELD) from None


def _noted(work: Work, expiry_id: int) -> Callable[[int, bool], int]:
    """Writes down so many rows more, and whether these were all; gives how many there are by now."""

    def note(rows: int, done: bool) -> int:
        row = work.one(
            SQL(
                "UPDATE sidb.expiry SET rows = rows + %(rows)s, finished_at = CASE WHEN %(done)s THEN now() END"
                " WHERE expiry_id = %(expiry_id)s RETURNING rows"
            ),
            rows=rows,
            done=done,
            expiry_id=expiry_id,
        )
        return int(row.rows)

    return note


def _any(work: Work, source: Source, kept_from: date) -> bool:
    statement = SQL(
        "SELECT EXISTS ("
        "SELECT FROM ONLY {table} AS t WHERE t.{time} < %(kept_from)s::date::timestamp AT TIME ZONE 'UTC') AS found"
    ).format(table=qualified(source.relation), time=Identifier(source.kept.time))
    return bool(work.one(statement, kept_from=kept_from).found)


def _statement(work: Work, source: Source, aside: str | None) -> Composed:
    names = work.rows("columns", relation=source.relation)
    columns = SQL(", ").join(SQL("t.") + Printed(name) for (name,) in names)
    kept: Composed | SQL = SQL("")
    if aside is not None:
        listed = SQL(", ").join(Printed(name) for (name,) in names)
        kept = SQL(",\n\nkept AS (INSERT INTO {aside} ({listed}) SELECT {listed} FROM gone)").format(
            aside=qualified(aside), listed=listed
        )
    return SQL(query(f"retention/{'delete_old' if source.is_partition else 'delete_by_key'}")).format(
        table=qualified(source.relation),
        time=Identifier(source.kept.time),
        key=Identifier(source.kept.key),
        columns=columns,
        kept=kept,
    )


def _make_aside(work: Work, source: Source, kept_from: date) -> str:
    """An empty table of the same columns, that is exported and dropped once the rows are in it."""
    number = work.begin(source.kept, None, kept_from)
    aside = aside_name(source.kept, number)
    names = [Printed(name) for (name,) in work.rows("columns", relation=source.relation)]
    work.connection.execute(
        SQL("CREATE TABLE {aside} AS SELECT {names} FROM {table} WITH NO DATA").format(
            aside=qualified(aside), names=SQL(", ").join(names), table=qualified(source.relation)
        )
    )
    [owner] = work.rows("owner", relation=source.relation)
    if not owner.is_own:  # or no other member of that role could go on with it
        work.connection.execute(SQL("ALTER TABLE {} OWNER TO {}").format(qualified(aside), Identifier(owner.owner)))
    work.connection.execute("UPDATE sidb.expiry SET aside = %s WHERE expiry_id = %s", [aside, number])
    return aside
