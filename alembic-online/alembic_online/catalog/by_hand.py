"""What is not generated, and how a person does it."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from alembic_online.catalog import columns, constraints, partitioned, types
from alembic_online.catalog.diff import Change
from alembic_online.catalog.snapshot import REBUILT, Identity, Snapshot
from alembic_online.catalog.statements import NOT_ENFORCED, NOT_VALID, called, is_check

SET = ("comment", "privilege", "setting")
"""What is set on another object, and is not an object of its own."""

# How a person does what is not generated, in a revision written by hand.
BY_HAND = {
    "schema": "write a revision by hand that creates or drops the schema",
    "table": "write the ALTER TABLE by hand: SET LOGGED or UNLOGGED rewrites the table while everybody waits;"
    " parents are changed by INHERIT and NO INHERIT; partitioning, a type or an access method need a new table,"
    " filled in batches",
    "constraint": "write the revision by hand: an exclusion holds up writers while it is built",
    "disabled": "write a revision by hand: check the rows written meanwhile, then ALTER TABLE … ENABLE TRIGGER ALL, of"
    " a foreign key on both of its tables; it also enables what others have disabled there",
    "setting": "write it by hand: ALTER DOMAIN {name} ADD CONSTRAINT … NOT VALID, which reads nothing; then, in a"
    " revision of its own, VALIDATE CONSTRAINT: it reads every table with a column of the domain, whose writers wait"
    " meanwhile. The same of NOT NULL: CHECK (VALUE IS NOT NULL)",
    "sequence": "write it by hand: CREATE or DROP SEQUENCE, with its column's default",
    "unmet": "the table is not the project's: have its owner put it right",
    "owner": "ALTER … OWNER TO, as an administrator: no revision is needed, others' databases are not concerned",
    "type": "rows are of it; write it by hand. Of an enum: a label that is taken away, or another order, needs CREATE"
    " TYPE under a new name and columns of it, filled in batches. Of a composite: ALTER TYPE {name} ADD ATTRIBUTE …;"
    " one that is dropped loses its values. Of a range or a domain's own type: CREATE under a new name, and columns of"
    " it",
    "at once": "make two changes of it: first leave what goes in the models; generate and run that; then take it out",
    "other": "write a revision by hand that creates, alters or drops it",
    "stale": "write it by hand: replace the function; then fill a generated column under a new name in batches, and"
    " build an exclusion anew",
}


def reasons(
    change: Change,
    before: Snapshot,
    after: Snapshot,
    handled: Collection[Identity],
    rehearsed: Mapping[Identity, str],
) -> Iterator[columns.Why]:
    """Why a change is not generated, if it is not; `handled` are dropped and made anew, or extended."""
    identity = change.identity
    if identity.kind == "column" and change.verb == "changed":
        yield from columns.by_hand(identity, before, after, rehearsed)
        return
    if identity.kind == "function" and change.verb == "changed" and identity not in handled:
        for user in before.users(identity):
            if _is_stale(user, before):
                what = f"{user} uses it, whose rows were checked or computed by the old body"
                yield f"changed {identity} cannot be generated: {what}", BY_HAND["stale"]
    if identity in handled or _is_generated(change, before, after):
        return
    what = f"it is {change.before or 'absent'}, the models mean {change.after or 'none'}".replace("\n", " ")
    disabled = "/* its triggers are disabled */" in (change.before or "")
    way = BY_HAND["disabled" if disabled else identity.kind]
    yield f"{change} cannot be generated: {what}", way.replace("{name}", called(identity))


def not_known(change: Change) -> columns.Why:
    """Why a change that no operation makes is not generated."""
    what = f"it is {change.before or 'absent'}, the models mean {change.after or 'none'}".replace("\n", " ")
    return f"{change} cannot be generated: {what}", BY_HAND["other"]


def sequences_lost(before: Snapshot, after: Snapshot) -> Iterator[columns.Why]:
    """The sequences that stay, and would go with the column that owns them."""
    for identity in before:
        owner = before.parent(identity) if identity.kind == "sequence" and identity in after else None
        if owner is not None and owner not in after:
            what = f"{identity} stays, and would go with {owner}, which owns it"
            yield what, f"first ALTER SEQUENCE {called(identity)} OWNED BY NONE, in a revision by itself"


def emptied(changes: Iterable[Change]) -> Iterator[columns.Why]:
    """The materialized views that the models have WITH NO DATA, and that are filled or not there yet."""
    for change in changes:
        if (change.identity.kind, change.identity.part) == ("setting", "emptiness") and change.before is None:
            view = Identity("materialized_view", change.identity.schema, change.identity.name)
            what = f"{view} is WITH NO DATA in the models: whether it is filled is a state, which they cannot demand"
            yield what, "leave WITH NO DATA out of the models"


def is_validation(change: Change) -> bool:
    """Whether a constraint is there, and only not validated."""
    return change.identity.kind == "constraint" and change.before == f"{change.after} NOT VALID"


def is_checked_anew(constraint: Identity, snapshot: Snapshot) -> bool:
    """Whether rows have to pass a CHECK once more when a function changes that it calls."""
    definition = snapshot.get(constraint)
    return (
        constraint.kind == "constraint"
        and is_check(definition)
        and not str(definition).endswith((NOT_VALID, NOT_ENFORCED))
    )


def _is_stale(user: Identity, snapshot: Snapshot) -> bool:
    """Whether what a function let pass, or computed, is stored where nothing that is generated corrects it."""
    if user.kind == "column":
        return bool(snapshot.columns[user].generated)
    return user.kind == "constraint" and not is_check(snapshot.get(user))


def is_alone(sequence: Identity, *snapshots: Snapshot) -> bool:
    """Whether no column owns a sequence, before or after."""
    return all(snapshot.parent(sequence) is None for snapshot in snapshots if sequence in snapshot)


def _is_generated(change: Change, before: Snapshot, after: Snapshot) -> bool:
    match change.identity.kind:
        case "constraint":
            definitions = [definition for definition in (change.before, change.after) if definition]
            on_partitions = partitioned.stands_on(change.identity, before)
            return (
                is_validation(change)
                or constraints.is_switched_off(change)
                or all(constraints.is_online(each, partitioned=on_partitions) for each in definitions)
            )
        case "type":
            return change.verb != "changed"
        case "setting":
            return not types.reads_rows(change, before)
        case "sequence":
            return change.verb == "changed" or is_alone(change.identity, before, after)
        case kind:
            return kind in (*REBUILT, *SET, "function", "column", "index")
