"""SQL as it stands in a revision: formatted, and exactly what PostgreSQL is to get."""

import re
from collections.abc import Iterable

from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import renderers
from alembic.util import CommandError

from alembic_online.catalog.steps import ByHand, OutsideTransaction, PerhapsRenamed, Step

WIDTH = 100

QUOTED = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|\$(\w*)\$.*?\$\1\$", re.DOTALL)


def execute(context: AutogenContext, statements: Iterable[str]) -> str:
    """A call of ``op.execute`` for the statements, as Python source."""
    sql = ";\n".join(_wrapped(statement) for statement in statements)
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


@renderers.dispatch_for(Step)
def _step(context: AutogenContext, step: Step) -> list[str]:
    if not step.up:
        return []
    return [*_notes(step), execute(context, step.up)]


@renderers.dispatch_for(OutsideTransaction)
def _outside_transaction(context: AutogenContext, outside: OutsideTransaction) -> list[str]:
    calls = [
        call
        for step in outside.steps
        for call in (*_notes(step), *(execute(context, [statement]) for statement in step.up))
    ]
    if not calls:
        return []
    body = "\n".join(calls)
    return ["with op.get_context().autocommit_block():\n" + re.sub(r"^(?=.)", "    ", body, flags=re.MULTILINE)]


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
    if step.verb == "create" and step.identity.kind == "materialized_view":
        return [
            "# Built anew from its base tables while readers wait; owned by who runs this; grants to roles that the",
            "# models do not name have to be given again.",
        ]
    return []
