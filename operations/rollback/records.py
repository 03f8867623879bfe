"""What is written down of rollbacks, in schema sidb, so that an interrupted one is resumed or ended."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg
from alembic_online import OnlineError, Options, Session, open_session
from alembic_online.held import AGAIN, is_missed, reason
from alembic_online.messages import AS_WHO_MIGRATES, is_denied
from alembic_online.sessions import client
from psycopg.rows import class_row
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from operations.bookkeeping import ROLLBACKS, open_records
from operations.queries import query
from operations.scope import SCOPE

Phase = Literal["started", "paused", "closed", "moved", "opened", "done", "aborted"]

PHASES: tuple[Phase, ...] = ("started", "paused", "closed", "moved", "opened", "done")
"""In their order; each is reached when what it names has been committed."""

ONE_AT_A_TIME = "SELECT pg_try_advisory_lock(hashtextextended('sidb rollback', 0))"


@dataclass(frozen=True)
class Rollback:
    """A rollback as it stands: from revision `origin` to `target`, `phase` finished last."""

    rollback_id: int
    origin: str
    target: str
    phase: Phase
    was_paused: bool | None
    started: datetime
    finished: datetime | None
    who: str

    @property
    def archive(self) -> str:
        """The schema in which it keeps what it puts aside."""
        return f"sidb_archive_{self.rollback_id}"

    def has_reached(self, phase: Phase) -> bool:
        return self.phase in PHASES and PHASES.index(self.phase) >= PHASES.index(phase)


@dataclass(frozen=True)
class Right:
    """A privilege that somebody granted; an empty `column_name` means the whole relation, an empty `grantee` PUBLIC."""

    relation: str
    column_name: str
    grantor: str
    grantee: str
    privilege: str
    is_grantable: bool


@dataclass(frozen=True)
class Archived:
    """A table that was moved aside, or columns that were copied from one; of both there may be several of one relation.

    `kept_as` is the table of the archive that holds it; `bytes` is None where that is no longer there.
    """

    relation: str
    kept_as: str
    kept_columns: list[str] | None
    definitions: list[str]
    place: int | None
    rows_restored: int
    rows_left: int
    left_columns: list[str]
    """Columns that the table lacked: rows with a value in one of them were left."""
    state: str
    bytes: int | None

    @property
    def is_table(self) -> bool:
        """Whether it is the whole table."""
        return self.kept_columns is None

    @property
    def name(self) -> str:
        """What it is, for people."""
        return f"{', '.join(sorted(self.kept_columns))} of {self.relation}" if self.kept_columns else self.relation


@contextmanager
def alone(url: URL, options: Options | None = None, *, sole: bool = False) -> Iterator["Records"]:
    """The records, on a session that keeps every other rollback, restore and erasure out; `sole`: migrations, too."""
    with reading(url, options, sole=sole) as records:
        if records.connection.execute(ONE_AT_A_TIME).fetchone() != (True,):
            raise OnlineError(
                "Another rollback, restore or erasure is at work on this database; nothing was changed.",
                "wait for it; `SELECT * FROM pg_stat_activity WHERE application_name LIKE 'sidb%'` names it.",
            )
        if records.exist():
            records.open()  # older code may have made them
        yield records


@contextmanager
def reading(url: URL, options: Options | None = None, *, sole: bool = False) -> Iterator["Records"]:
    """The records, on a session of the engine's. Raises OnlineError."""
    try:
        with open_session(url, SCOPE, options, sole=sole) as session:
            yield Records(session)
    except (psycopg.Error, DBAPIError) as error:
        correct = f"{AS_WHO_MIGRATES}, again" if is_denied(error) else "correct that and run it again"
        again = AGAIN if is_missed(error) else correct
        raise OnlineError(
            f"The database refused it: {reason(error, url)}",
            f"{again}: it continues with the phase that was not finished.",
        ) from error


class Records:
    """Reads and writes them on a session in autocommit mode, on which everything else is done, too."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.connection = session.connection

    def exist(self) -> bool:
        row = self.connection.execute("SELECT to_regclass('sidb.rollback') IS NOT NULL").fetchone()
        return bool(row and row[0])

    def open(self) -> None:
        """Make the tables what this code expects."""
        open_records(self.connection, ROLLBACKS)

    def pending(self) -> Rollback | None:
        """The rollback that was begun and neither finished nor aborted."""
        return next(iter(self._rollbacks("pending")), None) if self.exist() else None

    def all(self) -> list[Rollback]:
        """Every rollback, the oldest first."""
        return self._rollbacks("all") if self.exist() else []

    def begin(self, origin: str, target: str) -> Rollback:
        """Write down that a rollback begins; the records were opened."""
        parameters = {"origin": origin, "target": target, "client": client()}
        return self._rollbacks("begin", parameters)[0]

    def reached(self, rollback: Rollback, phase: Phase) -> None:
        self.connection.execute(query("rollback/reached"), {"rollback_id": rollback.rollback_id, "phase": phase})

    def paused(self, rollback: Rollback, was_paused: bool | None) -> None:
        parameters = {"rollback_id": rollback.rollback_id, "was_paused": was_paused}
        self.connection.execute(query("rollback/was_paused"), parameters)

    def remember(self, rollback: Rollback, rights: Sequence[Right]) -> None:
        """Write down what is about to be revoked, in the same transaction."""
        with self.connection.cursor() as cursor:
            rows = [{**asdict(right), "place": place} for place, right in enumerate(rights, 1)]
            cursor.executemany(
                query("rollback/remember_right"), [{**row, "rollback_id": rollback.rollback_id} for row in rows]
            )

    def rights(self, rollback: Rollback) -> list[Right]:
        """What the rollback revoked, in the order in which it can be granted again."""
        with self.connection.cursor(row_factory=class_row(Right)) as cursor:
            parameters = {"rollback_id": rollback.rollback_id}
            return cursor.execute(query("rollback/remembered_rights"), parameters).fetchall()

    def archived(self, rollback: Rollback) -> list[Archived]:
        """What the rollback put aside."""
        with self.connection.cursor(row_factory=class_row(Archived)) as cursor:
            return cursor.execute(query("rollback/archived"), {"rollback_id": rollback.rollback_id}).fetchall()

    def _rollbacks(self, name: str, parameters: dict[str, Any] | None = None) -> list[Rollback]:
        with self.connection.cursor(row_factory=class_row(Rollback)) as cursor:
            return cursor.execute(query(f"rollback/{name}"), parameters).fetchall()
