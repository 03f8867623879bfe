"""Rows of an archive back into tables that hold rows already: in batches by key, each kept with how far it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from operations.errors import SidbError
from operations.guard.asking import again
from operations.guard.options import Options
from operations.guard.patience import Patience
from operations.queries import query
from operations.rollback.archive import KEY
from operations.rollback.misfits import Table
from operations.rollback.records import Archived, Rollback

BATCH = 10_000
FEW = 1_000
"""Rows of Phase 1's tables at once: the application may wait for one of them for as long as a batch takes, 10 ms."""

Report = Callable[[str, int], None]
"""Is told a relation and how many rows a batch had."""


@dataclass(frozen=True)
class Merge:
    """Brings rows back on a session in autocommit mode. `skip`: what does not fit stays in the archive; `renumber`:
    a row whose id a newer one has gets the next free id."""

    connection: psycopg.Connection[Any]
    rollback: Rollback
    skip: bool
    renumber: bool
    report: Report

    def table(self, merged: Table, archived: Archived) -> None:
        """All rows behind the place that was reached."""
        self._beyond_the_archive(merged)
        self._batches(archived, self._insert(merged))

    def columns(self, archived: Archived, columns: list[str], defaults: Mapping[str, SQL]) -> None:
        """The columns of rows in which they still have their defaults; what was written since stays."""
        untouched = SQL(" AND ").join(
            SQL("f.{} IS NOT DISTINCT FROM {}").format(Identifier(column), defaults[column]) for column in columns
        )
        statement = SQL(
            "WITH batch AS (SELECT * FROM {aside} WHERE {key} > %(place)s ORDER BY {key} LIMIT {rows}),"
            " written AS (UPDATE {here} AS f SET {values} FROM batch AS b"
            " WHERE f.{key} = b.{key} AND {untouched} RETURNING 1)"
            " SELECT (SELECT max({key}) FROM batch), (SELECT count(*) FROM batch), (SELECT count(*) FROM written)"
        ).format(
            aside=Identifier(self.rollback.archive, archived.relation.partition(".")[2]),
            here=Identifier(*archived.relation.split(".")),
            key=Identifier(KEY),
            rows=FEW,
            values=SQL(", ").join(SQL("{0} = b.{0}").format(Identifier(column)) for column in columns),
            untouched=untouched,
        )
        self._batches(archived, statement)

    def _insert(self, merged: Table) -> Composed:
        key = Identifier(merged.key)
        chosen: list[Composed | SQL] = []
        for column in merged.columns:
            value = SQL("a.{}").format(Identifier(column))
            if column == merged.key and self.renumber:
                value = SQL("CASE WHEN {} THEN nextval(pg_get_serial_sequence({}, {})) ELSE {} END").format(
                    merged.collides(merged.keys[0]), merged.relation, merged.key, value
                )
            chosen.append(value)
        fitting = SQL(" AND ").join(SQL("NOT ({})").format(merged.vanished(each)) for each in merged.references)
        return SQL(
            "WITH batch AS (SELECT * FROM {aside} WHERE {key} > %(place)s ORDER BY {key} LIMIT {rows}),"
            " written AS (INSERT INTO {here} ({columns}) SELECT {values} FROM batch AS a WHERE {fitting} {conflict}"
            " RETURNING 1)"
            " SELECT (SELECT max({key}) FROM batch), (SELECT count(*) FROM batch), (SELECT count(*) FROM written)"
        ).format(
            aside=merged.aside,
            here=merged.here,
            key=key,
            rows=BATCH,
            columns=SQL(", ").join(map(Identifier, merged.columns)),
            values=SQL(", ").join(chosen),
            fitting=fitting if self.skip and merged.references else SQL("true"),
            conflict=SQL("ON CONFLICT DO NOTHING") if self.skip else SQL(""),
        )

    def _batches(self, archived: Archived, statement: Composed) -> None:
        place: int | None = archived.place if archived.place is not None else -(2**63)
        while place is not None:
            place = again(partial(self._batch, archived, statement, place), Patience(Options().deadline))

    def _batch(self, archived: Archived, statement: Composed, place: int) -> int | None:
        """The rows behind `place`; how far it came, None at the end."""
        try:
            with self.connection.transaction():
                row = self.connection.execute(statement, {"place": place}).fetchone()
                assert row is not None
                last, read, written = row
                if read:
                    keep(
                        self.connection,
                        self.rollback,
                        archived.relation,
                        "merging",
                        place=last,
                        restored=written,
                        left=read - written,
                    )
        except psycopg.errors.UniqueViolation as error:
            raise SidbError(
                f"{archived.relation}: {error.diag.message_detail} It was written just now.",
                "run `sidb restore` again with --renumber or --skip; it goes on where it stopped.",
            ) from None
        self.report(archived.relation, read)
        return int(last) if read else None

    def _beyond_the_archive(self, merged: Table) -> None:
        """New rows get ids behind those of the archive from here on."""
        statement = SQL(
            "SELECT setval(sequence, highest) FROM (SELECT pg_get_serial_sequence({relation}, {key}) AS sequence,"
            " (SELECT max({column}) FROM {aside}) AS highest) AS known WHERE highest > nextval(sequence)"
        ).format(relation=merged.relation, key=merged.key, column=Identifier(merged.key), aside=merged.aside)
        self.connection.execute(statement)


def keep(
    connection: psycopg.Connection[Any],
    rollback: Rollback,
    relation: str,
    state: str,
    *,
    place: int | None = None,
    restored: int = 0,
    left: int = 0,
) -> None:
    """Write down how far a table is, in the open transaction if there is one."""
    parameters = {
        "rollback_id": rollback.rollback_id,
        "relation": relation,
        "state": state,
        "place": place,
        "restored": restored,
        "left": left,
    }
    connection.execute(query("rollback/restored"), parameters)
