"""Letting go of rows whose time is over: the horizon first, then whole months, then rows in batches."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path

import psycopg
from alembic_online import OnlineError, Options, Session
from alembic_online.acquisition import MISSED, retried
from alembic_online.held import reason
from alembic_online.sessions import open_session
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from backfill import expired
from operations.bookkeeping import RETENTION, open_records
from operations.retention import months, one_at_a_time
from operations.retention.deleting import Source, delete
from operations.retention.tables import EVENTS, TABLES, Kept, Setting, settings
from operations.retention.work import EXPIRED, HeldBackError, RowsHeldError, Work
from operations.scope import SCOPE
from operations.settings import BackfillSettings
from operations.status.half_way import blocking


@dataclass
class Gone:
    """What became of a table: rows that went, months that were dropped, and why something is left, if it is.

    `is_swept`: this month it was looked through before. `failed`: somebody has to see to what is left.
    """

    table: str
    kept_from: date
    rows: int = 0
    months: list[str] = field(default_factory=list)
    left: str = ""
    is_swept: bool = False
    failed: bool = False

    def __str__(self) -> str:
        if not (self.rows or self.months):
            nothing = "it was looked through this month" if self.is_swept else "nothing was older"
            return "" if self.left else nothing
        dropped = [f"{', '.join(self.months)} dropped"] if self.months else []
        return "; ".join([f"rows before {self.kept_from} gone", *dropped])


def let_go(url: URL, options: Options, archive: Path | None) -> Iterator[Gone]:
    """Do it for each table that is switched on. Raises OnlineError."""
    share = BackfillSettings.from_environment().share
    with open_session(url, SCOPE, options) as session:
        wanted = settings(session.connection)
        if wanted is None:
            yield Gone("old rows", date.min, left="sidb maintain, as a role that may read sidb.retention")
        if not wanted:
            return
        with _alone(session) as is_alone:
            work = Work(session, share, archive)
            for kept in TABLES:
                if (setting := wanted.get(kept.name)) is not None:
                    gone = Gone(kept.name, setting.kept_from)
                    if is_alone:
                        _expire(work, kept, setting, gone)
                    else:
                        begun = blocking(session.observer)
                        gone.left = (
                            f"held back: {begun.what}" if begun else "another sidb maintain or rollback is at it"
                        )
                    yield gone


def _expire(work: Work, kept: Kept, setting: Setting, gone: Gone) -> None:
    try:
        found = work.rows("ours", relation=kept.name)
        if not found:
            gone.left = "comes with revision 2.2.0"
            return
        if not found[0].is_ours:
            gone.left = f"sidb maintain, as the owner of {kept.name}"
            return
        open_records(work.connection, RETENTION)
        move = partial(work.rows, "move", relation=kept.name, kept_from=setting.kept_from)
        retried(move, work.policy, work.session.url)
        _let_go(work, kept, gone)
    except (HeldBackError, OnlineError) as error:
        gone.left = error.what if isinstance(error, OnlineError) else str(error)
    except MISSED as error:
        gone.left = reason(error, work.session.url)
    except psycopg.errors.InsufficientPrivilege as error:
        next_step = error.diag.message_hint or f"sidb maintain, as the owner of {kept.name}"
        gone.left = f"{error.diag.message_primary}: {next_step}"
    except psycopg.Error as error:  # a trigger or a rule of others: the other tables' rows can go
        if work.connection.closed:
            raise
        gone.left, gone.failed = f"{error.diag.message_primary}: see to that, and run it again", True


def _let_go(work: Work, kept: Kept, gone: Gone) -> None:
    """By the period that is set now: the horizon may be later, and what lies between is kept as long as it is there."""
    _finish(work, kept, gone)  # what a run that was killed has left
    if kept is not EVENTS:
        [(gone.is_swept,)] = work.rows("swept", relation=kept.name, kept_from=gone.kept_from)
        if not gone.is_swept:
            _delete(work, Source(kept, kept.relation, is_partition=False), gone)
    else:
        _sweep_staging(work)
        for part in work.rows("parts", kept_from=gone.kept_from):
            if part.is_past:
                months.detach(work, part.name, gone.kept_from, part.rows)
            else:
                _delete(work, Source(kept, part.name, is_partition=True), gone)
            _finish(work, kept, gone)
    _finish(work, kept, gone)


def _delete(work: Work, source: Source, gone: Gone) -> None:
    try:
        gone.rows += delete(work, source, gone.kept_from)
    except RowsHeldError as error:  # months can go all the same
        gone.left = str(error)


def _sweep_staging(work: Work) -> None:
    """What is staged and as old goes, too: it would come back."""
    connection = work.session.sqlalchemy
    if (kept_from := expired.horizon(connection)) is None or not expired.is_known(connection):
        return
    gone = 1
    while gone:
        try:
            with work.piece(EVENTS), work.connection.transaction():
                gone = expired.drop_staged(connection, kept_from)
        except DBAPIError as error:  # as all else here raises it
            raise error.orig or error from None


def _finish(work: Work, kept: Kept, gone: Gone) -> None:
    for each in months.finish(work, kept, gone.kept_from):
        if each.left:
            gone.left = each.left
        elif EXPIRED not in each.name:  # else its rows were counted when they were set aside
            gone.months.append(each.name)
            gone.rows += each.rows


@contextmanager
def _alone(session: Session) -> Iterator[bool]:
    """Whether no other run lets rows go now; none does until the end of the block.

    Cron starts the next run while the first expiry of a large table is still at work.
    """
    got = one_at_a_time.hold(session.connection)
    try:
        yield got
    finally:
        if got and not session.connection.closed:
            one_at_a_time.give_up(session.connection)
