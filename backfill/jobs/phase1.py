"""Jobs that write our columns of a table of Phase 1: what others have in its rows stays as it is."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import CTE, ColumnElement, Connection, and_, exists, literal_column, select

from backfill import phase1_columns
from backfill.job import Batch, Job, table_of
from backfill.phase1_columns import ChangedError
from backfill.tables import Range

KEPT = "kept"


@dataclass(frozen=True)
class Phase1Job(Job):
    """Its first target is that table. `take` selects `kept` of each row, too, and `write` gives first the rows written,
    with their `kept` of afterwards, and then those of them that are `unchanged`.
    """

    others_columns: tuple[str, ...] = ()
    """The table's columns that are not ours, quoted, as a batch finds them."""

    def batch(self, connection: Connection, claimed: Range, as_of: datetime, asked: int) -> Batch:
        """Raises ChangedError, too, where others' triggers changed more than was written."""
        relation = self.targets[0]
        found = replace(self, others_columns=tuple(phase1_columns.names(connection, relation)))
        before = phase1_columns.updated(connection, relation)
        done = super(Phase1Job, found).batch(connection, claimed, as_of, asked)
        differing = done.written - done.also[0]
        if rows := phase1_columns.changed(connection, relation, done.written, differing, before):
            triggers = phase1_columns.triggers(connection, relation)
            raise ChangedError(relation, done.written, rows, triggers)
        return done

    def kept(self, model: Any) -> ColumnElement[int]:
        """What a row of the table holds in others' columns."""
        row = phase1_columns.held(table_of(model).name, self.others_columns)
        found: ColumnElement[int] = literal_column(row)
        return found.label(KEPT)

    def unchanged(self, filled: CTE, batch: CTE) -> CTE:
        """The rows that were written and hold what they held before in others' columns."""
        key = self.key.key
        same = exists().where(and_(filled.c[key] == batch.c[key], filled.c[KEPT] == batch.c[KEPT]))
        return select(filled.c[key]).where(same).cte("unchanged")
