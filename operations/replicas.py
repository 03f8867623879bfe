"""The replicas that readers use, as commands look at them: at their own addresses, a finding each."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import psycopg
from alembic_online.database import engine
from alembic_online.errors import OnlineError
from alembic_online.quantities import duration, listed
from alembic_online.replica import NoStandbyError, Replica, identity, reason
from alembic_online.replica_lag_limits import LAG, LAG_WARNING
from alembic_online.replicas import EXCLUSIVE
from alembic_online.sessions import driver
from sqlalchemy import URL, NullPool

from models import Base
from operations.findings import Check, Finding
from operations.queries import query

REPLICA = Check(
    "replica",
    "A replica named by --replica or SIDB_REPLICAS: it follows this primary closely; replay waits there for 2 s at most"
    " (max_standby_streaming_delay), since readers wait behind it; hot_standby_feedback is on, or VACUUM on the primary"
    " cancels its queries; nothing reads our tables for long.",
    "where the API reads: ALTER SYSTEM SET max_standby_streaming_delay = '2s'; ALTER SYSTEM SET hot_standby_feedback ="
    " on; SELECT pg_reload_conf(). Reports belong on a replica of their own. One that is behind: see what holds up"
    " replay there (pg_stat_activity, pg_wal_replay_resume()).",
)
ADVISED = 2.0
"""Seconds: the max_standby_streaming_delay that is advised where an application reads."""
LONG = 1.0
"""Seconds from which on a query on our tables is named."""
APPLICATION = "sidb replicas"


def findings(url: URL, addresses: Sequence[URL]) -> list[Finding]:
    """Look at each replica beside the primary at `url`. Raises OnlineError where that one cannot be reached."""
    if not addresses:
        return []
    with engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        return list(beside(driver(connection), addresses))


def beside(primary: psycopg.Connection[Any], addresses: Sequence[URL]) -> Iterator[Finding]:
    """A finding for each replica of the primary, on a session of it in autocommit mode."""
    for each in addresses:
        known = identity(primary)
        address = each if each.database else each.set(database=known.name)
        with closing(Replica(address, known, APPLICATION)) as replica:
            yield _finding(replica, primary)


def lag(replica: Replica, primary: psycopg.Connection[Any], most: float = LAG_WARNING) -> float:
    """Seconds until it has replayed what the primary had written when it was asked.

    After `most` of them it is no longer waited for: then for how long nothing has arrived there.
    """
    row = primary.execute(query("replicas/written")).fetchone()
    began = time.monotonic()
    while not (found := replica.replay(str(row[0] if row else ""))).replayed:
        waited = time.monotonic() - began
        if waited > most:
            return max(waited, found.seconds)
        time.sleep(0.02)
    return time.monotonic() - began


def _finding(replica: Replica, primary: psycopg.Connection[Any]) -> Finding:
    try:
        behind = lag(replica, primary)
        row = replica.connection.execute(query("replicas/state")).fetchone()
        delay, feedback, paused = row or (None, True, False)
        readers = replica.readers(dict.fromkeys(_tables(), EXCLUSIVE), older=LONG)
    except NoStandbyError as error:
        return REPLICA.failed(reason(error), "correct the address (--replica, SIDB_REPLICAS), or leave it out.")
    except (psycopg.Error, OnlineError) as error:
        start = "see that it runs and can be reached from here; correct the address (--replica, SIDB_REPLICAS)."
        return REPLICA.unknown(f"{replica} cannot be reached: {reason(error)}", start)
    waits = "for as long as a query takes" if delay is None else f"{duration(float(delay))} at most"
    doubtful = [f"replay waits {waits} (advised: {duration(ADVISED)})"] if delay is None or delay > ADVISED else []
    doubtful += [] if feedback else ["hot_standby_feedback is off"]
    doubtful += ["replay is paused"] if paused else []
    doubtful += [str(reader) for reader in readers]
    said = f"{replica} is {duration(behind)} behind"
    if behind > LAG:
        return REPLICA.failed(listed([said, *doubtful]))
    if behind > LAG_WARNING or doubtful:
        return REPLICA.warning(listed([said, *doubtful], 4))
    return REPLICA.ok(f"{said}; replay waits {waits}")


def _tables() -> list[str]:
    """Our tables, Phase 1's with them, by their full names."""
    return [f"{table.schema or 'public'}.{table.name}" for table in Base.metadata.tables.values()]
