"""Acquiring locks without standing in front of traffic.

The locks that a step declares are acquired together, before its first statement, and released together when one of
them is not to be had. `alembic_online.retry` says how long each attempt waits, for all of them together.
"""

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg.sql import SQL, Composed, Identifier
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from alembic_online import lock_modes
from alembic_online.blockers import TELL_EVERY, Blocker
from alembic_online.errors import OnlineError
from alembic_online.held import holders
from alembic_online.options import Options
from alembic_online.queries import query
from alembic_online.replicas import EXCLUSIVE
from alembic_online.retry import RetryPolicy
from alembic_online.sessions import Session

Done = TypeVar("Done")
Statement = Callable[[int], Composed]
"""From the ms to wait (0: not at all) to the statement that acquires a lock."""

log = logging.getLogger("alembic.online")

MISSED = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)
"""What is tried again; nothing else is."""
DROPPED = (psycopg.errors.InternalError_,)
"""What PostgreSQL says of an object that the catalog lists and that is gone by now ("could not open relation with OID",
"cache lookup failed"). It says so, too, of a catalog that is damaged: hence so many tries and no more."""
DROPPED_TRIES = 10
READ = "AccessShareLock"
"""The lock under which PostgreSQL prints a view."""
IDLE = (60, 10, 1)
"""Limits for idle sessions, in seconds: offered is the longest that ends one of those that are in the way now."""
TELL_AFTER = 1.0  # seconds of misses before it is said who is in the way

VIEWS: dict[str, LiteralString] = {"m": "MATERIALIZED VIEW", "v": "VIEW"}
"""What LOCK TABLE refuses, or locks with all that it is built on."""


def acquire(session: Session, locks: Mapping[str, str], what: str, policy: RetryPolicy | None = None) -> None:
    """Acquire all locks (relation to mode, as pg_locks names it) in the session's open transaction.

    Relations are named as in SQL, quoted where they must be; those that do not exist are left out. An AccessExclusive
    lock is asked for only while no replica that the session minds has a long query on its relation; that time is not
    the policy's. `what` they are for is said where somebody is in the way; attempts are made until the session's
    deadline is over, or by `policy`. Raises OnlineError, naming who is in the way, when that is over; nothing is held
    then.
    """
    policy = policy or RetryPolicy(session.options.deadline)
    statements = _statements(session.connection, locks)
    if not statements:
        return
    began = time.monotonic()
    if EXCLUSIVE in locks.values():
        policy.began += session.replicas.wait_until_replayed(what, policy.interrupt)
    while True:
        policy.began += session.replicas.wait_for_readers(locks, what, policy.interrupt)
        wait = policy.next_wait(partial(session.blockers.longest, locks))
        try:
            _attempt(session.connection, statements, wait)
            break
        except MISSED:
            session.blockers.missed(locks, what)
            if policy.over:
                raise gave_up(what, policy, session.blockers.blockers(locks), session.options) from None
            policy.pause()
    policy.waited += time.monotonic() - began


def _attempt(connection: psycopg.Connection[Any], statements: Sequence[Statement], wait: int) -> None:
    """Acquire all, waiting for so many ms in all: whoever queues behind the first lock waits for the others, too."""
    with connection.transaction():  # inside the open one: a savepoint, whose rollback releases them
        end = time.monotonic() + wait / 1000
        for statement in statements:
            asked = time.monotonic()
            left = max(math.ceil((end - asked) * 1000), 0)
            try:
                connection.execute(statement(left))
            except psycopg.errors.QueryCanceled:
                if not left or time.monotonic() - asked < left / 1000:  # somebody's
                    raise
                raise psycopg.errors.LockNotAvailable(f"not all locks were acquired within {wait} ms") from None


def retried(work: Callable[[], Done], policy: RetryPolicy, url: URL, locks: Mapping[str, str] | None = None) -> Done:
    """Do it, and do it again when it misses a lock, until `policy` is over; what it began must be undone by then.

    Who holds locks in the database of `url` is said after a second, and again when it is somebody else. `locks`: those
    that it asks for, where that is known.
    """
    looked, told = time.monotonic() - TELL_EVERY + TELL_AFTER, ""
    while True:
        try:
            return work()
        except (DBAPIError, *MISSED) as error:
            if policy.over or not isinstance(error.orig if isinstance(error, DBAPIError) else error, MISSED):
                raise
            if time.monotonic() - looked > TELL_EVERY:
                looked, found = time.monotonic(), holders(url, locks=locks)
                if (pids := str([each.pid for each in found])) != told:
                    told = pids
                    log.info("Waiting for %s", ", ".join(map(str, found)) or "a lock of another session")
            policy.pause()


