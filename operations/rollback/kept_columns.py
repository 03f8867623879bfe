"""Columns that a rollback copied, written back into rows which hold more than these: no other column may change by it.

Triggers of others fire for it (the usual one sets `updated_at`). Before anything comes back the first rows are written
once and undone; then each batch compares what its rows hold in the other columns before and after.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString

from alembic_online import OnlineError, Session
from alembic_online.composed import Printed
from psycopg.sql import SQL, Composable, Composed, Identifier

from backfill import phase1_columns
from backfill.phase1_columns import ChangedError
from operations.queries import query
from operations.rollback.only import only

FEW = 250
"""Rows of Phase 1's tables at once: the application may wait for one for as long as a batch takes, 5 to 15 ms."""
OTHERS = Identifier("values of others")
"""What a row holds in the other columns, as a hash; no column of ours or of a key is called so."""


@dataclass(frozen=True)
class KeptColumns:
    """The columns of one table, and how they are written back: in batches by `key`, or where that is None at once.

    `statement` gives the rows read, those written, and those of which others' columns changed; `few` is the same for
    the first rows that are to be written.
    """

    relation: str
    columns: Sequence[str]
    key: str | None
    statement: Composed
    few: Composed


def plan(session: Session, relation: str, aside: Identifier, written: Mapping[str, Composable]) -> KeptColumns:
    """How the columns come back from `aside`, into rows in which they still have their defaults.

    `written`: by column, the condition that a row `f` holds a value that somebody wrote.
    """
    row = session.connection.execute(query("rollback/key_of_copy"), {"relation": aside.as_string()}).fetchone()
    assert row is not None
    keys, in_batches = row
    others = phase1_columns.names(session.sqlalchemy, relation, list(written))
    bounds = " AND {row}.{key} > %(place)s AND {row}.{key} <= %(upper)s" if in_batches else ""
    parts = {
        "here": only(session.connection, Identifier(*relation.split("."))),
        "aside": aside,
        "keys": _listed(keys, "f"),
        "same": _equal(keys, "f", "b"),
        "met": _equal(keys, "f", "batch"),
        "known": _equal(keys, "w", "batch"),
        "values": _listed(list(written), "b"),
        "set": SQL(", ").join(SQL("{0} = batch.{0}").format(Identifier(column)) for column in written),
        "untouched": SQL(" AND ").join(SQL("NOT {}").format(condition) for condition in written.values()),
        "held": Printed(phase1_columns.held("f", others)),
        "others": OTHERS,
        "ours": SQL(bounds).format(row=SQL("f"), key=Identifier(keys[0])),
        "theirs": SQL(bounds).format(row=SQL("b"), key=Identifier(keys[0])),
    }
    statement = SQL(query("rollback/write_back")).format(**parts, chosen=SQL(""))
    first = SQL(
        " AND b.ctid = ANY(ARRAY(SELECT b.ctid FROM {here} AS f INNER JOIN {aside} AS b ON {same}"
        " WHERE {untouched} ORDER BY {ordered} LIMIT {few}))"
    ).format(**parts, ordered=_listed(keys, "b"), few=FEW)
    few = SQL(query("rollback/write_back")).format(**{**parts, "ours": SQL(""), "theirs": SQL("")}, chosen=first)
    return KeptColumns(relation, list(written), keys[0] if in_batches else None, statement, few)


def write(session: Session, kept: KeptColumns, statement: Composed, place: int, upper: int) -> tuple[int, int]:
    """In the open transaction: how many rows of the archive there were, and how many of the table were written.

    Raises ChangedError where others' columns changed, in these rows or in more.
    """
    before = phase1_columns.updated(session.sqlalchemy, kept.relation)
    row = session.connection.execute(statement, {"place": place, "upper": upper}).fetchone()
    assert row is not None
    read, written, differing = row
    if rows := phase1_columns.changed(session.sqlalchemy, kept.relation, written, differing, before):
        raise ChangedError(kept.relation, written, rows)
    return read, written


def refusal(session: Session, kept: KeptColumns, error: ChangedError, number: int, *, beforehand: bool) -> OnlineError:
    """The error that names others' triggers, with the statements by which they leave our columns alone."""
    found = phase1_columns.triggers(session.sqlalchemy, kept.relation, kept.columns)
    changed = ChangedError(kept.relation, error.rows, error.changed, found)
    would, end = ("would change", "nothing was changed.") if beforehand else ("changed", "That batch was rolled back.")
    stop = "; " if beforehand else ". "
    return OnlineError(
        f"{kept.relation}: others' triggers ({changed.named}) {would} columns that are not ours, such as updated_at, in"
        f" {changed.changed} of {changed.rows} rows{stop}{end}",
        f"have them fire for other columns only, by UPDATE OF or WHEN, and run `sidb restore {number}` again"
        f"{'' if beforehand else ', which continues where it stopped'}:{changed.narrowed}",
    )


def _listed(columns: Sequence[str], row: LiteralString) -> Composed:
    return SQL(", ").join(SQL("{}.{}").format(SQL(row), Identifier(column)) for column in columns)


def _equal(columns: Sequence[str], one: LiteralString, other: LiteralString) -> Composed:
    pairs = (SQL("{0}.{2} = {1}.{2}").format(SQL(one), SQL(other), Identifier(column)) for column in columns)
    return SQL(" AND ").join(pairs)
