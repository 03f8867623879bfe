"""From a difference to operations: Alembic's own with ours around them, in an order in which they can run.

What is in the way is dropped first, users before what they use; then come Alembic's operations; then everything is
created, what is used first. Alembic reverses the list for the downgrade, which is right for that, too. What runs
outside a transaction comes last.
"""

import re
from collections.abc import Iterator

from alembic.operations import ops

from alembic_online.catalog.diff import Change, diff
from alembic_online.catalog.reported import retyped, seen
from alembic_online.catalog.snapshot import Identity
from alembic_online.catalog.statements import BY_HAND, concurrently, is_check, replaceable, validate, whole
from alembic_online.catalog.steps import ByHand, Step, flat
from alembic_online.catalog.target import Comparison

# Dropped and created where they differ or what they use has to go; everything else of theirs goes with them.
REBUILT = ("view", "materialized_view", "trigger", "rule", "policy", "statistics")
# What keeps a column's type as it is.
HOLDS_TYPE = (*REBUILT, "column", "foreign")
GENERATED = re.compile(r" GENERATED (ALWAYS|BY DEFAULT) AS ")


def plan(compared: Comparison, theirs: list[ops.MigrateOperation]) -> list[ops.MigrateOperation]:
    """Operations that lead from what is here to the target; `theirs` are those that Alembic found."""
    return _Plan(compared, theirs).operations()


