"""From a difference to operations: Alembic's own with ours around them, in an order in which they can run.

What is in the way is dropped first, users before what they use; then come Alembic's operations; then everything is
created, what is used first. Alembic reverses the list for the downgrade, which is right for that, too. What runs
outside a transaction comes last.
"""

from collections.abc import Iterator, Mapping

from alembic.operations import ops

from alembic_online.catalog import columns, constraints, types
from alembic_online.catalog.by_hand import BY_HAND, SET, is_alone, is_checked_anew, is_validation, reasons
from alembic_online.catalog.diff import Change, diff
from alembic_online.catalog.reported import seen
from alembic_online.catalog.snapshot import REBUILT, Identity
from alembic_online.catalog.statements import altered_sequence, concurrently, replaceable, validate, whole
from alembic_online.catalog.steps import ByHand, Step, flat
from alembic_online.catalog.target import Comparison

# What keeps a column's type as it is, and is not made anew with it.
HOLDS_TYPE = ("column", "foreign")
# What tables are made of: created before them, dropped after them.
UNDER_TABLES = ("type", "sequence")


def plan(
    compared: Comparison, theirs: list[ops.MigrateOperation], rehearsed: Mapping[Identity, str]
) -> list[ops.MigrateOperation]:
    """Operations that lead from what is here to the target; `theirs` are those that Alembic found, `rehearsed` the
    changes of type that `columns.rehearse` found to hold up everybody.
    """
    return _Plan(compared, theirs, rehearsed).operations()


