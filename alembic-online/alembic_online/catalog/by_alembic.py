"""What is left to Alembic: whole tables, and columns that are added or dropped, where it writes them as they are."""

from collections.abc import Collection, Iterable

from alembic.operations import ops

from alembic_online.catalog import columns, tables
from alembic_online.catalog.reported import seen
from alembic_online.catalog.snapshot import Identity, Snapshot
from alembic_online.catalog.steps import IndexOfNewTable, flat


def left(
    operations: Iterable[ops.MigrateOperation], written: Collection[Identity], before: Snapshot, after: Snapshot
) -> list[ops.MigrateOperation]:
    """Those of Alembic's operations that stay; the tables `written` are created and dropped by statements.

    All else is ours, whatever Alembic finds: it sees parts of it only, finds a difference in a default that is never
    twice the same, and writes what holds up the application.
    """
    return [
        IndexOfNewTable.from_index(each.to_index()) if isinstance(each, ops.CreateIndexOp) else each
        for each in flat(operations)
        if _is_left(each, written, before, after)
    ]


def _is_left(operation: ops.MigrateOperation, written: Collection[Identity], before: Snapshot, after: Snapshot) -> bool:
    table = Identity("table", getattr(operation, "schema", None) or "public", getattr(operation, "table_name", ""))
    parts = seen(operation, before, after)
    match operation:
        case ops.CreateTableOp() | ops.CreateIndexOp() | ops.DropTableOp() if table in written:
            return False
        case ops.CreateIndexOp() if not _are_literal(parts, after):
            return False
        case ops.CreateTableOp() | ops.CreateIndexOp():
            return table in after and table not in before  # a view may be there in the table's place
        case ops.DropTableOp():
            return table in before and table not in after
        case ops.AddColumnOp():
            return any(part in before or part in after for part in parts) and _are_literal(parts, after)
        case ops.DropColumnOp():
            return (
                columns.is_known(operation)
                and any(part in before or part in after for part in parts)
                and _are_literal(parts, before)
                and all(tables.is_identitys(part, before) for part in parts if part.kind == "sequence")
            )
    return False


def _are_literal(parts: Iterable[Identity], snapshot: Snapshot) -> bool:
    return all(tables.is_literal(part, snapshot) for part in parts if part.kind in tables.WRITTEN and part in snapshot)
