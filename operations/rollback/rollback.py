"""A rollback, phase by phase. Each is recorded when it is finished; the next run goes on behind the last one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from alembic import command
from alembic_online import Ledger, OnlineError, Options, Session, UsageError
from alembic_online.acquisition import retried, until_read
from alembic_online.alerts import Alerts
from alembic_online.look import look
from alembic_online.retry import RetryPolicy
from alembic_online.validation import difference, of_scope, read_catalog
from rich.console import Console
from sqlalchemy import URL

from backfill import bookkeeping, pacing
from models import PARTITIONS
from operations import fingerprint, upgrade
from operations.findings import Finding, Findings
from operations.queries import query
from operations.retention import one_at_a_time
from operations.rollback import access, archived_months, checks, dependants, inheriting, proof, smoke
from operations.rollback.archive import Archive
from operations.rollback.copies import stop_following
from operations.rollback.plan import Plan, plan
from operations.rollback.records import Records, Rollback, reading
from operations.rollback.undisturbed import refuse_taken_out, undisturbed
from operations.rollback.way import Way, between, replaced_later, revision, way
from operations.scope import SCOPE
from operations.status.half_way import refuse_half_way
from operations.upgrade import script_directory


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
        if target is None:
            raise UsageError("To which revision?", "sidb rollback 1.0.0 goes back to Phase 1.")
        back = way(records.session, target)
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


def abort(url: URL, console: Console, options: Options | None = None) -> Findings:
    """Give up the rollback that was interrupted: access as it was, the backfill too. Steps that are undone stay so.

    A step that is undone in part is undone whole first: no upgrade would bring that part back.
    """
    with upgrade.said(console), undisturbed(url, options) as records:
        rollback = records.pending()
        if rollback is None:
            raise UsageError("No rollback was interrupted.", "there is nothing to abort.")
        stop_following(records.session, rollback.archive)
        validated = list(_undo_whole_step(records, rollback, console))
        validated += _validate_last_step(records.session, rollback, console)
        resumed, opened = _resume_backfill(records, rollback), access.open_again(records, rollback, "aborted")
        before = {each.name for each in dependants.aside(records, rollback)}
        later = replaced_later(records.session)
        given_back = list(dependants.give_back(records, rollback, console, or_later=later))  # it reads what was closed
        aside = [each.name for each in dependants.aside(records, rollback)]
        kept = [each.name for each in records.archived(rollback)] + aside
        given_back += _drop_plain_key(records.session)
        at = revision(records.session)
        given_up = _given_up(opened, at, sorted(before.difference(aside)), kept)
    return Findings([*validated, resumed, opened, *given_back, given_up], _left_by_abort(rollback, at, kept))


def _drop_plain_key(session: Session) -> Iterator[Finding]:
    """What is built while others write, and stands on a partition, is in nobody's way: it goes when access is open."""
    try:
        archived_months.drop_plain_key(session)
    except OnlineError as error:
        remedy = f"DROP INDEX {PARTITIONS}.{archived_months.PLAIN_KEY};"
        yield checks.MOVED.warning(f"an index for the downgrade of 2.1.0 alone is left. {error.what}", remedy)


def _given_up(opened: Finding, at: str | None, back: list[str], kept: list[str]) -> Finding:
    """How the database stands after it, in one sentence."""
    is_open = opened.verdict == "ok"
    said = ["the tables are open again" if is_open else "the tables are open, but for what is listed above"]
    said += [f"given back: {', '.join(back)}"] if back else []
    said += [f"still put aside: {', '.join(kept)}"] if kept else []
    detail = "; ".join([*said, f"the database is at {at or 'no revision'}"])
    return checks.GIVEN_UP.ok(detail) if is_open else checks.GIVEN_UP.failed(detail)


def _left_by_abort(rollback: Rollback, at: str | None, kept: list[str]) -> str:
    """What leads back to where the database was before a rollback that was given up."""
    if at == rollback.origin:
        if not kept:
            return "there is nothing more to do: the database is as it was before."
        return f"the database is at {at} as before; `sidb restore {rollback.rollback_id}` for {', '.join(kept)}."
    newest = script_directory().get_current_head()
    forward = "sidb upgrade" if rollback.origin == newest else f"sidb upgrade {rollback.origin}"
    back = f", then `sidb restore {rollback.rollback_id}`, which brings back {', '.join(kept)}" if kept else ""
    place = f"the database is whole at {at or 'no revision'}, not at {rollback.origin} as before"
    return f"`{forward}`{back}; until then {place}: applications that use what is missing there get an error."


def _undo_whole_step(records: Records, rollback: Rollback, console: Console) -> Iterator[Finding]:
    """A step of which a part was committed when the rollback was interrupted."""
    session, current = records.session, revision(records.session)
    if current is None or not Ledger(records.connection, SCOPE).exists():
        return
    parameters = {"revision": current, "started": rollback.started}
    begun = records.connection.execute(query("rollback/begun_step"), parameters).fetchone()
    now = read_catalog(session, "the look at the last step")
    if begun is None or not difference(of_scope(begun[0], SCOPE, now), now):
        return
    before = str(script_directory().get_revision(current).down_revision)
    options, archive = _options(session), Archive(session, rollback)
    try:
        upgrade.migrate(lambda config: command.downgrade(config, before), session.url, options, console, archive)
    except OnlineError as error:  # access is opened whatever it says
        yield checks.MOVED.failed(f"a part of {current} is undone. {error.what}", error.next_step)


def _validate_last_step(session: Session, rollback: Rollback, console: Console) -> Iterator[Finding]:
    """A step that was killed behind its commit is validated while the tables are still closed, as they were then."""
    current, archive = str(revision(session)), Archive(session, rollback)
    to_here = partial(command.upgrade, revision=current)
    try:
        upgrade.migrate(to_here, session.url, _options(session), console, archive)
    except OnlineError as error:  # access is opened whatever it says
        yield checks.MOVED.failed(error.what, error.next_step)


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
            _options(session),
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


def _options(session: Session) -> Options:
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


def _resume_backfill(records: Records, rollback: Rollback) -> Finding:
    if rollback.was_paused is not False:
        return checks.BACKFILL.ok("stays paused, as before" if rollback.was_paused else "left as it is")
    pacing.resume(records.session.sqlalchemy)
    return checks.BACKFILL.ok("goes on, as before")
