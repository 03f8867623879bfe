"""Rows with values in columns that their table lacks by now: `--skip` leaves them, and they come once it has these."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from alembic_online import UsageError
from psycopg.sql import SQL, Identifier

from operations.findings import Finding
from operations.queries import query
from operations.rollback import checks
from operations.rollback.conflicts import Table
from operations.rollback.records import Archived, Records, Rollback


def waiting(records: Records, kept: Archived) -> Archived | None:
    """A table that is restored but for such rows, as one to go on with, where it has one of these columns again."""
    if kept.state != "restored" or not kept.left_columns:
        return None
    parameters = {"relation": kept.relation, "columns": kept.left_columns}
    if records.connection.execute(query("rollback/columns_are_back"), parameters).fetchone() != (True,):
        return None
    return replace(kept, state="merging", place=None)


def refuse_unchanged(rollback: Rollback, archived: Iterable[Archived]) -> None:
    """Raise UsageError where nothing but such rows is left, and their columns are not back."""
    if lacking := [f"{', '.join(each.left_columns)} of {each.relation}" for each in archived if each.left_columns]:
        raise UsageError(
            f"Archive {rollback.rollback_id} is restored, but for rows with a value in {'; '.join(lacking)}.",
            f"add the columns (ALTER TABLE … ADD COLUMN …), and `sidb restore {rollback.rollback_id}`.",
        )


@contextmanager
def recorded(records: Records, rollback: Rollback, table: Table) -> Iterator[None]:
    """While the rows of a table are merged: before, those that were left are on their way; after, which are left."""
    _reopen(records, rollback, table)
    yield
    _leave(records, rollback, table)


def _reopen(records: Records, rollback: Rollback, table: Table) -> None:
    """Write down that the rows which were left are on their way, before the first batch of them."""
    if table.only_with:
        statement = SQL("SELECT count(*) FROM {} AS a WHERE {}").format(table.aside, table.is_meant())
        row = records.connection.execute(statement).fetchone()
        assert row is not None
        parameters = {"rollback_id": rollback.rollback_id, "kept_as": table.kept_as, "rows": row[0]}
        records.connection.execute(query("rollback/reopen"), parameters)


def _leave(records: Records, rollback: Rollback, table: Table) -> None:
    """Write down because of which columns rows were left, behind the last batch."""
    columns = [name for name in table.lacking if _rows(records, table, name)]
    parameters = {"rollback_id": rollback.rollback_id, "kept_as": table.kept_as, "columns": columns}
    records.connection.execute(query("rollback/leave_columns"), parameters)


def told(records: Records, rollback: Rollback, tables: dict[str, Table]) -> Iterator[Finding]:
    """A finding for each such column, with the statement that adds it."""
    for kept in records.archived(rollback):
        for name in kept.left_columns if kept.relation in tables else []:
            table = tables[kept.relation]
            column = f"{Identifier(name).as_string()} {table.lacking[name]}"
            yield checks.LEFT.warning(
                f"{_rows(records, table, name):,} rows of {kept.relation} stay in {rollback.archive}: they hold a value"
                f" in {name}, a column that it does not have",
                f"ALTER TABLE {kept.relation} ADD COLUMN {column}; `sidb restore {rollback.rollback_id}` brings them"
                " then; the archive is not to be dropped before.",
            )


def next_step(rollback: Rollback, archived: Iterable[Archived]) -> str:
    """After a restore: what there is to do with the rows that were left, before the archive is dropped."""
    kept = list(archived)
    rows_left = sum(each.rows_left for each in kept)
    drop = f"`sidb restore --drop {rollback.rollback_id}`"
    if not rows_left:
        return f"sidb verify; then `sidb backfill resume`, and {drop} once you are sure."
    lacking = [f"{', '.join(each.left_columns)} of {each.relation}" for each in kept if each.left_columns]
    named = f" (those with a value in {'; '.join(lacking)}: add the columns, and restore)" if lacking else ""
    looked_at = f"{rows_left:,} rows stay in {rollback.archive}{named}: look at them, then {drop}"
    return f"{looked_at}; before, `sidb verify` and `sidb backfill resume`."


def _rows(records: Records, table: Table, column: str) -> int:
    statement = SQL("SELECT count(*) FROM {} AS a WHERE {} AND a.{} IS NOT NULL")
    row = records.connection.execute(statement.format(table.aside, table.is_meant(), Identifier(column))).fetchone()
    assert row is not None
    return int(row[0])
