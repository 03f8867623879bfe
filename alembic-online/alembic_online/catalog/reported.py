"""What Alembic's own comparison has seen, as identities of ours: so that nothing is reported twice."""

from alembic.operations import ops
from sqlalchemy import CheckConstraint, Table

from alembic_online.catalog.snapshot import Identity, Snapshot
from alembic_online.catalog.statements import is_check


def seen(operation: ops.MigrateOperation, before: Snapshot, after: Snapshot) -> set[Identity]:
    """The objects that one operation of Alembic's takes care of, both ways."""
    match operation:
        case ops.CreateTableOp():
            whole = _of_table(operation.schema, operation.table_name, after)
            left_out = _left_out(operation.to_table(), whole, after)
            return whole - left_out
        case ops.DropTableOp():
            return _of_table(operation.schema, operation.table_name, before)
        case ops.AddColumnOp():
            return _of_column(operation.schema, operation.table_name, operation.column.name, after)
        case ops.DropColumnOp():
            return _of_column(operation.schema, operation.table_name, operation.column_name, before)
        case ops.CreateIndexOp():
            return {Identity("index", operation.schema or "public", operation.table_name, str(operation.index_name))}
    return set()


def _left_out(table: Table, whole: set[Identity], after: Snapshot) -> set[Identity]:
    """The CHECKs of a new table that Alembic leaves out of what it generates: those that stand within a column.

    PostgreSQL names those that have no name; where some of them stand in the table, all are taken for these.
    """
    inline = {constraint for column in table.columns for constraint in column.constraints}
    rendered = [c for c in table.constraints if isinstance(c, CheckConstraint) and c not in inline]
    names = {str(c.name) for c in rendered}
    within = {str(c.name) for c in inline}
    some_unnamed = any(not isinstance(c.name, str) for c in rendered)
    return {
        i
        for i in whole
        if i.kind == "constraint"
        and is_check(after[i])
        and i.part not in names
        and not (some_unnamed and i.part not in within)
    }


def _of_table(schema: str | None, name: str, where: Snapshot) -> set[Identity]:
    table = Identity("table", schema or "public", name)
    columns = {i for i in where if i.kind == "column" and where.parent(i) == table}
    own = {i for i in where if i.kind == "constraint" and where.parent(i) == table}
    return {table, *own}.union(*(_of_column(schema, name, column.part, where) for column in columns)) | {
        Identity("comment", table.schema, name, "table")
    }


def _of_column(schema: str | None, table: str, name: str, where: Snapshot) -> set[Identity]:
    column = Identity("column", schema or "public", table, name)
    sequences = {i for i in where if i.kind == "sequence" and where.parent(i) == column}
    return {column, Identity("comment", column.schema, table, f"column {name}"), *sequences}
