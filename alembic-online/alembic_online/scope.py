"""What the engine must know of a project: said once, by the project, in one `Scope`."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, MetaData
from sqlalchemy.schema import CreateSchema

Hook = Callable[[psycopg.Connection[Any]], None]
"""Called on a session in autocommit mode, while no other migration runs."""


def _one_variant(_connection: Connection) -> Hashable:
    return None


def _nowhere() -> URL | None:
    return None


@dataclass(frozen=True)
class Scope:
    """What of a database belongs to a project, and how its target is built."""

    metadata: MetaData
    """The models, as Alembic's `target_metadata`."""
    schemas: tuple[str, ...]
    """Schemas whose objects are all the project's own."""
    shared: tuple[str, ...] = ()
    """Tables and views of it in schemas that are not its own, as "public.orders"."""
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
    variant: Callable[[Connection], Hashable] = _one_variant
    """Which form of the target a database is to be compared with, where there are several; equal values build the
    same."""
    scratch_url: Callable[[], URL | None] = _nowhere
    """A database set aside for building the target, if there is one."""
    scratch_setting: str = "the scope's scratch_url"
    """What people set to name it; said where the target can be built nowhere."""
    before_leaving: Mapping[str, Hook] = field(default_factory=dict)
    """By revision: what has to happen before the first upgrade that leaves it."""
    rollback_command: str | None = None
    """The command that goes back and keeps the data, if the project has one; named where a downgrade is refused."""

    def of(self, schema: str) -> "Scope":
        """The same, of another schema alone: to look at what was moved there."""
        return replace(self, schemas=(schema,), shared=())

    def build_target(self, connection: Connection, variant: Hashable) -> None:
        """Build the target on a connection to an empty database."""
        if self.build is not None:
            self.build(connection, variant)
            return
        for schema in self.schemas:
            connection.execute(CreateSchema(schema, if_not_exists=True))
        self.metadata.create_all(connection, checkfirst=False)
