"""Copies of columns that a downgrade drops, by the key of their table.

They are copied without a lock, while the application goes on; triggers that nothing passes by note the rows that are
written meanwhile, and only those are copied again once the table is locked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import psycopg
from alembic_online import OnlineError, Session, acquire
from alembic_online.parts import Part, written
from alembic_online.retry import RetryPolicy
from psycopg.sql import SQL, Composable, Composed, Identifier

from operations.queries import query
from operations.rollback.only import only
from operations.rollback.records import Records, Rollback

FOLLOW = ("sidb_follow_columns", "sidb_follow_new_columns")
"""The triggers on the table: of an update, and of an insert."""
LONGEST = 47
"""Bytes of a table's name that a copy is called after: with what comes before and behind it, a name has 63."""


@dataclass(frozen=True)
class Copy:
    """Columns of one table, copied at one time into a table of their own in schema `archive`.

    `label` is the table's name, and a number where an archive has an earlier copy of other columns. `rows`: how a
    statement names the table's own rows, without those of tables of others that inherit from it.
    """

    columns: Sequence[Part]
    keys: Sequence[str]
    archive: str
    label: str
    rows: Composed

    @property
    def names(self) -> list[str]:
        return [str(part.column_name) for part in self.columns]

    @property
    def parts(self) -> frozenset[tuple[int, int]]:
        """Which columns they are, whatever others are called."""
        return frozenset(part.key for part in self.columns)

    @property
    def table(self) -> Identifier:
        return self.columns[0].table

    @property
    def kept_as(self) -> str:
        return kept_as(self.label)

    @property
    def kept(self) -> Identifier:
        return Identifier(self.archive, self.kept_as)

    @property
    def changes(self) -> Identifier:
        return Identifier(self.archive, changes_of(self.label))

    @property
    def function(self) -> Identifier:
        return Identifier(self.archive, f"follow {self.label}")

    def is_under_way(self, connection: psycopg.Connection[Any]) -> bool:
        """Whether what is written meanwhile is noted: a copy is followed from its begin to its end."""
        there = connection.execute("SELECT to_regclass(%s) IS NOT NULL", [self.changes.as_string()]).fetchone()
        return there == (True,)

    def follow(self, session: Session, policy: RetryPolicy) -> None:
        """From now on, note the keys of rows in which the columns are written."""
        connection = session.connection
        with connection.transaction():
            connection.execute(self._create_changes())
            connection.execute(self._create_function())
        with connection.transaction():
            what = f"copy of {self.columns[0].table_name}"
            acquire(session, {self.columns[0].table_name: "ShareRowExclusiveLock"}, what, policy)
            for trigger, event, condition in (
                (FOLLOW[0], SQL("UPDATE"), self._changed()),
                (FOLLOW[1], SQL("INSERT"), self._written(connection, SQL("new"))),
            ):
                names = {"trigger": Identifier(trigger), "table": self.table, "function": self.function}
                connection.execute(
                    SQL(
                        "CREATE OR REPLACE TRIGGER {trigger} AFTER {event} ON {table} FOR EACH ROW WHEN ({condition})"
                        " EXECUTE FUNCTION {function}(); ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}"
                    ).format(event=event, condition=condition, **names)
                )

    def take(self, connection: psycopg.Connection[Any]) -> None:
        """Copy the rows that hold a value."""
        keys = _list(self.keys)
        known = SQL(" AND ").join(SQL("{} IS NOT NULL").format(Identifier(key)) for key in self.keys)
        statement = SQL(
            "CREATE TABLE {kept} AS SELECT DISTINCT ON ({keys}) {columns} FROM {rows}"
            " WHERE ({written}) AND {known} ORDER BY {keys};"
            " ALTER TABLE {kept} ADD PRIMARY KEY ({keys}); ANALYZE {kept}"
        )
        parts = {"kept": self.kept, "keys": keys, "columns": _list([*self.keys, *self.names]), "rows": self.rows}
        with connection.transaction():
            connection.execute(statement.format(known=known, written=self._written(connection), **parts))

    def finish(self) -> list[Composed]:
        """The statements that copy the rows noted, and end the noting; for a transaction that holds the table."""
        changed = SQL(", ").join(SQL("{0} = excluded.{0}").format(Identifier(name)) for name in self.names)
        again = SQL(
            "INSERT INTO {kept} ({columns}) SELECT {columns} FROM {rows}"
            " WHERE ({keys}) IN (SELECT {keys} FROM {changes}) ON CONFLICT ({keys}) DO UPDATE SET {changed}"
        ).format(
            kept=self.kept,
            columns=_list([*self.keys, *self.names]),
            rows=self.rows,
            keys=_list(self.keys),
            changes=self.changes,
            changed=changed,
        )
        return [again, *self.unfollow()]

    def give_up(self, session: Session, policy: RetryPolicy) -> None:
        """End it, and leave nothing of it."""
        with session.connection.transaction():
            what = f"end of a copy of {self.columns[0].table_name}"
            acquire(session, {self.columns[0].table_name: "AccessExclusiveLock"}, what, policy)
            steps = [*self.unfollow(), SQL("DROP TABLE IF EXISTS {}").format(self.kept)]
            session.connection.execute(SQL("; ").join(steps))

    def unfollow(self) -> list[Composed]:
        """The statements that end the noting, whatever of it is there."""
        return [
            *(SQL("DROP TRIGGER IF EXISTS {} ON {}").format(Identifier(trigger), self.table) for trigger in FOLLOW),
            SQL("DROP FUNCTION IF EXISTS {}()").format(self.function),
            SQL("DROP TABLE IF EXISTS {}").format(self.changes),
        ]

    def _create_changes(self) -> Composed:
        return SQL("CREATE TABLE {} AS SELECT {} FROM {} WITH NO DATA").format(
            self.changes, _list(self.keys), self.table
        )

    def _create_function(self) -> Composed:
        new = SQL(", ").join(SQL("new.{}").format(Identifier(key)) for key in self.keys)
        return SQL(query("rollback/note_change")).format(
            function=self.function, changes=self.changes, keys=_list(self.keys), new_keys=new
        )

    def _changed(self) -> Composed:
        old, new = (
            SQL(", ").join(SQL("{}.{}").format(SQL(row), Identifier(name)) for name in [*self.keys, *self.names])
            for row in ("old", "new")
        )
        return SQL("CAST(ROW({}) AS record) OPERATOR(pg_catalog.*<>) CAST(ROW({}) AS record)").format(old, new)

    def _written(self, connection: psycopg.Connection[Any], alias: Composable | None = None) -> Composed:
        found = [written(connection, part.table_name, str(part.column_name), alias) for part in self.columns]
        return SQL(" OR ").join(condition for condition in found if condition is not None)


