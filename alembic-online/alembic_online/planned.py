"""A step before it is run: what its revision says about it, and what would stop it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from alembic.runtime.migration import RevisionStep
from alembic.script import Script

Direction = Literal["upgrade", "downgrade"]


@dataclass(frozen=True)
class Obstacle:
    """Something that would stop a step (`stops`), or that is worth knowing before the first one.

    `afterwards`: statements that make again, when the steps are done, what had to be dropped for them.
    """

    what: str
    next_step: str
    stops: bool = True
    afterwards: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.next_step}"


NOT_IN_FORCE = ("not validated", "disabled")
"""How the state of a constraint or trigger is written that is there and not in force."""


@dataclass(frozen=True)
class Planned:
    """A revision's upgrade or downgrade, as the revision describes it."""

    script: Script
    direction: Direction

    @property
    def name(self) -> str:
        return f"{self.script.revision} {self.direction}"

    @property
    def locks(self) -> dict[str, str]:
        """The strongest lock on each relation that existed before, as pg_locks names it."""
        return dict(self._said("locks").get(self.direction, {}))

    @property
    def drops(self) -> tuple[str, ...]:
        """The tables and columns that go, as `schema.table` and `schema.table.column`."""
        return tuple(self._said("drops").get(self.direction, ()))

    @property
    def replaces(self) -> frozenset[str]:
        """The tables in whose place it puts others of their names, as the catalog calls them: others' objects on one
        would stay with that."""
        return frozenset(f"table {name}" for name in self._said("replaces").get(self.direction, ()))

    @property
    def changes(self) -> list[list[str]]:
        """What the step may change: one list for each form of database that it may find; empty where it is not said."""
        return list(self._said("changes").get(self.direction, []))

    @property
    def lines(self) -> set[str]:
        """The changes of any form."""
        return {line for form in self.changes for line in form}

    @property
    def objects(self) -> set[str]:
        """What the changes are about, as the catalog calls it."""
        return {object_of(line) for line in self.lines}

    @property
    def certain(self) -> set[str]:
        """The changes that every form has."""
        return set.intersection(*map(set, self.changes)) if self.changes else set()

    @property
    def removed(self) -> frozenset[str]:
        """The objects that the step may remove, as the catalog calls them ("table public.orders")."""
        start = "removed "
        return frozenset(line.removeprefix(start) for line in self.lines if line.startswith(start))

    @property
    def going(self) -> set[str]:
        """The objects that it drops for certain, where they are there; a materialized view that changes is replaced.

        What is removed beside something added of its kind may be renamed, but for what is declared as dropped. A schema
        goes only where no form of the step leaves it.
        """
        kinds = ("table", "view", "materialized view", "column")
        found = {f"{kind} {name}" for name in self.drops for kind in kinds} | self.replaces
        for form in self.changes:
            added = {kind(line) for line in form if line.startswith("added ")}
            perhaps = {*added, "table", "column", "comment", "privileges", "schema"}
            for line in form:
                verb, _, what = line.partition(" ")
                if line.startswith("changed materialized view ") or (verb == "removed" and kind(line) not in perhaps):
                    found.add(what)
        return found | {line.partition(" ")[2] for line in self.certain if line.startswith("removed schema ")}

    def _said(self, what: str) -> Any:
        """What the revision declares of both directions."""
        return getattr(self.script.module, what, {})


def kind(line: str) -> str:
    """Of what kind the object of a line is: `materialized view` of "changed materialized view public.best"."""
    words = line.split(" ", 3)
    return " ".join(words[1:3]) if words[1] == "materialized" else words[1]


def object_of(line: str) -> str:
    """The object that a line is about, without its state."""
    return bare(line.partition(" ")[2])


def bare(name: str) -> str:
    """What an object is called, without its state."""
    for state in NOT_IN_FORCE:
        name = name.removesuffix(f" ({state})")
    return name


def planned(steps: Iterable[RevisionStep]) -> list[Planned]:
    """Alembic's steps."""
    return [Planned(step.revision, "upgrade" if step.is_upgrade else "downgrade") for step in steps]
