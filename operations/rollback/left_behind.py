"""What others had on an archived table, and the table that is there now lacks: it does not come back with the rows.

A table that is exchanged brings along all that it has. Where rows are merged, or the table becomes a partition, columns
of others are a question beforehand, row security is refused, and the rest is named with the statements that make it. So
is, of whatever table, how triggers and foreign keys were that the upgrade has made anew.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import psycopg
from alembic_online import Ledger, OnlineError, Planned, validation
from alembic_online.catalog import Identity, Snapshot
from psycopg.sql import SQL, Identifier
from rich.console import Console

from operations.findings import Finding
from operations.queries import query
from operations.rollback import checks, kept_statements
from operations.rollback.attach import BOUND, KEY
from operations.rollback.conflicts import NO_COLUMN, Conflict, Table, count
from operations.rollback.records import Archived, Records, Rollback
from operations.scope import SCOPE
from operations.upgrade import script_directory

KINDS = ("index", "constraint", "trigger", "rule", "policy", "statistics")
STATES = ("DISABLE", "ENABLE REPLICA", "ENABLE ALWAYS")
"""Of a trigger, but for that in which it is made."""
REMEDY = "run the SQL that is printed above, where it is still wanted."


def columns(connection: psycopg.Connection[Any], table: Table) -> Iterator[Conflict]:
    """A conflict for each column of the archive that holds values and has no place any more."""
    for name, type_name in table.lacking.items():
        why = f"hold a value in {name} ({type_name}), a column that it does not have"
        condition = SQL("a.{} IS NOT NULL").format(Identifier(name))
        yield from count(connection, table, NO_COLUMN, why, condition, None)


def refuse_unprotected(connection: psycopg.Connection[Any], table: Table) -> None:
    """Raise OnlineError where row security protects the archived rows, and would not protect them in their place."""
    parameters = {"relation": table.relation, "archived": table.archived}
    row = connection.execute(query("rollback/loses_row_security"), parameters).fetchone()
    if row != (True,):
        return
    raise OnlineError(
        f"Row security protects the rows of {table.archived}, and not those of {table.relation}; nothing was changed.",
        f"ALTER TABLE {table.relation} ENABLE ROW LEVEL SECURITY; make its policies as those of {table.archived}"
        " (pg_policies), and restore.",
    )


def of_others(live: Snapshot, there: Mapping[Identity, str], kept: Archived) -> list[str]:
    """The statements that make again what of others stood on an archived table and is not on the live one."""
    schema, _, name = kept.relation.partition(".")
    here, ours = (schema, name), made_by_revisions()
    own = [each for each in there if (each.schema, each.name) == here and each.kind in KINDS and each.part]
    alike = {_content(text) for each, text in live.items() if (each.schema, each.name, each.kind) == (*here, "index")}
    found = [
        there[each]
        for each in own
        if each not in live
        and str(each) not in ours
        and each.part not in (KEY, BOUND)
        and not (each.kind == "index" and _content(there[each]) in alike)  # an attempt to attach it may have built that
    ]
    for statement in kept.definitions:
        identity = kept_statements.identity(statement, kept.relation)
        if identity not in live and str(identity) not in ours:
            found.append(statement)
    return found


def switched(records: Records, rollback: Rollback, live: Snapshot) -> Iterator[str]:
    """The statements that switch triggers as they were before the rollback: the upgrade has made them anew.

    What the ledger kept of each is a hash, which tells in which of its states a trigger was.
    """
    if not Ledger(records.connection, SCOPE).exists():
        return
    parameters = {"rollback_id": rollback.rollback_id}
    row = records.connection.execute(query("rollback/before_rollback"), parameters).fetchone()
    before = row[0] if row else {}
    for identity, text in live.items():
        if identity.kind == "trigger" and str(identity) in before:
            _, _, named = live.removals[identity].partition("DROP TRIGGER ")
            trigger, _, table = named.rpartition(" ON ")
            for state in STATES:
                statement = f"ALTER TABLE {table} {state} TRIGGER {trigger}"
                condensed = validation.condensed({identity: f"{text};\n{statement}"}, SCOPE)
                if condensed[str(identity)] == before[str(identity)]:
                    yield statement


def _content(index: str) -> tuple[bool, str]:
    """What an index holds, whatever it is called: whether it is unique, and its method and columns."""
    return index.startswith("CREATE UNIQUE "), index.partition(" USING ")[2]


def told(statements: Collection[str], console: Console) -> Iterator[Finding]:
    """A finding where there are any; the statements on the console."""
    if not statements:
        return
    console.print("\nWhat others had on these tables and what did not come back with the rows:\n", style="yellow")
    for statement in statements:
        console.print(f"{statement};", soft_wrap=True, markup=False, highlight=False)
    yield checks.DEPENDANTS.warning(f"{len(statements)} did not come back with the rows of their tables", REMEDY)


def made_by_revisions() -> set[str]:
    """What a revision has made, as the catalog calls it: it may come with a later upgrade."""
    steps = (Planned(script, "upgrade") for script in script_directory().walk_revisions())
    return {line.partition(" ")[2].removesuffix(" (not validated)") for step in steps for line in step.lines}
