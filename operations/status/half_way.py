"""What of the rollout stands half-way in a database: known by its records, and by who is at work.

Every command asks this first. None works on a database half-way but those that end it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from alembic_online.errors import OnlineError
from alembic_online.migrator_lock import KEY
from psycopg.rows import namedtuple_row

from operations.queries import query

NAMED = 3
GO_ON = (
    "`sidb rollback` finishes it, down to {target}; or `sidb rollback --abort` gives it up and opens the tables, with"
    " the database {at}: `sidb upgrade`, then `sidb restore {archive}` lead back; neither loses anything"
)
WAIT = "wait for it; `sidb status --watch` follows it"
ASK_THE_PRIMARY = "ask the primary"
SEES_NOBODY = "; this standby does not see who is at work"
AT = {
    "started": "nothing is closed yet",
    "paused": "nothing is closed yet",
    "closed": "tables of schema analytics are closed to applications, which get an error; features and"
    " hot_niches_today are in use as before",
    "moved": "tables of schema analytics have moved and are closed to applications, which get an error; features and"
    " hot_niches_today are in use as before",
    "opened": "the tables are open again; the last queries, which only read, are missing",
}
"""By phase: how it stands for those who use the database."""
RESUME_ERASURE = "`sidb erase --resume`, with --certificate FILE to keep its certificate, finishes it, which is safe"
CLOSED = ("closed", "moved")


@dataclass(frozen=True)
class Amiss:
    """Something that is not as it should be, and what to type.

    `blocks`: nothing else may change the database. `closes`: applications are shut out of tables of schema analytics.
    `command`: what goes on with it, of which it need not be said before that.
    """

    what: str
    next_step: str
    blocks: bool = False
    closes: bool = False
    command: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.next_step}"


def half_way(
    connection: psycopg.Connection[Any], *, but_restore: int | None = None, ended: str | None = None
) -> list[Amiss]:
    """A rollback, restore or step that was begun and is not finished. Reads only; on a standby, too.

    `but_restore`: the restore of that archive is not reported. `ended`: sessions of this name are at work no more, even
    where the server has not noticed yet.
    """
    return list(_half_way(connection, but_restore, ended))


def blocking(
    connection: psycopg.Connection[Any], *, but_restore: int | None = None, ended: str | None = None
) -> Amiss | None:
    """The rollback or restore that is half-way or at work: until it is ended, nothing else may change the database."""
    return next((each for each in half_way(connection, but_restore=but_restore, ended=ended) if each.blocks), None)


class HalfWayError(OnlineError):
    """A rollback or a restore is half-way: which, how it stands, and what goes on with it."""


def refuse_half_way(connection: psycopg.Connection[Any], *, but_restore: int | None = None) -> None:
    """Raise HalfWayError while a rollback or a restore, but for that of this archive, is half-way or at work."""
    if each := blocking(connection, but_restore=but_restore):
        raise HalfWayError(f"{each.what}; this command changed nothing.", f"{each.next_step}.")


def rows(connection: psycopg.Connection[Any], name: str, **parameters: Any) -> list[Any]:
    """What a query of queries/status gives."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(query(f"status/{name}"), parameters or None).fetchall()


def readable(connection: psycopg.Connection[Any]) -> frozenset[str]:
    """The tables of the rollout's records that there are, and that this role may read."""
    return frozenset(row.name for row in rows(connection, "readable"))


def _half_way(connection: psycopg.Connection[Any], but_restore: int | None, ended: str | None) -> Iterator[Amiss]:
    there = readable(connection)
    [at_work] = rows(connection, "at_work", migrators=KEY, ended=ended)
    begun = rows(connection, "rollback") if "sidb.rollback" in there else []
    at = _at(connection, there)
    steps = rows(connection, "step") if "sidb.step" in there else []
    for each in begun:
        yield _rollback(each, at, steps, at_work.way_back, at_work.standby)
    restores = rows(connection, "restore") if "sidb.rollback_archived" in there else []
    for each in restores:
        if each.archive != but_restore:
            yield _restore(each, at_work.way_back, at_work.standby)
    for each in rows(connection, "erasure") if "sidb.erasure" in there else []:
        yield _erasure(each, at_work.way_back, at_work.standby)
    for each in rows(connection, "aside") if "sidb.rollback_dependant" in there and not begun else []:
        more = f", and {len(each.names) - NAMED} more" if len(each.names) > NAMED else ""
        what = f"The rollback to {each.target} put aside of others: {', '.join(each.names[:NAMED])}{more}"
        yield Amiss(what, f"`sidb restore {each.archive}` gives it back, after `sidb upgrade`")
    if not begun:
        for each in steps:
            if each.direction == "upgrade" and each.outcome != "applied" and each.revision in at:
                continue  # exported files or another tool applied it since
            undoes = each.direction == "downgrade" and "sidb.rollback" in there
            if undoes and rows(connection, "aborted_since", started=each.started):
                continue
            yield from _step(each, at_work.migrator, at_work.standby)
    for each in rows(connection, "refused_events") if at_work.migrator is None else []:
        what = f"Events dated from {each.since:%Y-%m-%d} on are refused, by a CHECK that an unfinished step has left"
        drop = "ALTER TABLE analytics.analytics_events DROP CONSTRAINT analytics_events_bound"
        yield Amiss(what, f"`sidb upgrade` finishes it; or {drop}")


