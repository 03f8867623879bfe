"""What others have built on what a step drops or replaces: it would be in the way."""

from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import Connection

from alembic_online.catalog.dependants import advice
from alembic_online.catalog.dependants import dependants as users_of
from alembic_online.catalog.snapshot import Identity, query, snapshot
from alembic_online.planned import Obstacle, Planned
from alembic_online.scope import Scope

RELATIONS = ("table ", "view ", "materialized view ", "column ")


def dependants(connection: Connection, scope: Scope, steps: Sequence[Planned]) -> Iterator[Obstacle]:
    """One obstacle for all that uses what goes, with the statements that drop it and that make it again."""
    going = set().union(*(step.going for step in steps)) if steps else set()
    if not _there(connection, scope, going):
        return
    seen = snapshot(connection, scope)
    replaced = {line.partition(" ")[2] for step in steps for line in step.lines if line.startswith("changed ")}
    used = {
        (user.name, each)
        for user, uses in seen.uses.items()
        if user.kind == "foreign"
        for each in uses
        if (str(each) in going or str(seen.parent(each)) in going)
        and not (str(each) in replaced and user.name.startswith("index "))  # one that is replaced brings its own
    }
    if not used:
        return

    def by(each: Identity) -> str:
        going = (step.script.revision for step in steps if {str(each), str(seen.parent(each))} & step.going)
        is_anew = str(each) in replaced or str(seen.parent(each)) in replaced
        return f"{next(going)} {'replaces' if is_anew else 'drops'}"

    found = users_of(connection, scope, going)
    again = [each for each in found if not each.obstacle]
    of_theirs = [each for each in found if not each.obstacle or not each.removal]
    when = "afterwards" if steps[0].direction == "upgrade" else "when what they use is there again"
    yield Obstacle(
        "\n  ".join(sorted({f"{user} uses {_named(each)}, which {by(each)}" for user, each in used})),
        f"have their owners {advice(of_theirs, 'these')}, run it again, which is safe, and have"
        f" them made again {when}; until then whoever reads them gets an error, and nobody else.",
        afterwards="".join(each.sql for each in again),
    )


def _there(connection: Connection, scope: Scope, going: Collection[str]) -> bool:
    """Whether one of them may be there; without a lock on anything."""
    if any(not each.startswith(RELATIONS) for each in going):
        return True
    parameters = {"schemas": list(scope.schemas), "shared": list(scope.shared), "names": sorted(going)}
    return bool(connection.scalar(query("any_there"), parameters))


def _named(identity: Identity) -> str:
    return ".".join(filter(None, (identity.schema, identity.name, identity.part)))
