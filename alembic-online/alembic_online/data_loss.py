"""What a step drops: declared by its revision, found when it goes, and kept or refused where it holds data.

A revision says beside `locks` what its upgrade and its downgrade drop, as `schema.table` and `schema.table.column`:
`drops = {"upgrade": [], "downgrade": [...]}`. Nothing depends on that being complete: whatever is gone for the
migrating session and still there for another one was dropped by the step, and goes only once it was looked at. A step
that declares is taken at its word at first, and looked at before its commit: each look is time under its locks.
"""

import logging
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

import psycopg
from alembic.runtime.migration import RevisionStep
from alembic.script import Script
from psycopg import Rollback

from alembic_online import parts
from alembic_online.acquisition import acquire
from alembic_online.errors import OnlineError
from alembic_online.following import Following
from alembic_online.keeper import Discard, Keeper
from alembic_online.parts import Part
from alembic_online.planned import Direction, Planned
from alembic_online.retry import RetryPolicy
from alembic_online.rewritten import tell
from alembic_online.sessions import Session

log = logging.getLogger("alembic.online")

MAY_DROP = re.compile(
    r"\bDROP\b(?!\s+(TRIGGER|FUNCTION|PROCEDURE|INDEX|(MATERIALIZED\s+)?VIEW|POLICY|RULE|CONSTRAINT|DEFAULT|NOT)\b)"
    r"|\bDROP\b.*\bCASCADE\b",
    re.I | re.S,
)
"""Words in the text of any statement that drops tables or columns, unless it calls a function that drops them."""
DROP_TABLE = re.compile(r"\bDROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?((?:[\w.\"]+\s*,\s*)*[\w.\"]+)", re.I)


