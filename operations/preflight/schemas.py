"""Others' schemas with the names of those that the upgrade makes: asked before the first step, and by preflight."""

from collections.abc import Iterator, Sequence

from alembic_online import Obstacle, Planned
from psycopg.sql import Literal

from operations.findings import Check, Finding
from operations.preflight.context import Context, judged

SCHEMAS = Check(
    "schemas",
    "A schema that the upgrade makes (analytics, analytics_partitions; analytics_phase1 where hot_niches_today is a"
    " materialized view) is not another team's already. It would be taken over: rights of everybody revoked, and what"
    " it holds treated as Phase 2's. It may be there if it is empty but for extensions, without a comment and without"
    " rights for everybody, and where a rollback left it.",
    "have its owner rename the schema.",
)


def obstacles(context: Context, steps: Sequence[Planned]) -> Iterator[Obstacle]:
    """One for each schema that these steps would take over."""
    revisions = [step.script.revision for step in steps if step.direction == "upgrade"]
    for row in context.rows("schemas_taken", revisions=revisions):
        ours = Literal(row.ours).as_string()
        yield Obstacle(
            f"schema {row.name} is there, and is not Phase 2's: {row.why}",
            f"have its owner rename it (ALTER SCHEMA {row.name} RENAME TO …), or drop it if nobody needs it; only if an"
            f" earlier upgrade of this project made it: COMMENT ON SCHEMA {row.name} IS {ours};",
        )


def schemas(context: Context, steps: Sequence[Planned]) -> Finding:
    """One verdict for all of it."""
    found = list(obstacles(context, steps))
    remedy = " ".join(each.next_step for each in found) or None
    return judged(SCHEMAS, "none is another team's", [each.what for each in found], remedy=remedy)
