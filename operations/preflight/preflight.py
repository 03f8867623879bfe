"""A preflight: every question in turn, the retention raised or put back, and the teams told."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from importlib.metadata import version

import psycopg
from alembic_online.alerts import Alerts
from alembic_online.database import shown
from alembic_online.errors import OnlineError
from alembic_online.held import reason
from alembic_online.messages import server_error
from alembic_online.sessions import client
from psycopg.types.json import Jsonb
from rich.console import Console
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from operations.bookkeeping import PREFLIGHT_RUNS, open_records
from operations.findings import Check, Finding, Findings
from operations.preflight import (
    backups,
    others,
    phase1,
    replication,
    retention,
    roles,
    server,
    sessions,
    space,
    steps,
)
from operations.preflight.context import Context, Question, Questions, Request, open_context
from operations.upgrade import UnclearError

QUESTIONS: Questions = {
    check: question
    for file in (server, space, roles, phase1, steps, others, sessions, replication, backups, retention)
    for check, question in file.QUESTIONS.items()
}

RECORD = Check(
    "record",
    "What --prepare and --finish found is recorded in schema sidb, for `sidb report`. Mentioned only where it fails.",
    "run it as a role that may create schema sidb; the report will say that this is missing.",
)
CHECKS = (*QUESTIONS, retention.RETENTION, retention.RESTORED, RECORD)


def run(
    url: URL, request: Request, console: Console, *, prepare: bool = False, addresses: Sequence[str] = ()
) -> Findings:
    """Look at everything. With `prepare`, raise retention if nothing failed, and tell the teams at the `addresses`.

    Raises OnlineError where there is no connection, UsageError where --backup names something else.
    """
    with _teams(addresses) as teams, open_context(url, request) as context:
        findings = list(_look(context, console))
        failed = ", ".join(finding.check for finding in findings if finding.verdict == "failed")
        if prepare and not failed:
            findings += _answer(context, retention.RETENTION, retention.prepare)
        elif not _is_standby(findings):
            findings += _answer(context, retention.RETENTION, retention.retention)
        if prepare:
            if not failed:
                findings += _keep(context, "prepare", findings)
            teams.announce(f"Rollout of {shown(url)} " + (f"not begun; failed: {failed}" if failed else "begins"))
        migrated = not _is_standby(findings) and phase1.revision(context) == version("social-intelligence-db")
    if failed:
        return Findings(findings, "correct what failed, and run the same command again.")
    if migrated:
        return Findings(findings, "`sidb verify`; the newest revision is in place already.")
    if prepare:
        return Findings(findings, "`sidb upgrade --plan`, then `sidb upgrade`; in the end `sidb preflight --finish`.")
    return Findings(findings, "the same with --prepare, then `sidb upgrade --plan`, `sidb upgrade`.")


def finish(url: URL, *, addresses: Sequence[str] = ()) -> Findings:
    """The end of a rollout: put back what was raised, and tell the teams. Raises OnlineError."""
    with _teams(addresses) as teams, open_context(url, Request()) as context:
        try:
            findings = retention.restore(context)
        except psycopg.Error as error:
            raise OnlineError(
                f"What was raised on {shown(url)} cannot be put back: {_reason(error)}",
                "run it again as the role that prepared the rollout, or as a superuser.",
            ) from None
        if context.value("has_runs"):
            findings += _keep(context, "finish", findings)
        well = all(finding.verdict != "failed" for finding in findings)
        done = "finished" if well else "finished, but not everything that was raised for it is put back"
        teams.announce(f"Rollout of {shown(url)} {done}")
    return Findings(findings, "`sidb monitor`." if well else "correct that, and run `sidb preflight --finish` again.")


def _keep(context: Context, action: str, findings: Sequence[Finding]) -> list[Finding]:
    """Record what was found, for the rollout's report; a finding only where that fails."""
    kept = Jsonb([{"check": each.check, "verdict": each.verdict, "detail": each.detail} for each in findings])
    try:
        open_records(context.connection, PREFLIGHT_RUNS)
        context.do("keep_run", action=action, client=client(), findings=kept)
    except psycopg.Error as error:
        return [RECORD.unknown(_reason(error))]
    except OnlineError as error:
        return [RECORD.unknown(error.what, error.next_step)]
    return []


def _teams(addresses: Sequence[str]) -> closing[Alerts]:
    """Known to be reachable addresses before anything is changed; what is unsent is waited for at the end."""
    return closing(Alerts(0, "tell", addresses))


def _look(context: Context, console: Console) -> Iterator[Finding]:
    for check, question in QUESTIONS.items():
        with console.status(f"Looking at {check.name}"):
            answers = _answer(context, check, question)
        yield from answers
        if _is_standby(answers):
            return  # which has no answers of its own


def _is_standby(findings: Sequence[Finding]) -> bool:
    return any(server.STANDBY in finding.detail for finding in findings if finding.check == server.SERVER.name)


def _answer(context: Context, check: Check, question: Question) -> list[Finding]:
    try:
        answer = question(context)
    except (psycopg.Error, DBAPIError) as failed:
        error = failed.orig if isinstance(failed, DBAPIError) else failed
        if not isinstance(error, psycopg.Error):
            raise
        if context.connection.closed:
            lost = f"{shown(context.url)}: {_reason(error)}"
            raise OnlineError(lost, "see that the server runs, and run it again.") from None
        # Most often for lack of a privilege, or because somebody holds the table.
        return [check.unknown(reason(error, context.url), "look again as a role that may, or when it is free.")]
    except UnclearError as error:
        return [check.unknown(error.what, error.next_step.rstrip("."))]
    if answer is None:
        return []
    return [answer] if isinstance(answer, Finding) else list(answer)


def _reason(error: psycopg.Error) -> str:
    return server_error(error).what.partition("\n")[0]
