"""`sidb erase`: tombstones first, then every place, then what was derived; each piece can be done again.

Killed at any moment, an erasure is finished from its tombstones alone: ids are found by hashing those that there are.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from alembic_online import OnlineError, Options, UsageError
from alembic_online.database import engine, look, shown
from alembic_online.held import reason
from alembic_online.sessions import driver
from psycopg.sql import SQL
from rich.console import Console
from sqlalchemy import URL, Connection, NullPool
from sqlalchemy.exc import DBAPIError

from backfill import bookkeeping, erased
from models import PARTITIONS
from operations.bookkeeping import ERASURES, open_records
from operations.erasure import certificate, niches, payloads, places, records, rows, texts, users, writers
from operations.erasure.certificate import Certificate
from operations.erasure.look import refuse_lacking_rights
from operations.erasure.pace import Pace
from operations.erasure.records import Erasure, Tombstone
from operations.queries import query
from operations.rollback.records import alone
from operations.scope import QUALIFIED
from operations.status.half_way import refuse_half_way
from operations.upgrade import said

ROUNDS = 50
"""How often tables are looked at again while there are rows that a session has locked, or goes on writing."""
WAIT = 0.1
"""Seconds between two looks."""
RESUME = "sidb erase --resume"


@dataclass(frozen=True)
class Asked:
    """Who is to be erased: users by their ids, or those of certificates; neither: the erasure that was interrupted."""

    user_ids: Sequence[str] = ()
    again: Sequence[Tombstone] = ()


@dataclass
class _Work:
    """An erasure at its work. `user_ids` are those that are known, or were found by their hashes.

    `writers`: transactions that had written when the tombstones were set, and had not ended when they were waited for.
    `sharing`: the same of the backfill's, which may have written to any table since it was erased from.
    """

    pace: Pace
    erasure: Erasure
    user_ids: set[str] = field(default_factory=set)
    writers: dict[str, str] = field(default_factory=dict)
    sharing: list[str] = field(default_factory=list)

    def live(self) -> list[str]:
        """The tables that applications write to, by their names."""
        return [table.name for table in self.pace.transaction(places.tables) if table.is_live]


def erase(
    url: URL, asked: Asked, console: Console, options: Options, share: float = 1.0, file: Path | None = None
) -> Certificate:
    """Erase, and give the certificate, which is written into `file`. Raises OnlineError, which names no id.

    `share`: what part of the time it takes beside the application, once many rows went.
    """
    if file is not None:
        certificate.refuse_existing(file)
    with working(url) as connection, connection.begin():
        refuse_lacking_rights(driver(connection))
    path = look(url, changing=True, path=None).path
    known = set(asked.user_ids)
    with said(console), alone(url, options, sole=True) as kept, _unnamed(known, url):
        refuse_half_way(kept.connection)
        open_records(kept.connection, ERASURES)
        with working(url) as connection, console.status("Erasing") as status:
            with connection.begin():
                bookkeeping.bring_up_to_date(connection)
            pace = Pace(connection, path, share, options.deadline, console)
            work = _Work(pace, pace.transaction(partial(_begun, asked)), known)
            _identify(work, asked)
            _erase_all(work, is_known=bool(asked.user_ids), told=status.update)
            analysed, niches_left = niches.analyse(pace, work.erasure)
            out_of_reach = [*_forget_statistics(work), *pace.transaction(_written_elsewhere)]
            uncommitted = {*work.sharing, *writers.still_open(pace, work.live(), work.writers).values()}
            left = _erase_live(work) + _erase_locked(work)  # also what has been committed by then
            searched = work.user_ids if len(work.user_ids) <= users.MOST else set()
            mentions = payloads.find(pace, lambda name: status.update(f"Searching {name}")) if searched else []
            made = pace.transaction(
                lambda session: Certificate(
                    places=records.places(session, work.erasure),
                    left=left,
                    uncommitted=sorted(uncommitted),
                    niches_analysed=analysed,
                    niches_left=niches_left,
                    mentions=mentions,
                    out_of_reach=[*certificate.OUT_OF_REACH, *out_of_reach],
                    **_facts(session, url, work.erasure, len(searched)),
                )
            )
            if file is not None:
                certificate.write(made, file)
            if made.exit_code == 0:
                pace.transaction(lambda session: records.reached(session, work.erasure, "finished"))
    return made


@contextmanager
def working(url: URL) -> Iterator[Connection]:
    """The session that erases: on the application's path, since others' triggers fire."""
    named = {"application_name": "sidb erase"}
    made = engine(url, path=None, changing=True, poolclass=NullPool, execution_options=QUALIFIED, connect_args=named)
    with made.connect() as connection:
        yield connection


def _begun(asked: Asked, session: psycopg.Connection[Any]) -> Erasure:
    """The erasure that is asked for: a new one, whose tombstones are set, or one that was interrupted."""
    pending = next(iter(records.unfinished(session)), None)
    if pending is not None:
        if asked != Asked() and not _is_same(session, pending, asked):
            raise OnlineError(
                f"Erasure no. {pending.erasure_id}, begun {pending.begun:%Y-%m-%d %H:%M} UTC, is not finished;"
                " nothing of this one was begun.",
                f"{RESUME}, and then this one again.",
            )
        return pending
    if asked == Asked():
        raise UsageError("No erasure was interrupted.", "sidb erase USER_ID…")
    begun = records.begin(session)
    if asked.user_ids:
        records.set_tombstones(session, begun, asked.user_ids)
        found = set(asked.user_ids)
    else:
        records.repeat_tombstones(session, begun, asked.again)
        found = users.identify(session, places.tables(session), begun.erasure_id)
    users.remember(session, found)
    for table in places.tables(session):
        if table.is_live:
            records.keep_place(session, begun, table.name, 0, rows.count(session, table))
    if asked.user_ids:  # so that they need not be known to whoever goes on
        texts.hide(session, begun)
    return begun


def _is_same(session: psycopg.Connection[Any], pending: Erasure, asked: Asked) -> bool:
    """Whether these are the users of an erasure that was interrupted."""
    set_ = records.tombstones(session, pending)
    if asked.again:
        return set(asked.again) == set(set_)
    secrets = {each.secret for each in set_}
    hashes = {erased.digest(secret, user_id) for user_id in asked.user_ids for secret in secrets}
    return hashes == {each.user_hash for each in set_}


def _identify(work: _Work, asked: Asked) -> None:
    """Make the users known to the session; by their hashes, when nobody writes any more who may have missed these."""
    if not asked.user_ids:
        _wait_for_others(work)

    def identify(session: psycopg.Connection[Any]) -> set[str]:
        found = set(asked.user_ids) or users.identify(session, places.tables(session), work.erasure.erasure_id)
        users.remember(session, found)
        return found

    work.user_ids |= work.pace.transaction(identify)


def _wait_for_others(work: _Work) -> None:
    pace = work.pace

    def told(line: str) -> None:
        pace.console.print(line, soft_wrap=True)

    work.sharing = erased.wait_for_others(pace.connection, pace.deadline, told)


def _erase_all(work: _Work, *, is_known: bool, told: Any) -> None:
    """The rows of the users, in every table."""
    pace, erasure = work.pace, work.erasure
    told("Erasing what applications use")
    is_gone = _erase_live(work) == 0
    work.writers = writers.wait(pace, work.live(), ROUNDS, WAIT)
    if is_known:  # these were not waited for yet
        _wait_for_others(work)
    is_gone = _erase_live(work) == 0
    if is_gone:
        pace.transaction(lambda session: records.reached(session, erasure, "live_gone"))
    for table in pace.transaction(places.tables):
        if not table.is_live:
            told(f"Erasing {table.name}")
            rows.erase(pace, erasure, table)
    is_gone = _erase_locked(work) == 0 and is_gone
    if len(work.user_ids) <= users.MOST:
        pace.transaction(lambda session: texts.hide(session, erasure))
    texts.hide_by_hash(pace, erasure, is_known=is_known)
    pace.transaction(_mark_views)
    if is_gone:
        pace.transaction(lambda session: records.reached(session, erasure, "gone"))


def _erase_live(work: _Work) -> int:
    """From the tables that applications write to; how many rows are there all the same, held or written since."""
    found = work.pace.transaction(places.tables)
    for table in found:  # a partition may have been detached meanwhile
        if table.schema == PARTITIONS:
            rows.erase(work.pace, work.erasure, table)
    return _until_gone(work, [table for table in found if table.is_live])


def _erase_locked(work: _Work) -> int:
    """From the other tables in which rows that a session has locked were left, such as an archive; how many stay."""
    found = work.pace.transaction(places.tables)
    return _until_gone(work, [table for table in found if table.passes_over_locked and not table.is_live])


def _until_gone(work: _Work, tables: Sequence[places.Table]) -> int:
    """From these tables, again and again while there are rows; how many there are after so many rounds."""
    left = 0
    for number in range(ROUNDS):
        if number:
            time.sleep(WAIT)
        for table in tables:
            rows.erase(work.pace, work.erasure, table)
        left = sum(rows.left(work.pace, table) for table in tables)
        if not left:
            break
    return left


def _mark_views(session: psycopg.Connection[Any]) -> None:
    if session.execute("SELECT to_regclass('analytics.stale_views') IS NOT NULL").fetchone() == (True,):
        session.execute(query("verify/mark_views"))


def _forget_statistics(work: _Work) -> list[str]:
    """Have the planner's statistics of ids that are gone made anew; where that cannot be done, what is left."""

    def found(session: psycopg.Connection[Any]) -> list[str]:
        return [row[0] for row in session.execute(query("erasure/statistics"))]

    def analyse(name: str, session: psycopg.Connection[Any]) -> None:
        session.execute(SQL("ANALYZE (SKIP_LOCKED) {}").format(SQL(name)))

    for name in work.pace.transaction(found):
        work.pace.transaction(partial(analyse, name))
    return [f"the planner's statistics of {name}, until ANALYZE" for name in work.pace.transaction(found)]


