"""Phase 1 as it is deployed: its tables, its nightly scorer, a realistic sample. For the demo, the rehearsal and tests.

The statements are Phase 1's own, in ``queries/phase1``; nothing here may know of Phase 2.
"""

from enum import StrEnum

from sqlalchemy import Connection, text

from operations.queries import query


class Shape(StrEnum):
    """What ``hot_niches_today`` is: a table, or (in deployments of the public code) a materialized view."""

    TABLE = "table"
    MATVIEW = "matview"


def create(connection: Connection, shape: Shape) -> None:
    """Create Phase 1's objects, empty."""
    _run(connection, "features")
    _run(connection, f"hot_niches_today_{shape}")


def sample(connection: Connection, niches: int) -> None:
    """Fill ``features`` with so many niches, the same at every run but for the time of day."""
    connection.execute(text(query("phase1/sample")), {"niches": niches})


def refresh(connection: Connection, shape: Shape) -> None:
    """Renew ``hot_niches_today`` as a Phase 1 program does."""
    _run(connection, f"refresh_{shape}")


def score(connection: Connection, shape: Shape) -> None:
    """What the nightly scorer does, in the caller's transaction: score every niche, then refresh."""
    _run(connection, "score")
    refresh(connection, shape)


def _run(connection: Connection, name: str) -> None:
    connection.exec_driver_sql(query(f"phase1/{name}"), execution_options={"no_parameters": True})
