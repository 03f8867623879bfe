"""Composed statements that are run with parameters: a percent sign of a name or a literal is no placeholder.

psycopg looks for placeholders in the whole text of a statement that has parameters, names included.
"""

from collections.abc import Iterable
from typing import Any, Self

import psycopg
from psycopg.rows import Row
from psycopg.sql import Composable, Composed, Identifier, Literal


class Printed(Composable):
    """SQL as PostgreSQL prints it, such as a quoted name, a type or an expression: there are no placeholders in it."""

    def as_bytes(self, context: Any = None) -> bytes:
        return self.as_string(context).encode()

    def as_string(self, context: Any = None) -> str:
        return str(self._obj)


class _Doubled(Printed):
    """The same, with every percent sign doubled."""

    def as_string(self, context: Any = None) -> str:
        return self._obj.as_string(context).replace("%", "%%")  # type: ignore[no-any-return]


def with_parameters(statement: Composable) -> Composable:
    """The statement as it has to be where it is run with parameters."""
    if isinstance(statement, Composed):
        return Composed([with_parameters(part) for part in statement])
    return _Doubled(statement) if isinstance(statement, Identifier | Literal | Printed) else statement


class Cursor(psycopg.Cursor[Row]):
    """That of our sessions, which takes names as they are, whether a statement has parameters or not."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        return super().execute(_meant(query, params), params, **options)

    def executemany(self, query: Any, params_seq: Iterable[Any], **options: Any) -> None:
        super().executemany(_meant(query, params_seq), params_seq, **options)


def _meant(query: Any, params: Any) -> Any:
    return with_parameters(query) if params is not None and isinstance(query, Composable) else query
