"""Where the rollout stands: one look at a database, which reads only and waits for nobody."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from alembic_online.catalog import Snapshot, found, snapshot
from alembic_online.database import shown
from alembic_online.held import reason
from alembic_online.sessions import driver
from sqlalchemy import URL, Connection, func, select
from sqlalchemy.exc import DBAPIError

from backfill import job_status, pacing
from backfill.files import half_loaded
from backfill.jobs import JOBS
from backfill.tables import Control
from operations import grants, rights
from operations.replicas import findings
from operations.retention import due
from operations.scope import SCOPE
from operations.status import next_command
from operations.status.amiss import amiss, session
from operations.status.half_way import readable, rows
from operations.status.state import Archive, Backfill, Job, Status
from operations.upgrade import script_directory

RECORDS = ("sidb.backfill_control", "sidb.backfill_ranges", "sidb.backfill_jobs", "sidb.backfill_set_aside")
WHOLE = ("table", "view", "materialized_view")


def look(url: URL, replicas: Sequence[URL] = ()) -> Status:
    """Look at the database, and at these replicas of it. Changes nothing. Raises OnlineError."""
    with session(url) as connection:
        ours = driver(connection)
        [server] = rows(ours, "server")
        status = Status(
            shown(url), server.at, server.standby, server.phase1, [], str(script_directory().get_current_head()), []
        )
        there = readable(ours)
        with _part(connection, status, "what is amiss"):
            status.amiss = amiss(ours)
        with _part(connection, status, "the revision"):
            if "public.alembic_version" in there:
                versions = ours.execute("SELECT version_num FROM public.alembic_version ORDER BY 1").fetchall()
                status.revision = [row[0] for row in versions]
            elif ours.execute("SELECT to_regclass('public.alembic_version') IS NOT NULL").fetchone() == (True,):
                status.unknown.append("the revision: permission denied for table alembic_version")
        with _part(connection, status, "the records of the rollout, in schema sidb"):
            _records(ours, there, status)
        with _part(connection, status, "the backfill"):
            status.backfill = _backfill(connection, there)
        if not any(each.blocks for each in status.amiss):
            with _part(connection, status, "rights"):
                status.rights_missing = list(_rights_missing(ours))
        with _part(connection, status, "retention"):
            status.retention = due.due(ours)
        with _part(connection, status, "what is not ours"):
            status.found = _found(connection) if status.revision else []
    status.replicas = findings(url, replicas)
    status.next = next_command.command(status)
    return status


@contextmanager
def _part(connection: Connection, status: Status, what: str) -> Iterator[None]:
    """A part of the look, which what it may not read does not end."""
    savepoint = connection.begin_nested()
    try:
        yield
    except (psycopg.Error, DBAPIError) as error:
        original = error.orig if isinstance(error, DBAPIError) else error
        if not isinstance(original, psycopg.Error) or original.sqlstate is None:
            raise  # the server is gone
        savepoint.rollback()
        status.unknown.append(f"{what}: {reason(error, connection)}")
    else:
        savepoint.commit()


def _records(ours: psycopg.Connection[Any], there: frozenset[str], status: Status) -> None:
    tables = ours.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'sidb'").fetchone()
    if tables != (sum(name.startswith("sidb.") for name in there),):
        status.unknown.append("records in schema sidb that this role may not read")
    if "sidb.raised_setting" in there:
        status.raised = [f"{each.name} = {each.raised} (was {each.before})" for each in rows(ours, "raised")]
    if "sidb.rollback_archived" in there:
        status.archives = [Archive(*each) for each in rows(ours, "archives")]


def _backfill(connection: Connection, there: frozenset[str]) -> Backfill | None:
    if not there.issuperset(RECORDS):
        return None
    connection.execute(select(func.set_config("timezone", "UTC", True)))
    control = connection.execute(select(Control.__table__)).one_or_none()
    return Backfill(
        deadline=control.deadline if control else None,
        paused=pacing.looks_paused(connection),
        half_loaded=[file.name for file in half_loaded(connection)],
        jobs=[_job(each) for each in job_status.jobs_status(connection, JOBS)],
    )


def _job(each: job_status.JobStatus) -> Job:
    done = 1 - each.left / each.rows if each.rows else float(each.state != "not begun")
    return Job(each.job, each.state, round(done, 4), each.left, each.set_aside, each.seconds_left, each.error)


def _rights_missing(ours: psycopg.Connection[Any]) -> Iterator[str]:
    """The group roles' grants that are not there, and what others have lost on Phase 1's relations; statements."""
    for each in grants.missing(ours):
        yield each.statement or f"CREATE ROLE {each.role} NOLOGIN"
    if {"sidb.phase1_rights", "sidb.phase1_right"} <= readable(ours) and rights.taken(ours):
        for lost in rights.missing(ours):
            yield lost.statement
        if "sidb.phase1_setting" in readable(ours):
            for setting in rights.lost_settings(ours):
                yield setting.statement


def _found(connection: Connection) -> list[str]:
    """What others have on what is shared, or beside it, but for what Phase 1 made there."""
    here = snapshot(connection, SCOPE)
    tables = [SCOPE.metadata.tables[name.removeprefix("public.")] for name in SCOPE.shared]
    phase1s = {str(part.name) for table in tables for part in (*table.columns, *table.constraints, *table.indexes)}
    sequences = [
        f"{table.name}_{table.autoincrement_column.name}_seq"
        for table in tables
        if table.autoincrement_column is not None
    ]
    known = frozenset(
        each for each in here.others if each.kind in WHOLE or each.part in phase1s or each.name in sequences
    )
    return found.names(connection, SCOPE, here, Snapshot({}, {}, {}, known))