def _written_elsewhere(session: psycopg.Connection[Any]) -> list[str]:
    return [f"what a trigger of others has written elsewhere: {name}" for name in places.triggers_of_others(session)]


def _facts(session: psycopg.Connection[Any], url: URL, erasure: Erasure, known: int) -> dict[str, Any]:
    now = records.one(session, erasure.erasure_id)
    tombstones = records.tombstones(session, erasure)
    theirs = places.elsewhere(session)
    return {
        "certificate": certificate.VERSION,
        "database": shown(url),
        "erasure": erasure.erasure_id,
        "users": len(tombstones),
        "not_searched": max(len(tombstones) - known, 0),
        "begun": now.begun,
        "gone_from_live_tables": now.live_gone,
        "gone": now.gone,
        "tables_of_others": theirs,
        "again": certificate.again(tombstones),
    }


@contextmanager
def _unnamed(user_ids: set[str], url: URL) -> Iterator[None]:
    """What the server refuses is told without the ids that others' triggers may have put into it."""
    try:
        yield
    except (psycopg.Error, DBAPIError) as error:
        why = reason(error, url)
        for user_id in sorted(user_ids, key=len, reverse=True):
            why = why.replace(user_id, "(an id)")
        raise OnlineError(
            f"The erasure was stopped: {why}",
            f"correct that; then {RESUME}, or the same command again: it continues where it was.",
        ) from None