class _Plan:
    def __init__(self, compared: Comparison, theirs: list[ops.MigrateOperation]) -> None:
        self.before, self.after = compared.here, compared.target
        before, after = self.before, self.after
        self.theirs = [operation for operation in flat(theirs) if self._is_alembics(operation)]
        self.seen = {identity for operation in self.theirs for identity in seen(operation, before, after)}
        self.all = {change.identity: change for change in diff(before, after)}
        self.ours = {identity: change for identity, change in self.all.items() if identity not in self.seen}
        self.reasons = [(line, BY_HAND["unmet"]) for line in compared.unmet]
        self.dropped = self._dropped()

    def operations(self) -> list[ops.MigrateOperation]:
        drops = [self._drop(i) for i in reversed(self.before) if i in self.dropped and not self._goes_along(i)]
        gone = [
            self._alter(i)
            for i in reversed(self.before)
            if self._is(i, "removed") and i.kind in ("comment", "privilege")
        ]
        early: list[Step] = []
        late: list[Step] = []
        concurrent: list[Step] = []
        for identity in self.after:
            for step in self._build(identity):
                used_by_tables = identity.kind == "function" and any(
                    user.kind in ("column", "constraint", "index") for user in self.after.users(identity)
                )
                (concurrent if step.concurrent else early if used_by_tables else late).append(step)
        concurrent += [self._index(i) for i in self.before if self._is(i, "removed") and i.kind == "index"]
        for change in self.ours.values():
            if not self._goes_along(change.identity):
                self.reasons += self._not_generated(change)
        by_hand = [ByHand(tuple(self.reasons))] if self.reasons else []
        return [*by_hand, *gone, *drops, *early, *self.theirs, *late, *concurrent]

    def _is_alembics(self, operation: ops.MigrateOperation) -> bool:
        """Whether to leave it to Alembic: what it does concerns the project, and is written as it has to be.

        Indexes of existing tables are ours: Alembic neither sees all of an index nor builds it concurrently.
        """
        concerned = seen(operation, self.before, self.after)
        if concerned and not any(identity in self.before or identity in self.after for identity in concerned):
            return False
        if isinstance(operation, ops.CreateTableOp | ops.CreateIndexOp):
            table = Identity("table", operation.schema or "public", operation.table_name)
            return table in self.after and table not in self.before  # a view may be there in the table's place
        if isinstance(operation, ops.AlterColumnOp):
            # Statements that Alembic writes for identity and generated columns fail, one way or the other.
            column = Identity("column", operation.schema or "public", operation.table_name, operation.column_name)
            return not any(GENERATED.search(snapshot[column]) for snapshot in (self.before, self.after))
        return not isinstance(operation, ops.DropIndexOp)

    def _dropped(self) -> dict[Identity, None]:
        """What has to be dropped, whether it comes again or not."""
        dropped: dict[Identity, None] = {}
        removed = {identity for identity, change in self.all.items() if change.after is None}
        for identity, change in self.ours.items():
            if change.before is None or self._validated(change):
                continue
            if (
                identity.kind in REBUILT
                or (identity.kind == "function" and not replaceable(change))
                or (identity.kind == "constraint" and is_check(change.before) and is_check(change.after))
                or (identity.kind == "index" and change.after is None and self._uses(identity) & removed)
            ):
                dropped[identity] = None
        waiting = list(dropped)
        while waiting:
            used = waiting.pop()
            for user in self.before.users(used):
                if user in dropped or self.before.parent(user) == used:
                    continue
                if user.kind in (*REBUILT, "function"):
                    dropped[user] = None
                    waiting.append(user)
                else:
                    self._in_the_way(user, used, "dropped")
        for operation in self.theirs:
            if (column := retyped(operation)) is None:
                continue
            for user in self.before.users(column):
                if user.kind in HOLDS_TYPE and user not in dropped:
                    self._in_the_way(user, column, "retyped")
        for used in removed:
            for user in self.before.users(used):
                if user.kind == "foreign":
                    self._in_the_way(user, used, "dropped")
        return dropped

    def _uses(self, identity: Identity) -> set[Identity]:
        parent = self.before.parent(identity)
        return {*self.before.uses.get(identity, ()), *([parent] if parent else [])}

    def _in_the_way(self, user: Identity, used: Identity, what: str) -> None:
        self.reasons.append(
            (
                f"{used} cannot be {what}: {user} uses it",
                f"write a revision by hand that drops {user}, has {used} {what}, and creates {user} anew with its"
                " comments and grants",
            )
        )

    def _is(self, identity: Identity, verb: str) -> bool:
        change = self.ours.get(identity)
        return (
            change is not None
            and change.verb == verb
            and not self._goes_along(identity)
            and identity not in self.dropped
        )

    def _goes_along(self, identity: Identity) -> bool:
        """Whether something that it belongs to is dropped or created, and takes care of it."""
        for snapshot in (self.before, self.after):
            parent = snapshot.parent(identity) if identity in snapshot else None
            while parent is not None:
                if parent in self.dropped or (parent in self.ours and self._is_created_whole(parent)):
                    return True
                parent = snapshot.parent(parent)
        return False

    def _is_created_whole(self, identity: Identity) -> bool:
        change = self.ours[identity]
        if identity.kind == "index":
            return True
        return change.before is None and (
            identity.kind in (*REBUILT, "function") or (identity.kind == "constraint" and is_check(change.after))
        )

    def _build(self, identity: Identity) -> Iterator[Step]:
        """The steps that create an object or make it what it should be."""
        change = self.ours.get(identity)
        if self._goes_along(identity) or (change is None and identity not in self.dropped):
            return
        if identity in self.dropped or (change is not None and change.before is None):
            yield from self._create(identity)
        elif identity.kind == "index":
            yield self._index(identity)
        elif change is not None and identity.kind == "constraint" and self._validated(change):
            old, drop = self.before[identity], self.before.removals[identity]
            yield Step("validate", identity, (validate(drop),), (drop, old), concurrent=True)
        elif identity.kind in ("comment", "privilege"):
            yield self._alter(identity)
        elif identity.kind == "function":
            yield Step("replace", identity, (self.after[identity],), (self.before[identity],))

    def _create(self, identity: Identity) -> Iterator[Step]:
        removal = self.after.removals[identity]
        if identity.kind in ("comment", "privilege"):
            yield self._alter(identity)
        elif identity.kind == "index":
            yield self._index(identity)
        elif identity.kind == "constraint" and is_check(self.after[identity]):
            definition, *others = whole(self.after, identity)
            table = self.after.parent(identity)  # None: a shared one
            if (table is not None and table not in self.before) or definition.endswith(" NOT VALID"):
                yield Step("create", identity, (definition, *others), (removal,))
            else:
                # An instant; the rows are read by the validation, while the application goes on.
                yield Step("create", identity, (f"{definition} NOT VALID", *others), (removal,))
                yield Step("validate", identity, (validate(removal),), (), concurrent=True)
        elif identity.kind in (*REBUILT, "function"):
            yield Step("create", identity, tuple(whole(self.after, identity)), (removal,))

    def _drop(self, identity: Identity) -> Step:
        return Step("drop", identity, (self.before.removals[identity],), tuple(whole(self.before, identity)))

    def _alter(self, identity: Identity) -> Step:
        """A comment or a privilege; a changed privilege is taken away first."""
        either = self.after if identity in self.after else self.before
        take_away = [either.removals[identity]]
        changed = identity.kind == "privilege" and identity in self.before and identity in self.after
        up, down = (
            tuple((take_away if changed else []) + [s[identity]] if identity in s else take_away)
            for s in (self.after, self.before)
        )
        return Step("alter", identity, up, down)

    def _index(self, identity: Identity) -> Step:
        verb = {"added": "create", "removed": "drop", "changed": "rebuild"}[self.ours[identity].verb]
        up, down = (tuple(concurrently(s, identity)) for s in (self.after, self.before))
        either = self.after if identity in self.after else self.before
        gone = (either.removals[identity].replace("DROP INDEX", "DROP INDEX CONCURRENTLY IF EXISTS"),)
        return Step(verb, identity, (*gone, *up), (*gone, *down), concurrent=True)

    def _validated(self, change: Change) -> bool:
        return change.identity.kind == "constraint" and change.before == f"{change.after} NOT VALID"

    def _not_generated(self, change: Change) -> Iterator[tuple[str, str]]:
        identity = change.identity
        if identity.kind in (*REBUILT, "function", "comment", "privilege", "index"):
            return
        if identity.kind == "constraint" and (self._validated(change) or is_check(change.after or change.before)):
            return
        what = (
            f"{change} cannot be generated: it is {change.before or 'absent'}, the models mean {change.after or 'none'}"
        )
        disabled = "/* its triggers are disabled */" in (change.before or "")
        yield what.replace("\n", " "), BY_HAND["disabled" if disabled else identity.kind]
