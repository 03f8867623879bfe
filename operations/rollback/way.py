"""The way back: the revisions that a rollback undoes, and what goes with them, as the live catalog says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alembic.script import Script
from alembic.util import CommandError
from alembic_online import Ledger, OnlineError, Planned, Session, UsageError, data_loss, parts
from alembic_online.validation import read_catalog

from models import ANALYTICS, PARTITIONS
from operations.queries import query
from operations.scope import SCOPE
from operations.status.amiss import refuse_unclear
from operations.upgrade import known_revision_of, script_directory


@dataclass(frozen=True)
class Way:
    """The revisions that a rollback undoes, newest first.

    `going`: by revision, the objects that go with it, as the catalog calls them ("table analytics.trend_cache").
    `replaced`: the materialized views in whose place it puts earlier ones.
    """

    current: str
    target: str
    scripts: Sequence[Script]
    going: Mapping[str, frozenset[str]]
    replaced: frozenset[str]

    @property
    def affected(self) -> list[str]:
        """The relations that are closed: those that go, and those of schema analytics that are changed."""
        locked = {name for script in self.scripts for name in getattr(script.module, "locks", {}).get("downgrade", ())}
        return sorted(_ours(locked) | self.of("table", "materialized view", "view", "sequence"))

    @property
    def applications(self) -> list[str]:
        """Of these, what applications themselves use: what triggers fill, Phase 1's writers hold all the time."""
        sequences = self.of("sequence")
        return sorted(set(self.affected) - self.computed - sequences)

    @property
    def remembered(self) -> list[str]:
        """What has privileges that go, or are taken away meanwhile: with functions, and the schema if that goes.

        Those on Phase 1's own view are as of before the upgrade then: what was granted since is missing there.
        """
        affected = self.affected
        functions = sorted(self.of("function") - set(affected))
        return [*sorted(self.of("schema")), *affected, *functions, *sorted(self.replaced.difference(affected))]

    @property
    def returning(self) -> list[str]:
        """Of what is replaced, that in whose place an earlier one comes which was kept, with the indexes of then."""
        locked = {name for script in self.scripts for name in getattr(script.module, "locks", {}).get("downgrade", ())}
        kept = {name.partition(".")[2] for name in locked if name.partition(".")[0] in SCOPE.retained_schemas}
        return [name for name in self.replaced if name.partition(".")[2] in kept]

    @property
    def steps(self) -> list[Planned]:
        """The downgrades that it runs."""
        return [Planned(script, "downgrade") for script in self.scripts]

    @property
    def columns(self) -> dict[str, list[str]]:
        """The columns that go from tables that stay."""
        found: dict[str, list[str]] = {}
        for script in self.scripts:
            for relation, columns in self.columns_of(script).items():
                found.setdefault(relation, []).extend(columns)
        return found

    @property
    def computed(self) -> set[str]:
        """What triggers fill: a later upgrade computes it again."""
        return {name for script in self.scripts for name in data_loss.computed(script)}

    def columns_of(self, script: Script) -> dict[str, list[str]]:
        """The columns that go with one revision, from tables that do not."""
        found: dict[str, list[str]] = {}
        tables = self.of("table", "view", "materialized view")
        for name in sorted(_named(self.going[script.revision], "column")):
            relation = parts.relations([name])[0]
            if relation not in tables:
                found.setdefault(relation, []).append(name.removeprefix(f"{relation}."))
        return found

    def of(self, *kinds: str) -> set[str]:
        """What goes of these kinds, but for partitions, which go with their tables."""
        every = frozenset[str]().union(*self.going.values())
        named = set().union(*(_named(every, kind) for kind in kinds))
        return {name for name in named if name.partition(".")[0] != PARTITIONS}


def way(session: Session, target: str) -> Way:
    """The way back to `target`; UsageError where that is no earlier revision."""
    current = revision(session)
    if current is None:
        refuse_unclear(session.connection)
        raise OnlineError("No migration was run on this database.", "there is nothing to roll back.")
    return between(session, current, target)


def revision(session: Session) -> str | None:
    """The revision at which the database is."""
    return known_revision_of(session.sqlalchemy)


