"""What of this product's would stop a step, or is worth knowing before the first one: the engine asks before each run.

The answers are preflight's own.
"""

from collections.abc import Iterator, Sequence

from alembic_online import Obstacle, Planned
from sqlalchemy import Connection

from operations.findings import Finding
from operations.preflight import others, partitioning, roles, schemas, server, space
from operations.preflight.context import Context, Request


def obstacles(connection: Connection, steps: Sequence[Planned]) -> Iterator[Obstacle]:
    """What preflight would say about these steps, but for what 1.0.0 says itself. Changes nothing."""
    asked = Context(connection.engine.url, connection, Request())
    revisions = {step.script.revision for step in steps if step.direction == "upgrade"}
    yield from schemas.obstacles(asked, steps)
    yield from roles.replacing(asked, steps)
    if asked.value("waits_for_standby"):  # what sessions begin with otherwise is pinned for ours
        yield Obstacle(server.NO_STANDBY, server.SETTINGS.remedy)
    yield from _failed(space.for_steps(asked, steps))
    yield from partitioning.obstacles(asked, steps)
    if revisions:
        yield from (Obstacle(each.what, each.remedy, stops=False) for each in others.noticed(asked))


def _failed(found: Finding) -> Iterator[Obstacle]:
    if found.verdict == "failed":
        yield Obstacle(f"{found.check}: {found.detail}", found.remedy)
