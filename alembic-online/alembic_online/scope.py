"""What the engine must know of a project: said once, by the project, in one `Scope`."""

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import psycopg
from sqlalchemy import URL, Connection, MetaData
from sqlalchemy.schema import CreateSchema

from alembic_online.planned import Obstacle, Planned

Hook = Callable[[psycopg.Connection[Any]], None]
"""Called on a session in autocommit mode, while no other migration runs."""


def _one_variant(_connection: Connection) -> Hashable:
    return None


def _nowhere() -> URL | None:
    return None


def _nothing(_connection: Connection) -> Sequence[str]:
    return ()


def _no_obstacles(_connection: Connection, _steps: Sequence[Planned]) -> Iterable[Obstacle]:
    return ()


def _nothing_more(_connection: psycopg.Connection[Any]) -> None:
    return None


@dataclass(frozen=True)
class Additions:
    """What a project's revisions made on a relation that it shares with others, by name, comments on it included.

    All else on the relation belongs to others: it is found, neither compared nor changed.
    """

    columns: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()
    view: re.Pattern[str] | None = None
    """Where the relation is a view or a materialized view and a revision replaced its query: the query as PostgreSQL
    prints it. What the groups match was taken over from the query before, and belongs to others."""

    def __contains__(self, part: tuple[str, str]) -> bool:
        """Whether an object of the relation, by its kind and name, is one of them; so is its query, without a name."""
        kind, name = part
        if kind in ("view", "materialized_view"):
            return self.view is not None
        if kind == "comment":
            kind, _, name = name.partition(" ")  # of the relation itself: without a name, and others'
        if kind == "setting":
            kind, name = "column", name.rpartition(" column ")[2]
        by_kind = {
            "column": self.columns,
            "constraint": self.constraints,
            "index": self.indexes,
            "trigger": self.triggers,
        }
        return name in by_kind.get(kind, ())

    @property
    def names(self) -> tuple[str, ...]:
        """All that have a name of their own."""
        return (*self.columns, *self.constraints, *self.indexes, *self.triggers)


class Whole(Additions):
    """A relation outside the project's schemas of which everything is looked at, whoever made it."""

    def __contains__(self, part: tuple[str, str]) -> bool:
        return True


@dataclass(frozen=True)
class Scope:
    """What of a database belongs to a project, and how its target is built. Names in it are never quoted."""

    metadata: MetaData
    """The models, as Alembic's `target_metadata`."""
    schemas: tuple[str, ...]
    """Schemas whose objects are all the project's own."""
    shared: Mapping[str, Additions] = field(default_factory=dict)
    """Relations of others that its revisions add to, as "public.orders", and what they add."""
    prerequisites: Callable[[Connection], Sequence[str]] = _nothing
    """What the project builds on and the shared relations lack, a line each."""
    default_schema: ClassVar[str] = "public"
    """Where Alembic's own table lies, and what models and revisions name without a schema."""
    retained_schemas: tuple[str, ...] = ()
    """Schemas in which revisions keep what their downgrades bring back; no part of the target."""
    group_roles: tuple[str, ...] = ()
    """Roles whose privileges are part of the target; those of other roles are other people's."""
    name: str = "alembic"
    """Names the project's sessions, scratch databases and metrics."""
    version: str = "unknown"
    """The version of the project's code, for the ledger."""
    bookkeeping: str = "alembic_online"
    """The schema of the ledger. No downgrade drops it, autogenerate does not see it."""
    build: Callable[[Connection, Hashable], None] | None = None
    """Builds the target in an empty database, as the variant that `variant` found; without one, `metadata` is
    created, its schemas first."""
    set_aside: Callable[[Connection], Sequence[str]] = _nothing
    """Tables of its own schemas that the project's commands have set aside and are to drop, as "sales.orders_2024":
    neither compared nor changed."""
    variant: Callable[[Connection], Hashable] = _one_variant
    """Which form of the target a database is to be compared with, where there are several; equal values build the
    same."""
    scratch_url: Callable[[], URL | None] = _nowhere
    """A database set aside for building the target, if there is one."""
    scratch_setting: str = "the scope's scratch_url"
    """What people set to name it; said where the target can be built nowhere."""
    before_leaving: Mapping[str, Hook] = field(default_factory=dict)
    """By revision: what has to happen before the first upgrade that leaves it."""
    before_steps: Hook = _nothing_more
    """Called before a run, also one without steps, or a stamp: raises OnlineError where none may be made now. Not
    called where the caller has a `Keeper`: that is the rollback. Before a comparison, its error is only logged."""
    after_upgrade: Hook = _nothing_more
    """Called when an upgrade has run all its steps, also where there was none to run."""
    obstacles: Callable[[Connection, Sequence[Planned]], Iterable[Obstacle]] = _no_obstacles
    """What of the project's own would stop one of these steps, or is worth knowing before the first one; asked on a
    connection in autocommit mode. It changes nothing."""
    changes_required: bool = False
    """Whether a step is refused whose revision does not say what it changes; else it is run, and not validated."""
    rollback_command: str | None = None
    """The command that goes back and keeps the data, if the project has one; named where a downgrade is refused."""

    @property
    def path(self) -> str:
        """The search path for revisions and models: pg_catalog comes before it."""
        return f'"{self.default_schema}", pg_temp'

    @property
    def plain_name(self) -> str:
        """The name as it stands in others that nobody quotes: scratch databases, metrics."""
        plain = re.sub("[^a-z0-9_]", "_", self.name.lower())[:40]
        return f"_{plain}" if plain[:1].isdigit() else plain

    def of(self, schema: str) -> "Scope":
        """The same, of another schema alone: to look at what was moved there."""
        return replace(self, schemas=(schema,), shared={})

    def with_whole(self, relations: Iterable[str]) -> "Scope":
        """The same, and with it relations of other schemas, as "public.orders": to look at a project's there."""
        return replace(self, shared={**self.shared, **dict.fromkeys(relations, Whole())})

    def owns(self, kind: str, schema: str, name: str, part: str) -> bool:
        """Whether an object of these schemas and relations is the project's, called as in `catalog.Identity`."""
        if schema in self.schemas:
            return True
        return (kind, part) in self.shared.get(f"{schema}.{name}", Additions())

    @property
    def additions(self) -> list[str]:
        """What is the project's on relations that it shares, as `schema.relation.name`."""
        return [f"{relation}.{name}" for relation, added in self.shared.items() for name in added.names]

    def build_target(self, connection: Connection, variant: Hashable) -> None:
        """Build the target on a connection to an empty database."""
        if self.build is not None:
            self.build(connection, variant)
            return
        for schema in self.schemas:
            connection.execute(CreateSchema(schema, if_not_exists=True))
        self.metadata.create_all(connection, checkfirst=False)
