"""How each table of an archive comes back: at once where it can be, else row by row; and which rows conflict then."""

from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from alembic_online import Scope, Session
from alembic_online.acquisition import until_read
from alembic_online.catalog import Identity, Snapshot, snapshot

from operations.queries import query
from operations.rollback import archived_months, attach, conflicts, kept_statements, left_behind, swap
from operations.rollback.records import Archived, Records, Rollback
from operations.scope import SCOPE

Whole = attach.Attachment | archived_months.Tree | swap.Swap
"""How a table comes back at once."""


def scope(session: Session, waiting: Iterable[Archived]) -> Scope:
    """What is ours, and the tables that are to come back in other schemas, where a revision has made them."""
    tables = [kept.relation for kept in waiting if kept.is_table]
    elsewhere = [name for name in tables if name.partition(".")[0] not in SCOPE.schemas]
    found = session.connection.execute(query("rollback/with_sequences"), {"relations": elsewhere}).fetchall()
    return SCOPE.with_whole(name for _, name in found)


def catalog(session: Session, scope: Scope) -> Snapshot:
    """The same as it is now. Raises OnlineError where somebody is in the way for too long."""
    return until_read(session, lambda: snapshot(session.observing, scope), "the look at the catalog")


def is_of_models(identity: Identity) -> bool:
    """Whether a difference of the catalog after a restore is one from the models; privileges are looked at apart."""
    if identity.kind in ("privilege", "type"):
        return identity.kind == "type"
    return SCOPE.owns(identity.kind, identity.schema, identity.name, identity.part)


def find(
    records: Records,
    rollback: Rollback,
    live: Snapshot,
    waiting: Iterable[Archived],
    tables: dict[str, conflicts.Table],
) -> tuple[dict[str, Whole | None], list[conflicts.Conflict]]:
    """How each table comes back, by name, and the conflicts. Raises OnlineError where rows must not come back."""
    plans: dict[str, Whole | None] = {}
    unfit: list[conflicts.Conflict] = []
    for kept in waiting:
        table = tables[kept.relation]
        plans[kept.relation] = _plan(records, rollback, live, table, kept)
        if kept.state != "swapped":
            unfit += _misfits(records.connection, table, kept, plans)
    return plans, unfit


def _plan(records: Records, rollback: Rollback, live: Snapshot, table: conflicts.Table, kept: Archived) -> Whole | None:
    """How the table comes back at once; None: its rows have to be merged, or it is back already."""
    session = records.session
    if kept.state != "archived" or not conflicts.is_empty(session.connection, table):
        return None
    return (
        attach.plan(session, table)
        or archived_months.plan(session, live, table, rollback.archive)
        or swap.plan(session, live, table, rollback.archive, kept.definitions)
    )


def _misfits(
    connection: psycopg.Connection[Any], table: conflicts.Table, kept: Archived, plans: dict[str, Whole | None]
) -> list[conflicts.Conflict]:
    """A table's conflicts; where there are any, it is not exchanged, but merged."""
    found = list(conflicts.find(connection, table, kept.place))
    if found:
        plans[kept.relation] = None
    if plans[kept.relation] is None:
        found += left_behind.columns(connection, table)
    if not isinstance(plans[kept.relation], swap.Swap | archived_months.Tree):
        left_behind.refuse_unprotected(connection, table)
    return found


def merged(
    waiting: Iterable[Archived], plans: Mapping[str, Whole | None], tables: Mapping[str, conflicts.Table]
) -> list[conflicts.Table]:
    """The tables whose rows come back one by one; not those that are back whole."""
    return [
        tables[kept.relation]
        for kept in waiting
        if kept.relation in plans and plans[kept.relation] is None and kept.state != "swapped"
    ]


def left_behind_by(
    records: Records, rollback: Rollback, live: Snapshot, waiting: Iterable[Archived], plans: dict[str, Whole | None]
) -> list[str]:
    """What others had on tables that are not exchanged, and what of all of them was otherwise, as statements."""
    merged = [
        kept
        for kept in waiting
        if kept.relation in plans
        and kept.state != "swapped"
        and not isinstance(plans[kept.relation], swap.Swap | archived_months.Tree)
    ]
    schemas = {kept.relation.partition(".")[0] for kept in merged}
    there = {schema: swap.at_home(records.session, rollback.archive, schema) for schema in schemas}
    found = [
        statement
        for kept in merged
        for statement in left_behind.of_others(live, there[kept.relation.partition(".")[0]], kept)
    ]
    for kept in waiting:
        if kept not in merged:
            found += kept_statements.to_others_of_ours(kept.definitions, live, kept.relation)
        found += kept_statements.changed(kept.definitions, live, kept.relation)
    return [*found, *left_behind.switched(records, rollback, live)]


def exchange(records: Records, rollback: Rollback, plan: Whole) -> list[str]:
    """Bring the table back; the statements that would make again what of others did not come with it.

    Raises OnlineError where somebody has written into it meanwhile; nothing is lost then.
    """
    match plan:
        case attach.Attachment():
            attach.attach(records, rollback, plan)
        case archived_months.Tree():
            archived_months.exchange(records, rollback, plan)
        case swap.Swap():
            return swap.exchange(records, rollback, plan)
    return []
