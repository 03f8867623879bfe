"""A rollback, phase by phase. Each is recorded when it is finished; the next run goes on behind the last one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from alembic import command
from alembic_online import Options, Session, UsageError
from alembic_online.acquisition import retried, until_read
from alembic_online.alerts import Alerts
from alembic_online.look import look
from alembic_online.retry import RetryPolicy
from rich.console import Console
from sqlalchemy import URL

from backfill import bookkeeping, pacing
from operations import fingerprint, upgrade
from operations.findings import Finding, Findings
from operations.retention import one_at_a_time
from operations.rollback import access, checks, dependants, inheriting, proof, smoke
from operations.rollback.archive import Archive
from operations.rollback.copies import refuse_left, stop_following
from operations.rollback.plan import Plan, plan
from operations.rollback.records import Records, Rollback, reading
from operations.rollback.undisturbed import refuse_taken_out, undisturbed
from operations.rollback.way import Way, between, refuse_quoted, way
from operations.status.half_way import refuse_half_way


@dataclass(frozen=True)
class Prepared:
    """The way back, and the rollback that was interrupted on it, if one was.

    `take_along`: what others have built on what goes is put aside; `others` is that, by name, and what it costs.
    """

    way: Way
    interrupted: Rollback | None
    take_along: bool
    others: list[str]


def prepare(url: URL, target: str | None, *, take_along: bool = False, options: Options | None = None) -> Prepared:
    """Find the way back, or the rollback to go on with; changes nothing. OnlineError where it must not be begun."""
    Alerts(0, "tell", options.alert_addresses if options else ()).close()  # refused while the tables are open
    with reading(url, options) as records:
        pending = records.pending()
        if pending is not None:
            if target not in (None, pending.target):
                raise UsageError(
                    f"The rollback to {pending.target} that began {pending.started:%Y-%m-%d %H:%M} is not finished.",
                    "finish it with `sidb rollback`, or give it up with `sidb rollback --abort`.",
                )
            return Prepared(between(records.session, pending.origin, pending.target), pending, take_along, [])
        refuse_half_way(records.connection)
        one_at_a_time.refuse(records.connection)
        refuse_left(records.connection)
        if target is None:
            raise UsageError("To which revision?", "sidb rollback 1.0.0 goes back to Phase 1.")
        back = way(records.session, target)
        refuse_quoted(records.session, back)
        found = until_read(
            records.session, partial(dependants.built_on, records.session, back), "the look at what others have built"
        )
        dependants.refuse(found, take_along=take_along)
        inheriting.refuse_on_the_way(records.connection, back)
        look(records.session, back.steps, built_on=False)
        access.refuse_what_cannot_be_opened(records.connection, back.remembered)
        return Prepared(back, None, take_along, [dependants.told(each.name, each.creation) for each in found])


def planned(url: URL, prepared: Prepared) -> Plan:
    """What there is to lose, and what of it is kept. Changes nothing."""
    with reading(url) as records:
        return plan(records.session, prepared.way, prepared.others)


def run(url: URL, prepared: Prepared, options: Options, console: Console) -> Findings:
    """Roll back, or go on with it."""
    back = prepared.way
    with upgrade.said(console), undisturbed(url, options) as records:
        rollback = records.pending()
        if rollback is None:
            refuse_half_way(records.connection)
            refuse_taken_out(records, back)
            with console.status("Taking the fingerprint of Phase 1's data"):
                policy = RetryPolicy(options.deadline)
                retried(lambda: fingerprint.take(records.connection, fingerprint.BEFORE_ROLLBACK), policy, url)
            rollback = _begin(records, back, prepared, policy)
        found = list(_phases(records, rollback, prepared, console))
    next_step = (
        f"when what led to the rollback is put right, `sidb upgrade` and `sidb restore {rollback.rollback_id}`; the "
        "backfill stays paused until `sidb backfill resume`."
    )
    return Findings(found, next_step)


def _begin(records: Records, back: Way, prepared: Prepared, policy: RetryPolicy) -> Rollback:
    """Write down that it begins; with it goes what others have built on what goes, if that is taken along."""
    records.open()

    def begin() -> Rollback:
        with records.connection.transaction():
            rollback = records.begin(back.current, back.target)
            _see_to_others(records, rollback, prepared)
            return rollback

    return retried(begin, policy, records.session.url)


def _see_to_others(records: Records, rollback: Rollback, prepared: Prepared) -> None:
    """What others have built on what goes, by now, is put aside in one transaction, or refused."""
    with records.connection.transaction():
        take_along = prepared.take_along or bool(dependants.aside(records, rollback))
        found = dependants.built_on(records.session, prepared.way)
        dependants.refuse(found, take_along=take_along)
        dependants.put_aside(records, rollback, found)


def _phases(records: Records, rollback: Rollback, prepared: Prepared, console: Console) -> Iterator[Finding]:
    session, connection, back = records.session, records.connection, prepared.way
    if not rollback.has_reached("paused"):
        console.print("Stopping the backfill")
        yield _pause_backfill(records, rollback)
    if not rollback.has_reached("closed"):
        console.print("Closing the tables to applications")
        yield access.close(records, rollback, back)
    if not rollback.has_reached("moved"):
        yield access.end_sessions(connection, back.applications)
        stop_following(session, rollback.archive)
        if prepared.interrupted:  # others may have gone on building
            policy = RetryPolicy(session.options.deadline)
            retried(partial(_see_to_others, records, rollback, prepared), policy, session.url)
        console.print("Moving aside, step by step")
        upgrade.migrate(
            lambda config: command.downgrade(config, back.target),
            session.url,
            for_steps(session),
            console,
            Archive(session, rollback),
        )
        records.reached(rollback, "moved")
    if others := dependants.aside(records, rollback):
        yield checks.DEPENDANTS.ok(f"put aside: {', '.join(each.name for each in others)}")
    kept = [each.name for each in records.archived(rollback)]
    yield checks.MOVED.ok(f"{', '.join(kept)} to {rollback.archive}" if kept else "there was nothing to keep")
    console.print("Verifying")
    yield proof.catalog(session, back)
    yield proof.phase1_data(connection)
    if not rollback.has_reached("opened"):
        console.print("Opening access again")
        yield access.open_again(records, rollback, "opened")
    yield smoke.smoke(session)
    records.reached(rollback, "done")


def for_steps(session: Session) -> Options:
    """For the steps: whoever rolls back does not wait for a maintenance window, nor for replicas that went away."""
    return replace(session.options, now=True, replicas=session.replicas.still_followed())


def _pause_backfill(records: Records, rollback: Rollback) -> Finding:
    connection = records.connection
    was_paused = None
    with connection.transaction():
        if connection.execute("SELECT to_regclass('sidb.backfill_control') IS NOT NULL").fetchone() == (True,):
            bookkeeping.bring_up_to_date(records.session.sqlalchemy)
            was_paused = pacing.is_paused(records.session.sqlalchemy)
            pacing.pause(records.session.sqlalchemy)
        records.paused(rollback, was_paused)
        records.reached(rollback, "paused")
    said = {None: "there is none", True: "was paused already", False: "paused"}
    return checks.BACKFILL.ok(said[was_paused])
