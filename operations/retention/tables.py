"""The tables whose rows go when their time is over, and how long a deployment keeps them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from alembic_online.errors import UsageError

from models import AnalyticsEvent, Base
from operations.bookkeeping import RETENTION, open_records
from operations.queries import query


@dataclass(frozen=True)
class Kept:
    """A table in schema analytics; by which column its rows grow old, and its key.

    `months`: for how long the service's contract keeps them, as the model says. A deployment's setting is its own.
    """

    name: str
    time: str
    key: str
    months: int

    @property
    def relation(self) -> str:
        return f"analytics.{self.name}"


def _kept() -> Iterator[Kept]:
    for table in sorted(Base.metadata.tables.values(), key=lambda each: each.name):
        if (period := table.info.get("retention")) is not None:
            yield Kept(table.name, period.column, next(iter(table.primary_key)).name, period.months)


TABLES = tuple(_kept())
EVENTS = next(each for each in TABLES if each.name == AnalyticsEvent.__tablename__)
NAMES = ", ".join(each.name for each in TABLES)
PERIODS = ", ".join(f"{each.name} {each.months} months" for each in TABLES)
"""The contract's."""

PERIOD = re.compile(r"\s*(\d{1,4})\s*(month|year)s?\s*", re.IGNORECASE)
LONGEST = 1200  # months


@dataclass(frozen=True)
class Setting:
    """For how many whole months rows are kept, and the UTC day from which on that is: the first of a month."""

    months: int
    kept_from: date


def settings(connection: psycopg.Connection[Any]) -> dict[str, Setting] | None:
    """What is switched on, by table; None where this role may not see it."""
    usable = connection.execute(query("retention/usable")).fetchone()
    if usable is None or usable[0] is None:
        return {}
    if not usable[0]:
        return None
    return {name: Setting(*rest) for name, *rest in connection.execute(query("retention/settings")).fetchall()}


def keep(connection: psycopg.Connection[Any], wanted: dict[str, int | None]) -> None:
    """Keep the rows of each table for so many months; None: for ever. The connection is in autocommit mode."""
    open_records(connection, RETENTION)
    with connection.transaction():
        for name, months in wanted.items():
            if months is None:
                connection.execute("DELETE FROM sidb.retention WHERE relation = %s", [name])
            else:
                connection.execute(query("retention/keep"), {"relation": name, "months": months})


def wanted(keep: Iterable[str], off: Iterable[str]) -> dict[str, int | None]:
    """For `keep` below: of "analytics_events=24 months" and of tables that are kept for ever. Raises UsageError."""
    found: dict[str, int | None] = {named(name).name: None for name in off}
    for name, months in map(parse, keep):
        if name in found:
            raise UsageError(f"{name} is named twice.", "say either how long, or off.")
        found[name] = months
    return found


def parse(text: str) -> tuple[str, int]:
    """A table and its months, of "analytics_events=24 months" or "…=2 years". Raises UsageError."""
    name, _, period = text.partition("=")
    found = PERIOD.fullmatch(period)
    months = int(found[1]) * (12 if found[2].lower() == "year" else 1) if found else 0
    if not 0 < months <= LONGEST:
        raise UsageError(
            f"{text!r} is no table with a period of 1 to {LONGEST} months.",
            f"write it as --keep '{EVENTS.name}=24 months'.",
        )
    return named(name).name, months


def named(name: str) -> Kept:
    """The table of this name, with or without its schema. Raises UsageError."""
    for each in TABLES:
        if name.strip() in (each.name, each.relation):
            return each
    raise UsageError(f"{name.strip()!r} is not a table whose rows expire.", f"name one of {NAMES}.")
