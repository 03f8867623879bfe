"""The smoke queries of a rollback: what Phase 1 asks, and the readers whose tables are still there."""

import re

import psycopg
from alembic_online import Session
from alembic_online.acquisition import retried
from alembic_online.held import reason
from alembic_online.retry import RetryPolicy
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from models.reader import Reader, readers
from operations.findings import Finding
from operations.rollback import checks

PHASE1 = {
    "a niche": "SELECT * FROM public.features WHERE niche_id = (SELECT min(niche_id) FROM public.features)",
    "the top five": "SELECT phrase, opportunity FROM public.hot_niches_today ORDER BY opportunity DESC LIMIT 5",
}
"""By what it asks for; each must be answered."""

COMMENT = re.compile(r"--[^\n]*")
OF_ANALYTICS = re.compile(r"\b(analytics\.\w+)(\()?")


def smoke(session: Session) -> Finding:
    """Ask what Phase 1 asks, and what those readers ask whose tables are there."""
    asked, failed = [], []
    connection = session.sqlalchemy
    for name, statement in PHASE1.items():
        asked.append(name)
        if error := _error(session, statement):
            failed.append(f"{name}: {error}")
    for reader in readers():
        if not _has_its_relations(connection, reader):
            continue
        error = _error(session, reader.sql, **dict.fromkeys(reader.parameters))
        if error != "column":
            asked.append(reader.name)
        if error not in (None, "column"):
            failed.append(f"{reader.name}: {error}")
    if failed:
        return checks.SMOKE.failed("; ".join(failed))
    return checks.SMOKE.ok(f"{len(asked)} answered: {', '.join(asked)}")


def _error(session: Session, statement: str, **parameters: None) -> str | None:
    """What the server says to a query; "column" where a column of features is gone with the revision that added it."""
    try:
        policy = RetryPolicy(session.options.deadline)
        retried(lambda: session.sqlalchemy.execute(text(statement), parameters).all(), policy, session.url)
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.UndefinedColumn):
            return "column"
        return reason(error, session.sqlalchemy)
    return None


def _has_its_relations(connection: Connection, reader: Reader) -> bool:
    used = OF_ANALYTICS.findall(COMMENT.sub("", reader.sql))
    relation, function = text("SELECT to_regclass(:name) IS NOT NULL"), text("SELECT to_regproc(:name) IS NOT NULL")
    return all(connection.scalar(function if call else relation, {"name": name}) for name, call in used)
