"""What others have built on what a step drops or replaces: it would be in the way."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from alembic_online.catalog.snapshot import Identity, Snapshot, qualified_names, snapshot
from alembic_online.catalog.snapshot import query as catalog_query
from alembic_online.catalog.statements import whole
from alembic_online.planned import Obstacle, Planned
from alembic_online.scope import Scope

WITHOUT_ROWS = (
    "function",
    "constraint",
    "index",
    "view",
    "materialized_view",
    "trigger",
    "rule",
    "policy",
    "statistics",
)
"""What its definition makes again as it was."""


def dependants(connection: Connection, scope: Scope, steps: Sequence[Planned]) -> Iterator[Obstacle]:
    """One obstacle for all that uses what goes, with the statements that drop it and that make it again."""
    going = set().union(*(step.going for step in steps)) if steps else set()
    if not _there(connection, scope, going):
        return
    seen = snapshot(connection, scope)
    replaced = {line.partition(" ")[2] for step in steps for line in step.lines if line.startswith("changed ")}
    users = [
        (user.name, used)
        for user, uses in seen.uses.items()
        if user.kind == "foreign"
        for used in uses
        if (str(used) in going or str(seen.parent(used)) in going)
        and not (str(used) in replaced and user.name.startswith("index "))  # one that is replaced brings its own
    ]
    if not users:
        return
    named = {(user, ".".join(filter(None, (used.schema, used.name, used.part)))) for user, used in users}
    removals, definitions = _again(connection, scope, {used for _, used in users})
    dropping = f" ({'; '.join(removals)};)" if removals else ""
    when = "afterwards" if steps[0].direction == "upgrade" else "when what they use is there again"
    yield Obstacle(
        "\n  ".join(f"{user} uses {used}" for user, used in sorted(named)),
        f"have their owners drop these{dropping}, run it again, and have them made again {when}.",
        afterwards="".join(f"{each};\n" for each in definitions),
    )


def _there(connection: Connection, scope: Scope, going: Collection[str]) -> bool:
    """Whether one of them may be there; without a lock on anything."""
    if any(not each.startswith(("table ", "view ", "materialized view ", "column ")) for each in going):
        return True
    parameters = {"schemas": list(scope.schemas), "shared": list(scope.shared), "names": sorted(going)}
    return bool(connection.scalar(catalog_query("any_there"), parameters))


def _again(connection: Connection, scope: Scope, used: Collection[Identity]) -> tuple[list[str], list[str]]:
    """The statements that drop what uses these, and what uses that, and those that make it again; its rows not."""
    names = {"schemas": [each.schema for each in used], "names": [each.name for each in used]}
    with qualified_names(connection):
        schemas = list(connection.scalars(catalog_query("schemas_of_users"), names))
        owners = {
            (row.schema, row.name): row.statement
            for row in connection.execute(catalog_query("owned"), {"schemas": schemas})
        }
    live = snapshot(connection, replace(scope, schemas=(*scope.schemas, *schemas), shared={}))
    users = [
        each
        for each in _users(live, used)
        if each.kind in WITHOUT_ROWS and not scope.owns(each.kind, each.schema, each.name, each.part)
    ]
    tops = [each for each in users if live.parent(each) not in users]
    definitions = []
    for each in tops:
        first, *rest = whole(live, each)
        owner = owners.get((each.schema, each.name)) if not each.part else None
        definitions += [first, *([owner] if owner else []), *rest]
    return [live.removals[each] for each in reversed(tops)], definitions


def _users(live: Snapshot, used: Collection[Identity]) -> list[Identity]:
    """What uses these, and what uses that, in order of creation."""
    found = set(used)
    waiting = list(found)
    while waiting:
        next_one = waiting.pop()
        parts = [next_one, *(each for each in live if live.parent(each) == next_one)]
        for user in {user for part in parts for user in live.users(part)} - found:
            found.add(user)
            waiting.append(user)
    return [each for each in live if each in found and each not in used]
