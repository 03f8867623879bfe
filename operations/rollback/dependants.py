"""What others have built on what goes: refused beforehand; or, asked to, put aside and given back.

It is written down with the statements that bring it back in the transaction that drops it, so that nothing is lost
whenever the rollback is killed.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
from alembic_online import OnlineError, Session, acquire
from alembic_online.acquisition import retried
from alembic_online.catalog.dependants import Dependant, advice, dependants
from alembic_online.messages import first_line
from alembic_online.retry import RetryPolicy
from psycopg.rows import class_row
from rich.console import Console

from operations.findings import Finding
from operations.queries import query
from operations.rollback import checks
from operations.rollback.records import Records, Rollback
from operations.rollback.way import Way, staying
from operations.scope import SCOPE

USED = "Objects of others use what would be dropped; nothing was changed."
CONCURRENTLY = " INDEX CONCURRENTLY "
STORED = re.compile(r"\) STORED\b")
WRITES_WHOLE = "giving it back computes it anew for every row: nobody can use the table until that is done"


@dataclass(frozen=True)
class Aside:
    """An object that was put aside, as it is written down; `created`: what takes time is still to be done."""

    place: int
    name: str
    removal: str
    creation: list[str]
    later: str
    relations: list[str]
    state: str

    @property
    def sql(self) -> str:
        """What brings it back, for people."""
        statements = [self.later] if self.state == "created" else [*self.creation, self.later]
        return "".join(f"{statement};\n" for statement in statements if statement)


def told(name: str, creation: Sequence[str]) -> str:
    """An object as a plan names it: with what giving it back costs the application."""
    stored = name.startswith("column ") and any(STORED.search(statement) for statement in creation[:1])
    return f"{name} ({WRITES_WHOLE})" if stored else name


def built_on(session: Session, way: Way) -> list[Dependant]:
    """What others have built on what goes, each after what it uses."""
    gone = frozenset[str]().union(*way.going.values())
    gone |= {f"materialized view {relation}" for relation in way.replaced}
    gone |= frozenset[str]().union(*(step.replaces for step in way.steps))
    gone -= staying(session)
    parameters = {"relations": way.returning, "retained": list(SCOPE.retained_schemas)}
    added = session.connection.execute(query("rollback/added_indexes"), parameters).fetchall()
    return dependants(session.sqlalchemy, SCOPE, gone, added=frozenset(name for (name,) in added))


def refuse(found: Sequence[Dependant], *, take_along: bool) -> None:
    """Raise OnlineError where something is in the way; asked to take it along, where it could not be given back."""
    barred = [each for each in found if each.obstacle or each.barred]
    if not found or (take_along and not barred):
        return
    lines = [f"  {each}" + (f" ({each.obstacle or each.barred})" if each in barred else "") for each in found]
    drop = f"have its owners {advice(barred or found, 'it')}"
    if again := "".join(each.sql for each in barred if not each.obstacle):
        lines += ["Keep these statements, which make them again with owners, comments and grants:", "", again]
    if barred:
        others = "" if len(barred) == len(found) else " with --take-along, which puts the others aside"
        next_step = f"what has a reason beside it cannot be put aside: {drop}, then run it again{others}."
    else:
        next_step = f"add --take-along, which puts it aside until `sidb restore` gives it back; or {drop}."
    raise OnlineError(
        "\n".join(["Objects of others use what would be dropped; nothing was changed.", *lines]), next_step
    )


def put_aside(records: Records, rollback: Rollback, found: Sequence[Dependant]) -> None:
    """Write it down and drop it, in the open transaction."""
    acquire(records.session, {name: mode for each in found for name, mode in each.locks.items()}, "rollback")
    for each in found:
        parameters = {
            "rollback_id": rollback.rollback_id,
            "name": each.name,
            "removal": each.removal,
            "creation": list(each.creation),
            "later": each.later,
            "relations": list(each.locks),
        }
        records.connection.execute(query("rollback/put_aside"), parameters)
    for each in reversed(found):
        records.connection.execute(each.removal.encode())


def aside(records: Records, rollback: Rollback) -> list[Aside]:
    """What was put aside and is not back, in its order."""
    there = "SELECT to_regclass('sidb.rollback_dependant') IS NOT NULL"
    if records.connection.execute(there).fetchone() != (True,):
        return []
    with records.connection.cursor(row_factory=class_row(Aside)) as cursor:
        return cursor.execute(query("rollback/dependants"), {"rollback_id": rollback.rollback_id}).fetchall()


def give_back(
    records: Records, rollback: Rollback, console: Console, *, or_later: Collection[str] | None = None
) -> Iterator[Finding]:
    """Bring back what was put aside, as far as that can be done now; what cannot is named, with its SQL.

    `or_later`: an upgrade may follow, which makes what some is built on, and puts other relations in the place of
    these: what is built on them would be in its way.
    """
    waiting = aside(records, rollback)
    if not waiting:
        return
    left = []
    for each in waiting:
        console.print(f"Giving back {told(each.name, each.creation)}", soft_wrap=True, markup=False)
        try:
            _give_back(records, rollback, each, or_later or ())
        except (psycopg.Error, OnlineError) as error:
            if records.connection.broken:
                raise
            left.append(f"{each.name}: {first_line(error)}")
            if or_later is not None:
                continue
            console.print(f"\n{left[-1]}. What brings it back:\n", style="yellow", soft_wrap=True, markup=False)
            console.print(each.sql, soft_wrap=True, markup=False, highlight=False)
    if left and or_later is not None:
        names = {line.partition(":")[0] for line in left}
        back = ", ".join(each.name for each in waiting if each.name not in names)
        yield checks.DEPENDANTS.ok(f"still put aside: {'; '.join(left)}" + (f"; back: {back}" if back else ""))
    elif left:
        yield checks.DEPENDANTS.failed("; ".join(left))
    else:
        yield checks.DEPENDANTS.ok(", ".join(each.name for each in waiting))


def _give_back(records: Records, rollback: Rollback, each: Aside, replaced: Collection[str]) -> None:
    policy, url = RetryPolicy(records.session.options.deadline), records.session.url
    if each.state == "aside":
        creation = each.creation
        if CONCURRENTLY in creation[0].partition("\n")[0]:
            _build(records, each, policy)
            creation = creation[1:]
        state = "created" if each.later else "back"
        retried(partial(_run, records, rollback, each, creation, state, replaced), policy, url)
    if each.later:
        retried(partial(_run, records, rollback, each, [each.later], "back", alone=False), policy, url)


def _run(
    records: Records,
    rollback: Rollback,
    each: Aside,
    statements: Sequence[str],
    state: str,
    replaced: Collection[str] = (),
    *,
    alone: bool = True,
) -> None:
    """Run the statements and write down what is reached, in one transaction; `alone`: with the relations locked.

    Raises OnlineError where it is built on a table that is `replaced` later on.
    """
    with records.connection.transaction():
        if alone:
            acquire(records.session, dict.fromkeys(each.relations, "AccessExclusiveLock"), each.name)
        for statement in statements:
            records.connection.execute(statement.encode())
        tables = frozenset(f"table {name}" for name in replaced)
        if tables and each.name in {found.name for found in dependants(records.session.sqlalchemy, SCOPE, tables)}:
            raise OnlineError(
                f"it is in the way of the upgrade, which replaces {', '.join(replaced)}", "upgrade first."
            )
        parameters = {"rollback_id": rollback.rollback_id, "place": each.place, "state": state}
        records.connection.execute(query("rollback/dependant_state"), parameters)


def _build(records: Records, each: Aside, policy: RetryPolicy) -> None:
    """Build an index while its table is written to; what an interrupted build left goes first."""
    connection, index = records.connection, each.removal.removeprefix("DROP INDEX ")
    wanted = each.creation[0].replace(CONCURRENTLY, " INDEX ", 1)
    with connection.transaction():
        connection.execute("SET LOCAL search_path = ''")  # so that names are printed in full
        row: Any = connection.execute(query("rollback/index_there"), {"index": index}).fetchone()
    if row is not None and row[1] != wanted:
        raise OnlineError(f"relation {index} already exists", "rename or drop it.")
    if row is not None and row[0]:
        return
    lasting = f"SET lock_timeout = {int(policy.seconds * 1000)}"  # cancelled, it would leave an invalid index
    before = connection.execute("SHOW lock_timeout").fetchone()
    assert before is not None
    connection.execute(lasting.encode())
    try:
        if row is not None:
            connection.execute(f"DROP INDEX CONCURRENTLY {index}".encode())
        connection.execute(each.creation[0].encode())
    finally:
        if not connection.broken:
            connection.execute("SELECT set_config('lock_timeout', %s, false)", before)
