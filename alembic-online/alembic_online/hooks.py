"""SQLAlchemy's hooks of a run: around each statement, however it is executed, and before each commit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, event

Execute = Callable[[psycopg.Connection[Any], str, Callable[[], object]], bool]
"""Given the connection, a statement and what executes it; True where that was done."""


@contextmanager
def hooked(engine: Engine, execute: Execute, before_commit: Callable[[Connection], None]) -> Iterator[None]:
    """Have these called for all connections of the engine, until the end of the block."""

    def one(cursor: psycopg.Cursor[Any], statement: str, parameters: Any, _context: Any) -> bool:
        return execute(cursor.connection, statement, partial(cursor.execute, statement, parameters))

    def many(cursor: psycopg.Cursor[Any], statement: str, parameters: Any, _context: Any) -> bool:
        return execute(cursor.connection, statement, partial(cursor.executemany, statement, parameters))

    def without_parameters(cursor: psycopg.Cursor[Any], statement: str, _context: Any) -> bool:
        return execute(cursor.connection, statement, partial(cursor.execute, statement))

    hooks: dict[str, Callable[..., Any]] = {
        "do_execute": one,
        "do_executemany": many,
        "do_execute_no_params": without_parameters,
        "commit": before_commit,
    }
    for name, hook in hooks.items():
        event.listen(engine, name, hook)
    try:
        yield
    finally:
        for name, hook in hooks.items():
            event.remove(engine, name, hook)
