"""What has to be dropped for a change, in a transaction, and what cannot be; what has to be changed before."""

from collections.abc import Iterator, Mapping

from alembic_online.catalog import columns, constraints, partitioned, types
from alembic_online.catalog.by_hand import BY_HAND, is_validation
from alembic_online.catalog.diff import Change
from alembic_online.catalog.object_steps import OF_TABLES
from alembic_online.catalog.snapshot import REBUILT, Identity, Snapshot
from alembic_online.catalog.statements import replaceable

# What keeps a column's type as it is, and is not made anew with it.
HOLDS_TYPE = ("column", "foreign")


class Drops:
    """`dropped`: whether it comes again or not; `first`: constraints and indexes that are changed, outside a
    transaction, before what they used goes; `reasons`: what is in the way.

    `changes` are all, `ours` those without what Alembic takes care of; `renamed` constraints by their new name.
    """

    def __init__(
        self,
        changes: Mapping[Identity, Change],
        ours: Mapping[Identity, Change],
        renamed: Mapping[Identity, Identity],
        before: Snapshot,
        after: Snapshot,
    ) -> None:
        self.changes, self.ours, self.renamed = changes, ours, renamed
        self.before, self.after = before, after
        self.reasons: list[tuple[str, str]] = []
        self.removed = {identity for identity, change in changes.items() if change.after is None}
        self.first = dict.fromkeys(self._first())
        self.dropped = dict.fromkeys(self._start())
        self._add_users()
        for column in self._retyped():
            for user in before.users(column):
                if user.kind in HOLDS_TYPE and user not in self.dropped:
                    self._in_the_way(user, column, "retyped")
        self._look_at_keys()
        for used in self.removed:
            for user in before.users(used):
                if user.kind == "foreign":
                    self._in_the_way(user, used, "dropped")

    def goes(self, user: Identity) -> bool:
        """Whether it goes with a table or column: what it uses is dropped after it."""
        with_a_table = user in self.changes and user not in self.ours and user.kind in OF_TABLES
        return user not in self.after and (with_a_table or user.kind == "column")

    def _first(self) -> Iterator[Identity]:
        """What is changed, and would go with a column, or be in the way of a function, that goes in a transaction."""
        lost = self._lost()
        for identity, change in self.ours.items():
            if change.verb != "changed" or not self._is_built_online(change) or not self._uses(identity) & lost:
                continue
            changing = [used for used in self.after.uses.get(identity, ()) if self._is_another(used)]
            if changing:
                self.reasons.append(
                    (
                        f"{change} cannot be generated: it uses something that goes, and is to use"
                        f" {' and '.join(map(str, sorted(changing)))}, which comes or changes",
                        " ".join([*self._renames(identity), BY_HAND["at once"]]),
                    )
                )
            else:
                yield identity

    def _renames(self, identity: Identity) -> Iterator[str]:
        """How a column is renamed that may be: what uses it stays."""
        for each in columns.perhaps_renamed(self.before, self.after):
            if (each.schema or "public", each.table) == (identity.schema, identity.name):
                schema = f", schema={each.schema!r}" if each.schema else ""
                call = f"op.alter_column({each.table!r}, {each.old!r}, new_column_name={each.new!r}{schema})"
                yield f"if it is one column, renamed, write {call} by hand, which changes that, too; else"

    def _is_another(self, used: Identity) -> bool:
        """Whether something is used in a way that a change of it matters to."""
        old, new = self.before.columns.get(used), self.after.columns.get(used)
        if old and new:
            return (old.type, old.generated) != (new.type, new.generated)
        return used in self.changes

    def _lost(self) -> set[Identity]:
        """What is not there for a while, or any more."""
        rebuilt = {i for i, change in self.changes.items() if i.kind == "function" and not replaceable(change)}
        return self.removed | rebuilt

    def _start(self) -> Iterator[Identity]:
        lost = self._lost()
        for identity, change in self.ours.items():
            if change.before is None or is_validation(change):
                continue
            if (
                identity.kind in REBUILT
                or (identity.kind == "function" and not self._is_replaced(change))
                or (identity.kind == "type" and change.after and not types.is_held(self.before, identity))
                # what is dropped outside a transaction comes too late where what it uses goes before
                or (change.after is None and self._is_built_online(change) and self._uses(identity) & lost)
            ):
                yield identity
        for column in self._retyped():
            yield from (user for user in self.before.users(column) if user.kind in (*REBUILT, "function"))

    def _add_users(self) -> None:
        waiting = list(self.dropped)
        while waiting:
            used = waiting.pop()
            for user in self.before.users(used):
                if user in self.dropped or user in self.first or self.before.parent(user) == used:
                    continue
                if used in self.removed and self.goes(user):
                    continue
                if user.kind in (*REBUILT, "function") or (
                    user.kind == "type" and not types.is_held(self.before, user)
                ):
                    self.dropped[user] = None
                    waiting.append(user)
                else:
                    self._in_the_way(user, used, "dropped")

    def _look_at_keys(self) -> None:
        """What uses a key or CHECK that is exchanged or dropped outside a transaction, and is there meanwhile."""
        for identity, change in self.ours.items():
            if (
                identity.kind != "constraint"
                or change.before is None
                or identity in self.dropped
                or identity in self.renamed.values()
                or is_validation(change)
            ):
                continue
            for user in self.before.users(identity):
                made_anew = user in self.dropped and identity not in self.after.uses.get(user, ())
                if identity in self.first or not (user in self.removed or made_anew):
                    self._in_the_way(user, identity, "changed" if change.after else "dropped")

    def _is_replaced(self, function: Change) -> bool:
        """Whether CREATE OR REPLACE will do, after what goes."""
        return replaceable(function) and not self.before.uses.get(function.identity, frozenset()) & self.removed

    def _retyped(self) -> Iterator[Identity]:
        for column in self.ours:
            old, new = self.before.columns.get(column), self.after.columns.get(column)
            if old and new and old.type != new.type:
                yield column

    def _is_built_online(self, change: Change) -> bool:
        """Whether a step outside a transaction changes or drops it."""
        return change.identity.kind == "index" or (
            change.identity.kind == "constraint"
            and can_go_on(change.identity, self.before, *(each for each in (change.before, change.after) if each))
        )

    def _uses(self, identity: Identity) -> set[Identity]:
        parent = self.before.parent(identity)
        return {*self.before.uses.get(identity, ()), *([parent] if parent else [])}

    def _in_the_way(self, user: Identity, used: Identity, what: str) -> None:
        reason = (
            f"{used} cannot be {what}: {user} uses it",
            f"write a revision by hand that drops {user}, has {used} {what}, and creates {user} anew with its"
            " comments and grants",
        )
        if reason not in self.reasons:
            self.reasons.append(reason)


def can_go_on(constraint: Identity, before: Snapshot, *definitions: str | None) -> bool:
    """Whether a constraint is changed while rows are read and written."""
    on_partitions = partitioned.stands_on(constraint, before)
    return all(constraints.is_online(each, partitioned=on_partitions) for each in definitions)
