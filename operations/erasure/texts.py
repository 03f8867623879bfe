"""Ids in what the backfill wrote down: rejected records, and errors of rows that were set aside."""

from collections.abc import Collection, Iterator
from functools import partial
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier, Literal

from backfill import erased
from backfill.tables import JobState, Pause, Range, Reject, SetAside
from operations.erasure.pace import Pace
from operations.erasure.places import leaves
from operations.erasure.records import Erasure, keep_place
from operations.erasure.users import MENTIONED

TEXTS: dict[str, tuple[str, ...]] = {
    f"sidb.{model.__tablename__}": columns
    for model, columns in (
        (Reject, ("reason", "content")),
        (SetAside, ("error",)),
        (Range, ("error",)),
        (JobState, ("stopped",)),
        (Pause, ("detail",)),
    )
}
"""Texts by table; the first of each says afterwards why the rest is gone."""
PAGES = 1_024
ESCAPED = SQL("(strpos({value}, chr(92)) > 0 OR strpos({value}, '\"\"') > 0)")
"""Whether a text may hold an id in other characters than its own, as JSON and CSV write some: it has to be read."""


def hide(connection: psycopg.Connection[Any], erasure: Erasure) -> None:
    """Take texts out that name one of the session's users, in the open transaction."""
    for relation in _there(connection):
        statement = SQL("UPDATE {} AS t SET {} WHERE {}").format(
            _identifier(relation), _hidden(relation), MENTIONED.format(value=_text(relation))
        )
        if rows := connection.execute(statement).rowcount:
            keep_place(connection, erasure, relation, rows)


def count(connection: psycopg.Connection[Any], user_ids: Collection[str]) -> Iterator[tuple[str, int]]:
    """Texts that name one of the session's users, by table."""
    for relation in _there(connection):
        named = MENTIONED.format(value=_text(relation))
        statement = SQL("SELECT count(*) FROM {} AS t WHERE {}").format(_identifier(relation), named)
        row = connection.execute(statement).fetchone()
        statement = SQL("SELECT {} FROM {} AS t WHERE {} AND NOT {}").format(
            _text(relation), _identifier(relation), ESCAPED.format(value=_text(relation)), named
        )
        read = sum(not erased.words(text).isdisjoint(user_ids) for (text,) in connection.execute(statement))
        yield relation, read + (int(row[0]) if row else 0)


def hide_by_hash(pace: Pace, erasure: Erasure, *, is_known: bool) -> None:
    """The same by hashing each word, as a load does with what it rejects: of all texts where the ids are not known,
    else of those in which one may be escaped."""
    for relation in pace.transaction(_there):
        value = _text(relation)
        meant = ESCAPED.format(value=value) if is_known else SQL("{} <> ''").format(value)
        for leaf in pace.transaction(partial(leaves, relation=relation)):
            for part in leaf.parts(PAGES):
                chosen = SQL("SELECT t.ctid::text, {} FROM {} AS t WHERE {} AND {} FOR UPDATE").format(
                    value, leaf.identifier, part, meant
                )
                pace.batch([relation], partial(_hide_part, pace, erasure, relation, chosen))


def _hide_part(
    pace: Pace, erasure: Erasure, relation: str, chosen: Composed, connection: psycopg.Connection[Any]
) -> int:
    found = connection.execute(chosen).fetchall()
    meant = erased.mentioning(pace.connection, [value for _, value in found])
    places = [place for (place, _), is_meant in zip(found, meant, strict=True) if is_meant]
    if places:
        statement = SQL("UPDATE {} AS t SET {} WHERE t.ctid = ANY(%s::tid [])")
        connection.execute(statement.format(_identifier(relation), _hidden(relation)), [places])
        keep_place(connection, erasure, relation, len(places))
    return len(places)


def _there(connection: psycopg.Connection[Any]) -> list[str]:
    asked = "SELECT w.relation FROM unnest(%s::text []) AS w (relation) WHERE to_regclass(w.relation) IS NOT NULL"
    return [row[0] for row in connection.execute(asked, [list(TEXTS)])]


def _text(relation: str) -> Composed:
    columns = SQL(", ").join(SQL("t.{}").format(Identifier(name)) for name in TEXTS[relation])
    return SQL("concat_ws(E'\\n', {})").format(columns)


def _hidden(relation: str) -> Composed:
    values = [*erased.HIDDEN.values()]
    pairs = zip(TEXTS[relation], values, strict=False)
    return SQL(", ").join(SQL("{} = {}").format(Identifier(name), Literal(value)) for name, value in pairs)


def _identifier(relation: str) -> Identifier:
    return Identifier(*relation.split("."))
