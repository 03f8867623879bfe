"""SQL as it stands in a revision: formatted, and exactly what PostgreSQL is to get."""

import re
from collections.abc import Iterable
from typing import Any

from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import renderers
from alembic.util import CommandError
from sqlalchemy import Enum
from sqlalchemy.dialects.postgresql import DOMAIN

from alembic_online.catalog import partition_constraints, partitioned
from alembic_online.catalog.steps import ByHand, OutsideTransaction, PerhapsRenamed, Step

WIDTH = 100

# Rules of squawk that a statement breaks because it was asked for so: what is taken out of the models is dropped.
ASKED_FOR = (
    (r"DROP (VIEW|MATERIALIZED VIEW)", "ban-drop-view"),
    (r"DROP (TYPE|OPERATOR)", "ban-drop-type"),
    (r"DROP DOMAIN", "ban-drop-domain"),
    (r"DROP (ROUTINE|FUNCTION|PROCEDURE|AGGREGATE)", "ban-drop-function"),
    (r"DROP INDEX IF EXISTS ", "require-concurrent-index-deletion"),
    (r"DROP SEQUENCE", "ban-drop-sequence"),
    (r"DROP TRIGGER", "ban-drop-trigger"),
    (r"ALTER (TABLE|DOMAIN) [^;]* DROP CONSTRAINT ", "ban-drop-constraint"),
    (r"ALTER (TABLE|VIEW|DOMAIN) [^;]* DROP DEFAULT$", "ban-drop-default"),
    (r"ALTER (TABLE|DOMAIN) [^;]* DROP NOT NULL$", "ban-drop-not-null"),
    (r"ALTER TABLE [^;]* TYPE ", "changing-column-type"),
    (r"ALTER TABLE [^;]* TYPE character varying", "prefer-text-field"),
    (r"ALTER DOMAIN [^;]* ADD CONSTRAINT ", "ban-alter-domain-with-add-constraint"),
    (r"ALTER TABLE [^;]* RENAME CONSTRAINT ", "renaming-object"),
    (r"ALTER TABLE [^;]* SET GENERATED ", "ban-alter-identity"),
    (r"ALTER TABLE [^;]* ADD CONSTRAINT .* NOT ENFORCED$", "constraint-missing-not-valid"),
    (r"ALTER TABLE [^;]* FOREIGN KEY .* NOT ENFORCED$", "adding-foreign-key-constraint"),
)
# Outside a transaction: what may be left of an index is dropped before it, and the others can be run again.
OUTSIDE = (r"CREATE (UNIQUE )?INDEX CONCURRENTLY |ALTER TABLE |CREATE OR REPLACE |REINDEX ", "prefer-robust-stmts")
# Of a column that goes or comes in the same transaction: a constraint and an index go with it, or find it empty.
OF_THE_COLUMN = (
    (r"DROP INDEX ", "require-concurrent-index-deletion"),
    (r"ALTER TABLE [^;]* ADD CONSTRAINT .* (CHECK|FOREIGN KEY|UNIQUE) ", "constraint-missing-not-valid"),
    (r"ALTER TABLE [^;]* ADD CONSTRAINT .* FOREIGN KEY ", "adding-foreign-key-constraint"),
    (r"ALTER TABLE [^;]* ADD CONSTRAINT .* UNIQUE ", "disallowed-unique-constraint"),
    (r"CREATE (UNIQUE )?INDEX ", "require-concurrent-index-creation"),
    (r"ALTER TABLE [^;]* ADD COLUMN .* (DEFAULT nextval\(|AS IDENTITY)", "adding-field-with-default"),
)

QUOTED = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|\$(\w*)\$.*?\$\1\$", re.DOTALL)


def execute(context: AutogenContext, statements: Iterable[str], *more: tuple[str, str]) -> str:
    """A call of ``op.execute`` for the statements, as Python source; `more` are patterns and rules as in ASKED_FOR."""
    sql = ";\n".join(_written(statement, more) for statement in statements)
    escaped = for_text(sql)
    # Only within quotes does white space matter.
    exact = any("\n" in quoted[0] for quoted in QUOTED.finditer(sql))
    plain = all(character.isprintable() or character == "\n" for character in sql)
    if plain and not any(character in escaped for character in '\n"\\'):
        return f'op.execute("{escaped}")'
    if not plain or '"""' in sql or sql.endswith(('"', "\\")) or (exact and re.search(r" $", sql, re.MULTILINE)):
        lines = "\n".join(f"    {line!r}" for line in re.split(r"(?<=\n)", escaped))
        return f"op.execute(\n{lines}\n)"
    raw = "r" if "\\" in escaped else ""
    body = "\n".join(f"    {line}".rstrip() for line in escaped.split("\n"))
    if not exact:
        return f'op.execute({raw}"""\n{body}\n""")'
    context.imports.add("from textwrap import dedent")
    body = re.sub(r"^(?=.)", "    ", body, flags=re.MULTILINE)
    return f'op.execute(\n    dedent({raw}"""\n{body}\n    """)\n)'


def for_text(sql: str) -> str:
    """Escape what SQLAlchemy's ``text`` would take for a parameter, ``:word``."""
    return re.sub(r"\\?(?<![:\w]):[\w$]*(?![:\w$])", lambda found: "\\" + found[0], sql)


