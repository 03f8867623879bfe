"""The partitions of the months to come: each is made before its month begins, with what DEFAULT holds for it; and those
of past months that began without one.

The caller's session has a lock_timeout. A month is made in one transaction, which waits for nobody: what others hold is
tried again a few times, and then left for the next run.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from alembic_online.acquisition import MISSED, retried
from alembic_online.held import reason
from alembic_online.messages import first_line
from alembic_online.quantities import size
from alembic_online.replicas import EXCLUSIVE, Replicas
from alembic_online.retry import RetryPolicy
from alembic_online.sessions import driver
from sqlalchemy import Connection, text

from operations.queries import query

MOST_ROWS = 50_000
"""Rows of a month in DEFAULT that are moved at once: the application waits for DEFAULT meanwhile, about a second."""
MOST_BYTES = 500_000_000
"""Size of DEFAULT up to which a month is attached: all of it is read while writers of features wait, about a second."""
UNLIMITED = 1 << 60
RETRY_SECONDS = 4.0  # s, for a month: what is held for longer is left for the next run
DEFAULT = "analytics_partitions.analytics_events_default"
LOCKS = {
    "public.features": "ShareRowExclusiveLock",
    "analytics.analytics_events": "ShareUpdateExclusiveLock",
    DEFAULT: EXCLUSIVE,
}
"""What making a month locks, as maintenance/make_month.sql does."""
QUIET = "Next: in a quiet hour, sidb maintain --move-all"
FAILED = {
    -1: f"more than {MOST_ROWS:,} rows of it are in the DEFAULT partition, where they are read as before; writers wait"
    f" while they are moved. {QUIET}",
    -2: "rows of it are in the DEFAULT partition, and a foreign key to analytics_events would take them for deleted."
    " Next: drop that foreign key, sidb maintain, and add it again",
    -3: f"the DEFAULT partition is larger than {size(MOST_BYTES)}; PostgreSQL reads all of it before it attaches a"
    f" partition, and writers of features wait meanwhile. {QUIET}",
}
"""Why a month is not made, nor will be by the next run."""


class _Held(str):
    """Who holds the locks of a month, for which it is left."""

    __slots__ = ()


@dataclass(frozen=True)
class Made:
    """What became of the months that were missing.

    Each in its words: `left` says which the next run may make, `failed` which none will until somebody does something.
    """

    months: Sequence[str]
    moved: int
    left: Sequence[str] = ()
    failed: Sequence[str] = ()


def make_months(connection: Connection, replicas: Replicas | None = None, *, move_all: bool = False) -> Made | None:
    """Make what is missing of this month and the three ahead, and past months that the DEFAULT partition has rows of.

    None where events are not partitioned here. While a query on one of the `replicas` reads events, the lock on the
    DEFAULT partition is not asked for. Past months come last: the others are what the application writes to next.
    `move_all`: however many rows DEFAULT holds, and however long writers wait for that.
    """
    with connection.begin():
        events = connection.exec_driver_sql(query("maintenance/events")).one_or_none()
        if events is None or not events.is_partitioned:
            return None
        past = connection.exec_driver_sql(query("maintenance/past_months")).scalars().all() if events.is_ours else []
        missing = connection.execute(text(query("maintenance/missing_months")), {"past": past}).all()
    months: list[str] = []
    left: list[str] = []
    failed: list[str] = []
    moved = 0
    most = (UNLIMITED, UNLIMITED) if move_all else (MOST_ROWS, MOST_BYTES)
    for month, is_ours in missing:
        if not is_ours:
            return Made(months, moved, [f"{month[:7]} is missing: sidb maintain, as the owner of analytics_events"])
        made = _make(connection, month, replicas, most)
        if isinstance(made, _Held):
            left.append(f"{month[:7]}: {made}")
            break  # as it would be for the next one
        if isinstance(made, str):
            failed.append(f"{month[:7]}: {made}")
        else:
            months.append(month[:7])
            moved += made
    return Made(months, moved, left, failed)


def _make(connection: Connection, month: str, replicas: Replicas | None, most: tuple[int, int]) -> int | str:
    """How many rows were moved into the month; or why it is left."""
    session, policy = driver(connection), RetryPolicy(RETRY_SECONDS)

    def make() -> int:
        if replicas is not None:
            policy.began += replicas.wait_for_readers({DEFAULT: EXCLUSIVE}, f"month {month[:7]}")
        with connection.begin():
            session.execute(query("maintenance/make_month"))
            row = session.execute("SELECT pg_temp.make_month(%s, %s, %s)", [month, *most]).fetchone()
            assert row is not None
            return int(row[0])

    try:
        moved = retried(make, policy, connection.engine.url, LOCKS)
    except MISSED as error:
        return _Held(reason(error, connection.engine.url, LOCKS))
    except psycopg.Error as error:  # a table of its name, a partition that overlaps it
        if session.broken:
            raise
        return first_line(error)
    return FAILED.get(moved, moved)
