"""Moving aside what a downgrade drops: tables whole and at once, columns copied by key.

It is the engine's `Keeper`: a table moves in the downgrade's own transaction, when the downgrade is about to drop it,
so that it is in the archive if and only if the step is applied. An empty table takes its place, to be dropped. What the
archive holds is what `sidb.rollback_archived` says of it: a table whole, copies of columns of it, or both.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from alembic_online import OnlineError, Session, parts
from alembic_online.parts import Part
from alembic_online.retry import RetryPolicy
from psycopg.sql import SQL, Composed, Identifier

from operations.queries import query
from operations.rollback import inheriting
from operations.rollback.copies import Copy, copy_of, free_label, kept_as
from operations.rollback.records import Rollback


class Archive:
    """Keeps what the downgrades of one rollback drop, in its schema; `session` is the rollback's own."""

    def __init__(self, session: Session, rollback: Rollback) -> None:
        self.session = session
        self.rollback = rollback
        self.schema = rollback.archive
        self.copies: dict[int, Copy] = {}
        """By table, the copy that was begun last, before a step."""
        self.taken: set[str] = set()
        """Those of which all rows were copied, and what was written meanwhile is noted."""

    def prepare(self, columns: Sequence[Part], policy: RetryPolicy) -> None:
        """Copy the columns; their changes are followed from then on. What can be computed again is small: later."""
        if all(part.computed for part in columns):
            return
        connection, oid = self.session.connection, columns[0].oid
        before = self.copies.get(oid)
        if before is not None and before.is_under_way(connection):
            if before.kept_as in self.taken and before.parts == {part.key for part in columns}:
                return
            before.give_up(self.session, policy)  # of other columns, or stopped by an error
        with connection.transaction():
            for statement in self._create_schema():
                connection.execute(statement)
        copy = copy_of(connection, columns, self.rollback)
        self.copies[oid] = copy
        copy.follow(self.session, policy)
        copy.take(connection)
        self.taken.add(copy.kept_as)

    def columns(self, session: Session, columns: Sequence[Part]) -> None:
        """Finish the copy of the columns; those of which none is under way are copied now."""
        connection = session.connection
        inheriting.refuse(connection, columns, inheriting.IN_A_STEP)
        copy = self.copies.get(columns[0].oid)
        rest = list(columns)
        if copy is not None and copy.kept_as in self.taken and copy.is_under_way(connection):
            connection.execute(SQL("; ").join([*copy.finish(), self._record_columns(copy)]))
            self._supersede(connection, copy)
            rest = [part for part in columns if part.key not in copy.parts]
        if rest:
            connection.execute(SQL("; ").join(self._create_schema()))
            now = copy_of(connection, rest, self.rollback)
            now.take(connection)
            connection.execute(self._record_columns(now))
            self._supersede(connection, now)

    def table(self, session: Session, table: Part) -> None:
        """Move the table, with its partitions; what triggers fill need not be kept."""
        connection = session.connection
        if table.computed or (room := self._make_room(connection, table)) is None:
            return
        with connection.transaction() as looking:
            connection.execute("SET LOCAL search_path = ''")  # so that names are printed in full
            parameters = {"relation": table.table_name}
            found = connection.execute(query("rollback/foreign_keys_and_triggers"), parameters).fetchall()
            partitions = connection.execute(query("rollback/partitions"), parameters).fetchall()
            raise psycopg.Rollback(looking)  # the setting would last as long as the step's transaction
        moved = Identifier(self.schema, table.relation)
        steps = [
            *self._create_schema(),
            *room,
            *(SQL("{}").format(SQL(removal)) for removal, _ in found),
            SQL("ALTER TABLE {} SET SCHEMA {}").format(table.table, Identifier(self.schema)),
            *(SQL("ALTER TABLE {} SET SCHEMA {}").format(SQL(name), Identifier(self.schema)) for (name,) in partitions),
            SQL("CREATE TABLE {} (LIKE {})").format(table.table, moved),
            self._record_table(table, [definition for _, definition in found]),
        ]
        connection.execute(SQL("; ").join(steps))

    def _make_room(self, connection: psycopg.Connection[Any], table: Part) -> list[Composed] | None:
        """The statements that give another name to a copy of columns that older code has called like the table; None:
        an earlier step of this rollback has kept the table, and left an empty one in its place.

        Raises OnlineError where that holds rows by now, or another schema's table of that name is kept.
        """
        parameters = {
            "rollback_id": self.rollback.rollback_id,
            "archive": self.schema,
            "relation": table.table_name,
            "name": table.relation,
        }
        row = connection.execute(query("rollback/in_archive"), parameters).fetchone()
        is_kept, is_taken, other_table, key = row if row is not None else (False, False, None, None)
        if is_kept:
            if parts.holds(connection, table):
                raise OnlineError(
                    f"{table.table_name} was written to since it was put aside.",
                    f"move its rows elsewhere, or delete them: {self.schema} holds all that there were before.",
                )
            return None
        if other_table is not None:
            if not parts.holds(connection, table):
                return None
            raise OnlineError(
                f"{table.table_name} cannot be put aside: {self.schema} keeps {other_table}, which has the same name.",
                "copy its rows into a table of another name, delete them here, and run `sidb rollback` again.",
            )
        return self._rename(connection, table.relation, key) if is_taken else []

    def _rename(self, connection: psycopg.Connection[Any], copy: str, key: str | None) -> list[Composed]:
        """The statements by which a copy of columns gets the name that this code gives to one."""
        label = free_label(connection, self.rollback, copy)
        name = kept_as(label)
        steps = [SQL("ALTER TABLE {} RENAME TO {}").format(Identifier(self.schema, copy), Identifier(name))]
        if key is not None:  # its index would be in the way of the table's
            renamed = SQL("ALTER TABLE {} RENAME CONSTRAINT {} TO {}")
            steps.append(renamed.format(Identifier(self.schema, name), Identifier(key), Identifier(f"key of {label}")))
        recorded = SQL("UPDATE sidb.rollback_archived SET kept_as = {} WHERE rollback_id = {} AND kept_as = {}")
        return [*steps, recorded.format(name, self.rollback.rollback_id, copy)]

    def close(self) -> None:
        """What an interrupted copy left is taken off when the rollback goes on, or is aborted."""

    def _create_schema(self) -> list[Composed]:
        number, target = self.rollback.rollback_id, self.rollback.target
        comment = f"Put aside by the rollback to {target}: sidb restore {number}, or sidb restore --drop {number}"
        schema = Identifier(self.schema)
        return [
            SQL("CREATE SCHEMA IF NOT EXISTS {}").format(schema),
            SQL("COMMENT ON SCHEMA {} IS {}").format(schema, comment),
        ]

    def _record_table(self, table: Part, definitions: list[str]) -> Composed:
        return SQL(
            "INSERT INTO sidb.rollback_archived (rollback_id, relation, kept_as, definitions)"
            " VALUES ({}, {}, {}, {}::text [])"
        ).format(self.rollback.rollback_id, table.table_name, table.relation, definitions)

    def _record_columns(self, copy: Copy) -> Composed:
        table, numbers = copy.columns[0], [part.attnum for part in copy.columns]
        return SQL(
            "INSERT INTO sidb.rollback_archived (rollback_id, relation, kept_as, kept_columns, source, numbers)"
            " VALUES ({}, {}, {}, {}::text [], {}::oid, {}::smallint [])"
        ).format(self.rollback.rollback_id, table.table_name, copy.kept_as, copy.names, table.oid, numbers)

    def _supersede(self, connection: psycopg.Connection[Any], copy: Copy) -> None:
        """A column is kept in one place: an earlier copy, of when a part of a step was committed, gives way."""
        parameters = {
            "rollback_id": self.rollback.rollback_id,
            "source": copy.columns[0].oid,
            "numbers": [part.attnum for part in copy.columns],
            "kept_as": copy.kept_as,
        }
        for name, is_empty in connection.execute(query("rollback/supersede"), parameters).fetchall():
            if is_empty:
                connection.execute(SQL("DROP TABLE {}").format(Identifier(self.schema, name)))
                forget = "DELETE FROM sidb.rollback_archived WHERE rollback_id = %s AND kept_as = %s"
                connection.execute(forget, [self.rollback.rollback_id, name])
