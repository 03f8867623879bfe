"""What a database holds, for comparing it with what it held before or with another one."""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine

CATALOG = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")

Catalog = dict[str, dict[str, Any]]


def catalog(engine: Engine) -> Catalog:
    """Every object by its description, but for PostgreSQL's own and the rollout's records; privileges in order."""
    with engine.connect() as connection:
        # Names that can be found on the path would be printed without their schema.
        connection.exec_driver_sql("SET LOCAL search_path = pg_catalog")
        rows = connection.exec_driver_sql(CATALOG, execution_options={"no_parameters": True}).all()
        connection.rollback()
    for _, definition in rows:
        definition["privileges"] = sorted(definition.get("privileges") or [])
    return dict(rows)  # type: ignore[arg-type]


def contents(engine: Engine, *queries: str) -> list[str]:
    """A hash of each query's rows, whatever their order."""
    with engine.connect() as connection:
        return [
            connection.exec_driver_sql(
                f"SELECT md5(string_agg(q::text, '|' ORDER BY q::text)) FROM ({query}) AS q"  # noqa: S608
            ).scalar_one()
            for query in queries
        ]
