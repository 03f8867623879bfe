"""What a rollback would do, before it does it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from alembic.runtime.migration import MigrationContext
from alembic.script import Script
from alembic.util import CommandError
from alembic_online import OnlineError, Session, UsageError, data_loss
from alembic_online.catalog import snapshot
from alembic_online.quantities import size
from alembic_online.validation import removed
from psycopg.sql import SQL, Identifier
from rich.console import Console

from models import ANALYTICS
from operations import report
from operations.queries import query
from operations.scope import SCOPE
from operations.upgrade import script_directory

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
    """From `current` to `target`: the steps, newest first, what goes, and the relations that are closed meanwhile."""

    current: str
    target: str
    steps: list[str]
    objects: list[Line]
    closed: list[str]


@dataclass(frozen=True)
class Way:
    """The revisions that a rollback undoes, newest first."""

    current: str
    target: str
    scripts: Sequence[Script]

    @property
    def affected(self) -> list[str]:
        """The relations that are closed: those that go, and those of schema analytics that are changed."""
        return sorted(self._going("table", "materialized view", "view", "sequence"))

    @property
    def applications(self) -> list[str]:
        """Of these, what applications themselves use: what triggers fill, Phase 1's writers hold all the time."""
        computed = {name for script in self.scripts for name in data_loss.computed(script)}
        return sorted(self._going("table", "materialized view", "view") - computed)

    @property
    def remembered(self) -> list[str]:
        """What has privileges that go, or are taken away meanwhile: with functions, and the schema if that goes."""
        schemas = {name for script in self.scripts for name in removed(script, "downgrade", "schema")}
        return [*sorted(schemas), *self.affected, *sorted(self._going("function") - set(self.affected))]

    @property
    def columns(self) -> dict[str, list[str]]:
        """The columns that go from tables that stay."""
        found: dict[str, list[str]] = {}
        for script in self.scripts:
            for relation, columns in data_loss.columns_of_what_stays(script).items():
                found.setdefault(relation, []).extend(columns)
        return found

    def _going(self, *kinds: str) -> set[str]:
        names: set[str] = set()
        for script in self.scripts:
            names.update(script.module.locks["downgrade"])
            for kind in kinds:
                names |= removed(script, "downgrade", kind)
        return {name for name in names if name.startswith(f"{ANALYTICS}.")}


def way(session: Session, target: str) -> Way:
    """The way back to `target`; UsageError where that is no earlier revision."""
    current = revision(session)
    if current is None:
        raise OnlineError("No migration was run on this database.", "there is nothing to roll back.")
    return between(current, target)


def revision(session: Session) -> str | None:
    """The revision at which the database is."""
    return MigrationContext.configure(session.sqlalchemy).get_current_revision()


def between(current: str, target: str) -> Way:
    """The way from one revision to an earlier one; UsageError where it is none."""
    directory = script_directory()
    known = [script.revision for script in directory.walk_revisions()]
    if target not in known:
        raise UsageError(f"{target} is not a revision.", f"name one of {', '.join(reversed(known))}.")
    try:
        scripts = list(directory.iterate_revisions(current, target))
    except CommandError:
        scripts = []
    if target == current or not scripts:
        raise UsageError(f"The database is at {current}: {target} is not before it.", "name an earlier revision.")
    return Way(current, target, scripts)


def refuse_users(session: Session, way: Way) -> None:
    """Raise OnlineError where something that is not ours uses what goes: it would move along, or be in the way."""
    going = set(way.affected)
    seen = snapshot(session.sqlalchemy, SCOPE)
    users = sorted(
        {
            f"  {user.name} uses {used.schema}.{used.name}"
            for user, uses in seen.uses.items()
            if user.kind == "foreign"
            for used in uses
            if f"{used.schema}.{used.name}" in going and used.kind in ("table", "view", "materialized_view", "column")
        }
    )
    if users:
        raise OnlineError(
            "\n".join(["What goes is used by what is not ours; nothing was changed.", *users]),
            "drop these, and create them again after `sidb restore`.",
        )


def plan(session: Session, way: Way) -> Plan:
    """What there is to lose, and what of it is kept. Changes nothing."""
    objects = [line for script in way.scripts for line in _lines(session.connection, script)]
    titles = [f"{script.revision}  {script.doc.rstrip('.')}" for script in way.scripts]
    return Plan(way.current, way.target, titles, objects, way.affected)


def show_plan(planned: Plan, console: Console) -> None:
    console.print(f"From {planned.current} back to {planned.target}:")
    if planned.objects:
        console.print(report.table(planned.objects))
    console.print("\nkept: moves or is copied into an archive. rebuilt: a later upgrade computes it again.")
    console.print(f"{len(planned.closed)} relations of schema {ANALYTICS} are closed to applications meanwhile.")


def _lines(connection: psycopg.Connection[Any], script: Script) -> Iterator[Line]:
    revision = script.revision
    kept = data_loss.dropped_tables(script)
    for kind in ("table", "materialized view", "view"):
        for name in sorted(removed(script, "downgrade", kind)):
            row = connection.execute(query("rollback/size"), {"relation": name}).fetchone()
            if row is None:
                continue
            data = "kept" if name in kept else "rebuilt"
            rows = _rows(connection, name, row[2]) if kind == "table" else None
            bytes_ = None if kind == "view" else size(row[1])
            yield Line(revision, SHORT.get(kind, kind), name.removeprefix(f"{ANALYTICS}."), data, rows, bytes_)
    for relation, columns in data_loss.dropped_columns(connection, script).items():
        for column in columns:
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
