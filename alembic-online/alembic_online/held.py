"""Who holds what a statement waited for until lock_timeout, found out when it has failed."""

from collections.abc import Mapping

import psycopg
from sqlalchemy import URL, Connection, NullPool
from sqlalchemy.exc import DBAPIError

from alembic_online.blockers import Blocker, Blockers
from alembic_online.database import engine
from alembic_online.errors import OnlineError
from alembic_online.lock_modes import conflicting
from alembic_online.messages import first_line
from alembic_online.queries import query
from alembic_online.sessions import driver, process

ROWS = "RowExclusiveLock"
"""The lock that writing rows of a table needs; reading them needs a weaker one."""
MOST = 3
"""Sessions that are named."""
AGAIN = "run it again when that session has ended its transaction"


def reason(error: BaseException, where: Connection | URL, locks: Mapping[str, str] | None = None) -> str:
    """The first line of a database's error; of a lock that could not be acquired, who holds such locks.

    `where` it was: the connection, of which another transaction may still be open, or an address. `locks` (relation to
    mode) are those that were asked for, where that is known.
    """
    if not is_missed(error):
        return first_line(error)
    if isinstance(where, URL):
        return f"locked by {named(where, 0, locks)}"
    return f"locked by {named(where.engine.url, process(where), locks)}"


def is_missed(error: BaseException) -> bool:
    """Whether it is a lock that could not be acquired in time."""
    return isinstance(error.orig if isinstance(error, DBAPIError) else error, psycopg.errors.LockNotAvailable)


def named(url: URL, ours: int, locks: Mapping[str, str] | None = None) -> str:
    """The holders, as a sentence goes on; `ours` is a session that is none of them."""
    found = holders(url, ours, locks)
    if not found:
        return "another session"
    guess = "another session, perhaps " if not any(each.is_certain for each in found) else ""
    more = f", and {len(found) - MOST} more" if len(found) > MOST else ""
    return f"{guess}{', '.join(map(str, found[:MOST]))}{more}"


def holders(url: URL, ours: int = 0, locks: Mapping[str, str] | None = None) -> list[Blocker]:
    """The sessions beside which nobody can read, or nobody can write, rows of some table, or acquire these locks.

    Where there are none, and it is not known which locks were asked for, those whose transactions have been open for
    more than a second; none where it is not known.
    """
    try:
        with engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as opened:
            connection = driver(opened)
            rows = connection.execute(
                query("run/held_against_rows"), {"modes": conflicting(ROWS), "ours": ours}
            ).fetchall()
            found, against_rows = Blockers(connection, ours, None), {relation: ROWS for (relation,) in rows}
            return found.blockers(against_rows) if locks is None else found.holders({**against_rows, **locks})
    except (OnlineError, psycopg.Error, DBAPIError):
        return []