class Refuse:
    """Refuses to drop what holds rows or values."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.following = Following(session)

    def prepare(self, columns: Sequence[Part], policy: RetryPolicy) -> None:
        if wanted := [part for part in columns if not part.computed]:
            self.following.begin(wanted, policy)
            self._refuse(self.session.observer, wanted)

    def columns(self, session: Session, columns: Sequence[Part]) -> None:
        if self.following.end(session, columns) is not False:  # values were written, or nobody looked
            self._refuse(session.connection, columns)

    def table(self, session: Session, table: Part) -> None:
        self._refuse(session.connection, [table])

    def close(self) -> None:
        self.following.clear()

    def _refuse(self, connection: psycopg.Connection[Any], dropped: Sequence[Part]) -> None:
        if losses := held(connection, dropped):
            raise refusal(losses, self.session)


class Undeclared(Exception):  # noqa: N818 - no failure: the step is run again, prepared for it
    """The step drops these columns or tables, and nothing was prepared for it."""

    def __init__(self, names: Collection[str]) -> None:
        super().__init__(f"drops what it does not declare: {', '.join(sorted(names))}")
        self.names = frozenset(names)


class Drops:
    """What one step drops, over all its attempts."""

    def __init__(self, session: Session, script: Script, direction: Direction, name: str, keeper: Keeper) -> None:
        self.session = session
        self.name = name
        self.keeper = keeper
        self.computed = frozenset(computed(script))
        self.names = set(Planned(script, direction).drops)
        """What the step is known to drop: declared, or found in an earlier attempt."""
        self.undeclared = False
        """Whether an attempt dropped something that its text does not show: every statement is looked at then."""
        self.settled: set[tuple[int, int]] = set()
        """What may go in this attempt: it holds nothing, it is kept, or it can be computed again."""
        self.locked: list[Part] | None = None
        """The known tables that the open transaction has for itself since before its first statement."""

    def locks(self) -> dict[str, str]:
        """The locks that dropping what is known takes."""
        return dict.fromkeys(parts.relations(self.names), "AccessExclusiveLock")

    @property
    def announced(self) -> str:
        """What tells a step's SQL that it may drop what holds data, since that is kept, or asked to go.

        A setting that a revision reads: `current_setting('alembic_online.drops_data', true) = 'on'`.
        """
        return "" if isinstance(self.keeper, Refuse) else "; SET LOCAL alembic_online.drops_data = on"

    def learn(self, found: Undeclared) -> None:
        """Be prepared for it in the next attempt."""
        self.undeclared = True
        self.names |= found.names

    def prepare(self, policy: RetryPolicy) -> None:
        """Before an attempt, with nothing locked."""
        self.settled, self.locked = set(), None
        if not self.names:
            return
        for columns in parts.columns(self._known(self.session.observer)).values():
            self.keeper.prepare(columns, policy)

    def begin(self) -> None:
        """In the step's transaction, with its locks held, before its first statement."""
        if not self.names:
            return
        known = self._known(self.session.connection)
        for columns in parts.columns(known).values():
            self._keep_columns(columns)
        self.locked = parts.tables(known)

    def begin_alone(self, statement: str, policy: RetryPolicy) -> None:
        """In a transaction of one statement, before it: the same for tables of which it may drop known columns.

        What was seen to in an earlier one and is still there may have been written since.
        """
        self.settled = set()
        known = self._known(self.session.connection) if self.names else []
        for table, columns in parts.columns(known).items():
            if self.undeclared or (MAY_DROP.search(statement) and _names_one_of(statement, columns)):
                acquire(self.session, {table: "AccessExclusiveLock"}, self.name, policy)
                self._keep_columns(columns)

    def execute(self, statement: str, work: Callable[[], object], policy: RetryPolicy, *, again: bool) -> None:
        """Run a statement of the step in its transaction; what it drops is looked at before it goes.

        `again`: whether the step can be run again from its start, or the statement by itself, where it drops columns
        for which nothing was prepared; Undeclared is raised then.
        """
        if self.locked is not None and again and not self.undeclared:
            self._settle_named(statement, self.locked)
            work()
            return
        if not (self.undeclared or MAY_DROP.search(statement)):
            work()
            return
        if self.computed:  # called so by now: it may go, so that the statement need not be undone and run again
            self.settled |= {part.key for part in parts.named(self.session.connection, self.computed)}
        while True:
            with self.session.connection.transaction() as savepoint:
                work()
                if new := self._unsettled():
                    raise Rollback(savepoint)
            if not new:
                return
            self._settle(self._as_called_here(new), policy, again=again)

    def before_commit(self, *, again: bool) -> None:
        """Raise Undeclared, or OnlineError where that does not help, if something is gone that was not looked at.

        Rows that a step deletes, empties or rewrites are told.
        """
        self.locked = None
        before, after = self._stored()
        tell(self.session, self.name, before, after)
        if not (new := self._not_settled(before, after)):
            return
        if again and not self.undeclared:
            raise Undeclared([part.name for part in new])
        names = ", ".join(part.name for part in new)
        raise OnlineError(
            f"{self.name}: drops {names}, and whether that holds data cannot be determined; it was rolled back.",
            "name it in the revision's `drops`, so that it is looked at beforehand.",
        )

    def _settle_named(self, statement: str, tables: Sequence[Part]) -> None:
        """See to those tables that a statement says it drops."""
        named = [parts.words(name) for each in DROP_TABLE.finditer(statement) for name in each[1].split(",")]
        for table in tables:
            if [table.schema, table.relation] in named and table.key not in self.settled:
                self.keeper.table(self.session, table)
                self.settled.add(table.key)

    def _settle(self, new: Sequence[Part], policy: RetryPolicy, *, again: bool) -> None:
        """See to what a statement, undone by now, is about to drop."""
        columns, tables = parts.columns(new), parts.tables(new)
        if again and (unknown := {part.name for each in columns.values() for part in each} - self.names):
            raise Undeclared(unknown)
        wanted = [*columns, *(table.table_name for table in tables)]
        acquire(self.session, dict.fromkeys(wanted, "AccessExclusiveLock"), self.name, policy)
        for each in columns.values():
            self._keep_columns(each)
        for table in tables:
            self.keeper.table(self.session, table)
            self.settled |= {table.key, *self._gone()}

    def _as_called_here(self, found: Sequence[Part]) -> list[Part]:
        """The same, by the names that the step may have given them since it began."""
        oids = {part.oid for part in found}
        here = parts.stored(self.session.connection, oids, self.session.scope.bookkeeping)
        return self._marked([here.get(part.key, part) for part in found])

    def _keep_columns(self, columns: Sequence[Part]) -> None:
        self.keeper.columns(self.session, columns)
        self.settled |= {*(part.key for part in columns), *self._gone()}

    def _known(self, connection: psycopg.Connection[Any]) -> list[Part]:
        return self._marked(parts.named(connection, self.names))

    def _unsettled(self) -> list[Part]:
        """What the open transaction dropped and nobody has looked at."""
        return self._not_settled(*self._stored())

    def _not_settled(self, before: parts.Inventory, after: parts.Inventory) -> list[Part]:
        gone = {key: before[key] for key in before.keys() - after.keys() if not parts.attached(before[key], after)}
        whole = parts.without_partitions(gone.values())
        new = [part for part in whole if part.key not in self.settled and (part.oid, 0) not in self.settled]
        tables = {part.oid for part in parts.tables(gone.values())}
        return self._marked([part for part in new if part.column_name is None or part.oid not in tables])

    def _gone(self) -> set[tuple[int, int]]:
        """What the open transaction dropped, or is done away with by the keeper."""
        before, after = self._stored()
        return before.keys() - after.keys()

    def _stored(self) -> tuple[parts.Inventory, parts.Inventory]:
        """What others see of the relations that this transaction has for itself, and what it sees itself."""
        oids, bookkeeping = parts.exclusive(self.session.connection), self.session.scope.bookkeeping
        return (
            parts.stored(self.session.observer, oids, bookkeeping),
            parts.stored(self.session.connection, oids, bookkeeping),
        )

    def _marked(self, found: Sequence[Part]) -> list[Part]:
        return [
            replace(part, computed=part.name in self.computed or part.table_name in self.computed) for part in found
        ]


