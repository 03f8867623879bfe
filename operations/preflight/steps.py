"""What would stop one of the steps that an upgrade runs: the engine's own questions, asked ahead of it."""

from collections.abc import Iterable

from alembic_online import Obstacle, Planned, look
from alembic_online.quantities import listed

from operations.findings import Check, Finding
from operations.preflight import partitioning as months
from operations.preflight import phase1, roles
from operations.preflight import schemas as taken
from operations.preflight.context import Context, Questions
from operations.scope import SCOPE
from operations.upgrade import known_revision_of, script_directory

PRIVILEGES = Check(
    "privileges",
    "The migrating role may do what the steps do, down to the last statement: it owns what they alter, may create"
    " schemas and Alembic's table, owns the records of earlier runs, and can copy the privileges of a materialized"
    " view. A membership WITH INHERIT FALSE gives none of this.",
    "have an administrator run the statements named.",
)
DEPENDANTS = Check(
    "dependants",
    "Views, functions and whatever else others have built on what a step drops or replaces: on a materialized view "
    "hot_niches_today, which revisions 2.0.4 and 2.2.1 replace, and on trending_niches, which 2.2.1 does.",
    "drop what depends on it, and create it anew after the upgrade.",
)
LOCK_TABLE = Check(
    "lock table",
    "Whether the server has room for the locks of the largest step: max_locks_per_transaction, times connections.",
    "raise max_locks_per_transaction, and restart the server.",
)


def pending(context: Context) -> list[Planned]:
    """The steps that an upgrade would run. Raises UnclearError."""
    at = known_revision_of(context.sqlalchemy) if phase1.revision(context) else None
    scripts = script_directory().iterate_revisions("head", at or "base")
    return [Planned(script, "upgrade") for script in reversed(list(scripts))]


def privileges(context: Context) -> Finding:
    steps = pending(context)
    lacks = [*look.privileges(context.sqlalchemy, SCOPE, steps), *roles.replacing(context, steps)]
    if lacks:
        return PRIVILEGES.failed(listed([each.what for each in lacks], 5), _statements(lacks))
    if missing := list(look.groups(context.sqlalchemy, SCOPE, steps)):
        return PRIVILEGES.warning(listed([each.what for each in missing]), _statements(missing))
    return PRIVILEGES.ok("all that it needs")


def dependants(context: Context) -> Finding:
    found = list(look.dependants(context.sqlalchemy, SCOPE, pending(context)))
    if not found:
        return DEPENDANTS.ok("none in the way")
    [obstacle] = found
    again = f" Afterwards:\n{obstacle.afterwards}" if obstacle.afterwards else ""
    lines = [line.strip() for line in obstacle.what.splitlines()]
    return DEPENDANTS.failed("; ".join(lines), f"{obstacle.next_step}{again}")


def lock_table(context: Context) -> Finding:
    found = list(look.lock_table(context.sqlalchemy, pending(context)))
    return LOCK_TABLE.failed(found[0].what, found[0].next_step) if found else LOCK_TABLE.ok("large enough")


def partitioning(context: Context) -> Finding:
    return months.partitioning(context, pending(context))


def schemas(context: Context) -> Finding:
    return taken.schemas(context, pending(context))


def _statements(obstacles: Iterable[Obstacle]) -> str:
    start = "as an administrator: "
    return start + " ".join(each.next_step.removeprefix(start) for each in obstacles)


QUESTIONS: Questions = {
    PRIVILEGES: privileges,
    DEPENDANTS: dependants,
    LOCK_TABLE: lock_table,
    months.PARTITIONING: partitioning,
    taken.SCHEMAS: schemas,
}