def until_read(
    session: Session, read: Callable[[], Done], what: str, wanted: Callable[[], Mapping[str, str]] | None = None
) -> Done:
    """Read the catalog until nobody is in the way: PostgreSQL locks a view to print it. What was dropped between being
    listed and being printed is an error of PostgreSQL's: that is read again, too.

    `wanted` says which locks (relation to mode) that may be about, for those who hold them to be named; without, all
    that printing may take. Raises OnlineError, naming them, when the session's deadline is over.
    """
    policy = RetryPolicy(session.options.deadline)
    wanted, dropped = wanted or partial(_printed, session), 0
    while True:
        policy.tries += 1
        try:
            return read()
        except (psycopg.Error, DBAPIError) as error:
            original = error.orig if isinstance(error, DBAPIError) else error
            dropped += isinstance(original, DROPPED)
            if not isinstance(original, (*MISSED, *DROPPED)) or dropped > DROPPED_TRIES:
                raise
        session.blockers.missed(wanted(), what)
        if policy.over:
            raise gave_up(what, policy, session.blockers.blockers(wanted()), session.options)
        policy.pause()


def _printed(session: Session) -> dict[str, str]:
    """The locks under which PostgreSQL prints what stands in the catalog."""
    return {name: READ for _, _, name in session.observer.execute(query("run/relations"))}


def gave_up(what: str, policy: RetryPolicy, blockers: list[Blocker], options: Options) -> OnlineError:
    """The error that ends a step which did not get its locks."""
    lines = [f"  {blocker.named}" for blocker in blockers] or ["  nobody now: others were, in turn"]
    within = f"within {policy.seconds:.0f} s ({policy.attempts} of a few milliseconds each)"
    return OnlineError(
        "\n".join([f"{what}: could not acquire its locks {within}.", *lines]),
        _next_step(blockers, options),
    )


def _next_step(blockers: list[Blocker], options: Options) -> str:
    """What to do about them; each way that is offered works on one that is certainly in the way."""
    certain = [each for each in blockers if each.is_certain]
    sessions = [each for each in certain if not each.is_prepared and not each.is_autovacuum]
    idle = [each for each in sessions if each.is_idle and each.may_end]
    when = " when these transactions have ended" if blockers else ""
    ways = [
        f"run it again{when}, which is safe: what is done stays",
        f"let it wait longer ({options.written('deadline', '1h')})",
    ]
    if idle:
        longest = max(each.state_seconds for each in idle)
        after = next((f"{limit}s" for limit in IDLE if limit < longest), f"{IDLE[-1]}s")
        ways.append(
            f"let it disconnect those that are idle in a transaction for longer than {after}"
            f" ({options.written('end-idle-after', after)}), which loses their open work"
        )
    if theirs := [each for each in sessions if each not in idle]:
        by = "" if all(each.may_end for each in theirs) else " by an administrator"
        calls = ", ".join(f"pg_terminate_backend({each.pid})" for each in theirs)
        ways.append(f"have them ended{by} (SELECT {calls};), which loses their open work")
    if any(each.is_prepared for each in certain):
        ways.append("end what was prepared, as its line says")
    role = next((each.hidden_from for each in sessions if each.hidden_from), None)
    hidden = f" What is hidden is shown after an administrator's GRANT pg_monitor TO {role};" if role else ""
    return f"{', or '.join(ways)}.{hidden}"


def _statements(connection: psycopg.Connection[Any], locks: Mapping[str, str]) -> list[Statement]:
    """For each relation that exists, what locks it."""
    found = connection.execute(query("run/lockable"), {"relations": list(locks)}).fetchall()
    return [_statement(name, kind, owner, limit, lock_modes.sql(locks[name])) for name, kind, owner, limit in found]


def _statement(name: str, kind: str, owner: str, limit: str | None, mode: str) -> Statement:
    relation = SQL(name)  # as to_regclass has read it
    if kind in VIEWS:  # a change that changes nothing locks them, and 1 ms is the least to wait
        change = SQL("ALTER " + VIEWS[kind] + " {} OWNER TO {}").format(relation, Identifier(owner))
        return lambda wait: SQL("SET LOCAL lock_timeout = {}; {}").format(max(wait, 1), change)
    table = SQL("LOCK TABLE {} IN " + mode + " MODE").format(relation)
    waiting = SQL("SET LOCAL lock_timeout = {0}; {1}")
    if limit is not None:  # lock_timeout counts anew for each partition
        within = (
            "SET LOCAL lock_timeout = {0}; SET LOCAL statement_timeout = {0}; {1}; SET LOCAL statement_timeout = {2}"
        )
        waiting = SQL(within)
    return lambda wait: waiting.format(wait, table, limit) if wait else table + SQL(" NOWAIT")
