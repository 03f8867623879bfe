"""The steps that change one object: a function, a sequence, an index, what is set on something else."""

import re
from collections.abc import Collection, Iterable, Sequence

from alembic.operations import MigrateOperation

from alembic_online.catalog import constraints
from alembic_online.catalog.by_hand import is_checked_anew
from alembic_online.catalog.diff import Change
from alembic_online.catalog.snapshot import Identity, Snapshot
from alembic_online.catalog.statements import altered_sequence, called, concurrently, whole
from alembic_online.catalog.steps import Step

OF_TABLES = ("table", "column", "constraint", "index")
INDEXED = ("index", "constraint")
NAMED = re.compile(r" (?:CLUSTER ON|USING INDEX) (.+)$")


def replaced(identity: Identity, before: Snapshot, after: Snapshot) -> Step:
    """A function's new body; what an index holds of the old one's results, and what it let pass, is seen to."""
    users = [user for user in before.users(identity) if after.get(user) == before.get(user)]
    indexes = [before.removals[user].removeprefix("DROP INDEX ") for user in users if user.kind == "index"]
    checks = [user for user in users if is_checked_anew(user, before)]
    anew = [f"REINDEX INDEX CONCURRENTLY {index}" for index in indexes]
    anew += [statement for check in checks for statement in constraints.anew(check, before)]
    up, down = (after[identity], *anew), (before[identity], *anew)
    return Step("replace", identity, up, down, concurrent=bool(anew), others=tuple(map(called, checks)))


def dropped(identity: Identity, before: Snapshot) -> Step:
    """An object dropped with what goes with it."""
    up, down = (before.removals[identity],), tuple(whole(before, identity))
    return Step("drop", identity, up, down, others=constraints.others(before, identity))


def set_or_not(identity: Identity, before: Snapshot, after: Snapshot) -> Step:
    """A comment, a privilege or a setting; one that is no comment is taken away before it is changed."""
    either = after if identity in after else before
    take_away = [either.removals[identity]]
    changed = identity.kind != "comment" and identity in before and identity in after
    up, down = (
        tuple((take_away if changed else []) + [s[identity]] if identity in s else take_away) for s in (after, before)
    )
    if identity.kind == "setting" and identity.part == "emptiness":  # nobody wants it back
        up, down = (() if identity in s else tuple(take_away) for s in (after, before))
    return Step("alter", identity, up, down)


def regranted(identity: Identity, before: Snapshot, after: Snapshot) -> tuple[Step, Step]:
    """A changed privilege in two steps, for before and after columns go that it may name: taken away, and granted."""
    removal = (after.removals[identity],)
    return (
        Step("alter", identity, removal, (before[identity],)),
        Step("alter", identity, (after[identity],), removal),
    )


def under_tables(snapshot: Snapshot) -> set[Identity]:
    """The functions and operators that tables and types use, be it by others: they have to be there before."""
    found: set[Identity] = set()
    waiting = [identity for identity in snapshot if identity.kind in (*OF_TABLES, "type")]
    while waiting:
        used = snapshot.uses.get(waiting.pop(), frozenset()) - found
        new = {identity for identity in used if identity.kind in ("function", "operator")}
        found |= new
        waiting += new
    return found


def unchecked_bodies(steps: Sequence[MigrateOperation]) -> tuple[list[Step], list[Step]]:
    """What comes before and after steps by which functions come, both ways, with other things that they may name: no
    order is right for what PostgreSQL does not know that a body names. The models were built with bodies that it read.
    """
    if len(steps) < 2 or not any(isinstance(step, Step) and step.identity.kind == "function" for step in steps):
        return [], []
    setting = Identity("function", "", "check_function_bodies")
    off = ("SET LOCAL check_function_bodies = off",)
    return [Step("prepare", setting, off, ())], [Step("prepare", setting, (), off)]


def index(change: Change, before: Snapshot, after: Snapshot) -> Step:
    """An index that comes, goes or is built anew while writers go on."""
    verb = {"added": "create", "removed": "drop", "changed": "rebuild"}[change.verb]
    up = tuple(concurrently(after, before, change.identity))
    down = tuple(concurrently(before, after, change.identity))
    return Step(verb, change.identity, up, down, concurrent=True)


def marked(changes: Collection[Identity], before: Snapshot, after: Snapshot) -> set[Identity]:
    """The settings of tables that are there before and after that name an index which is built anew or goes: CLUSTER ON
    and REPLICA IDENTITY."""
    return {
        setting
        for setting in {*before, *after}
        if setting.part in ("cluster", "replica identity")
        and Identity("table", setting.schema, setting.name) in before.keys() & after.keys()
        and any(_index(setting, snapshot, kind) in changes for snapshot in (before, after) for kind in INDEXED)
    }


def with_marks(steps: list[Step], settings: Iterable[Identity], before: Snapshot, after: Snapshot) -> list[Step]:
    """Steps that build indexes, with what names them taken away first and set last, both ways."""
    first, last = [], []
    for setting in sorted(settings):
        removal = ((after if setting in after else before).removals[setting],)
        if setting in before:
            first.append(Step("alter", setting, removal, (before[setting],), concurrent=True))
        if setting in after:
            last.append(Step("alter", setting, (after[setting],), removal, concurrent=True))
    return [*first, *steps, *last]


def _index(setting: Identity, snapshot: Snapshot, kind: str) -> Identity | None:
    """The index, or the key, that a setting names."""
    if (found := NAMED.search(snapshot.get(setting, ""))) is None:
        return None
    name = found[1][1:-1].replace('""', '"') if found[1].startswith('"') else found[1]
    return Identity(kind, setting.schema, setting.name, name)


def sequence(identity: Identity, before: Snapshot, after: Snapshot) -> Step:
    """A sequence that is there before and after."""
    up, down = altered_sequence(before[identity], after[identity]), altered_sequence(after[identity], before[identity])
    return Step("alter", identity, up, down)
