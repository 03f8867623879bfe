"""What is found: objects of others on what a project shares with them, or beside what is its own."""

import re

from sqlalchemy import Connection

from alembic_online.catalog.snapshot import Identity, Snapshot, qualified_names, query
from alembic_online.scope import Scope


def names(connection: Connection, scope: Scope, here: Snapshot, target: Snapshot) -> list[str]:
    """Each by its kind and name: what others have on shared relations, but for what the models know as theirs; what
    uses something of the project's; extensions' objects and partitions in its schemas; publications, event triggers,
    default privileges and statistics targets that concern it.
    """
    on_shared = {str(identity) for identity in here.others - target.others if identity.kind != "privilege"}
    own = {identity for identity in here if identity.kind != "schema"}  # which everything in it uses
    users = {user.name for user, used in here.uses.items() if user.kind == "foreign" and used & own}
    parameters = {"schemas": list(scope.schemas), "shared": list(scope.shared), "bookkeeping": scope.bookkeeping}
    with qualified_names(connection):
        beside = connection.scalars(query("found"), parameters).all()
    return sorted({*on_shared, *users, *beside})


def with_others_query(target: Snapshot, here: Snapshot, scope: Scope) -> Snapshot:
    """The target, in which a view whose query wraps that of others wraps the one that is here."""
    changed = {}
    for relation, added in scope.shared.items():
        schema, _, name = relation.partition(".")
        for kind in ("view", "materialized_view"):
            identity = Identity(kind, schema, name)
            if added.view is not None and identity in here and identity in target:
                changed[identity] = _wrapped(added.view, target[identity], here[identity])
    return target.with_definitions(changed)


def _wrapped(pattern: re.Pattern[str], wrapper: str, wrapped: str) -> str:
    """A query with the groups of a pattern as they are in another one; as it is, where one does not match."""
    into, taken = pattern.search(wrapper), pattern.search(wrapped)
    if into is None or taken is None:
        return wrapper
    for group in range(pattern.groups, 0, -1):
        start, end = into.span(group)
        wrapper = wrapper[:start] + taken[group] + wrapper[end:]
    return wrapper
