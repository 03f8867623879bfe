"""What a change of a column's type does to foreign keys: PostgreSQL makes them anew, and locks both of their tables."""

import re

from alembic_online.catalog import constraints
from alembic_online.catalog.snapshot import Column, Identity, Snapshot
from alembic_online.catalog.statements import FOREIGN_KEY, called

LENGTH = re.compile(r"\s*\([\d, ]+\)")


def of(column: Identity, snapshot: Snapshot) -> list[Identity]:
    """Those of a column, and that refer to it, but for others', which are in the way."""
    users = snapshot.users(column)
    return [user for user in users if user.kind == "constraint" and FOREIGN_KEY.match(snapshot[user])]


def locked(column: Identity, snapshot: Snapshot) -> tuple[str, ...]:
    """The other tables that a change of type locks."""
    keys = of(column, snapshot)
    tables = {called(key) for key in keys} | {other for key in keys for other in constraints.others(snapshot, key)}
    return tuple(sorted(tables - {called(column)}))


def checked_anew(column: Identity, snapshot: Snapshot, new: Column) -> str | None:
    """Those for which PostgreSQL may read all rows when the type changes: they compare by another operator then."""
    if _comparison(snapshot.columns[column].type) == _comparison(new.type):
        return None
    return ", ".join(map(str, of(column, snapshot))) or None


def _comparison(type_name: str) -> str:
    return LENGTH.sub("", type_name).replace("character varying", "text")
