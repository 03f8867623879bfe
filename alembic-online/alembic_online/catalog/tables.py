"""Whole tables that Alembic would not write as they are: each as one statement, from the catalog.

SQLAlchemy reads and writes most of a table, and that is left to it. What it does not know: of a table, that it is
UNLOGGED or partitioned; of keys, INCLUDE, WITH and, where it reads them back, DEFERRABLE; exclusions, WITHOUT OVERLAPS
and NOT ENFORCED; some types; and what in a CHECK or default looks like a parameter.
"""

import re
from collections.abc import Iterable, Iterator

from alembic.operations import ops
from sqlalchemy.types import NullType

from alembic_online.catalog.diff import Change, diff
from alembic_online.catalog.snapshot import Identity, Snapshot
from alembic_online.catalog.statements import FOREIGN_KEY, called, quoted, whole, with_options
from alembic_online.catalog.steps import Step

PLAIN = re.compile(
    r"(?:(?:PRIMARY KEY|UNIQUE(?: NULLS NOT DISTINCT)?) \((?:(?! WITHOUT OVERLAPS)[^()])+\)|CHECK \(.*\))", re.DOTALL
)
PARAMETER = re.compile(r"(?<!:):\w|%|\\")
"""What SQLAlchemy may take for a parameter, or for the escape of one."""
WRITTEN = ("column", "constraint", "index")
"""What Alembic writes with a table."""
SERIAL = re.compile(r" INCREMENT BY 1 MINVALUE 1 MAXVALUE \d+ START WITH 1 CACHE 1;")
OPTIONS = re.compile(r"CREATE SEQUENCE (?P<name>\S+|.+?) AS \S+ (?P<options>INCREMENT BY .+)", re.DOTALL)


def is_literal(part: Identity, snapshot: Snapshot) -> bool:
    """Whether SQLAlchemy takes nothing in a definition for a parameter, or doubles it: else other rows are computed,
    or indexed, than was asked for."""
    return PARAMETER.search(snapshot[part]) is None


def is_plain(table: Identity, snapshot: Snapshot) -> bool:
    """Whether Alembic can be left to create the table, or to bring it back, of which it understands each part."""
    if snapshot[table] != f"CREATE TABLE {_called(table, snapshot)} ()":
        return False
    own = [i for i in snapshot if i.kind in ("column", "constraint") and snapshot.parent(i) == table]
    return all(_is_plain_constraint(part, snapshot) for part in own if part.kind == "constraint") and all(
        _is_plain_sequence(i, snapshot) for i in snapshot if i.kind == "sequence" and snapshot.parent(i) in own
    )


def _is_plain_sequence(sequence: Identity, snapshot: Snapshot) -> bool:
    column = snapshot.parent(sequence)
    assert column is not None
    as_usual = snapshot.columns[column].identity or SERIAL.search(snapshot[sequence])
    return sequence.name == f"{column.name}_{column.part}_seq" and bool(as_usual)


def is_identitys(sequence: Identity, snapshot: Snapshot) -> bool:
    """Whether a column has it by being an identity, under the name that PostgreSQL gives it: not a serial one."""
    column = snapshot.parent(sequence)
    return column is not None and bool(snapshot.columns[column].identity) and _is_plain_sequence(sequence, snapshot)


def _is_plain_constraint(constraint: Identity, snapshot: Snapshot) -> bool:
    definition = snapshot[constraint]
    if FOREIGN_KEY.match(definition):
        return not re.search(r" NOT (ENFORCED|VALID)$|, PERIOD ", definition)
    added = snapshot.removals[constraint].replace(" DROP CONSTRAINT ", " ADD CONSTRAINT ", 1)
    return PLAIN.fullmatch(definition.removeprefix(f"{added} ")) is not None


def is_writable(table: Identity, snapshot: Snapshot) -> bool:
    """Whether it can be written here: neither with parents nor of a type, which its columns come from, nor foreign."""
    return re.search(r"^CREATE FOREIGN | INHERITS \(| OF ", snapshot[table]) is None


def ours(
    operations: Iterable[ops.MigrateOperation], before: Snapshot, after: Snapshot
) -> tuple[set[Identity], list[tuple[str, str]]]:
    """The tables that are added or dropped and are written here, and why others are not written at all."""
    found, reasons = set(), []
    by_alembic = _by_alembic(operations, before, after)
    for change in diff(before, after):
        if change.identity.kind == "table" and change.verb != "changed" and change.identity not in by_alembic:
            if is_writable(change.identity, after if change.verb == "added" else before):
                found.add(change.identity)
            else:
                reasons.append(not_written(change))
    return found, reasons


def _by_alembic(operations: Iterable[ops.MigrateOperation], before: Snapshot, after: Snapshot) -> set[Identity]:
    """The tables that Alembic's operations create or drop, and would write as they are."""
    found = set()
    for operation in operations:
        if isinstance(operation, ops.CreateTableOp | ops.DropTableOp):
            snapshot, other = (after, before) if isinstance(operation, ops.CreateTableOp) else (before, after)
            table = Identity("table", operation.schema or "public", operation.table_name)
            known = not any(isinstance(column.type, NullType) for column in operation.to_table().columns)
            inherits = isinstance(operation, ops.CreateTableOp) and "postgresql_inherits" in operation.kw
            literal = all(
                is_literal(i, snapshot) for i in snapshot if i.kind in WRITTEN and snapshot.parent(i) == table
            )
            is_written = table in snapshot and known and literal and (inherits or is_plain(table, snapshot))
            if is_written and not _is_tied(table, snapshot, other, dropped=snapshot is before):
                found.add(table)
    return found