class _Plan:
    def __init__(
        self, compared: Comparison, theirs: list[ops.MigrateOperation], rehearsed: Mapping[Identity, str]
    ) -> None:
        self.before, self.after = compared.here, compared.target
        self.rehearsed = rehearsed
        before, after = self.before, self.after
        self.theirs = [operation for operation in flat(theirs) if self._is_alembics(operation)]
        self.seen = {identity for operation in self.theirs for identity in self._seen(operation)}
        self.all = {change.identity: change for change in diff(before, after)}
        self.ours = {identity: change for identity, change in self.all.items() if identity not in self.seen}
        self.reasons = [(line, BY_HAND["unmet"]) for line in compared.unmet]
        self.reasons += [(line, BY_HAND["owner"]) for line in compared.owners]
        self.renamed = constraints.renamed(self.before, self.after)
        self.dropped = self._dropped()
        self.extended = types.extended(change for i, change in self.ours.items() if i not in self.dropped)

    def operations(self) -> list[ops.MigrateOperation]:
        drops = [self._drop(i) for i in reversed(self.before) if i in self.dropped and not self._goes_along(i)]
        gone = [self._alter(i) for i in reversed(self.before) if i.kind in SET and self._is(i, "removed")]
        lost = [self._drop(i) for i in self.before if i.kind == "column" and self._is(i, "removed")]
        last = [self._drop(i) for i in reversed(self.before) if i.kind in UNDER_TABLES and self._is(i, "removed")]
        early: list[Step] = []
        late: list[Step] = []
        concurrent: list[Step] = []
        for identity in self.after:
            for step in self._build(identity):
                (concurrent if step.concurrent else early if self._is_under_tables(identity) else late).append(step)
        left = [i for i in self.before if self._is(i, "removed") and i not in self.renamed.values()]
        keys = [self._constraint(i) for i in left if constraints.is_online(self.before[i]) and i.kind == "constraint"]
        concurrent = [*keys, *concurrent, *(self._index(i) for i in left if i.kind == "index")]
        for change in self.ours.values():
            if not self._goes_along(change.identity):
                handled = {*self.dropped, *self.extended}
                self.reasons += reasons(change, self.before, self.after, handled, self.rehearsed)
        for identity in self.after.columns.keys() - self.before.keys():
            self.reasons += columns.added_by_hand(identity, self.before, self.after)
        self.reasons += [why for operation in self.theirs for why in columns.unknown(operation)]
        by_hand = [ByHand(tuple(self.reasons))] if self.reasons else []
        return [*by_hand, *gone, *drops, *early, *self.theirs, *lost, *late, *last, *concurrent]

    def _is_under_tables(self, identity: Identity) -> bool:
        """Whether it has to be there before tables are: it is used by them."""
        return identity.kind in UNDER_TABLES or (
            identity.kind == "function"
            and any(user.kind in ("column", "constraint", "index", "type") for user in self.after.users(identity))
        )

    def _is_alembics(self, operation: ops.MigrateOperation) -> bool:
        """Whether to leave it to Alembic: whole tables, and columns that are added or dropped.

        All else is ours, whatever Alembic finds: it sees parts of it only, finds a difference in a default that is
        never twice the same, and writes what holds up the application.
        """
        table = Identity("table", getattr(operation, "schema", None) or "public", getattr(operation, "table_name", ""))
        match operation:
            case ops.CreateTableOp() | ops.CreateIndexOp():
                return table in self.after and table not in self.before  # a view may be there in the table's place
            case ops.DropTableOp():
                return table in self.before and table not in self.after
            case ops.DropColumnOp() if not columns.is_known(operation):
                return False
            case ops.AddColumnOp() | ops.DropColumnOp():
                return any(identity in self.before or identity in self.after for identity in self._seen(operation))
        return False

    def _seen(self, operation: ops.MigrateOperation) -> set[Identity]:
        return seen(operation, self.before, self.after)

    def _dropped(self) -> dict[Identity, None]:
        """What has to be dropped, whether it comes again or not."""
        dropped: dict[Identity, None] = {}
        removed = {identity for identity, change in self.all.items() if change.after is None}
        lost = removed | {i for i, change in self.all.items() if i.kind == "function" and not replaceable(change)}
        for identity, change in self.ours.items():
            if change.before is None or is_validation(change):
                continue
            if (
                identity.kind in REBUILT
                or (identity.kind == "function" and not replaceable(change))
                or (identity.kind == "type" and change.after and not types.is_held(self.before, identity))
                or (self._is_online(change) and self._uses(identity) & lost)
            ):
                dropped[identity] = None
        for column in self._retyped():
            dropped |= {user: None for user in self.before.users(column) if user.kind in REBUILT}
        waiting = list(dropped)
        while waiting:
            used = waiting.pop()
            for user in self.before.users(used):
                if user in dropped or self.before.parent(user) == used:
                    continue
                if user.kind in (*REBUILT, "function") or (
                    user.kind == "type" and not types.is_held(self.before, user)
                ):
                    dropped[user] = None
                    waiting.append(user)
                else:
                    self._in_the_way(user, used, "dropped")
        for column in self._retyped():
            for user in self.before.users(column):
                if user.kind in HOLDS_TYPE and user not in dropped:
                    self._in_the_way(user, column, "retyped")
        for identity, change in self.ours.items():
            for user in self.before.users(identity) if change.before and identity.kind == "constraint" else ():
                if user.kind == "constraint" and user not in dropped and user not in removed:
                    self._in_the_way(user, identity, "dropped")
        for used in removed:
            for user in self.before.users(used):
                if user.kind == "foreign":
                    self._in_the_way(user, used, "dropped")
        return dropped

    def _retyped(self) -> Iterator[Identity]:
        for column in self.ours:
            old, new = self.before.columns.get(column), self.after.columns.get(column)
            if old and new and old.type != new.type:
                yield column

    def _is_online(self, change: Change) -> bool:
        """Whether a step outside a transaction drops it, which is too late where what it uses goes before."""
        if change.identity.kind == "index":
            return change.after is None
        return change.identity.kind == "constraint" and constraints.is_online(change.before)

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
        if identity.kind == "constraint":
            return not is_validation(change) and constraints.is_online(change.after or change.before)
        if identity.kind == "index":
            return True
        is_whole = change.before is None or (change.after is None and identity.kind == "type")
        return is_whole and identity.kind in (*REBUILT, "function", "type", "sequence")

    def _build(self, identity: Identity) -> Iterator[Step]:
        """The steps that create an object or make it what it should be."""
        change = self.ours.get(identity)
        if self._goes_along(identity) or (change is None and identity not in self.dropped):
            return
        if identity in self.dropped or (change is not None and change.before is None):
            yield from self._create(identity)
        elif identity in self.extended:
            yield self.extended[identity]
        elif identity.kind == "index":
            yield self._index(identity)
        elif change is not None and identity.kind == "constraint":
            if is_validation(change):
                old, drop = self.before[identity], self.before.removals[identity]
                yield Step("validate", identity, (validate(drop),), (drop, old), concurrent=True)
            elif constraints.is_switched_off(change):
                yield constraints.switched_on(identity, self.before, self.after)
            elif constraints.is_online(change.before) and constraints.is_online(change.after):
                yield self._constraint(identity)
        elif identity.kind == "column":
            yield from columns.altered(identity, self.before, self.after)
        elif identity.kind in SET:
            yield self._alter(identity)
        elif identity.kind == "function":
            yield self._replace(identity)
        elif identity.kind == "sequence":
            up, down = (
                altered_sequence(a[identity], b[identity])
                for a, b in ((self.before, self.after), (self.after, self.before))
            )
            if up and down:
                yield Step("alter", identity, (up,), (down,))

    def _create(self, identity: Identity) -> Iterator[Step]:
        removal = self.after.removals[identity]
        if identity.kind in SET:
            yield self._alter(identity)
        elif identity.kind == "index":
            yield self._index(identity)
        elif identity.kind == "constraint" and constraints.is_online(self.after[identity]):
            table = self.after.parent(identity)  # None: a shared one
            if identity in self.renamed:
                yield constraints.rename(self.renamed[identity], identity, self.before, self.after)
            elif identity in self.dropped or (table is not None and table not in self.before):
                locked = constraints.others(self.after, identity)
                yield Step("create", identity, tuple(whole(self.after, identity)), (removal,), others=locked)
            else:
                yield self._constraint(identity)
        elif identity.kind in (*REBUILT, "function", "type", "column") or (
            identity.kind == "sequence" and is_alone(identity, self.after)
        ):
            yield Step("create", identity, tuple(whole(self.after, identity)), (removal,))

    def _replace(self, identity: Identity) -> Step:
        """A function's new body; what an index holds of the old one's results, and what it let pass, is seen to."""
        users = [user for user in self.before.users(identity) if self.after.get(user) == self.before.get(user)]
        indexes = [self.before.removals[user].removeprefix("DROP INDEX ") for user in users if user.kind == "index"]
        checks = [user for user in users if is_checked_anew(user, self.before)]
        anew = [f"REINDEX INDEX CONCURRENTLY {index}" for index in indexes]
        anew += [statement for check in checks for statement in constraints.anew(check, self.before)]
        up, down = (self.after[identity], *anew), (self.before[identity], *anew)
        tables = tuple(f"{check.schema}.{check.name}" for check in checks)
        return Step("replace", identity, up, down, concurrent=bool(anew), others=tables)

    def _constraint(self, identity: Identity) -> Step:
        return constraints.step(identity, self.before, self.after)

    def _drop(self, identity: Identity) -> Step:
        up, down = (self.before.removals[identity],), tuple(whole(self.before, identity))
        return Step("drop", identity, up, down, others=constraints.others(self.before, identity))

    def _alter(self, identity: Identity) -> Step:
        """A comment, a privilege or a setting; one that is no comment is taken away before it is changed."""
        either = self.after if identity in self.after else self.before
        take_away = [either.removals[identity]]
        changed = identity.kind != "comment" and identity in self.before and identity in self.after
        up, down = (
            tuple((take_away if changed else []) + [s[identity]] if identity in s else take_away)
            for s in (self.after, self.before)
        )
        if identity.kind == "setting" and identity.part == "emptiness":  # nobody wants it back
            up, down = (() if identity in s else tuple(take_away) for s in (self.after, self.before))
        return Step("alter", identity, up, down)

    def _index(self, identity: Identity) -> Step:
        verb = {"added": "create", "removed": "drop", "changed": "rebuild"}[self.ours[identity].verb]
        up, down = (tuple(concurrently(s, identity)) for s in (self.after, self.before))
        either = self.after if identity in self.after else self.before
        gone = (either.removals[identity].replace("DROP INDEX", "DROP INDEX CONCURRENTLY IF EXISTS"),)
        return Step(verb, identity, (*gone, *up), (*gone, *down), concurrent=True)
