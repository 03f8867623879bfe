"""Constraints, counted on the rows themselves: a constraint that was off for a while says nothing about them.

Plan, "Data Integrity": foreign keys for referential integrity, CHECKs for data validation.
"""

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

import psycopg
from alembic_online.composed import Printed
from alembic_online.held import AGAIN, reason
from alembic_online.messages import first_line
from psycopg.sql import SQL, Identifier

from operations.findings import Check, Finding
from operations.scope import SCOPE
from operations.verify.subject import Looks, Subject, columns, listed, rows_of, template

FOREIGN_KEYS = Check(
    "foreign keys",
    "Every row that refers to another one refers to one that exists: counted for each foreign key.",
    "give the rows a row to refer to, or delete them; they came in while the foreign key's triggers were off"
    " (session_replication_role, DISABLE TRIGGER, logical replication).",
)
CHECK_CONSTRAINTS = Check(
    "check constraints",
    "Every row satisfies every CHECK of its table, evaluated anew; NULL satisfies it, as in PostgreSQL.",
    "correct the rows, then ALTER TABLE … VALIDATE CONSTRAINT; they came in before the CHECK, or through one that was"
    " NOT VALID.",
)

NOT_NULL = Check(
    "not null",
    "No row has NULL in a column that takes none, read from the rows themselves.",
    "UPDATE the rows, giving the column a value, as the line says; they came in before the NOT NULL, or past it.",
)


def foreign_keys(subject: Subject) -> Finding:
    with subject.piece():
        keys = subject.rows("foreign_keys", additions=SCOPE.additions)
    return _counted(subject, FOREIGN_KEYS, keys, _orphans)


def check_constraints(subject: Subject) -> Finding:
    with subject.piece():
        found = subject.rows("check_constraints", additions=SCOPE.additions)
    tables = [list(checks) for _, checks in groupby(found, lambda check: check.relation)]
    return _counted(subject, CHECK_CONSTRAINTS, tables, _violations)


def not_null(subject: Subject) -> Finding:
    with subject.piece():
        tables = subject.rows("not_null", **subject.ours)
    return _counted(subject, NOT_NULL, tables, _nulls)


Count = Callable[[Subject, Any], tuple[int, int, list[str]]]
"""Rows looked at, constraints, and a line for each constraint that does not hold."""


def _counted(subject: Subject, check: Check, parts: Iterable[Any], count: Count) -> Finding:
    """All parts, each by itself: what may not be read keeps nothing else from being looked at."""
    rows, constraints = 0, 0
    wrong: list[str] = []
    unread: list[str] = []
    remedy = "grant SELECT to this role"
    for part in parts:
        try:
            with subject.piece():
                looked_at, of, lines = count(subject, part)
        except psycopg.errors.LockNotAvailable as error:
            unread.append(reason(error, subject.connection))
            remedy = AGAIN
            continue
        except psycopg.Error as error:
            unread.append(first_line(error))
            continue
        rows += looked_at
        constraints += of
        wrong += lines
    done = f"{constraints} hold, on {rows:,} rows{subject.sampled}"
    unread = sorted(set(unread))
    if wrong:
        return check.failed(f"{len(wrong)} of {constraints} do not hold{listed([*wrong, *unread])}")
    if unread:
        return check.unknown(f"{done}; the others could not be looked at{listed(unread)}", remedy)
    return check.ok(done)


def _orphans(subject: Subject, key: Any) -> tuple[int, int, list[str]]:
    subject.say(f"{key.relation}: {key.name}")
    pairs = list(zip(key.child_columns, key.parent_columns, strict=True))
    parts = {
        "child": rows_of(key.child, is_partitioned=key.is_partitioned),
        "parent": rows_of(key.parent, is_partitioned=key.refers_to_partitioned),
        "found": Identifier(key.parent_columns[0]),
        "refers": SQL(" AND ").join(SQL("c.{} IS NOT NULL").format(Identifier(mine)) for mine, _ in pairs),
        "joined": SQL(" AND ").join(
            SQL("p.{} = c.{}").format(Identifier(theirs), Identifier(mine)) for mine, theirs in pairs
        ),
    }
    [found] = subject.run(template("orphans", sample=subject.blocks, **parts))
    if not found.wrong:
        return found.rows, 1, []
    keys = [row.key for row in subject.run(template("orphan_keys", key=columns(key.key, "c"), **parts))]
    what = f"{found.wrong:,} rows of {key.relation} refer to nothing: {key.name}"
    return found.rows, 1, [f"{what} ({', '.join(key.key)} {'; '.join(keys)})"]


def _violations(subject: Subject, checks: list[Any]) -> tuple[int, int, list[str]]:
    subject.say(f"{checks[0].relation}: {len(checks)} CHECKs")
    table = rows_of(checks[0].checked, is_partitioned=checks[0].is_partitioned)
    counts = [SQL("count(*) FILTER (WHERE ({}) IS FALSE)").format(Printed(check.expression)) for check in checks]
    statement = template("check_violations", violations=SQL(", ").join(counts), checked=table, sample=subject.blocks)
    [found] = subject.run(statement)
    lines = []
    for check, wrong in zip(checks, found.wrong, strict=True):
        if wrong:
            statement = template(
                "check_violation_keys",
                key=columns(check.key, "c"),
                checked=table,
                expression=Printed(check.expression),
            )
            keys = [row.key for row in subject.run(statement)]
            what = f"{wrong:,} rows of {check.relation} break {check.name}"
            lines.append(f"{what} ({', '.join(check.key)} {'; '.join(keys)})")
    return found.rows, len(checks), lines


def _nulls(subject: Subject, table: Any) -> tuple[int, int, list[str]]:
    subject.say(f"{table.relation}: {len(table.columns)} columns without NULL")
    checked = rows_of(table.checked, is_partitioned=table.is_partitioned)
    counts = [SQL("count(*) FILTER (WHERE num_nulls(c.{}) > 0)").format(Identifier(name)) for name in table.columns]
    [found] = subject.run(template("nulls", nulls=SQL(", ").join(counts), checked=checked, sample=subject.blocks))
    lines = []
    for name, wrong in zip(table.columns, found.wrong, strict=True):
        if wrong:
            statement = template("null_keys", key=columns(table.key, "c"), checked=checked, column=Identifier(name))
            keys = "; ".join(row.key for row in subject.run(statement))
            what = f"{wrong:,} rows of {table.relation} have NULL in {name} ({', '.join(table.key)} {keys})"
            # Not IS NULL: by the column's word there is none, and the planner leaves it at that.
            lines.append(f"{what}: UPDATE {table.relation} SET {name} = … WHERE num_nulls({name}) > 0")  # noqa: S608
    return found.rows, len(table.columns), lines


LOOKS: Looks = {
    FOREIGN_KEYS: foreign_keys,
    CHECK_CONSTRAINTS: check_constraints,
    NOT_NULL: not_null,
}
