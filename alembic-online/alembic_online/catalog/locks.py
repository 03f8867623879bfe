"""The locks that generated operations take on relations that are there before and after: a revision declares them."""

import re
from collections.abc import Iterable, Iterator

from alembic.operations import ops
from sqlalchemy import ForeignKeyConstraint

from alembic_online.catalog import partitioned
from alembic_online.catalog.statements import called, quoted
from alembic_online.catalog.steps import OutsideTransaction, Step, flat

SHARE_UPDATE_EXCLUSIVE = "ShareUpdateExclusiveLock"
SHARE = "ShareLock"
SHARE_ROW_EXCLUSIVE = "ShareRowExclusiveLock"
ACCESS_EXCLUSIVE = "AccessExclusiveLock"
WEAKEST_FIRST = (SHARE_UPDATE_EXCLUSIVE, SHARE, SHARE_ROW_EXCLUSIVE, ACCESS_EXCLUSIVE)

# By kind of object, for the relation that it stands on; the others lock none, or only what they drop.
ON_RELATION = {
    "trigger": {"create": SHARE_ROW_EXCLUSIVE, "drop": ACCESS_EXCLUSIVE},
    "constraint": {
        "alter": ACCESS_EXCLUSIVE,
        "create": ACCESS_EXCLUSIVE,
        "drop": ACCESS_EXCLUSIVE,
        "validate": SHARE_UPDATE_EXCLUSIVE,
    },
    "index": {"create": SHARE_UPDATE_EXCLUSIVE, "drop": ACCESS_EXCLUSIVE, "rebuild": SHARE_UPDATE_EXCLUSIVE},
    "policy": {"create": ACCESS_EXCLUSIVE, "drop": ACCESS_EXCLUSIVE},
    "rule": {"create": ACCESS_EXCLUSIVE, "drop": ACCESS_EXCLUSIVE},
    "statistics": {"create": SHARE_UPDATE_EXCLUSIVE, "drop": SHARE_UPDATE_EXCLUSIVE},
    "comment": {"alter": SHARE_UPDATE_EXCLUSIVE},
    "column": {"alter": ACCESS_EXCLUSIVE, "create": ACCESS_EXCLUSIVE, "drop": ACCESS_EXCLUSIVE},
    "setting": {"alter": ACCESS_EXCLUSIVE},
}


def locks(operations: Iterable[ops.MigrateOperation], stays: Iterable[str]) -> dict[str, str]:
    """The strongest lock on each of the relations that stay, as pg_locks names both."""
    strongest: dict[str, str] = {}
    for relation, mode in _taken(operations):
        if WEAKEST_FIRST.index(mode) >= WEAKEST_FIRST.index(strongest.get(relation, SHARE_UPDATE_EXCLUSIVE)):
            strongest[relation] = mode
    return {relation: mode for relation, mode in sorted(strongest.items()) if relation in set(stays)}


def _taken(operations: Iterable[ops.MigrateOperation]) -> Iterator[tuple[str, str]]:
    for operation in flat(operations):
        match operation:
            case OutsideTransaction():
                yield from _taken(operation.steps)
            case Step() if operation.up:
                relation = called(operation.identity)
                mode = ON_RELATION.get(operation.identity.kind, {}).get(operation.verb)
                if operation.concurrent and operation.identity.kind != "function":
                    mode = max(map(_alone, operation.up), key=WEAKEST_FIRST.index)
                if mode:
                    yield relation, mode
                for other in operation.others:
                    yield other, SHARE_ROW_EXCLUSIVE if operation.verb == "create" else ACCESS_EXCLUSIVE
            case ops.CreateTableOp() | ops.DropTableOp():
                # Creating a foreign key holds up writers of the table it refers to; dropping it holds up everybody.
                creates = isinstance(operation, ops.CreateTableOp)
                for constraint in operation.to_table().constraints:
                    if isinstance(constraint, ForeignKeyConstraint):
                        for element in constraint.elements:
                            table = element.target_fullname.rpartition(".")[0]
                            yield _qualified(table), SHARE_ROW_EXCLUSIVE if creates else ACCESS_EXCLUSIVE
            case ops.AlterTableOp():  # a column
                yield _qualified(operation.table_name, operation.schema), ACCESS_EXCLUSIVE


def _alone(statement: str) -> str:
    """The lock of a statement that is run by itself: with the weakest, readers and writers go on."""
    if partitioned.is_index(statement):
        return SHARE  # until the index is there; its partitions build their own
    goes_on = r"(COMMENT ON |(CREATE|DROP|REINDEX) .*?CONCURRENTLY |ALTER TABLE .+ VALIDATE )"
    return SHARE_UPDATE_EXCLUSIVE if re.match(goes_on, statement) else ACCESS_EXCLUSIVE


def _qualified(table: str, schema: str | None = None) -> str:
    schema, table = table.split(".", 1) if "." in table else (schema or "public", table)
    return f"{quoted(schema)}.{quoted(table)}"
