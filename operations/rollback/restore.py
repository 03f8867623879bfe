"""`sidb restore`: what a rollback put aside comes back after a later upgrade."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import psycopg
from alembic_online import OnlineError, Options, Scope, Session, UsageError, acquire, database
from alembic_online.acquisition import retried
from alembic_online.catalog import Snapshot, diff
from alembic_online.look.holders import readers
from alembic_online.parts import written
from alembic_online.replicas import EXCLUSIVE
from alembic_online.retry import RetryPolicy
from psycopg.sql import SQL, Composable, Identifier
from rich.console import Console
from sqlalchemy import URL

from backfill import bookkeeping, identity
from backfill.jobs import JOBS
from backfill.pacing import Throttle
from models import ANALYTICS
from operations import upgrade
from operations.erasure.sweep import sweep
from operations.findings import Finding, Findings
from operations.health import share_now
from operations.retention import returning
from operations.rollback import (
    access,
    checks,
    conflicts,
    dependants,
    left_behind,
    left_rows,
    reference,
    rejoin,
    swap,
    ways_back,
)
from operations.rollback.archives import find
from operations.rollback.conflicts import EVENTS
from operations.rollback.merge import Merge, Report, keep
from operations.rollback.records import Archived, Records, Rollback
from operations.rollback.undisturbed import undisturbed
from operations.status.amiss import refuse_unclear
from operations.status.half_way import refuse_half_way

HOT_NICHES = "public.hot_niches_today"
LOST = "a backup from before that rollback has the values."


@dataclass(frozen=True)
class Choice:
    """What is done about archived rows that conflict with current data: stay in the archive; get another id. Without,
    they are an error."""

    skip: bool
    renumber: bool
    share: float = 1.0
    """What part of the time batches take while the application is at work."""

    def settles(self, conflict: conflicts.Conflict) -> bool:
        return self.skip or (self.renumber and conflict.kind == "same id")


def restore(url: URL, number: int, choice: Choice, console: Console, options: Options | None = None) -> Findings:
    """Bring an archive back: at once where a table is empty, in batches where it is not. Goes on where it stopped.

    Raises OnlineError, with nothing changed, where rows conflict and `choice` does not settle it.
    """
    path = database.look(url, changing=True, path=None).path
    with upgrade.said(console), undisturbed(url, options, sole=True) as records:
        session, connection = records.session, records.connection
        refuse_unclear(connection)
        refuse_half_way(connection, but_restore=number)  # a rollback moves away what this one would bring
        rollback = find(records, number)

        def merge(told: Report) -> Merge:
            throttle, deadline = Throttle(partial(share_now, connection, choice.share)), session.options.deadline
            chosen = choice.skip, choice.renumber
            return Merge(session, path, rollback, *chosen, told, throttle, deadline)

        waiting = _waiting(records, rollback)
        if any(kept.state == "swapped" for kept in waiting):
            swap.finish(session)  # it was interrupted before that
        conflicts.refuse_if_not_upgraded(connection, waiting)
        scope = ways_back.scope(session, waiting)
        live = ways_back.catalog(session, scope)
        rejoin.rejoin(records, rollback, live, waiting)
        swept = _without_erased(records, rollback)
        names = {kept.relation for kept in waiting if kept.is_table}
        waiting = [kept for kept in _waiting(records, rollback) if not _is_of_retention(kept)]
        tables = {kept.relation: _table(connection, kept, rollback) for kept in waiting if kept.is_table}
        plans, unfit = ways_back.find(records, rollback, live, [kept for kept in waiting if kept.is_table], tables)
        _refuse(unfit, choice, number)
        conflicts.refuse_unmergeable(connection, ways_back.merged(waiting, plans, tables))
        others = ways_back.left_behind_by(records, rollback, live, waiting, plans)
        columns, lacking = _columns(connection, rollback.archive, waiting, merge)
        _try_tables(ways_back.merged(waiting, plans, tables), waiting, merge)
        _name_readers(session, tables, console)
        with records.connection.transaction():
            access.grant_again(records, rollback)  # first on the schema, for those who passed privileges on
        swept += [*lacking, *_horizons(records, rollback, names)]
        for kept in waiting:
            console.print(f"Restoring {kept.name}")
            if not kept.is_table:
                if (conditions := columns.get(kept.kept_as)) is not None:
                    with _progress(console, kept) as told:
                        merge(told).columns(kept, conditions)
            elif (plan := plans[kept.relation]) is not None:
                others += ways_back.exchange(records, rollback, plan)
            elif kept.state != "swapped":
                reference.drop(session, tables[kept.relation])
                with left_rows.recorded(records, rollback, tables[kept.relation]), _progress(console, kept) as told:
                    merge(told).table(tables[kept.relation], kept)
        console.print("Finishing: foreign keys, materialized views, daily activity")
        found = [*swept, *_finish(records, rollback, live, scope), *left_behind.told(others, console)]
        found += [*left_rows.told(records, rollback, tables), *dependants.give_back(records, rollback, console)]
        next_step = left_rows.next_step(rollback, records.archived(rollback))
    return Findings(found, next_step)


def _waiting(records: Records, rollback: Rollback) -> list[Archived]:
    """What is not back yet. Raises UsageError where that is nothing."""
    archived = records.archived(rollback)
    waiting = [kept for kept in archived if kept.state not in ("restored", "dropped")]
    waiting += filter(None, (left_rows.waiting(records, kept) for kept in archived))
    if not waiting and not dependants.aside(records, rollback):
        left_rows.refuse_unchanged(rollback, archived)
        raise UsageError(
            f"Archive {rollback.rollback_id} is restored already, or was dropped.", "sidb restore lists all of them."
        )
    if returning.is_wanted(records.connection, rollback.archive):
        return waiting
    return [kept for kept in waiting if not _is_of_retention(kept)]


def _name_readers(session: Session, tables: Iterable[str], console: Console) -> None:
    """Before the first exchange: who reads on replicas what is exchanged."""
    for obstacle in readers(session, dict.fromkeys([*tables, reference.FEATURES], EXCLUSIVE)):
        console.print(str(obstacle), soft_wrap=True, markup=False)


def _without_erased(records: Records, rollback: Rollback) -> list[Finding]:
    """Rows of users who were erased go from the archive.

    What the backfill knows of events follows them: its tables have to be those that this code expects.
    """
    connection = records.connection
    with connection.transaction():
        if connection.execute("SELECT to_regclass('sidb.backfill_control') IS NOT NULL").fetchone() == (True,):
            bookkeeping.bring_up_to_date(records.session.sqlalchemy)
    swept = sweep(connection, rollback.archive)
    return [swept] if swept else []


def _horizons(records: Records, rollback: Rollback, names: set[str]) -> list[Finding]:
    """Before the rows: what comes back is measured by them."""
    if not names.issuperset(returning.RELATIONS):
        return []
    with records.connection.transaction():
        horizon = returning.come_back(records.connection, rollback.archive, with_events=EVENTS in names)
        for relation in returning.RELATIONS:
            keep(records.connection, rollback, relation.partition(".")[2], "restored")
    told = f"events are kept from {horizon} on; older ones of a whole table go by sidb maintain"
    return [checks.RETENTION.ok(told)] if horizon else []


def _finish(records: Records, rollback: Rollback, live: Snapshot, scope: Scope) -> Iterator[Finding]:
    session, connection = records.session, records.connection
    swap.finish(session, views_only=True)
    archived = records.archived(rollback)
    if any(kept.relation == EVENTS and kept.state == "swapped" for kept in archived):
        rows = _call(session, "rebuild_niche_daily_activity")
        yield checks.ACTIVITY.ok("counted by a later revision" if rows is None else f"rebuilt: {rows:,} rows")
    _call(session, "refresh_stale_views")
    _refresh_hot_niches(session)
    unfinished = swap.finish(session)  # nothing else waits for foreign keys
    yield from unfinished.values()
    identity.hand_over(session.sqlalchemy, JOBS, {target for kept in archived for target in _targets(kept)})
    for kept in archived:
        if kept.state in ("swapped", "merging", "archived"):
            keep(connection, rollback, kept.kept_as, "restored")
    yield checks.RESTORED.ok("; ".join(_shown(kept) for kept in archived))
    with records.connection.transaction():
        granted, missing = access.grant_again(records, rollback)
    yield access.opened(granted, missing)
    changes = diff(live, ways_back.catalog(session, scope))
    told = [change for change in changes if str(change.identity) not in unfinished]
    differences = [change for change in told if ways_back.is_of_models(change.identity)]
    if differences:
        yield checks.MODELS.failed("; ".join(map(str, differences)))
    else:
        yield checks.MODELS.ok("the catalog is the one that the upgrade had left")


def _call(session: Session, function: str) -> Any:
    """Call a function of schema analytics that may meet the application's maintenance at its work; None: at this
    revision there is none.
    """
    connection = session.connection
    if not access.relations(connection, [f"{ANALYTICS}.{function}()"]):
        return None
    call = SQL("SELECT {}()").format(Identifier(ANALYTICS, function))
    row = retried(lambda: connection.execute(call).fetchone(), RetryPolicy(session.options.deadline), session.url)
    return row[0] if row else None


def _refresh_hot_niches(session: Session) -> None:
    """Where it is a materialized view, its trends come from the vectors that are back now: as Phase 1 refreshes it."""
    if [found.kind for found in access.relations(session.connection, [HOT_NICHES])] == ["m"]:
        with session.connection.transaction():
            acquire(session, {HOT_NICHES: "AccessExclusiveLock"}, f"refresh of {HOT_NICHES}")
            session.connection.execute(SQL("REFRESH MATERIALIZED VIEW {}").format(Identifier(*HOT_NICHES.split("."))))


def _columns(
    connection: psycopg.Connection[Any], archive: str, waiting: Iterable[Archived], merge: Callable[[Report], Merge]
) -> tuple[dict[str, dict[str, Composable]], list[Finding]]:
    """By copy the columns that come back, each with the condition that a row `f` holds a value that somebody wrote; and
    a finding for those that the archive lacks, although they are written down.

    Raises OnlineError where writing them would change others' columns. Of hot_niches_today as a materialized view none.
    """
    columns: dict[str, dict[str, Composable]] = {}
    lacking = []
    for kept in (each for each in waiting if not each.is_table):
        there = rejoin.columns_of_copy(connection, archive, kept)
        if lost := sorted({*(kept.kept_columns or [])}.difference(there)):
            names = f"{', '.join(lost)} of {kept.relation}"
            lacking.append(checks.RESTORED.failed(f"{names} is not in the archive: an older sidb has dropped it", LOST))
        found = {column: written(connection, kept.relation, column, SQL("f")) for column in there}
        if conditions := {column: condition for column, condition in found.items() if condition is not None}:
            columns[kept.kept_as] = conditions
            merge(lambda *_: None).try_columns(kept, conditions)
    return columns, lacking


def _try_tables(merged: list[conflicts.Table], waiting: list[Archived], merge: Callable[[Report], Merge]) -> None:
    """Raise OnlineError where rows that are inserted would not be as they were kept."""
    archived = {kept.relation: kept for kept in waiting if kept.is_table}
    for table in merged:
        merge(lambda *_: None).try_table(table, archived[table.relation])


def _refuse(unfit: list[conflicts.Conflict], choice: Choice, number: int) -> None:
    open_questions = [conflict for conflict in unfit if not choice.settles(conflict)]
    if open_questions:
        renumbered = " --renumber" if choice.renumber else ""
        next_step = f"`sidb restore {number}{renumbered} --skip` leaves them in the archive"
        if any(replace(choice, renumber=True).settles(conflict) for conflict in open_questions):
            next_step += "; --renumber gives those with the same id the next free one"
        if any(conflict.kind == conflicts.NO_COLUMN for conflict in open_questions):
            next_step = f"add the columns (ALTER TABLE … ADD COLUMN …), and restore. Or {next_step}"
        raise OnlineError(
            "\n".join(
                [
                    "Some archived rows conflict with current data; nothing was changed.",
                    *(f"  {m}" for m in open_questions),
                ]
            ),
            f"{next_step}.",
        )


def _is_of_retention(kept: Archived) -> bool:
    """Whether it is a table that comes back in a way of its own."""
    return kept.is_table and kept.relation in returning.RELATIONS


def _targets(kept: Archived) -> list[str]:
    """What came back with it, as jobs of the backfill call what they fill."""
    return [kept.relation] if kept.is_table else [f"{kept.relation}.{column}" for column in kept.kept_columns or []]


def _table(connection: psycopg.Connection[Any], kept: Archived, rollback: Rollback) -> conflicts.Table:
    return conflicts.table(connection, kept, rollback.archive)


def _shown(kept: Archived) -> str:
    if kept.state == "swapped":
        return f"{kept.relation} moved back whole"
    left = f", {kept.rows_left:,} left in the archive" if kept.rows_left else ""
    return f"{kept.name} {kept.rows_restored:,} rows{left}"


@contextmanager
def _progress(console: Console, kept: Archived) -> Iterator[Any]:
    rows = kept.rows_restored
    with console.status(kept.relation) as status:

        def told(relation: str, batch: int) -> None:
            nonlocal rows
            rows += batch
            status.update(f"{relation}: {rows:,} rows")

        yield told
