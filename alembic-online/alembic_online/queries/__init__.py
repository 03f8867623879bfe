"""The one way to a statement that stands in a file of its own: one .sql file a query, named for what it answers."""

from functools import cache
from pathlib import Path


class Queries:
    """The queries below a folder: ``query("run/blockers")`` is the text of ``run/blockers.sql``.

    Parameters are psycopg's named ones, ``%(name)s``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._text = cache(self._read)

    def __call__(self, name: str) -> str:
        return self._text(name)

    def _read(self, name: str) -> str:
        return (self.folder / f"{name}.sql").read_text(encoding="utf-8")


query = Queries(Path(__file__).parent)
