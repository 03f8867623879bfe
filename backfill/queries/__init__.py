"""The statements of the backfill, one file a query, each named for what it answers."""

from functools import cache
from pathlib import Path

from sqlalchemy import TextClause, text

HERE = Path(__file__).parent


@cache
def query(name: str) -> TextClause:
    """The statement that stands in ``<name>.sql``."""
    return text(source(name))


def source(name: str) -> str:
    """The same as it stands there, for another statement to hold it."""
    return (HERE / f"{name}.sql").read_text(encoding="utf-8")
