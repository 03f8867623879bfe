"""From a difference to operations: Alembic's own with ours around them, in an order in which they can run.

Drops come first, users before what they use; then Alembic's operations; then everything is created, what is used
first. Alembic reverses the list for the downgrade, which is right for that, too. What runs outside a transaction comes
last, but for what is changed before something that it used goes.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from alembic.operations import ops

from alembic_online.catalog import by_alembic, columns, constraints, object_steps, tables, types
from alembic_online.catalog.by_hand import (
    BY_HAND,
    SET,
    emptied,
    is_alone,
    is_validation,
    not_known,
    reasons,
    sequences_lost,
)
from alembic_online.catalog.diff import diff
from alembic_online.catalog.drops import Drops, can_go_on
from alembic_online.catalog.reported import seen
from alembic_online.catalog.snapshot import REBUILT, Identity
from alembic_online.catalog.statements import validate, whole
from alembic_online.catalog.steps import ByHand, Step, flat
from alembic_online.catalog.target import Comparison

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
        self.all = {change.identity: change for change in diff(before, after)}
        self.tables, self.reasons = tables.ours(flat(theirs), before, after)
        self.theirs = by_alembic.left(theirs, self.tables, before, after)
        self.seen = {identity for operation in self.theirs for identity in seen(operation, before, after)}
        self.seen |= {
            part for table in self.tables for part in tables.parts(table, after if table in after else before)
        }
        self.marked = object_steps.marked(self.all, before, after)
        self.seen |= self.marked
        self.ours = {identity: change for identity, change in self.all.items() if identity not in self.seen}
        self.reasons += [(line, BY_HAND["unmet"]) for line in compared.unmet]
        self.reasons += [(line, BY_HAND["owner"]) for line in compared.owners]
        self.renamed = constraints.renamed(before, after)
        self.named = constraints.indexes_of_their_names(before, after)
        self.under = object_steps.under_tables(after)
        self.drops = Drops(self.all, self.ours, self.renamed, before, after)
        self.dropped = self.drops.dropped
        self.reasons += self.drops.reasons
        self.extended = types.extended(change for i, change in self.ours.items() if i not in self.dropped)

    def operations(self) -> list[ops.MigrateOperation]:
        before, after = self.before, self.after
        gone = [
            object_steps.regranted(i, before, after)[0]
            if self._is_regranted(i)
            else object_steps.set_or_not(i, before, after)
            for i in reversed(before)
            if i.kind in SET and (self._is(i, "removed") or self._is_regranted(i))
        ]
        lost = [tables.column(i, before).reverse() for i in before if i.kind == "column" and self._is(i, "removed")]
        drops, last = self._drops()
        early, late, concurrent = self._made()
        made = [tables.created(i, after) for i in after if i in self.tables]
        left_out = [tables.created(i, before).reverse() for i in reversed(before) if i in self.tables]
        within = [*gone, *drops, *early, *made, *self.theirs, *left_out, *lost, *late, *last]
        start, end = object_steps.unchecked_bodies([*drops, *early, *made, *self.theirs, *lost, *late, *last])
        first, outside = self._outside(concurrent)
        within = [*start, *within, *end]
        self._explain([*first, *within, *outside])
        by_hand = [ByHand(tuple(self.reasons))] if self.reasons else []
        return [*by_hand, *first, *within, *outside]

    def _drops(self) -> tuple[list[Step], list[Step]]:
        """What is dropped before tables and columns, and after them: what they use."""
        going = [i for i in reversed(self.before) if i in self.dropped and not self._goes_along(i)]
        used: list[Identity] = []
        for i in going:
            if i not in self.after and any(self.drops.goes(user) or user in used for user in self.before.users(i)):
                used.append(i)
        under = [i for i in reversed(self.before) if i.kind in UNDER_TABLES and self._is(i, "removed")]
        return (
            [object_steps.dropped(i, self.before) for i in going if i not in used],
            [object_steps.dropped(i, self.before) for i in (*used, *under)],
        )

    def _made(self) -> tuple[list[Step], list[Step], list[Step]]:
        """What is created or changed before tables are, after them, and outside a transaction."""
        early: list[Step] = []
        late: list[Step] = []
        concurrent: list[Step] = []
        for identity in self.after:
            for step in self._build(identity):
                (concurrent if step.concurrent else early if self._is_under_tables(identity) else late).append(step)
        return early, late, concurrent

    def _outside(self, concurrent: list[Step]) -> tuple[list[Step], list[Step]]:
        """What runs outside a transaction, before all else and after it, with what is dropped there."""
        before, after = self.before, self.after
        left = [i for i in before if self._is(i, "removed") and i not in self.renamed.values()]
        keys = [
            constraints.step(i, before, after) for i in left if i.kind == "constraint" and self._can_go_on(i, before[i])
        ]
        named = {key: i for key, i in self.named.items() if i in left and not self._is_taken(key)}
        indexes = [i for i in left if i.kind == "index" and i not in self.named.values()]
        steps = [*keys]
        for step in concurrent:
            steps += [self._index(named[step.identity])] if step.identity in named else []
            steps.append(step)
        steps += [self._index(i) for i in indexes]
        first = [step for step in steps if step.identity in self.drops.first]
        marks = object_steps.marked(self.drops.first, before, after)
        return (
            [replace(step, first=True) for step in object_steps.with_marks(first, marks, before, after)],
            object_steps.with_marks([s for s in steps if s not in first], self.marked - marks, before, after),
        )

    def _explain(self, operations: Iterable[ops.MigrateOperation]) -> None:
        """Add why changes are not generated; a change that nothing makes is one of these."""
        handled = {*self.dropped, *self.extended, *self.renamed, *self.renamed.values()}
        made = {step.identity for step in operations if isinstance(step, Step) and step.up}
        for change in self.ours.values():
            if self._goes_along(change.identity):
                continue
            found = list(reasons(change, self.before, self.after, handled, self.rehearsed))
            known = {*made, *handled, *self.named.values()}
            if not found and change.identity not in known and change.identity.part != "emptiness":
                found = [not_known(change)]
            self.reasons += found
        self.reasons += [*sequences_lost(self.before, self.after), *emptied(self.all.values())]
        for identity in self.after.columns.keys() - self.before.keys():
            self.reasons += columns.added_by_hand(identity, self.before, self.after)

    def _is_under_tables(self, identity: Identity) -> bool:
        """Whether it has to be there before tables are: it is used by them."""
        return identity.kind in UNDER_TABLES or identity in self.under

    def _is_regranted(self, identity: Identity) -> bool:
        """Whether a privilege changes on a table that loses columns, of which it may have been."""
        if identity.kind != "privilege" or not self._is(identity, "changed"):
            return False
        lost = [column for column in self.before.columns if column not in self.after]
        return any((column.schema, column.name) == (identity.schema, identity.name) for column in lost)

    def _is_taken(self, key: Identity) -> bool:
        """Whether a new key takes over the index of its name."""
        return key in self.named and constraints.is_like(self.named[key], key, self.before, self.after)

    def _can_go_on(self, constraint: Identity, *definitions: str | None) -> bool:
        return can_go_on(constraint, self.before, *definitions)

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
            return not is_validation(change) and self._can_go_on(identity, change.after or change.before)
        if identity.kind == "index":
            return True
        is_whole = change.before is None or (change.after is None and identity.kind in ("type", "column"))
        return is_whole and identity.kind in (*REBUILT, "function", "type", "sequence", "column")

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
            elif constraints.is_switched_off(change) and self._can_go_on(identity, change.after):
                yield constraints.switched_on(identity, self.before, self.after)
            elif self._can_go_on(identity, change.before, change.after):
                yield constraints.step(identity, self.before, self.after)
        elif identity.kind == "column":
            yield from columns.altered(identity, self.before, self.after)
        elif self._is_regranted(identity):
            yield object_steps.regranted(identity, self.before, self.after)[1]
        elif identity.kind in SET:
            yield object_steps.set_or_not(identity, self.before, self.after)
        elif identity.kind == "function":
            yield object_steps.replaced(identity, self.before, self.after)
        elif identity.kind == "sequence":
            yield object_steps.sequence(identity, self.before, self.after)

    def _create(self, identity: Identity) -> Iterator[Step]:
        removal = self.after.removals[identity]
        if identity.kind in SET:
            yield object_steps.set_or_not(identity, self.before, self.after)
        elif identity.kind == "index":
            yield self._index(identity)
        elif identity in self.renamed:
            yield constraints.rename(self.renamed[identity], identity, self.before, self.after)
        elif identity.kind == "constraint" and self._can_go_on(identity, self.after[identity]):
            table = self.after.parent(identity)  # None: a shared one
            if self._is_taken(identity):
                yield from constraints.of_index(identity, self.named[identity], self.before, self.after)
            elif identity in self.dropped or (table is not None and table not in self.before):
                locked = constraints.others(self.after, identity)
                yield Step("create", identity, tuple(whole(self.after, identity)), (removal,), others=locked)
            else:
                yield constraints.step(identity, self.before, self.after)
        elif identity.kind == "column":
            yield tables.column(identity, self.after)
        elif identity.kind in (*REBUILT, "function", "type") or (
            identity.kind == "sequence" and is_alone(identity, self.after)
        ):
            yield Step("create", identity, tuple(whole(self.after, identity)), (removal,))

    def _index(self, identity: Identity) -> Step:
        return object_steps.index(self.ours[identity], self.before, self.after)
