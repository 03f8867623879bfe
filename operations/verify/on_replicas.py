"""The application's queries on its replicas, while upkeep refreshes on the primary what they read."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace

import psycopg
from alembic_online.database import engine, shown
from alembic_online.errors import OnlineError
from alembic_online.messages import first_line
from alembic_online.replica import Identity, NoStandbyError, Replica, identity, reason
from alembic_online.sessions import driver
from sqlalchemy import URL, NullPool
from sqlalchemy.exc import DBAPIError

from operations import maintenance
from operations.findings import Check, Finding
from operations.queries import query
from operations.replicas import APPLICATION
from operations.scope import QUALIFIED
from operations.verify.readers import READERS, within_budget
from operations.verify.subject import WHOLE, Subject

READERS_ON_REPLICAS = Check(
    "readers on replicas",
    "The readers' budgets on each replica that is named, while materialized views are refreshed on the primary: replay"
    " must not make them wait.",
    f"see that the replica keeps up and what holds up replay there (sidb status --replica …); else {READERS.remedy}",
)
ADDRESS = "correct the address (--replica, SIDB_REPLICAS), or leave it out."
PAUSE = 0.2  # seconds between two rounds of upkeep


def readers_there(url: URL, addresses: Sequence[URL], say: Callable[[str], None]) -> Iterator[Finding]:
    """Findings for each reader on each replica, and one of what was refreshed meanwhile. Raises OnlineError where the
    primary cannot be reached.
    """
    with engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        primary = identity(driver(connection))
    with _upkeep(url) as refreshed:
        for address in addresses:
            there = address if address.database else address.set(database=primary.name)
            if (refused := _refused(there, primary)) is not None:
                yield refused
                continue
            yield from _measured(there, say)
    if refreshed.failure:
        yield READERS_ON_REPLICAS.unknown(f"nothing was refreshed meanwhile: {refreshed.failure}")
    else:
        yield READERS_ON_REPLICAS.ok(f"{refreshed.views} views refreshed on the primary meanwhile")


def _refused(there: URL, primary: Identity) -> Finding | None:
    """Why nothing is measured at an address; None: it is a replica of this primary."""
    try:
        with closing(Replica(there, primary, APPLICATION)) as replica:
            replica.readers({})
    except NoStandbyError as error:
        return READERS_ON_REPLICAS.failed(reason(error), ADDRESS)
    except (psycopg.Error, OnlineError) as error:
        return _unreachable(there, error)
    return None


def _measured(there: URL, say: Callable[[str], None]) -> Iterator[Finding]:
    try:
        with engine(there, poolclass=NullPool, execution_options=QUALIFIED).connect() as connection:
            for found in within_budget(Subject(connection, WHOLE, say)):
                yield replace(found, check=READERS_ON_REPLICAS.name, detail=f"{found.detail} on {shown(there)}")
    except (psycopg.Error, DBAPIError, OnlineError) as error:
        yield _unreachable(there, error)


def _unreachable(there: URL, error: Exception) -> Finding:
    error = error.orig if isinstance(error, DBAPIError) and isinstance(error.orig, Exception) else error
    return READERS_ON_REPLICAS.unknown(
        f"{shown(there)} cannot be reached: {reason(error)}", f"see that it runs; {ADDRESS}"
    )


class _Refreshed:
    """How many views were refreshed, and what ended that."""

    views = 0
    failure = ""


@contextmanager
def _upkeep(url: URL) -> Iterator[_Refreshed]:
    """Beside the block: every view is marked as stale and refreshed, again and again; at least once."""
    done, over = _Refreshed(), threading.Event()

    def keep_up() -> None:
        try:
            with engine(url, changing=True, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
                while not (over.is_set() and done.views):
                    marked = driver(connection).execute(query("verify/mark_views")).rowcount
                    found = maintenance.run(url).tasks
                    done.views += sum(each.amount for each in found if each.task == maintenance.REFRESH)
                    if over.wait(PAUSE) and not marked:
                        return
        except (psycopg.Error, DBAPIError, OnlineError) as error:
            done.failure = first_line(error)

    thread = threading.Thread(target=keep_up, name="upkeep beside readers", daemon=True)
    thread.start()
    try:
        yield done
    finally:
        over.set()
        thread.join()
