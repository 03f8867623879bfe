"""The target built in the database that it is compared with: under other schema names, in a transaction of its own.

What the models execute names their schemas in tables, queries, functions' bodies and literals; each name is replaced by
one that occurs nowhere, and what PostgreSQL stored is read with the names put back. Nobody else's relation is touched:
that no lock on one is held is looked at before anything is believed.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, NullPool, event, text

from alembic_online.catalog.snapshot import Column, Identity, Snapshot, query
from alembic_online.database import engine
from alembic_online.scope import Scope

NEXT = r"""(\s*\.\s*)("(?:[^"]|"")+"|[\w$%]+|[-+*/<>=~!@#%^&|`?]+)"""
"""What follows a schema's name: a dot, and what is in it."""
NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
SCHEMA = re.compile(rf"(\bSCHEMA\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?)({NAME}(?:\s*,\s*{NAME})*)", re.I)
PATH = re.compile(r"(\bsearch_path\b)([^;\n]*)", re.I)


@dataclass(frozen=True)
class OtherNames:
    """The schemas of the models, by the names under which they are built; `members`: what extensions have in them, as
    (schema, name), which stays where it is."""

    names: Mapping[str, str]
    members: Collection[tuple[str, str]]

    @cached_property
    def _qualifier(self) -> re.Pattern[str]:
        return re.compile(rf"(?<![\w$.])({self._any})" + NEXT, re.I)

    @cached_property
    def _literal(self) -> re.Pattern[str]:
        return re.compile(rf"""'("?)({"|".join(map(re.escape, self.names))})\1'""")

    @cached_property
    def _word(self) -> re.Pattern[str]:
        return re.compile(rf"(?<![\w$.])({self._any})(?![\w$])", re.I)

    @property
    def _any(self) -> str:
        """A name as it stands in a statement, quoted or not."""
        return "|".join(rf'"{re.escape(name)}"|{re.escape(name)}' for name in self.names)

    def there(self, sql: str) -> str:
        """A statement of the models, to be executed under the other names."""
        sql = self._qualifier.sub(self._qualified, sql)
        sql = self._literal.sub(lambda found: f"'{found[1]}{self.names[found[2]]}{found[1]}'", sql)
        for clause in (SCHEMA, PATH):
            sql = clause.sub(lambda found: found[1] + self._word.sub(self._renamed, found[2]), sql)
        return sql

    def back(self, text_: str) -> str:
        """What PostgreSQL prints, under the models' own names."""
        for name, other in self.names.items():
            text_ = text_.replace(other, name)
        return text_

    def of(self, scope: Scope) -> Scope:
        """The scope under the other names."""
        shared = {self._relation(name): additions for name, additions in scope.shared.items()}
        return replace(scope, schemas=tuple(self.names[each] for each in scope.schemas), shared=shared)

    def snapshot(self, built: Snapshot, default_schema: str) -> Snapshot:
        """What was built, under the models' own names. Nothing depends on PostgreSQL's own schema public, and what
        everybody may do in it is not the models'."""
        default = Identity("schema", default_schema, "")
        everybodys = Identity("privilege", default_schema, "", "PUBLIC")
        uses = {self._identity(each): frozenset(map(self._identity, used)) for each, used in built.uses.items()}
        definitions = {self._identity(each): self.back(definition) for each, definition in built.items()}
        return Snapshot(
            {each: definition for each, definition in definitions.items() if each != everybodys},
            {self._identity(each): self.back(removal) for each, removal in built.removals.items()},
            {each: used - {default} for each, used in uses.items() if used - {default}},
            frozenset(map(self._identity, built.others)),
            {self._identity(each): self._column(column) for each, column in built.columns.items()},
            frozenset(map(self._identity, built.partitioned)),
        )

    def _qualified(self, found: re.Match[str]) -> str:
        what = found[3].strip('"')
        if any((name, what) in self.members for name in (found[1].strip('"'), found[1].lower())):
            return found[0]
        return f"{self._renamed(found)}{found[2]}{found[3]}"

    def _renamed(self, found: re.Match[str]) -> str:
        if found[1].startswith('"'):
            name = found[1].strip('"')
            return f'"{self.names[name]}"' if name in self.names else found[1]
        return self.names.get(found[1].lower(), found[1])

    def _relation(self, name: str) -> str:
        schema, dot, relation = name.partition(".")
        return f"{self.names[schema]}{dot}{relation}"

    def _identity(self, identity: Identity) -> Identity:
        return Identity(*(self.back(getattr(identity, each.name)) for each in fields(Identity)))

    def _column(self, column: Column) -> Column:
        default = None if column.default is None else self.back(column.default)
        return replace(column, type=self.back(column.type), default=default, generated=self.back(column.generated))


def schemas_of(scope: Scope) -> list[str]:
    """The schemas in which the models make something."""
    shared = (name.partition(".")[0] for name in scope.shared)
    return list(dict.fromkeys([*scope.schemas, *shared, scope.default_schema]))


@contextmanager
def beside(compared: Connection, scope: Scope) -> Iterator[tuple[Connection, OtherNames]]:
    """A connection of its own to the same database, in a transaction that is rolled back, on which the schemas of the
    models are there under other names.

    Raises SQLAlchemy's errors where the role may not create schemas.
    """
    schemas = schemas_of(scope)
    arguments: dict[str, Any] = {"poolclass": NullPool, "connect_args": {"application_name": f"{scope.name} compare"}}
    made = engine(compared.engine.url, path=scope.path, **arguments)
    with made.connect() as connection:
        quote = connection.dialect.identifier_preparer.quote
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
        names = {each: _other_name(f"{scope.plain_name}_scratch_{pid}", each, quote(each) != each) for each in schemas}
        members = connection.execute(query("extension_members"), {"schemas": list(schemas)})
        renamed = OtherNames(names, {(row.schema, row.name) for row in members})
        connection.execute(text("SET LOCAL lock_timeout = '1s'"))
        for other in names.values():
            connection.exec_driver_sql(f'CREATE SCHEMA "{other}"')
        default = names[scope.default_schema]
        connection.exec_driver_sql(f'SET LOCAL search_path = "{default}", "{scope.default_schema}", pg_temp')
        yield connection, renamed
        connection.rollback()


@contextmanager
def renaming(connection: Connection, names: OtherNames) -> Iterator[None]:
    """All that is executed meanwhile names the schemas otherwise."""

    def rename(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> tuple[str, Any]:
        return names.there(statement), parameters

    event.listen(connection.engine, "before_cursor_execute", rename, retval=True)
    try:
        yield
    finally:
        event.remove(connection.engine, "before_cursor_execute", rename)


def locked(connection: Connection, names: OtherNames) -> list[str]:
    """The relations that the open transaction holds a lock on and did not make."""
    return list(connection.scalars(query("locked_elsewhere"), {"schemas": list(names.names.values())}))


def _other_name(prefix: str, schema: str, is_quoted: bool) -> str:
    """Quoted where the schema's own name is."""
    return f"{prefix} {schema}"[:63] if is_quoted else f"{prefix}_{schema}"[:63]
