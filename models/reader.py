"""Readers: the queries that the application sends, in ``readers/``, one SQL file each; they are the contract with it.

A file says in its header what it answers, its parameters and its time budget. ``text(reader.sql)`` runs it.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

READERS = Path(__file__).parent / "readers"


@dataclass(frozen=True)
class Reader:
    """A reader's query by its name, as in ``Reader("trend_chart")``. FileNotFoundError: there is none of that name."""

    name: str

    @property
    def sql(self) -> str:
        """The statement, with parameters written ``:name`` as ``sqlalchemy.text`` reads them."""
        return (READERS / f"{self.name}.sql").read_text(encoding="utf-8")

    @property
    def budget_ms(self) -> int:
        """Milliseconds that 95 of 100 answers may take at most (header line ``-- budget: 500 ms``).

        ValueError: the header does not say.
        """
        budget = re.search(r"^-- budget: (\d+) ms$", self.sql, re.MULTILINE)
        if budget is None:
            raise ValueError(f"{self.name}.sql states no budget. Next: add a header line such as '-- budget: 500 ms'")
        return int(budget[1])

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters; all must be given, None stands for the default where the header names one."""
        return tuple(text(self.sql).compile().params)


def readers() -> tuple[Reader, ...]:
    """Every reader, by name."""
    return tuple(Reader(path.stem) for path in sorted(READERS.glob("*.sql")))
