"""The statements of the rollout, one file a query, each named for what it answers."""

from functools import cache
from pathlib import Path

HERE = Path(__file__).parent


@cache
def query(name: str) -> str:
    """The text of ``<name>.sql``, with psycopg's named parameters: ``query("guard/blockers")``."""
    return (HERE / f"{name}.sql").read_text(encoding="utf-8")
