"""What a database holds of ours: each object by its identity, with the statement that creates it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, TextClause, text

from alembic_online import queries
from alembic_online.parts import VERSION_TABLE
from alembic_online.scope import Scope
from alembic_online.sessions import driver

# In the order in which independent objects are created; each but the last four has a query of its own.
KINDS = (
    "schema",
    "type",
    "function",
    "operator",
    "other",
    "sequence",
    "table",
    "column",
    "constraint",
    "index",
    "view",
    "materialized_view",
    "trigger",
    "rule",
    "policy",
    "statistics",
    "setting",
    "comment",
    "privilege",
    "foreign",
)
SOURCES = (
    "schemas",
    "types",
    "functions",
    "sequences",
    "tables",
    "columns",
    "constraints",
    "indexes",
    "views",
    "triggers",
    "policies",
    "others",
    "settings",
    "comments",
    "privileges",
)
PARTITIONED = " PARTITION BY "
"""In the definition of a partitioned table."""
WHOLE = ("table", "view", "materialized_view", "function", "operator", "sequence", "schema", "type")
REBUILT = ("view", "materialized_view", "trigger", "rule", "policy", "statistics", "operator")
"""Dropped and created where they differ or what they use has to go; everything else of theirs goes with them."""


@dataclass(frozen=True, order=True)
class Identity:
    """What an object is called. Only strings, unquoted.

    `name` is the relation or the function with its argument types; `part` a column, constraint, index, trigger or
    policy of it, the grantee of a privilege, or what a comment stands on ("table", "column order_id"). An object that
    is not ours and uses one that is has the kind "foreign".
    """

    kind: str
    schema: str
    name: str
    part: str = ""

    def __str__(self) -> str:
        whole = f"{self.schema}.{self.name}" if self.schema and self.name else self.schema or self.name
        match self.kind:
            case "foreign":
                return self.name
            case "privilege":
                return f"privileges of {self.part} on {whole}"
            case "comment":
                kind, _, part = self.part.partition(" ")
                return f"comment on {Identity(kind, self.schema, self.name, part)}"
            case _:
                return f"{self.kind.replace('_', ' ')} {whole}{f'.{self.part}' if self.part else ''}"


@dataclass(frozen=True)
class Column:
    """What of a column is changed by statements of its own; SQL as PostgreSQL prints it."""

    type: str
    required: bool
    default: str | None
    identity: str
    generated: str
    rewrites: bool
    """Whether adding it writes each row of its table: a volatile default, an identity, a stored expression."""
    named: str = ""
    """The name of its NOT NULL, which it has from PostgreSQL 18 on."""
    valid: bool = True
    """Whether its NOT NULL, if it has one, holds for all rows, and not only for new ones."""


class Snapshot(dict[Identity, str]):
    """Definitions by identity, in an order in which they could be created; equal when the definitions are.

    `removals` holds the statement that drops each object; `uses` what each object refers to, "foreign" users included;
    `others` what stands on shared relations and is not ours, and `partitioned` which of these are partitioned tables;
    `columns` what there is to know of a column.
    """

    def __init__(
        self,
        definitions: Mapping[Identity, str],
        removals: Mapping[Identity, str],
        uses: Mapping[Identity, frozenset[Identity]],
        others: frozenset[Identity] = frozenset(),
        columns: Mapping[Identity, Column] = MappingProxyType({}),
        partitioned: frozenset[Identity] = frozenset(),
    ) -> None:
        super().__init__({identity: definitions[identity] for identity in _ordered(definitions, uses)})
        self.removals = removals
        self.uses = uses
        self.others = others
        self.columns = columns
        self.partitioned = partitioned

    def only(self, matters: Callable[[Identity], bool]) -> "Snapshot":
        """The part of it that matters."""
        definitions = {identity: definition for identity, definition in self.items() if matters(identity)}
        return self._with(definitions, self.partitioned)

    def with_definitions(self, changed: Mapping[Identity, str]) -> "Snapshot":
        """The same, with some objects defined otherwise."""
        return self._with({**self, **changed}, self.partitioned)

    def beside(self, there: "Snapshot") -> "Snapshot":
        """The same, on the shared tables as they are there."""
        return self._with(self, there.partitioned)

    def _with(self, definitions: Mapping[Identity, str], partitioned: frozenset[Identity]) -> "Snapshot":
        return Snapshot(definitions, self.removals, self.uses, self.others, self.columns, partitioned)

    def parent(self, identity: Identity) -> Identity | None:
        """What an object goes with when that is dropped: a column's table, a comment's column, a right's function."""
        if identity.kind == "comment":
            kind, _, part = identity.part.partition(" ")
            found = Identity(kind, identity.schema, identity.name, part)
            if found in self:
                return found
        if identity.kind == "sequence":
            return next((used for used in self.uses.get(identity, ()) if used.kind == "column"), None)
        if identity.kind not in WHOLE:
            for kind in WHOLE:
                if (found := Identity(kind, identity.schema, identity.name)) in self:
                    return found
        return None

    def users(self, identity: Identity) -> list[Identity]:
        """What refers to an object directly, in order of creation, foreign objects last."""
        return [
            user for user in (*self, *(u for u in self.uses if u not in self)) if identity in self.uses.get(user, ())
        ]


