"""Alembic's table, where no command can go on from what it says."""

from collections.abc import Callable, Collection, Iterable, Sequence
from io import StringIO

from alembic.runtime.migration import HeadMaintainer, MigrationContext, RevisionStep
from alembic.script import ScriptDirectory

from alembic_online.errors import OnlineError
from alembic_online.ledger import Ledger
from alembic_online.queries import query
from alembic_online.sessions import Session

LONGEST = 32
"""Characters of a revision's name that Alembic's own table holds, as Alembic makes it."""


def refuse_elsewhere(session: Session) -> None:
    """Where a schema has the role's name, Alembic's table was made in it: the default search path begins with that."""
    found = session.observer.execute(query("run/version_table_elsewhere"), {"schema": session.scope.default_schema})
    if row := found.fetchone():
        raise OnlineError(
            f"Alembic's table is {row[0]}, not in schema {session.scope.default_schema}; nothing was changed.",
            f"move it: ALTER TABLE {row[0]} SET SCHEMA {session.scope.default_schema}.",
        )


def refuse_too_long(session: Session, revisions: Iterable[str]) -> None:
    """The name of a revision has to fit into Alembic's table, which some have made wider."""
    row = session.observer.execute(query("run/longest_name"), {"schema": session.scope.default_schema}).fetchone()
    longest = row[0] if row else LONGEST
    for revision in revisions:
        if longest is not None and len(revision) > longest:
            raise OnlineError(
                f"The revision's name {revision} has {len(revision)} characters; alembic_version holds {longest};"
                " nothing was changed.",
                "give it a shorter `revision`, here and where it is a `down_revision`.",
            )


LAST = "to which the last recorded step led"
AGAIN = "type it in this project's directory, then the same command again"


def recorded(ledger: Ledger, script: ScriptDirectory) -> str | None:
    """The revision to which the last step led that the ledger has as applied.

    None: there is none, it has gone, or this role may not read the ledger.
    """
    try:
        last = ledger.last_applied() if ledger.exists() else None
    except OnlineError:
        return None
    if last is None:
        return None
    if last.direction == "upgrade":
        return last.revision
    before = {revision.revision: revision.down_revision for revision in script.walk_revisions()}
    found = before.get(last.revision)
    return found if isinstance(found, str) else None


def which(heads: Collection[str], last: str | None) -> str:
    """What to type where several rows say where the database is; `last`: to where the ledger's last step led."""
    if last in heads:
        return (
            f"`alembic stamp --purge {last}` writes {last}, {LAST}, in place of these rows, and nothing else; {AGAIN}."
        )
    stamps = " or ".join(f"`alembic stamp --purge {head}`" for head in sorted(heads))
    return (
        f"{stamps}, by what the database holds, writes that in place of these rows, and nothing else (no step is"
        f" recorded that led to any of them); {AGAIN}."
    )


def stamp(last: str) -> str:
    """What to type where there is no row."""
    return f"`alembic stamp {last}` writes {last}, {LAST}, into it, and nothing else; {AGAIN}"


def correction(last: str | None) -> str:
    """What to type where the row names no revision that there is."""
    if last is None:
        return "use the version of this project that has it."
    return (
        f"use the version of this project that has it; or `alembic stamp --purge {last}` writes {last}, {LAST}, in"
        f" place of it, and nothing else; {AGAIN}."
    )


def refuse_unclear(heads: tuple[str, ...], script: ScriptDirectory, ledger: Ledger) -> None:
    """Raise OnlineError where the table does not say at which revision of this code the database is."""
    refuse_unknown(heads, script, ledger)
    refuse_overlapping(heads, script, ledger)
    if heads or (last := recorded(ledger, script)) is None:
        return
    tables = (
        ledger.scope.metadata.tables.values()
    )  # of the schemas that are ours: others' shared ones were there before
    names = [f"{table.schema}.{table.name}" for table in tables if table.schema in ledger.scope.schemas]
    if row := ledger.connection.execute(query("run/tables_there"), {"names": names}).fetchone():
        raise OnlineError(
            f"alembic_version has no row, though {row[0]} is there; nothing was changed.", f"{stamp(last)}."
        )


def created_later(context: MigrationContext) -> Callable[[], None]:
    """Keep Alembic from creating its table before anything was looked at; gives what creates it if it was wanted."""
    create, wanted = context._ensure_version_table, list[bool]()

    def ensure(purge: bool = False) -> None:
        if purge:
            create(purge=True)
        else:
            wanted.append(True)

    def create_if_wanted() -> None:
        if wanted:
            create()
            wanted.clear()

    context._ensure_version_table = ensure  # type: ignore[method-assign]
    return create_if_wanted


def refuse_unknown(heads: tuple[str, ...], script: ScriptDirectory, ledger: Ledger) -> None:
    known = {revision.revision for revision in script.walk_revisions()}
    for head in heads:
        if head not in known:
            raise OnlineError(
                f"alembic_version names revision {head!r}, which this code does not have; nothing was changed.",
                correction(recorded(ledger, script)),
            )


def refuse_overlapping(heads: tuple[str, ...], script: ScriptDirectory, ledger: Ledger) -> None:
    """Two rows of which one comes before the other: each says where the database is, and one is wrong."""
    for head in heads:
        before = {revision.revision for revision in script.iterate_revisions(head, "base")} - {head}
        if behind := before.intersection(heads):
            raise OnlineError(
                f"alembic_version has {len(heads)} rows ({', '.join(sorted(heads))}), and {', '.join(sorted(behind))}"
                f" comes before {head}: at which revision the database is, is not known; nothing was changed.",
                which(heads, recorded(ledger, script)),
            )


def refuse_half_a_stamp(heads: tuple[str, ...], steps: Sequence[RevisionStep]) -> None:
    """Alembic fails in the middle where it would stamp several revisions in the place of one: rehearsed without it."""
    nowhere = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": StringIO(), "script": None}
    )
    rehearsal = HeadMaintainer(nowhere, heads)
    try:
        for step in steps:
            rehearsal.update_to_step(step)
    except (KeyError, AssertionError) as error:
        wanted = " ".join(dict.fromkeys(revision for step in steps for revision in step.to_revisions))
        raise OnlineError(
            f"Alembic cannot stamp {wanted} in the place of {', '.join(sorted(heads))}; nothing was changed.",
            f"alembic stamp --purge {wanted}.",
        ) from error
