"""What a rollback would do, before it does it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from alembic.script import Script
from alembic_online import Session
from alembic_online.parts import written
from alembic_online.quantities import size
from psycopg.sql import SQL, Identifier
from rich.console import Console

from models import ANALYTICS
from operations import output
from operations.queries import query
from operations.rollback.way import Way

SHORT = {"materialized view": "matview"}

COUNTED = 100_000
"""Rows counted exactly; of more, the statistics' estimate is shown, so that looking is cheap whatever the size."""


@dataclass(frozen=True)
class Line:
    """An object that goes, with its rows and size as far as it has any.

    It is kept in the archive, or rebuilt by a later upgrade from what is kept.
    """

    revision: str
    kind: str
    object: str
    data: str
    rows: str | None
    size: str | None


@dataclass(frozen=True)
class Plan:
    """From `current` to `target`: the steps, newest first, what goes, and the relations that are closed meanwhile.

    `others`: what others have built on what goes, and is put aside.
    """

    current: str
    target: str
    steps: list[str]
    objects: list[Line]
    closed: list[str]
    others: list[str]


def plan(session: Session, way: Way, others: list[str]) -> Plan:
    """What there is to lose, and what of it is kept. Changes nothing."""
    aside = _aside(session.connection, way)
    objects = [line for script in way.scripts for line in _lines(session.connection, way, script, aside)]
    titles = [f"{script.revision}  {script.doc.rstrip('.')}" for script in way.scripts]
    return Plan(way.current, way.target, titles, objects, way.affected, others)


def show_plan(planned: Plan, console: Console) -> None:
    console.print(f"From {planned.current} back to {planned.target}:")
    if planned.objects:
        console.print(output.table(planned.objects))
    console.print("\nkept: moved or copied into an archive, for `sidb restore`.")
    console.print("rebuilt: dropped, and computed again by a later upgrade.")
    if planned.others:
        console.print("put aside, and given back by `sidb restore`, as others have built it on what goes:")
        for name in planned.others:
            console.print(f"  {name}", soft_wrap=True, markup=False)
    console.print(f"While it runs, {len(planned.closed)} relations are closed to applications.")


def _aside(connection: psycopg.Connection[Any], way: Way) -> dict[str, str]:
    """The tables that move before the revision that drops them is undone, whole: an empty one takes their place.

    By name, the revision with which they do.
    """
    row = connection.execute(query("rollback/goes_aside")).fetchone()
    if row is None or not row[0]:
        return {}
    replaced = ((name, step.script.revision) for step in way.steps for name in step.replaces)
    return {name.removeprefix("table "): revision for name, revision in replaced}


def _lines(connection: psycopg.Connection[Any], way: Way, script: Script, aside: Mapping[str, str]) -> Iterator[Line]:
    revision = script.revision
    for kind in ("table", "materialized view", "view"):
        going = {each for each in way.of(kind) if f"{kind} {each}" in way.going[revision]} - aside.keys()
        going |= {name for name, at in aside.items() if kind == "table" and at == revision}
        for name in sorted(going):
            row = connection.execute(query("rollback/size"), {"relation": name}).fetchone()
            if row is None:
                continue
            data = "kept" if kind == "table" and name not in way.computed else "rebuilt"
            rows = _rows(connection, name, row[2]) if kind == "table" else None
            bytes_ = None if kind == "view" else size(row[1])
            yield Line(revision, SHORT.get(kind, kind), name.removeprefix(f"{ANALYTICS}."), data, rows, bytes_)
    for relation, columns in way.columns_of(script).items():
        for column in columns:
            if written(connection, relation, column) is not None:
                yield Line(revision, "column", f"{relation.removeprefix('public.')}.{column}", "kept", None, None)


def _rows(connection: psycopg.Connection[Any], name: str, estimated: int) -> str:
    few = SQL("SELECT count(*) FROM (SELECT FROM {} LIMIT {}) AS seen").format(
        Identifier(*name.split(".")), COUNTED + 1
    )
    row = connection.execute(few).fetchone()
    assert row is not None
    if row[0] <= COUNTED:
        return f"{row[0]:,}"
    return f"about {estimated:,}" if estimated > COUNTED else f"more than {COUNTED:,}"
