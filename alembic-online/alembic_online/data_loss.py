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
from typing import Any, NoReturn

import psycopg
from alembic.runtime.migration import RevisionStep
from alembic.script import Script
from psycopg import Rollback
from psycopg.sql import SQL

from alembic_online import parts
from alembic_online.errors import OnlineError
from alembic_online.following import drop_trigger
from alembic_online.keepers import Discard, Keeper, Refuse, held, refusal
from alembic_online.parts import Part
from alembic_online.planned import Direction, Planned
from alembic_online.retry import RetryPolicy
from alembic_online.rewritten import tell
from alembic_online.sessions import Session
from alembic_online.undeclared import Undeclared, Written

log = logging.getLogger("alembic.online")

MAY_DROP = re.compile(
    r"\bDROP\b(?!\s+(TRIGGER|FUNCTION|PROCEDURE|INDEX|(MATERIALIZED\s+)?VIEW|POLICY|RULE|CONSTRAINT|DEFAULT|NOT)\b)"
    r"|\bDROP\b.*\bCASCADE\b",
    re.I | re.S,
)
"""Words in the text of any statement that drops tables or columns, unless it calls a function that drops them."""
DROP_TABLE = re.compile(r"\bDROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?((?:[\w.\"]+\s*,\s*)*[\w.\"]+)", re.I)
ROUNDS = 5  # after as many, it is said that columns are written to all the time
SETTLED = "alembic_online.settled"
"""The setting that says what may go in the open transaction."""


