"""Identity: which table it is that a job's progress describes.

Names stay while tables come and go: a downgrade drops one, a rollback moves it into an archive, and the upgrade after
it makes another one, empty, under the same name. What a change of name or schema keeps is the oid, and of a column the
attnum besides; so a table that comes back from an archive, or becomes a partition of a new one, brings its progress.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, cast, column, exists, func, select, table, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute

from backfill.job import Job, table_of
from backfill.queries import query
from backfill.tables import Target


@dataclass(frozen=True)
class Found:
    """A table or column that a job fills, as it is now, and as it was when the job's progress began (None)."""

    job: str
    target: str
    oid: int
    attnum: int
    known: tuple[int, int] | None

    @property
    def is_another(self) -> bool:
        return self.known is not None and self.known != (self.oid, self.attnum)


def look(connection: Connection, jobs: Sequence[Job]) -> list[Found]:
    """The tables and columns that the jobs fill; those that are not there are left out."""
    wanted = [(job.name, *_names(each)) for job in jobs for each in job.fills]
    known = {}
    if connection.scalar(select(func.to_regclass(f"sidb.{Target.__tablename__}").is_not(None))):
        rows = connection.execute(select(Target.job, Target.target, Target.oid, Target.attnum))
        known = {(job, target): (oid, attnum) for job, target, oid, attnum in rows}
    oids = [known.get((job, _shown(relation, column)), (None, 0))[0] for job, relation, column in wanted]
    parameters = {"relations": [each[1] for each in wanted], "columns": [each[2] for each in wanted], "known": oids}
    found = []
    for number, oid, attnum in connection.execute(query("identity"), parameters):
        job, relation, column = wanted[number]
        target = _shown(relation, column)
        found.append(Found(job, target, oid, attnum, known.get((job, target))))
    return found


def another(connection: Connection, jobs: Sequence[Job]) -> dict[str, list[str]]:
    """By job, the tables and columns that are other ones than those its progress describes."""
    by_job: dict[str, list[str]] = {}
    for each in look(connection, jobs):
        if each.is_another:
            by_job.setdefault(each.job, []).append(each.target)
    return by_job


def filled_exist(connection: Connection, job: Job) -> bool:
    """Whether a table that the job's progress describes is still anywhere, if only in an archive."""
    there = cast(column("oid"), BigInteger).in_(select(Target.oid).where(Target.job == job.name))
    return bool(connection.scalar(select(exists(select(text("1")).select_from(table("pg_class")).where(there)))))


def remember(connection: Connection, jobs: Sequence[Job]) -> None:
    """From now on the jobs' progress describes the tables that are there now."""
    _keep(connection, look(connection, jobs))


def hand_over(connection: Connection, jobs: Sequence[Job], relations: Collection[str]) -> None:
    """Progress goes with the rows: those of these tables, or of these columns, are in what is there now."""
    found = [each for each in look(connection, jobs) if each.is_another]
    _keep(connection, [each for each in found if each.target in relations or _relation(each.target) in relations])


def _keep(connection: Connection, found: Sequence[Found]) -> None:
    values = [{"job": each.job, "target": each.target, "oid": each.oid, "attnum": each.attnum} for each in found]
    if values:
        kept = insert(Target)
        new = {"oid": kept.excluded.oid, "attnum": kept.excluded.attnum}
        connection.execute(kept.on_conflict_do_update(index_elements=["job", "target"], set_=new), values)


def _names(filled: Any) -> tuple[str, str | None]:
    """The relation, qualified, and the column, if it is one."""
    is_column = isinstance(filled, InstrumentedAttribute)
    table, column = table_of(filled), filled.key if is_column else None
    return f"{table.schema or 'public'}.{table.name}", column


def _shown(relation: str, column: str | None) -> str:
    return f"{relation}.{column}" if column else relation


def _relation(target: str) -> str:
    return ".".join(target.split(".")[:2])