def _names_one_of(statement: str, columns: Sequence[Part]) -> bool:
    return any(re.search(rf"\b{re.escape(str(part.column_name))}\b", statement) for part in columns)


def computed(script: Script) -> tuple[str, ...]:
    """The tables and columns that triggers fill: what they hold can be computed again."""
    return tuple(getattr(script.module, "computed", ()))


def refuse_loss(connection: psycopg.Connection[Any], steps: Iterable[RevisionStep], session: Session) -> None:
    """Raise OnlineError if one of the steps declares to drop what holds data; lists all of it. Locks nothing."""
    losses: list[str] = []
    target = "REVISION"
    for step in steps:
        direction: Direction = "upgrade" if step.is_upgrade else "downgrade"
        known = Drops(session, step.revision, direction, "", Discard())._known(connection)
        losses += held(connection, known)
        if not step.is_upgrade:
            target = str(step.revision.down_revision or step.revision.revision)
    if losses:
        raise refusal(losses, session, target)


def held(connection: psycopg.Connection[Any], dropped: Sequence[Part]) -> list[str]:
    """Those of the parts that hold what cannot be computed again, as a person reads it."""
    whole = [*parts.tables(dropped), *(part for each in parts.columns(dropped).values() for part in each)]
    return [
        f"{part.name}: holds {'rows' if part.column_name is None else 'values'}"
        for part in whole
        if not part.computed and parts.holds(connection, part)
    ]


def refusal(losses: Sequence[str], session: Session, target: str = "REVISION") -> OnlineError:
    """The error that lists what would be lost, and says how it is kept on the way to `target`, or dropped."""
    command = session.scope.rollback_command
    keep = f"keep it with `{command} {target}`" if command else "move it to another schema (ALTER TABLE … SET SCHEMA …)"
    discard = session.options.written("discard-data", "yes")
    return OnlineError(
        "\n".join(
            ["The migration would drop what cannot be computed again; it was not run."] + [f"  {x}" for x in losses]
        ),
        f"{keep}, or drop it with {discard}.",
    )
