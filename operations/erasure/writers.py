"""Transactions of the application that have written and not ended: nobody sees yet whose rows they hold."""

import time
from collections.abc import Sequence
from typing import Any

import psycopg

from operations.erasure.pace import Pace
from operations.queries import query


def wait(pace: Pace, tables: Sequence[str], rounds: int, pause: float) -> dict[str, str]:
    """Wait for those that have written to these tables by now, holding nothing meanwhile; by transaction, who has not
    ended after so many looks, `pause` seconds apart."""
    waiting = _writers(pace, tables)
    for _ in range(rounds):
        if not waiting:
            break
        time.sleep(pause)
        waiting = still_open(pace, tables, waiting)
    return waiting


def still_open(pace: Pace, tables: Sequence[str], waiting: dict[str, str]) -> dict[str, str]:
    """Those of them that have not ended."""
    return {each: who for each, who in _writers(pace, tables).items() if each in waiting} if waiting else {}


def _writers(pace: Pace, tables: Sequence[str]) -> dict[str, str]:
    def asked(connection: psycopg.Connection[Any]) -> dict[str, str]:
        return dict(connection.execute(query("erasure/writers"), {"tables": [*tables]}).fetchall())

    return pace.transaction(asked)