def _written(statement: str, more: Iterable[tuple[str, str]]) -> str:
    """A statement in its lines, before the one where squawk finds what was asked for the comment to pass it over."""
    ignored, lines = _ignored(statement, more), _wrapped(statement)
    head, added, tail = lines.partition("\nADD CONSTRAINT ")
    if added and "DROP CONSTRAINT" not in head:
        return f"{head}\n{ignored}ADD CONSTRAINT {tail}"
    return ignored + lines


def _ignored(statement: str, more: Iterable[tuple[str, str]]) -> str:
    rules = [rule for pattern, rule in (*ASKED_FOR, *more) if re.match(pattern, statement)]
    return f"-- squawk-ignore {', '.join(dict.fromkeys(rules))}\n" if rules else ""


def _wrapped(statement: str) -> str:
    """Break a long line of PostgreSQL's where the structure is known: before anything quoted."""
    if "\n" in statement or len(statement) <= WIDTH:
        return statement
    comment = re.fullmatch(r"(COMMENT ON .+? IS) ('(?:[^']|'')*')", statement)
    if comment:
        return f"{comment[1]}\n{_literal(comment[2])}"
    for word in (" ADD CONSTRAINT ", " CHECK ", " ON ", " REFERENCING ", " FOR EACH ", " EXECUTE "):
        head, found, tail = statement.partition(word)
        if found and "'" not in head and '"' not in head:
            statement = f"{head}\n{'    ' if word == ' CHECK ' else ''}{word.strip()} {tail}"
    return statement


def _literal(literal: str) -> str:
    """A long literal as several on lines of their own, which SQL joins."""
    pieces = re.findall(r"(?:''|[^'])(?:''|[^']){0,89}(?=\s|$)|(?:''|[^'])+", literal[1:-1])
    return "\n".join(f"'{piece}'" for piece in pieces) if "".join(pieces) == literal[1:-1] else literal


def item(kind: str, rendered: Any, context: AutogenContext) -> str | bool:
    """Alembic's hook `render_item`: types that a step of their own creates, which no table or column creates again."""
    if kind != "type" or not isinstance(rendered, Enum | DOMAIN) or not getattr(rendered, "native_enum", True):
        return False
    context.imports.add("from sqlalchemy.dialects import postgresql")
    schema = f", schema={rendered.schema!r}" if rendered.schema else ""
    if isinstance(rendered, DOMAIN):
        package = "postgresql" if "postgresql" in type(rendered.data_type).__module__ else "sa"
        what = f"{rendered.name!r}, {package}.{rendered.data_type!r}"
        return f"postgresql.DOMAIN({what}{schema}, create_type=False)"
    return f"postgresql.ENUM({', '.join(map(repr, rendered.enums))}, name={rendered.name!r}{schema}, create_type=False)"


@renderers.dispatch_for(Step)
def _step(context: AutogenContext, step: Step) -> list[str]:
    if not step.up:
        return []
    return [*_notes(step), execute(context, step.up, *OF_THE_COLUMN)]


@renderers.dispatch_for(OutsideTransaction)
def _outside_transaction(context: AutogenContext, outside: OutsideTransaction) -> list[str]:
    calls = [
        call
        for step in outside.steps
        for call in (*_notes(step), *(_alone(context, statement) for statement in step.up))
    ]
    if not calls:
        return []
    body = "\n".join(calls)
    return ["with op.get_context().autocommit_block():\n" + re.sub(r"^(?=.)", "    ", body, flags=re.MULTILINE)]


def _alone(context: AutogenContext, statement: str) -> str:
    call = execute(context, [statement], OUTSIDE)
    if partitioned.is_index(statement):
        online = f"{call}\n{partitioned.for_each_partition(statement)}"
        branches = (execute(context, [partitioned.offline(statement)]), online)
    elif partition_constraints.is_one(statement):
        online = partition_constraints.for_each_partition(statement)
        branches = (execute(context, [partition_constraints.offline(statement)], OUTSIDE), online)
    else:
        return call
    offline, online = (re.sub(r"^(?=.)", "    ", branch, flags=re.MULTILINE) for branch in branches)
    return f"if op.get_context().as_sql:\n{offline}\nelse:\n{online}"


@renderers.dispatch_for(ByHand)
def _by_hand(_context: AutogenContext, by_hand: ByHand) -> list[str]:
    raise CommandError("\n".join(f"{what}.\nNext: {way}." for what, way in by_hand.reasons))


@renderers.dispatch_for(PerhapsRenamed)
def _perhaps_renamed(_context: AutogenContext, rename: PerhapsRenamed) -> list[str]:
    schema = f", schema={rename.schema!r}" if rename.schema else ""
    call = f"op.alter_column({rename.table!r}, {rename.old!r}, new_column_name={rename.new!r}{schema})"
    return [
        f"# TODO choose: {rename.old} is dropped with its values, {rename.new} is added. If it is one column, renamed,",
        "# write this instead, and take both out of `drops` and of `changes`:",
        f"# {call}",
    ]


def _notes(step: Step) -> list[str]:
    if step.verb == "prepare":
        return ["# Bodies may name what comes after them. PostgreSQL has read them, when it built the models."]
    if step.verb == "create" and step.identity.kind == "materialized_view":
        return [
            "# Built anew from its base tables while readers wait; owned by who runs this; grants to roles that the",
            "# models do not name have to be given again.",
        ]
    return []
