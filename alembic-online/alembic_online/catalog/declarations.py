"""What a generated revision declares: the locks it takes, what it drops, and what it changes in the catalog."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alembic.operations import ops

from alembic_online.catalog.locks import locks
from alembic_online.catalog.snapshot import Identity, Snapshot
from alembic_online.catalog.statements import quoted
from alembic_online.catalog.steps import OutsideTransaction, Step
from alembic_online.planned import object_of
from alembic_online.scope import Scope
from alembic_online.validation import INVALID, condensed, difference

DECLARED = ("locks", "drops", "changes")
"""The names under which a revision declares what it does."""
IN_PLACE = ("require", "replace", "validate", "extend")
"""What steps do to an object and not to what stands on it, as its comment."""
DROPPED = ("table", "materialized view", "column")
"""The kinds of object that `drops` names."""


@dataclass(frozen=True)
class Declarations:
    """The declarations of one revision, by direction."""

    locks: Mapping[str, Mapping[str, str]]
    drops: Mapping[str, Sequence[str]]
    changes: Mapping[str, Sequence[Sequence[str]]]


@dataclass(frozen=True)
class Compared:
    """The two catalogs that a revision lies between, and the relations whose locks it declares."""

    before: Snapshot
    after: Snapshot
    relations: Collection[str]

    def declare(self, script: ops.MigrationScript, others: Sequence[ops.MigrationScript], scope: Scope) -> Declarations:
        """What a revision declares; `others` are those of the same change."""
        before, after = condensed(self.before, scope), condensed(self.after, scope)
        restored = self._restored(before, after, [script, *others])
        up, again, down = difference(before, after), difference(restored, after), difference(after, restored)
        if steps := _concurrent(script):
            whole = self._of(steps)
            up, again, down = (_only(lines, whole) for lines in (up, again, down))
        else:
            outside = [step for other in others for step in _concurrent(other)]
            elsewhere = self._of(outside) - {str(step.identity) for step in _steps(script)}
            up, again, down = (_without(lines, elsewhere) for lines in (up, again, down))
        return Declarations(
            {"upgrade": self._locks(script.upgrade_ops), "downgrade": self._locks(script.downgrade_ops)},
            {"upgrade": dropped(up), "downgrade": dropped(down)},
            {"upgrade": [up] if again == up else [up, again], "downgrade": [down]},
        )

    def _restored(
        self, before: Mapping[str, str], after: Mapping[str, str], scripts: Iterable[ops.MigrationScript]
    ) -> dict[str, str]:
        """What the way back leads to: neither to an invalid index, nor to what a step without a way back changed."""
        steps = [step for script in scripts for step in (*_steps(script), *_concurrent(script))]
        kept = {str(step.identity) for step in steps if not step.down and step.identity in self.before}
        restored = {name: text for name, text in before.items() if text != INVALID}
        return {**restored, **{name: after[name] for name in kept & after.keys()}}

    def _locks(self, operations: Any) -> dict[str, str]:
        return locks(operations.ops if operations else (), self.relations)

    def _of(self, steps: Iterable[Step]) -> set[str]:
        """The objects that steps are about, with what goes along with them."""
        steps = list(steps)
        found = {str(step.identity) for step in steps}
        about = {step.identity for step in steps if step.verb not in IN_PLACE}
        for snapshot in (self.before, self.after):
            found |= {str(identity) for identity in snapshot if _parents(snapshot, identity) & about}
        return found


def nothing() -> Declarations:
    """Of a revision that a person is about to write."""
    each: dict[str, Any] = {"upgrade": [], "downgrade": []}
    return Declarations({"upgrade": {}, "downgrade": {}}, each, {"upgrade": [[]], "downgrade": [[]]})


class _OfAny(dict[str, Any]):
    """The declarations of each revision of which nothing else is known."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __missing__(self, _revision: str) -> Any:
        return self.value


def undeclared() -> dict[str, Mapping[str, Any]]:
    """For the template, what any revision declares until something is found: of a merge, nothing."""
    return {name: _OfAny(getattr(nothing(), name)) for name in DECLARED}


def dropped(lines: Iterable[str]) -> list[str]:
    """The tables, materialized views and columns that lines of a difference remove, a table without its columns."""
    removed = [line.removeprefix("removed ") for line in lines if line.startswith("removed ")]
    names = {k: [line.removeprefix(f"{k} ") for line in removed if line.startswith(f"{k} ")] for k in DROPPED}
    relations = {*names["table"], *names["materialized view"]}
    columns = {column for column in names["column"] if column.rpartition(".")[0] not in relations}
    return sorted(".".join(map(quoted, name.split("."))) for name in relations | columns)


def _concurrent(script: ops.MigrationScript) -> list[Step]:
    operations = script.upgrade_ops.ops if script.upgrade_ops else []
    return [step for outside in operations if isinstance(outside, OutsideTransaction) for step in outside.steps]


def _steps(script: ops.MigrationScript) -> list[Step]:
    operations = script.upgrade_ops.ops if script.upgrade_ops else []
    return [step for step in operations if isinstance(step, Step)]


def _parents(snapshot: Snapshot, identity: Identity) -> set[Identity]:
    found: set[Identity] = set()
    parent = snapshot.parent(identity)
    while parent is not None:
        found.add(parent)
        parent = snapshot.parent(parent)
    return found


def _only(lines: Iterable[str], objects: Collection[str]) -> list[str]:
    return [line for line in lines if object_of(line) in objects]


def _without(lines: Iterable[str], objects: Collection[str]) -> list[str]:
    return [line for line in lines if object_of(line) not in objects]
