"""The statements that read an index's rows: from the table, by the index, and those that one of them lacks."""

from typing import Any

from alembic_online.composed import Printed
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from operations.verify.subject import Subject, columns, template


def indexed_rows(subject: Subject, index: Any) -> Composed:
    """The rows of the table that belong into an index: how many, and a hash of their keys."""
    return template("indexed_rows", **_rows(index), keys=_keys(index), **_share(subject))


def rows_of_index(subject: Subject, index: Any) -> Composed:
    """The same as a scan in the index's order gives, and how many rows come in another order."""
    before = [
        SQL("lag({}) OVER by_index AS {}").format(Printed(each), _before(place))
        for place, each in enumerate(index.expressions, 1)
    ]
    misplaced = [
        SQL("WHEN {} THEN true WHEN {} THEN false").format(
            _comes_after(index, place, _before(place), _name(place)),
            _comes_after(index, place, _name(place), _before(place)),
        )
        for place, _ in enumerate(index.expressions, 1)
    ]
    return template(
        "rows_of_index",
        **_rows(index),
        named=_named(index),
        names=_names(index),
        before=SQL(", ").join(before),
        misplaced=SQL(" ").join(misplaced),
        orders=SQL(", ").join(map(Printed, index.orders)),
        **_share(subject),
    )


def duplicates(subject: Subject, index: Any) -> Composed:
    """Keys that more than one row of the table has."""
    known = SQL("true") if index.is_null_a_value else SQL("num_nulls({}) = 0").format(_keys(index))
    return template(
        "duplicates",
        **_rows(index),
        known=known,
        keys=_keys(index),
        named=_named(index),
        names=_names(index),
        places=SQL(", ").join(SQL(str(place)) for place, _ in enumerate(index.expressions, 1)),
        **_share(subject),
    )


def not_indexed(index: Any) -> Composed:
    """Some rows of the table to which the index does not lead."""
    equal = [SQL("{} = d.{}").format(Printed(each), _name(place)) for place, each in enumerate(index.expressions, 1)]
    return template(
        "not_indexed",
        **_rows(index),
        key=SQL(", ").join(map(Identifier, index.key)),
        named=_named(index),
        names=_names(index),
        equal=SQL(" AND ").join(equal),
    )


def _comes_after(index: Any, place: int, one: Identifier, other: Identifier) -> Composed:
    """Whether one key follows the other in the index, by its operator class, collation and options at this place."""
    lower, higher = (one, other) if index.descending[place - 1] else (other, one)
    more_nulls = SQL("<" if index.nulls_first[place - 1] else ">")
    return SQL(
        "CASE WHEN num_nulls(d.{one}, d.{other}) > 0 THEN num_nulls(d.{one}) {more_nulls} num_nulls(d.{other})"
        " ELSE d.{lower}{collation} {less_than} d.{higher} END"
    ).format(
        one=one,
        other=other,
        lower=lower,
        higher=higher,
        more_nulls=more_nulls,
        collation=Printed(index.collations[place - 1]),
        less_than=Printed(index.less_than[place - 1]),
    )


def _rows(index: Any) -> dict[str, Composable]:
    return {"indexed": Identifier(*index.indexed), "predicate": Printed(index.predicate)}


def _share(subject: Subject) -> dict[str, Composable]:
    return {name: Literal(value) for name, value in subject.share.items()}


def _keys(index: Any) -> Composed:
    return SQL(", ").join(map(Printed, index.expressions))


def _named(index: Any) -> Composed:
    named = enumerate(index.expressions, 1)
    return SQL(", ").join(SQL("{} AS {}").format(Printed(each), _name(place)) for place, each in named)


def _names(index: Any) -> Composed:
    return columns([f"key_{place}" for place, _ in enumerate(index.expressions, 1)], "d")


def _name(place: int) -> Identifier:
    return Identifier(f"key_{place}")


def _before(place: int) -> Identifier:
    return Identifier(f"before_{place}")