class Drops:
    """What one step drops, over all its attempts."""

    def __init__(self, session: Session, script: Script, direction: Direction, name: str, keeper: Keeper) -> None:
        self.session = session
        self.name = name
        self.keeper = keeper
        self.computed = frozenset(computed(script))
        self.names = set(Planned(script, direction).drops)
        """What the step is known to drop: declared, or found in an earlier attempt."""
        self.learned: set[tuple[int, int]] = set()
        """What earlier attempts were found to drop, whatever an attempt calls it."""
        self.rounds = 0
        """How often columns were read again, as values had been written into them."""
        self.undeclared = False
        """Whether an attempt dropped something that its text does not show: every statement is looked at then."""
        self.locked: list[Part] | None = None
        """The known tables that the open transaction has for itself since before its first statement."""

    def locks(self) -> dict[str, str]:
        """The locks that dropping what is known takes."""
        return dict.fromkeys(parts.relations(self.names), "AccessExclusiveLock")

    @property
    def settled(self) -> frozenset[tuple[int, int]]:
        """What may go in the open transaction: it holds nothing, it is kept, or it can be computed again.

        It is written in a setting of the transaction, so that a rollback, which gives up the locks under which it was
        looked at, undoes this, too.
        """
        row = self.session.connection.execute(f"SELECT current_setting('{SETTLED}', true)").fetchone()
        keys = [key.split(".") for key in (row[0] or "").split()] if row else []
        return frozenset((int(oid), int(attnum)) for oid, attnum in keys)

    def _allow(self, keys: Iterable[tuple[int, int]]) -> None:
        """These may go in the open transaction."""
        added = "".join(f"{oid}.{attnum} " for oid, attnum in set(keys) - self.settled)
        self.session.connection.execute(
            f"SELECT set_config('{SETTLED}', concat(current_setting('{SETTLED}', true), %s::text), true)", [added]
        )

    @property
    def announced(self) -> str:
        """What tells a step's SQL that it may drop what holds data, since that is kept, or asked to go.

        A setting that a revision reads: `current_setting('alembic_online.drops_data', true) = 'on'`.
        """
        return "" if isinstance(self.keeper, Refuse) else "; SET LOCAL alembic_online.drops_data = on"

    def meant_by(self, statement: str) -> list[Part]:
        """What a statement may drop of that which is known to go: of tables that its text names, if it does."""
        known = self._known(self.session.observer)
        return [part for part in known if re.search(rf"\b{re.escape(part.relation)}\b", statement, re.I)] or known

    def learn(self, found: Undeclared, *, again: bool = True) -> None:
        """Be prepared for it in the next attempt; OnlineError where there is none."""
        if isinstance(found, Written):
            self.rounds += 1
            if not again or self.rounds > ROUNDS:
                raise found.refusal(self.name, self.session.options.written("discard-data", "yes"))
            return
        if not again:
            raise self._undetermined(found.parts)
        self.undeclared = True
        self.names |= {part.name for part in found.parts}
        self.learned |= {part.key for part in found.parts}

    def prepare(self, policy: RetryPolicy) -> None:
        """Before an attempt, with nothing locked; what the one before it did is undone."""
        self.locked = None
        if not self.names:
            return
        for columns in parts.columns(self._known(self.session.observer)).values():
            self.keeper.prepare(columns, policy)

    def begin(self, known: Sequence[Part] | None = None, *, again: bool) -> None:
        """In a transaction of the step that has their tables for itself, before its first statement: see to the columns
        of what is known to go. `again`: as for `execute`.
        """
        if not self.names:
            return
        if known is None:
            known = self._known(self.session.connection)
        for columns in parts.columns(known).values():
            self._keep_columns(columns, again=again)
        self.locked = parts.tables(known)

    def execute(self, statement: str, work: Callable[[], object], *, again: bool) -> None:
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
            self._allow(self._tree(parts.named(self.session.connection, self.computed)))
        while True:
            with self.session.connection.transaction() as savepoint:
                work()
                if new := self._unsettled():
                    raise Rollback(savepoint)
            if not new:
                return
            if earlier := self._unsettled():  # the statement is undone: another one dropped it, and did not show it
                self._refuse_unseen(earlier, again=again)
            self._settle(new, again=again)

    def before_commit(self, *, again: bool) -> None:
        """Raise Undeclared, or OnlineError where that does not help, if something is gone that was not looked at.

        Rows that a step deletes, empties or rewrites are told.
        """
        self.locked = None
        before, after = self._stored()
        tell(self.session, self.name, before, after)
        if not (new := self._not_settled(before, after)):
            return
        self._refuse_unseen(new, again=again)

    def _refuse_unseen(self, gone: Collection[Part], *, again: bool) -> NoReturn:
        """Nobody has looked at what is gone, and nobody can any more: raise Undeclared, or OnlineError."""
        gone = parts.roots(self.session.observer, gone)
        if again and not self.undeclared:
            raise Undeclared(gone)
        raise self._undetermined(gone)

    def _undetermined(self, found: Iterable[Part]) -> OnlineError:
        names = ", ".join(sorted({part.name for part in found}))
        return OnlineError(
            f"{self.name}: drops {names}, and whether that holds data cannot be determined; it was rolled back.",
            "name it in the revision's `drops`, so that it is looked at beforehand.",
        )

    def _settle_named(self, statement: str, tables: Sequence[Part]) -> None:
        """See to those tables that a statement says it drops."""
        named = [parts.words(name) for each in DROP_TABLE.finditer(statement) for name in each[1].split(",")]
        for table in tables:
            if [table.schema, table.relation] in named and table.key not in self.settled:
                looked_at = self._tree([table])
                self.keeper.table(self.session, table)
                self._allow(looked_at)

    def _settle(self, found: Sequence[Part], *, again: bool) -> None:
        """See to what a statement, undone by now, is about to drop; `found` is as others call it.

        Its lock is asked for once, as the step may hold others, for which traffic would wait meanwhile: after a miss it
        is acquired with those.
        """
        new = self._as_called_here(found)
        columns, tables = parts.columns(new), parts.tables(new)
        unknown = [part for each in columns.values() for part in each if part.name not in self.names]
        if again and (unknown := [part for part in unknown if part.key not in self.learned]):
            keys = {part.key for part in unknown}
            raise Undeclared(unknown, [part for part in found if part.key in keys])
        self.names |= {table.name for table in tables}
        wanted = [*(each[0].table for each in columns.values()), *(table.table for table in tables)]
        self.session.connection.execute(SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(SQL(", ").join(wanted)))
        for each in columns.values():
            self._keep_columns(each, again=again)
        for table in tables:
            looked_at = self._tree([table])
            self.keeper.table(self.session, table)
            self._allow(looked_at | self._gone())

    def _as_called_here(self, found: Sequence[Part]) -> list[Part]:
        """The same, by the names that the step may have given them since it began; without what goes with another."""
        oids = {part.oid for part in found}
        here = parts.stored(self.session.connection, oids, self.session.scope.bookkeeping, inherited=True)
        return self._marked(parts.roots(self.session.connection, [here.get(part.key, part) for part in found]))

    def _keep_columns(self, columns: Sequence[Part], *, again: bool) -> None:
        if again and isinstance(self.keeper, Refuse) and self.keeper.is_unread(self.session, columns):
            raise Written(columns)
        looked_at = self._tree(columns)
        self.keeper.columns(self.session, columns)
        self.session.connection.execute(drop_trigger(columns[0].table))  # ours, or a killed run's: it needs the columns
        self._allow(looked_at | self._gone())

    def _tree(self, found: Collection[Part]) -> set[tuple[int, int]]:
        """These parts and what goes with them now: a table that the step detaches later was looked at with its parent,
        one that it has detached was not."""
        return {part.key for part in found} | parts.within(self.session.connection, found)

    def _known(self, connection: psycopg.Connection[Any]) -> list[Part]:
        found = parts.named(connection, self.names)
        inherited = parts.within(connection, [part for part in found if part.column_name is not None])
        return self._marked([part for part in found if part.key not in inherited])

    def _unsettled(self) -> list[Part]:
        """What the open transaction dropped and nobody has looked at."""
        return self._not_settled(*self._stored())

    def _not_settled(self, before: parts.Inventory, after: parts.Inventory) -> list[Part]:
        gone = parts.keys(before) - parts.keys(after)
        settled = self.settled if gone else frozenset()
        new = {key for key in gone if key not in settled and (key[0], 0) not in settled}
        new = {(oid, attnum) for oid, attnum in new if not attnum or (oid, 0) not in gone}
        if unlisted := {oid for oid, _ in new - before.keys()}:
            bookkeeping = self.session.scope.bookkeeping
            before = parts.stored(self.session.observer, unlisted, bookkeeping, inherited=True) | before
        return self._marked([before[key] for key in sorted(new)])

    def _gone(self) -> set[tuple[int, int]]:
        """What the open transaction dropped, or is done away with by the keeper."""
        before, after = self._stored()
        return parts.keys(before) - parts.keys(after)

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
