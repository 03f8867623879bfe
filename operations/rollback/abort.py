"""Giving up a rollback that was interrupted: access as it was, the backfill too. Steps that are undone stay so."""

from collections.abc import Iterator
from functools import partial

from alembic import command
from alembic_online import Ledger, OnlineError, Options, Session, UsageError
from alembic_online.validation import difference, of_scope, read_catalog
from rich.console import Console
from sqlalchemy import URL

from backfill import pacing
from models import PARTITIONS
from operations import upgrade
from operations.findings import Finding, Findings
from operations.queries import query
from operations.rollback import access, archived_months, checks, copies, dependants
from operations.rollback.archive import Archive
from operations.rollback.records import Records, Rollback
from operations.rollback.rollback import for_steps
from operations.rollback.undisturbed import undisturbed
from operations.rollback.way import replaced_later, revision
from operations.scope import SCOPE
from operations.upgrade import script_directory

AGAIN = (
    "`sidb rollback --abort` again when these transactions have ended: it removes the triggers that interrupted copies"
    " have left, which note each change until then."
)


def abort(url: URL, console: Console, options: Options | None = None) -> Findings:
    """Give up the rollback that was interrupted. Once more: remove what interrupted copies left that could not be.

    A step that is undone in part is undone whole first: no upgrade would bring that part back. Nothing else that waits
    for a lock comes before access is open.
    """
    with upgrade.said(console), undisturbed(url, options) as records:
        rollback = records.pending()
        if rollback is None:
            return _end_copies(records)
        found = list(_undo_whole_step(records, rollback, console))
        found += _validate_last_step(records.session, rollback, console)
        resumed, opened = _resume_backfill(records, rollback), access.open_again(records, rollback, "aborted")
        before = {each.name for each in dependants.aside(records, rollback)}
        later = replaced_later(records.session)
        given_back = list(dependants.give_back(records, rollback, console, or_later=later))  # it reads what was closed
        aside = [each.name for each in dependants.aside(records, rollback)]
        kept = [each.name for each in records.archived(rollback)] + aside
        followed = list(_stop_following(records.session, rollback))
        given_back += _drop_plain_key(records.session)
        at = revision(records.session)
        given_up = _given_up(opened, at, sorted(before.difference(aside)), kept)
    next_step = _left_by_abort(rollback, at, kept)
    found += [resumed, opened, *given_back, *followed, given_up]
    return Findings(found, f"{AGAIN} Besides, {next_step}" if followed else next_step)


def _end_copies(records: Records) -> Findings:
    """Remove what interrupted copies left on tables when their rollback was given up. Raises OnlineError."""
    archives = copies.left_by(records)
    if not archives:
        raise UsageError("No rollback was interrupted.", "there is nothing to abort.")
    for archive in archives:
        copies.stop_following(records.session, archive)
    done = checks.GIVEN_UP.ok("what interrupted copies had left on the tables is removed")
    return Findings([done], "sidb status shows how the database stands.")


def _stop_following(session: Session, rollback: Rollback) -> Iterator[Finding]:
    """When access is open: removing a trigger waits for everybody who reads its table."""
    try:
        copies.stop_following(session, rollback.archive)
    except OnlineError as error:
        yield checks.MOVED.warning(f"triggers of an interrupted copy are left. {error.what}", AGAIN)


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
    if current is None or not _is_undone_in_part(records, rollback, current):
        return
    before = str(script_directory().get_revision(current).down_revision)
    options, archive = for_steps(session), Archive(session, rollback)
    try:
        copies.stop_following(session, rollback.archive)  # columns that go are named by its triggers
        upgrade.migrate(lambda config: command.downgrade(config, before), session.url, options, console, archive)
    except OnlineError as error:  # access is opened whatever it says
        yield checks.MOVED.failed(f"a part of {current} is undone. {error.what}", error.next_step)


def _is_undone_in_part(records: Records, rollback: Rollback, current: str) -> bool:
    """Whether what the rollback's last step began with is not all there any more."""
    if not Ledger(records.connection, SCOPE).exists():
        return False
    parameters = {"revision": current, "started": rollback.started}
    begun = records.connection.execute(query("rollback/begun_step"), parameters).fetchone()
    now = read_catalog(records.session, "the look at the last step")
    return begun is not None and bool(difference(of_scope(begun[0], SCOPE, now), now))


def _validate_last_step(session: Session, rollback: Rollback, console: Console) -> Iterator[Finding]:
    """A step that was killed behind its commit is validated while the tables are still closed, as they were then."""
    current, archive = str(revision(session)), Archive(session, rollback)
    to_here = partial(command.upgrade, revision=current)
    try:
        upgrade.migrate(to_here, session.url, for_steps(session), console, archive)
    except OnlineError as error:  # access is opened whatever it says
        yield checks.MOVED.failed(error.what, error.next_step)


def _resume_backfill(records: Records, rollback: Rollback) -> Finding:
    if rollback.was_paused is not False:
        return checks.BACKFILL.ok("stays paused, as before" if rollback.was_paused else "left as it is")
    pacing.resume(records.session.sqlalchemy)
    return checks.BACKFILL.ok("goes on, as before")
