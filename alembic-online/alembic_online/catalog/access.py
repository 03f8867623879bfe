"""Who owns an object and who may do what with it, as statements that make it so again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection

from alembic_online.catalog.snapshot import Identity, Snapshot, qualified_names, query

OWNED = ("view", "materialized_view", "function")
"""What is created for whoever creates it; all else belongs to its table's owner."""


@dataclass(frozen=True)
class Access:
    """Statements that give a new object its owner, its privileges and what else it has.

    `obstacle`: what of it no statement makes; `barred`: why this role cannot run them all; empty: nothing.
    """

    statements: tuple[str, ...]
    obstacle: str
    barred: str


def access(connection: Connection, seen: Snapshot, units: Sequence[Identity]) -> Mapping[Identity, Access]:
    """Of each of these objects. Changes nothing."""
    names = {unit: _name(seen, unit) for unit in units}
    routines = sorted({name for unit, name in names.items() if unit.kind == "function"})
    relations = {*names.values(), *(_relation(unit) for unit in units if unit.kind != "function")} - {*routines}
    parameters = {"relations": sorted(relations), "routines": routines}
    with qualified_names(connection):
        rights = _by(connection.execute(query("access"), parameters), "name")
        details = _by(connection.execute(query("details"), parameters), "name")
    return {
        unit: _access(
            seen,
            unit,
            rights.get(names[unit] if unit.kind in OWNED else _relation(unit), []),
            [each for each in details.get(names[unit], []) if each.part == _part(unit)],
        )
        for unit in units
    }


def _access(seen: Snapshot, unit: Identity, rights: Sequence[Any], details: Sequence[Any]) -> Access:
    statements = [each.statement for each in details if each.statement]
    if unit.kind in OWNED and rights:
        statements = [*_given(seen, unit, rights), *statements]
    elif unit.kind == "column":
        statements += _granted([right for right in rights if right.column_name == unit.part])
    obstacles = [each.obstacle for each in details if each.obstacle]
    return Access(tuple(statements), next(iter(obstacles), ""), next(_barred(unit, rights), ""))


def _by(rows: Any, column: str) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(getattr(row, column), []).append(row)
    return found


def _name(seen: Snapshot, unit: Identity) -> str:
    """What its own name is; of what has none, its table's. A function's is as PostgreSQL prints it."""
    match unit.kind:
        case "function":
            return seen.removals[unit].removeprefix("DROP ROUTINE ")
        case "index":
            return f"{unit.schema}.{unit.part}"
        case _:
            return _relation(unit)


def _relation(unit: Identity) -> str:
    return f"{unit.schema}.{unit.name}"


def _part(unit: Identity) -> str:
    """What of its table it is, as the query of details calls it."""
    return {"column": unit.part, "statistics": f"statistics {unit.part}"}.get(unit.kind, "")


def _barred(unit: Identity, rights: Sequence[Any]) -> Iterator[str]:
    """Why this role could not make it anew."""
    for right in rights:
        if not right.ours:
            yield f"it belongs to {right.owner}, whose rights this role does not have"
        if unit.kind in OWNED and not right.creatable:
            yield f"{right.owner}, to whom it belongs, may not create in schema {unit.schema}"
        of_unit = unit.kind in OWNED or (unit.kind == "column" and right.column_name == unit.part)
        if of_unit and right.grantor and not right.grantable:
            yield f"{right.grantor} passed privileges on it on, and this role is not a member of that one"


def _given(seen: Snapshot, unit: Identity, rights: Sequence[Any]) -> Iterator[str]:
    """Owner and privileges, whatever default privileges give to a new object."""
    first = rights[0]
    yield f"{seen.removals[unit].replace('DROP ', 'ALTER ', 1)} OWNER TO {first.owner}"
    whole = [right for right in rights if right.privilege and not right.column_name]
    now = {f"{right.grantee} {right.privilege}" for right in whole}
    revoked: list[str] = []
    if first.by_default or now != set(first.usual):
        revoked = list(dict.fromkeys(["PUBLIC", *(first.by_default or [])]))
        if any(each.startswith(f"{first.owner} ") and each not in now for each in first.usual):
            revoked.append(first.owner)
        yield f"REVOKE ALL ON {first.word} {first.called} FROM {', '.join(revoked)}"
    wanted = whole if first.owner in revoked else [right for right in whole if right.grantee != first.owner]
    yield from _granted([*(wanted if revoked else []), *(right for right in rights if right.column_name)])


def _granted(rights: Sequence[Any]) -> Iterator[str]:
    """Each privilege as its grantor granted it, in their order."""
    for (grantor, grantee, grantable), group in groupby(
        rights, lambda each: (each.grantor, each.grantee, each.is_grantable)
    ):
        each = list(group)
        privileges = ", ".join(right.privilege + right.column_list for right in each)
        option = " WITH GRANT OPTION" if grantable else ""
        grant = f"GRANT {privileges} ON {each[0].word} {each[0].called} TO {grantee}{option}"
        yield from [grant] if grantor == each[0].owner else [f"SET ROLE {grantor}", grant, "RESET ROLE"]
