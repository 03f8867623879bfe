"""What is there and not in force: invalid indexes, constraints not validated, disabled triggers, empty views."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from alembic.script import ScriptDirectory
from psycopg.rows import class_row

from alembic_online.planned import Direction, Planned, bare, object_of
from alembic_online.queries import query
from alembic_online.scope import Scope


@dataclass(frozen=True)
class Found:
    """Something that is there and not in force: as a person reads it, in which state, as the catalog calls it with its
    state, and the statement that puts it in force.
    """

    what: str
    state: Literal["invalid", "not validated", "disabled", "not populated"]
    object: str
    statement: str

    def __str__(self) -> str:
        return f"{self.what} is {self.state}"


@dataclass(frozen=True)
class OutOfForce:
    """What is not in force and ought to be: what known revisions name, and what others have put there."""

    ours: list[Found]
    others: list[Found]


def out_of_force(
    observer: psycopg.Connection[Any], scope: Scope, known: Sequence[Planned], steps: Sequence[Planned] = ()
) -> OutOfForce:
    """What is not in force after these steps, but for what the last of them to name it says is not.

    Ours is what a step of `known` names.
    """
    named = {name for step in known for name in step.objects}
    said = {object_of(line): line.partition(" ")[2] for step in steps for line in sorted(step.lines)}
    meant = {name for name in said.values() if name != bare(name)}
    found = [each for each in look(observer, scope) if each.object not in meant]
    ours = [each for each in found if bare(each.object) in named]
    return OutOfForce(ours, [each for each in found if each not in ours])


def revisions(directory: ScriptDirectory) -> list[Planned]:
    """The upgrades of all revisions that there are."""
    return [Planned(script, "upgrade") for script in directory.walk_revisions()]


def applied(directory: ScriptDirectory, heads: str | tuple[str, ...], direction: Direction) -> list[Planned]:
    """The steps from the base to these revisions, at the end with their downgrade where that was the last one."""
    steps = [Planned(each, "upgrade") for each in directory.iterate_revisions(heads, "base")][::-1]
    return [*steps, Planned(steps[-1].script, direction)] if direction == "downgrade" else steps


def look(observer: psycopg.Connection[Any], scope: Scope) -> list[Found]:
    """Whatever is not in force in our schemas, and of our additions to shared relations."""
    parameters = {
        "schemas": list(scope.schemas),
        "retained": list(scope.retained_schemas),
        "shared": list(scope.shared),
        "additions": scope.additions,
    }
    with observer.cursor(row_factory=class_row(Found)) as cursor:
        return cursor.execute(query("run/not_in_force"), parameters).fetchall()