def _at(connection: psycopg.Connection[Any], there: frozenset[str]) -> list[str]:
    """The revision at which the database is, as far as this role may know it."""
    if "public.alembic_version" not in there:
        return []
    found = connection.execute("SELECT version_num FROM public.alembic_version ORDER BY 1").fetchall()
    return [row[0] for row in found]


def _left_at(at: list[str], last: Sequence[Any]) -> str:
    """Where a rollback that is given up leaves the database: a step of which a part is undone is undone whole."""
    if not at:
        return "where it is"
    in_part = any(each.direction == "downgrade" and each.outcome != "applied" and each.revision in at for each in last)
    lower = ", or one revision lower if that is partly undone" if in_part else ""
    return f"at {', '.join(at)}{lower}"


def _rollback(begun: Any, at: list[str], last: Sequence[Any], pid: int | None, standby: bool) -> Amiss:
    stands = AT[begun.phase]
    next_step = GO_ON.format(target=begun.target, at=_left_at(at, last), archive=begun.archive)
    which = f"The rollback to {begun.target}, begun {begun.started:%Y-%m-%d %H:%M} UTC by {begun.who},"
    what = f"{which} was interrupted ({stands})"
    if standby:
        what, next_step = f"{which} is not finished ({stands}){SEES_NOBODY}", ASK_THE_PRIMARY
    elif pid is not None:
        what, next_step = f"{which} is at work (pid {pid}; {stands})", WAIT
    return Amiss(what, next_step, blocks=True, closes=begun.phase in CLOSED)


def _restore(begun: Any, pid: int | None, standby: bool) -> Amiss:
    lacking = f"; the others still lack some of their rows, or all, which archive {begun.archive} keeps"
    missing = lacking if begun.back < begun.tables else ""
    tables = f"{begun.back} of its {begun.tables} tables are back whole{missing}; all are open to applications"
    if standby:
        what = f"A restore of archive {begun.archive} was begun; {tables}{SEES_NOBODY}"
        return Amiss(what, ASK_THE_PRIMARY, blocks=True)
    if pid is not None:
        what = f"A restore of archive {begun.archive} is at work (pid {pid}); {tables}"
        return Amiss(what, WAIT, blocks=True)
    what = f"The restore of archive {begun.archive} was interrupted; {tables}"
    next_step = (
        f"`sidb restore {begun.archive}` continues it, which is safe: what applications write meanwhile is kept. Where"
        " it stops again, correct what it names; with --skip it leaves rows in the archive that conflict"
    )
    return Amiss(what, next_step, blocks=True)


def _erasure(begun: Any, pid: int | None, standby: bool) -> Amiss:
    """Nothing else has to wait for it: whatever is done meanwhile, it finds the rows where they are then."""
    users = "1 user" if begun.users == 1 else f"{begun.users:,} users"
    what = f"Erasure no. {begun.erasure} ({users}), begun {begun.begun:%Y-%m-%d %H:%M} UTC,"
    if standby:
        return Amiss(f"{what} is not finished{SEES_NOBODY}", ASK_THE_PRIMARY)
    if pid is not None:
        return Amiss(f"{what} is at work (pid {pid})", WAIT)
    return Amiss(f"{what} was interrupted", RESUME_ERASURE, command="erase")


def _step(last: Any, pid: int | None, standby: bool) -> Iterator[Amiss]:
    """The last attempt at a step, where it is not applied and valid; while somebody is at it, that is no fault."""
    if pid is not None or (standby and last.outcome == "running"):
        return
    name = f"{last.revision} {last.direction}"
    again = "`sidb upgrade` does it again" if last.direction == "upgrade" else "run the same command again"
    reason = (last.message or "").partition("\n")[0].removeprefix(f"{name}: ").rstrip(".:")
    said = f": {reason}" if reason else ""
    stands = "applications can use the database as it is" if last.direction == "upgrade" else "it is not finished"
    command = "upgrade" if last.direction == "upgrade" else ""
    if last.outcome in ("running", "interrupted"):
        yield Amiss(f"An earlier run was interrupted in {name}; {stands}", f"{again}, which is safe", command=command)
    elif last.outcome in ("failed", "missed"):
        what = f"Step {name} failed on {last.started:%Y-%m-%d %H:%M}{said}; {stands}"
        yield Amiss(what, f"{again}, which is safe; it says what to do where it fails again", command=command)
    elif last.validated is None:
        yield Amiss(f"Step {name} is applied and not validated", "`sidb upgrade` validates it", command=command)
    elif not last.validated:
        then = "correct what is named; `sidb upgrade` validates it"
        yield Amiss(f"Step {name} is applied, and not valid{said}", then, command=command)
