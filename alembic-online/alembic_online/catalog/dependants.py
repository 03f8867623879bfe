"""What others have built on objects of the project: each with the statements that take it away and bring it back.

Definition, owner, comments and privileges, ready to be run again, in an order in which they can be.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from alembic_online.catalog import partitioned
from alembic_online.catalog.access import OWNED, Access, access
from alembic_online.catalog.snapshot import (
    PARTITIONED,
    Identity,
    Snapshot,
    definitions,
    qualified_names,
    query,
    snapshot,
)
from alembic_online.catalog.statements import INVALID, NOT_ENFORCED, NOT_VALID, built, called, named, quoted, validate
from alembic_online.scope import Scope

RENDERED = (*OWNED, "column", "constraint", "index", "trigger", "rule", "policy", "statistics")
USES = 3  # named where it is said what an object uses

"""What is rendered here. All other kinds hold data, or are too rare to be known well enough."""
MARKED = re.compile(r"/\* (INVALID|its triggers are disabled|index WITH .*) \*/$")
"""What the catalog notes of an index or a constraint that no statement makes so."""


@dataclass(frozen=True)
class Dependant:
    """An object of others. `name` as the catalog calls it; what it `uses`, as "schema.name" and "schema.name.part".

    `creation` brings it back in one transaction, but for an index that is built CONCURRENTLY: that is the first
    statement then, and runs by itself. `later` takes time and holds up nobody: validation of a constraint, a refresh;
    empty: nothing. `locks` are what `removal` takes. `obstacle`: why no statements bring it back as it is, `barred`:
    why this role may not run them; empty: they do, it may. What holds data has no `removal`: `release` are statements
    by which it no longer uses what goes and keeps its data (empty: there are none), `attached` those that undo it.
    """

    name: str
    uses: tuple[str, ...]
    removal: str
    creation: tuple[str, ...]
    later: str
    locks: Mapping[str, str]
    obstacle: str
    barred: str
    release: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} uses {', '.join(self.uses[:USES])}"

    @property
    def sql(self) -> str:
        """All that brings it back, for people to run."""
        return "".join(f"{statement};\n" for statement in (*self.creation, self.later) if statement)


def advice(found: Sequence[Dependant], them: str) -> str:
    """What the owners of what is in the way are asked to do, with statements in an order in which they run: nothing
    that holds data is dropped by these. `them`: the pronoun for all of it."""
    statements = [run for each in reversed(found) for run in (each.release or (each.removal,)) if run]
    lasting = [each.name for each in found if each.obstacle and not each.release and not each.removal]
    asked = f"drop {them}"
    if any(each.release for each in found):
        rest = ", and drop the rest" if any(each.removal for each in found) else ""
        asked = f"detach what holds data, which keeps it{rest}"
    shown = f"{asked} ({' '.join(f'{each};' for each in statements)})" if statements else asked
    if lasting and statements:
        shown += f"; {', '.join(lasting)} as they see fit"
    if attached := " ".join(f"{each};" for one in found for each in one.attached):
        shown += f"; later, {attached} attaches it again"
    return shown


def dependants(
    connection: Connection, scope: Scope, gone: Collection[str], *, added: Collection[str] = ()
) -> list[Dependant]:
    """What of others uses what is `gone`, as the catalog calls it, or uses such a user; each after what it uses.

    What stands on a relation that is gone, as its indexes, goes with it, but for what others have `added` to one that
    another takes the place of. Changes nothing.
    """
    with qualified_names(connection):
        every = connection.scalars(query("every_schema"), {"bookkeeping": scope.bookkeeping}).all()
        inherited = {
            Identity(row.kind, row.schema, row.name, row.part): Identity(
                row.kind, row.parent_schema, row.parent, row.part
            )
            for row in connection.execute(query("inherited"))
        }
        published = {row.described: row for row in connection.execute(query("publications"))}
    seen = snapshot(connection, replace(scope, schemas=tuple(every), shared={}))
    ours = definitions(connection, scope).keys()
    uses = _reached(seen, {identity for identity in seen if str(identity) in gone}, ours, inherited)
    for identity in seen:
        if str(identity) in added and (parent := seen.parent(identity)) is not None:
            uses.setdefault(identity, [parent])
    units = [identity for identity in seen if identity in uses and identity not in inherited]
    known = access(connection, seen, units)
    found = [_rendered(seen, unit, uses[unit], units, known[unit]) for unit in units]
    strange = [identity for identity in uses if identity.kind == "foreign"]
    return [*found, *(_published(each, uses[each], published.get(each.name)) for each in sorted(strange))]


def _reached(
    seen: Snapshot, start: Set[Identity], ours: Set[Identity], inherited: Mapping[Identity, Identity]
) -> dict[Identity, list[Identity]]:
    """What of others is reached from `start` by use, with what it uses of that."""
    users: dict[Identity, set[Identity]] = {}
    for user, used_by_it in seen.uses.items():
        for each in used_by_it:
            users.setdefault(each, set()).add(user)
    parts: dict[Identity, set[Identity]] = {}
    for identity in seen:
        if (parent := seen.parent(identity)) is not None:
            parts.setdefault(parent, set()).add(identity)
    for child, parent in inherited.items():
        parts.setdefault(parent, set()).add(child)
    gone, found = set(start), dict[Identity, set[Identity]]()
    waiting = list(start)
    while waiting:
        used = waiting.pop()
        new = {part for part in parts.get(used, ()) if part not in gone and part not in found}
        # What stands on a relation that is brought back has to be brought back, too.
        brought_back = {part for part in new if used in found and part.kind in RENDERED and part not in inherited}
        new_users = [user for user in users.get(used, ()) if user not in gone and user not in ours]
        for user in (*brought_back, *(user for user in new_users if seen.parent(user) not in start)):
            if user not in found:
                waiting.append(user)
            found.setdefault(user, set()).add(used)
        gone |= new - brought_back
        waiting += new - brought_back
    return {user: sorted(used) for user, used in found.items()}


def _rendered(
    seen: Snapshot, unit: Identity, uses: Sequence[Identity], units: Sequence[Identity], known: Access
) -> Dependant:
    removal, definition, later = _statements(seen, unit, units)
    further: list[str] = []
    if removal == seen.removals[unit]:  # else only a part of it goes
        further = [*known.statements, *_settings(seen, unit)]
        further += [seen[each] for each in seen if each.kind == "comment" and seen.parent(each) == unit]
    relations = [called(unit)] if unit.kind != "function" else []
    if unit.kind == "constraint":
        referred = [each for each in seen.uses.get(unit, ()) if each.kind in ("table", "column", "constraint")]
        relations += [called(each) for each in referred]
    locks = dict.fromkeys(relations, "AccessExclusiveLock")
    obstacle = _obstacle(seen, unit, uses)
    if obstacle and _holds_data(unit):
        release, attached = _released(seen, unit, uses)
        return Dependant(str(unit), _called(uses), "", (), "", locks, obstacle, known.barred, release, attached)
    obstacle = obstacle or known.obstacle
    return Dependant(str(unit), _called(uses), removal, (definition, *further), later, locks, obstacle, known.barred)


def _published(identity: Identity, uses: Sequence[Identity], row: Any) -> Dependant:
    if row is None:
        obstacle = "objects of its kind cannot be made anew exactly"
        return Dependant(identity.name, _called(uses), "", (), "", {}, obstacle, "")
    locks = {row.locked: "ShareUpdateExclusiveLock"} if row.locked else {}
    barred = "" if row.ours else f"it belongs to {row.owner}, whose rights this role does not have"
    return Dependant(identity.name, _called(uses), row.removal, (row.definition,), "", locks, "", barred)


def _called(uses: Sequence[Identity]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(".".join(filter(None, (each.schema, each.name, each.part))) for each in uses))


def _statements(seen: Snapshot, unit: Identity, units: Sequence[Identity]) -> tuple[str, str, str]:
    """What takes it away, what creates it, and what takes time afterwards."""
    removal, definition = seen.removals[unit], seen[unit]
    if unit.kind == "materialized_view":
        is_empty = Identity("setting", unit.schema, unit.name, "emptiness") in seen
        return removal, f"{definition}\nWITH NO DATA", "" if is_empty else removal.replace("DROP ", "REFRESH ", 1)
    if unit.kind == "index" and seen.parent(unit) not in units:
        if definition.endswith(INVALID):
            return removal, definition, ""
        return removal, partitioned.whole(definition) if partitioned.is_index(definition) else built(definition), ""
    if unit.kind == "constraint" and re.search(r" (CHECK \(|FOREIGN KEY \()", definition):
        # A partitioned table takes a foreign key that is NOT VALID from PostgreSQL 18 on.
        if definition.endswith((NOT_VALID, NOT_ENFORCED)) or partitioned.stands_on(unit, seen):
            return removal, definition, ""
        return removal, f"{definition}{NOT_VALID}", validate(removal)
    if unit.kind == "column" and not seen.columns[unit].generated:
        altered = named(seen, unit)
        return f"{altered} DROP DEFAULT", f"{altered} SET DEFAULT {seen.columns[unit].default}", ""
    return removal, definition, ""


def _settings(seen: Snapshot, unit: Identity) -> Iterator[str]:
    """What is set of it beyond what creates it: of a view on itself, of a column by its name, of an index where the
    relation names it.
    """
    for setting, statement in seen.items():
        if setting.kind != "setting" or (setting.schema, setting.name) != (unit.schema, unit.name):
            continue
        names_an_index = setting.part in ("cluster", "replica identity")
        match unit.kind:
            case "view" | "materialized_view":
                own = not names_an_index and setting.part != "emptiness"
            case "column":
                own = setting.part.endswith(f" of column {unit.part}")
            case "index" | "constraint":
                own = names_an_index and statement.replace('"', "").endswith(f" {unit.part}")
            case _:
                own = False
        if own:
            yield statement


def _holds_data(unit: Identity) -> bool:
    return unit.kind == "column" or unit.kind not in RENDERED


def _released(seen: Snapshot, unit: Identity, uses: Sequence[Identity]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The statements by which what holds data no longer uses these, and keeps its data; and those that undo them."""
    if unit.kind == "table":
        parents = [each for each in uses if each.kind == "table"]
        if any(PARTITIONED in seen[each] for each in parents):
            return tuple(f"ALTER TABLE {called(each)} DETACH PARTITION {called(unit)}" for each in parents), ()
        inheriting = [(f"ALTER TABLE {called(unit)}", called(each)) for each in parents]
        typed = [f"ALTER TABLE {called(unit)} NOT OF" for each in uses if each.kind == "type"]
        release = [*(f"{child} NO INHERIT {parent}" for child, parent in inheriting), *typed]
        return tuple(release), tuple(f"{child} INHERIT {parent}" for child, parent in inheriting)
    if unit.kind == "column":
        column, altered = seen.columns[unit], named(seen, unit)
        by_default = [f"{altered} DROP DEFAULT"] if column.default is not None else []
        if not any(each.kind in ("type", "table", "view", "materialized_view") for each in uses):
            return tuple(by_default), ()
        name = quoted(unit.part)
        is_row = not any(each.kind == "type" and " AS ENUM" in seen[each] for each in uses)
        kept = f"jsonb USING pg_catalog.to_jsonb({name})" if is_row else f"text USING {name}::text"
        return (*by_default, f"{altered} TYPE {kept}"), ()
    return (), ()


def _obstacle(seen: Snapshot, unit: Identity, uses: Sequence[Identity]) -> str:
    if unit.kind not in RENDERED:
        return "it holds data, or objects of its kind cannot be made anew exactly"
    if unit.kind == "column" and not seen.columns[unit].generated:
        by_default = all(used.kind in ("function", "sequence", "operator") for used in uses)
        if seen.columns[unit].default is None or not by_default:
            return "it holds values, which would be lost"
    if unit.kind in ("index", "constraint") and (marked := MARKED.search(seen[unit])):
        return f"it is not as a statement makes it: {marked[1]}"
    return ""