def _is_tied(table: Identity, snapshot: Snapshot, other: Snapshot, *, dropped: bool) -> bool:
    """Whether its foreign keys have to go before other tables do, or to come after them: Alembic drops tables in no
    order, and creates none that refer to each other.
    """
    referred = _referred(table, snapshot) - other.keys()
    if dropped:
        return bool(referred)
    waiting, reached = list(referred), set(referred)
    while waiting:
        new = _referred(waiting.pop(), snapshot) - reached - other.keys()
        reached |= new
        waiting += new
    return table in reached


def _referred(table: Identity, snapshot: Snapshot) -> set[Identity]:
    """The other tables that its foreign keys refer to."""
    keys = [i for i in snapshot if i.kind == "constraint" and snapshot.parent(i) == table]
    used = {used for key in keys for used in snapshot.uses.get(key, ())}
    return {Identity("table", i.schema, i.name) for i in used if i.kind in ("column", "constraint", "table")} - {table}


def not_written(change: Change) -> tuple[str, str]:
    """Why a table is neither created nor dropped, and how a person does it."""
    return (
        f"{change} cannot be generated: it has parents, is of a type or is a foreign table",
        f'write it by hand, the one way op.execute("DROP TABLE {called(change.identity)}"), the other one the'
        " CREATE TABLE that pg_dump prints",
    )


def parts(table: Identity, snapshot: Snapshot) -> set[Identity]:
    """What comes and goes with its statements: neither foreign keys nor triggers, policies, settings and privileges."""
    own = {i for i in snapshot if i.kind in ("column", "index") and snapshot.parent(i) == table}
    own |= {
        i
        for i in snapshot
        if i.kind == "constraint" and snapshot.parent(i) == table and not FOREIGN_KEY.match(snapshot[i])
    }
    own |= {i for i in snapshot if i.kind == "sequence" and snapshot.parent(i) in own}
    return {table, *own} | {i for i in snapshot if i.kind == "comment" and snapshot.parent(i) in {table, *own}}


def created(table: Identity, snapshot: Snapshot) -> Step:
    """The step that creates it."""
    return Step("create", table, tuple(_statements(table, snapshot)), (snapshot.removals[table],))


def _statements(table: Identity, snapshot: Snapshot) -> Iterator[str]:
    own = parts(table, snapshot)
    columns = [i for i in snapshot if i.kind == "column" and i in own]
    sequences = {snapshot.parent(i): i for i in snapshot if i.kind == "sequence" and i in own}
    free = [sequence for column, sequence in sequences.items() if column and not snapshot.columns[column].identity]
    for sequence in free:
        yield snapshot[sequence].partition(";\n")[0]
    head, _, tail = snapshot[table].partition(" ()")
    written = ", ".join(_column(column, sequences.get(column), snapshot) for column in columns)
    yield f"{head} ({written}){tail}"
    for sequence in free:
        yield snapshot[sequence].partition(";\n")[2]
    for part in snapshot:
        if part in own and part.kind in ("constraint", "index"):
            yield with_options(snapshot[part])
    for part in snapshot:
        if part in own and part.kind == "comment":
            yield snapshot[part]


def column(identity: Identity, snapshot: Snapshot) -> Step:
    """The step that adds a column to a table that is there, with its comments and the sequence that it owns."""
    own = [i for i in snapshot if snapshot.parent(i) == identity]
    sequence = next((i for i in own if i.kind == "sequence"), None)
    alter = snapshot.removals[identity].partition(" DROP COLUMN ")[0]
    statements = [f"{alter} ADD COLUMN {_column(identity, sequence, snapshot)}"]
    if sequence is not None and not snapshot.columns[identity].identity:
        created, _, owned = snapshot[sequence].partition(";\n")
        statements = [created, *statements, owned]
    for part in own:
        statements += list(whole(snapshot, part))[part == sequence :]
    return Step("create", identity, tuple(statements), (snapshot.removals[identity],))


def _column(column: Identity, sequence: Identity | None, snapshot: Snapshot) -> str:
    alter = snapshot.removals[column].partition(" DROP COLUMN ")[0]
    written = snapshot[column].removeprefix(f"{alter} ADD COLUMN ")
    if sequence is not None and snapshot.columns[column].identity:
        options = OPTIONS.fullmatch(snapshot[sequence].partition(";\n")[0])
        assert options is not None
        named = f"SEQUENCE NAME {quoted(sequence.schema)}.{quoted(sequence.name)} {options['options']}"
        written = written.replace(" AS IDENTITY", f" AS IDENTITY ({named})", 1)
    return written


def _called(table: Identity, snapshot: Snapshot) -> str:
    return snapshot.removals[table].removeprefix("DROP TABLE ")
