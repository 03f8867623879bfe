"""Rows that a rollback kept, inserted again into a table that holds some: each is to be as it was kept.

Triggers of others fire for it, and may change a row before it is written (the usual one sets a column), leave it out,
or update it afterwards. Before anything comes back the first rows are written once and undone; then each batch is
compared with what was kept.
"""

from dataclasses import dataclass
from typing import Any

import psycopg
from alembic_online import OnlineError, Session
from alembic_online.composed import Printed
from psycopg.sql import SQL, Composable, Composed, Identifier

from backfill import phase1_columns
from operations.queries import query
from operations.retention.returning import has_horizons, is_kept
from operations.rollback.conflicts import Table

FEW = 250
"""Rows that are tried."""
NOT_YET = (psycopg.errors.ForeignKeyViolation, psycopg.errors.UniqueViolation)
"""What a row that is tried may meet before its time: what it refers to may come back first."""


@dataclass(frozen=True)
class KeptRows:
    """How the rows of a table are inserted: `statement` those between two keys, `few` the first ones behind a key."""

    relation: str
    statement: Composed
    few: Composed


class ChangedError(Exception):
    """Of so many rows some are not there as they were kept: nothing of the batch may stay. `before`: they were changed
    before they were written, or left out."""

    def __init__(self, rows: int, changed: int, *, before: bool) -> None:
        super().__init__(f"{changed} of {rows}")
        self.rows, self.changed, self.before = rows, changed, before


def plan(connection: psycopg.Connection[Any], merged: Table, *, skip: bool, renumber: bool) -> KeptRows:
    """`skip`: rows that conflict stay in the archive; `renumber`: a row whose id a newer one has gets the next one."""
    assert merged.key is not None
    key = Identifier(merged.key)
    quoted = [Identifier(column).as_string() for column in merged.columns]
    unfit = [merged.has_no_place(), *(merged.vanished(each) for each in merged.references)] if skip else []
    deferrable = skip and _has_deferrable_key(connection, merged)
    if deferrable:  # a key that a row gets is free
        unfit += [merged.collides(each) for each in merged.keys if not (renumber and each is merged.keys[0])]
    there = merged.is_there()
    meant = SQL("SELECT {} AS hash FROM (SELECT {} FROM chosen AS c) AS c").format(
        Printed(phase1_columns.held("c", quoted)),
        SQL(", ").join(
            SQL("CAST(c.{0} AS {1}) AS {0}").format(Identifier(column), Printed(as_type))
            for column, as_type in zip(merged.columns, merged.types, strict=True)
        ),
    )
    found = SQL("SELECT {} AS hash FROM written AS w").format(Printed(phase1_columns.held("w", quoted)))
    parts: dict[str, Composable] = {
        "key": key,
        "values": SQL(", ").join(_chosen(merged, renumber=renumber)),
        "columns": SQL(", ").join(map(Identifier, merged.columns)),
        "aside": merged.aside,
        "here": merged.here,
        "there": there,
        "fitting": SQL(" AND ").join([SQL("true"), *(SQL("NOT ({})").format(each) for each in unfit)]),
        "kept": is_kept(merged.relation) if has_horizons(connection) else SQL("true"),
        "conflict": SQL("ON CONFLICT DO NOTHING") if skip and not deferrable else SQL(""),
        "one": found if skip else meant,  # what conflicts is not written
        "other": meant if skip else found,
    }
    within = SQL("a.{} <= %(upper)s AND {}").format(key, merged.is_meant())
    between = SQL("(SELECT count(*) FROM {} AS a WHERE a.{} > %(place)s AND {}").format(merged.aside, key, within)
    insert = SQL(query("rollback/insert_rows"))
    statement = insert.format(
        **parts,
        within=within,
        few=SQL(""),
        followed=SQL(query("rollback/renumbered")) if merged.noted is not None else SQL(""),
        read=SQL("{})").format(between),
        present=SQL("{} AND {})").format(between, there),
    )
    first = SQL(" ORDER BY a.{} LIMIT {}").format(key, FEW)
    nothing = SQL("0")
    few = insert.format(**parts, within=merged.is_meant(), few=first, followed=SQL(""), read=nothing, present=nothing)
    return KeptRows(merged.relation, statement, few)


def write(session: Session, kept: KeptRows, statement: Composed, place: int, upper: int) -> tuple[int, int]:
    """In the open transaction: how many rows of the archive there were, and how many are in their table now.

    Raises ChangedError where one is not as it was kept.
    """
    updated = phase1_columns.updated(session.sqlalchemy, kept.relation)
    row = session.connection.execute(statement, {"place": place, "upper": upper}).fetchone()
    assert row is not None
    read, present, chosen, differing = row
    if differing:
        raise ChangedError(chosen, differing, before=True)
    if changed := phase1_columns.changed(session.sqlalchemy, kept.relation, 0, 0, updated):
        raise ChangedError(chosen, changed, before=False)
    return read, present


def refusal(session: Session, relation: str, changed: ChangedError, number: int, *, beforehand: bool) -> OnlineError:
    """The error that names others' triggers, with the statements that switch them off meanwhile."""
    parameters = {"relation": relation, "before": changed.before}
    found = session.connection.execute(query("rollback/inserting"), parameters).fetchall()
    named = ", ".join(name for name, _ in found) or f"one that writes to {relation}"
    disabled = "".join(f"\n  {statement};" for _, statement in found)
    did = "change or leave out" if beforehand else "changed or left out"
    would, end = ("would ", "; nothing was changed.") if beforehand else ("", ". That batch was rolled back.")
    return OnlineError(
        f"{relation}: others' triggers ({named}) {would}{did} {changed.changed} of {changed.rows} archived rows as they"
        f" are inserted{end}",
        f"have them leave these rows as they are, by WHEN, or disable them until they are back, and run"
        f" `sidb restore {number}` again{'' if beforehand else ', which continues where it stopped'}:{disabled}",
    )


def _has_deferrable_key(connection: psycopg.Connection[Any], merged: Table) -> bool:
    """Whether ON CONFLICT cannot be used: rows that conflict are left out by condition then."""
    found = connection.execute(query("rollback/has_deferrable_key"), {"relation": merged.relation}).fetchone()
    return found == (True,)


def _chosen(merged: Table, *, renumber: bool) -> list[Composed]:
    """The values of a row `a` of the archive as they are to be written."""
    chosen = []
    for column in merged.columns:
        value = SQL("a.{}").format(Identifier(column))
        if column == merged.key and renumber:
            value = SQL("CASE WHEN {} THEN nextval(pg_get_serial_sequence({}, {})) ELSE {} END").format(
                merged.collides(merged.keys[0]), merged.relation, merged.key, value
            )
        if column == merged.key and merged.noted is not None:
            value = SQL("coalesce({}, {})").format(merged.noted_id(), value)
        chosen.append(SQL("{} AS {}").format(value, Identifier(column)))
    return chosen