def between(session: Session, current: str, target: str) -> Way:
    """The way from one revision to an earlier one; UsageError where it is none."""
    directory = script_directory()
    known = [script.revision for script in directory.walk_revisions()]
    if target not in known:
        raise UsageError(f"{target} is not a revision.", f"name one of {', '.join(reversed(known))}.")
    try:
        scripts = list(directory.iterate_revisions(current, target))
    except CommandError:
        scripts = []
    if target == current or not scripts:
        raise UsageError(f"The database is at {current}: {target} is not before it.", "name an earlier revision.")
    return Way(current, target, scripts, _going(session, scripts), _replaced(session, scripts))


def replaced_later(session: Session) -> frozenset[str]:
    """The tables in whose place the upgrade from here puts others, `schema.table`."""
    scripts = script_directory().iterate_revisions("head", revision(session) or "base")
    replaced = frozenset[str]().union(*(Planned(script, "upgrade").replaces for script in scripts))
    return frozenset(name.removeprefix("table ") for name in replaced)


def before_upgrade(session: Session, script: Script) -> Mapping[str, str] | None:
    """The catalog before the upgrade to a revision, as the ledger kept it; None: it does not know that upgrade."""
    if not Ledger(session.connection, SCOPE).exists():
        return None
    row = session.connection.execute(query("rollback/before_upgrade"), {"revision": script.revision}).fetchone()
    return row[0] if row else None


def refuse_quoted(session: Session, back: Way) -> None:
    """Raise OnlineError where a table that would be moved aside has a name that has to be quoted."""
    names = sorted(set().union(*(_named(going, "table") for going in back.going.values())))
    found = [name for (name,) in session.connection.execute(query("rollback/quoted"), {"names": names})]
    if found:
        raise OnlineError(
            f"{', '.join(found)}: a rollback keeps tables only under names that need no quotes; nothing was changed.",
            "rename it (ALTER TABLE … RENAME TO …), here and in the revision that creates it; or go back to no"
            " revision before that.",
        )


def staying(session: Session) -> frozenset[str]:
    """What no downgrade drops: our schemas in which others have something, and their comments.

    They belong to what goes all the same: a later upgrade grants and revokes as where it makes them.
    """
    rows = session.connection.execute(query("rollback/inhabited"), {"schemas": list(SCOPE.schemas)}).fetchall()
    return frozenset(name for (schema,) in rows for name in (f"schema {schema}", f"comment on schema {schema}"))


def _going(session: Session, scripts: Sequence[Script]) -> dict[str, frozenset[str]]:
    """By revision: what is there now and was not before its upgrade.

    Where the ledger does not know that, what the revision itself says that its downgrade removes.
    """
    there = frozenset(read_catalog(session, "the look at what a rollback undoes"))
    going = {}
    for script in scripts:
        before = before_upgrade(session, script)
        declared = Planned(script, "downgrade").removed
        going[script.revision] = there - before.keys() if before is not None else there & declared
        there -= going[script.revision]
        going[script.revision] |= _elsewhere(session, script)
    return going


def _elsewhere(session: Session, script: Script) -> frozenset[str]:
    """What a downgrade says it drops and the catalog of what is ours does not tell: tables of other schemas, with their
    sequences, and further columns of such tables.
    """
    found = parts.named(session.connection, Planned(script, "downgrade").drops)
    dropped = [each for each in found if not SCOPE.owns("column", each.schema, each.relation, each.column_name or "")]
    tables = [each.table_name for each in parts.tables(dropped)]
    rows = session.connection.execute(query("rollback/with_sequences"), {"relations": tables}).fetchall()
    columns = (each for columns in parts.columns(dropped).values() for each in columns)
    return frozenset(
        [f"{kind} {name}" for kind, name in rows]
        + [f"column {each.schema}.{each.relation}.{each.column_name}" for each in columns]
    )


def _replaced(session: Session, scripts: Sequence[Script]) -> frozenset[str]:
    """The materialized views in whose place a downgrade puts earlier ones."""
    locked = {name for script in scripts for name in getattr(script.module, "locks", {}).get("downgrade", ())}
    found = session.connection.execute(query("rollback/relations"), {"relations": list(locked)}).fetchall()
    return frozenset(
        relation
        for relation, kind, *_ in found
        if kind == "m" and relation.partition(".")[0] not in SCOPE.retained_schemas
    )


def _named(objects: frozenset[str], kind: str) -> set[str]:
    """The names of the objects of one kind."""
    return {name.removeprefix(f"{kind} ") for name in objects if name.startswith(f"{kind} ")}


def _ours(names: set[str]) -> set[str]:
    return {name for name in names if name == ANALYTICS or name.startswith(f"{ANALYTICS}.")}