def copy_of(connection: psycopg.Connection[Any], columns: Sequence[Part], rollback: Rollback) -> Copy:
    """How columns of one table are kept. Raises OnlineError where its rows have no key to be found by again."""
    table = columns[0]
    row = connection.execute(query("rollback/key"), {"oid": table.oid}).fetchone()
    if row is None:
        raise OnlineError(
            f"{table.table_name} has no key: the values of {', '.join(part.name for part in columns)} cannot be kept.",
            "give it a primary key; or copy the values aside by hand, then `alembic -x discard-data=yes downgrade`.",
        )
    label = free_label(connection, rollback, table.relation)
    return Copy(columns, row[0], rollback.archive, label, only(connection, table.table))


def kept_as(label: str) -> str:
    """What a copy of columns is called in an archive."""
    return f"columns of {label}"


def changes_of(label: str) -> str:
    """Where it is noted which rows are to be copied again."""
    return f"changed {label}"


def free_label(connection: psycopg.Connection[Any], rollback: Rollback, relation: str) -> str:
    """What a further copy of columns of a table is called after: no other one of the archive is."""
    start = relation.encode()[:LONGEST].decode(errors="ignore")
    for number in count(1):
        label = start if number == 1 else f"{start} {number}"
        names = [kept_as(label), changes_of(label)]
        parameters = {"archive": rollback.archive, "rollback_id": rollback.rollback_id, "names": names}
        if connection.execute(query("rollback/names_are_free"), parameters).fetchone() == (True,):
            return label
    raise AssertionError


def stop_following(session: Session, archive: str) -> None:
    """Take off what interrupted copies left on the tables, and in the archive."""
    for kind, name, removal in _left(session.connection, archive):
        with session.connection.transaction():
            if kind == "table":
                acquire(session, {name: "AccessExclusiveLock"}, "end of an interrupted copy")
            session.connection.execute(removal)


def left_by(records: Records) -> list[str]:
    """The archives of rollbacks whose interrupted copies left anything there, or on the tables."""
    return [each.archive for each in records.all() if _left(records.connection, each.archive)]


def refuse_left(connection: psycopg.Connection[Any]) -> None:
    """Raise OnlineError where a rollback was given up and triggers of its copies are still on a table."""
    there = "SELECT FROM pg_trigger WHERE tgname = ANY(%s) AND NOT tgisinternal LIMIT 1"
    if connection.execute(there, [list(FOLLOW)]).fetchone() is not None:
        raise OnlineError(
            "A rollback that was given up has left triggers of its copies on a table; nothing was changed.",
            "`sidb rollback --abort` removes them.",
        )


def _left(connection: psycopg.Connection[Any], archive: str) -> list[tuple[Any, ...]]:
    parameters = {"triggers": list(FOLLOW), "archive": archive}
    return connection.execute(query("rollback/followed"), parameters).fetchall()


def _list(columns: Sequence[str]) -> Composed:
    return SQL(", ").join(map(Identifier, columns))