def snapshot(connection: Connection, scope: Scope) -> Snapshot:
    """Read the catalog: everything in the scope's schemas, and its additions elsewhere. Changes nothing.

    Owners are not part of it; what an owner may do to an object neither. Runs in the caller's transaction.
    """
    with qualified_names(connection):
        rows, others = _rows(connection, scope)
        definitions = {_identity(row): row.definition for row in rows}
        removals = {_identity(row): row.removal for row in rows}
        addresses = {(row.classid, row.objid, row.objsubid): _identity(row) for row in rows if row.objid}
        foreign = {(row.classid, row.objid, row.objsubid): _foreign(_identity(row)) for row in others if row.objid}
        objects = sorted({objid for _, objid, _ in addresses})
        used = [
            (
                _user(row, foreign | addresses),
                addresses.get((row.refclassid, row.refobjid, row.refobjsubid))
                or addresses.get((row.refclassid, row.refobjid, 0)),
            )
            for row in connection.execute(query("dependencies"), {"objects": objects, "schemas": list(scope.schemas)})
        ]
    uses: dict[Identity, set[Identity]] = {}
    for user, what in used:
        if what is not None:
            uses.setdefault(user, set()).add(what)
    used_by = {user: frozenset(whats) for user, whats in uses.items()}
    columns = {
        _identity(row): Column(
            row.type, row.required, row.default, row.identity, row.generated, row.rewrites, row.named, row.valid
        )
        for row in rows
        if row.kind == "column"
    }
    theirs = frozenset(_identity(row) for row in others)
    split = frozenset(_identity(row) for row in others if row.kind == "table" and PARTITIONED in row.definition)
    return Snapshot(definitions, removals, used_by, theirs, columns, split)


def definitions(connection: Connection, scope: Scope) -> dict[Identity, str]:
    """What `snapshot` reads, in no order and without what uses what: half the price, where only equality counts."""
    with qualified_names(connection):
        ours, _others = _rows(connection, scope)
        return {_identity(row): row.definition for row in ours}


def _rows(connection: Connection, scope: Scope) -> tuple[list[Any], list[Any]]:
    """What is ours, and what stands beside it on the relations that we share."""
    schemas = list(scope.schemas)
    parameters = {"schemas": schemas, "shared": list(scope.shared), "version_table": VERSION_TABLE}
    relations = connection.scalars(query("relations"), parameters).all()
    parameters = {"schemas": schemas, "relations": list(relations), "additions": scope.additions}
    ours: list[Any] = []
    others: list[Any] = []
    for source in SOURCES:
        for row in connection.execute(query(source), {n: parameters[n] for n in _parameters(source)}):
            # A type is read where a column of ours is of it: whoever's schema it is in, the models make it.
            own = row.kind == "type" or scope.owns(row.kind, row.schema, row.name, row.part)
            (ours if own else others).append(row)
    # Comments and privileges of what is found in our schemas, as a partition's sequence, are found with it.
    there = {(row.schema, row.name) for row in ours if row.kind not in ("comment", "privilege") or not row.name}
    return [row for row in ours if row.schema not in schemas or (row.schema, row.name) in there], others


def _identity(row: Any) -> Identity:
    return Identity(row.kind, row.schema, row.name, row.part)


def _user(row: Any, addresses: Mapping[tuple[int, int, int], Identity]) -> Identity:
    for subid in (row.objsubid, 0):
        if (identity := addresses.get((row.classid, row.objid, subid))) is not None:
            return identity
    return Identity("foreign", "", row.described)


def _foreign(identity: Identity) -> Identity:
    return Identity("foreign", "", str(identity))


def _ordered(definitions: Mapping[Identity, str], uses: Mapping[Identity, frozenset[Identity]]) -> Iterator[Identity]:
    """By kind and name, but each after what it uses. A cycle, which PostgreSQL allows in rare cases, is cut."""
    seen: set[Identity] = set()

    def visit(identity: Identity) -> Iterator[Identity]:
        if identity in seen or identity not in definitions:
            return
        seen.add(identity)
        first = uses.get(identity, frozenset())
        if identity.kind == "sequence":  # the column that owns it takes its default from it
            first = frozenset()
        elif identity.kind == "column":
            first = first | {Identity("table", identity.schema, identity.name)}
        for used in sorted(first, key=_rank):
            yield from visit(used)
        yield identity

    for identity in sorted(definitions, key=_rank):
        yield from visit(identity)


def _rank(identity: Identity) -> tuple[int, Identity]:
    return KINDS.index(identity.kind), identity


@contextmanager
def qualified_names(connection: Connection) -> Iterator[None]:
    """With an empty search path, PostgreSQL prints every name with its schema, but for its own."""
    before = connection.scalar(text("SELECT current_setting('search_path')"))
    setting = text("SELECT set_config('search_path', :path, false)")
    connection.execute(setting, {"path": ""})
    ours = driver(connection)
    try:
        yield
    finally:
        # After an error in a transaction, the setting is lost with it; and with the connection.
        if ours.info.transaction_status in (TransactionStatus.IDLE, TransactionStatus.INTRANS):
            connection.execute(setting, {"path": before})


@cache
def query(name: str) -> TextClause:
    """A query of queries/catalog, with SQLAlchemy's parameters: its files hold percent signs."""
    return text(queries.query(f"catalog/{name}"))


@cache
def _parameters(source: str) -> tuple[str, ...]:
    return tuple(query(source).compile().params)
